"use strict";
/* How many tasks each class has, and what is taken for what. */
(() => {
  const { make, count, percent, table } = Dubito;
  const MOST = 15;

  function sizes(classes) {
    const predicted = classes.reduce((sum, one) => sum + one.predicted, 0);
    return table("Tasks of each class", ["class", "labelled", "predicted of the rest", "share"],
      classes.map((one) => [one.name, count(one.labelled), count(one.predicted),
        predicted ? percent(one.predicted / predicted, 1) : "–"]), [1, 2, 3]);
  }

  /** Return the classes that appear, and their counts as rows of labels. */
  function matrix(classes, confusion) {
    const met = new Set(confusion.flatMap(({ label, predicted }) => [label, predicted]));
    const names = classes.map(({ name }) => name).filter((name) => met.has(name));
    const counts = new Map(confusion.map((one) => [JSON.stringify([one.label, one.predicted]), one.count]));
    const highest = Math.max(...confusion.map((one) => one.count));
    const cell = (label, predicted) => {
      const number = counts.get(JSON.stringify([label, predicted])) || 0;
      const made = make("td", { class: label === predicted ? "right" : null }, number ? count(number) : "·");
      const share = Math.round((60 * number) / highest);
      made.style.background = `color-mix(in srgb, var(--${label === predicted ? "accent" : "warn"}) ${share / 2}%, transparent)`;
      return made;
    };
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Mistakes" },
      make("table", { class: "matrix" },
        make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "people say ↓ · model says →"),
          ...names.map((name) => make("th", { scope: "col" }, name)))),
        make("tbody", {}, ...names.map((label) => make("tr", {}, make("th", { scope: "row" }, label),
          ...names.map((predicted) => cell(label, predicted)))))));
  }

  function mistakes(classes, confusion) {
    const total = confusion.reduce((sum, one) => sum + one.count, 0);
    const said = make("p", { class: "muted" }, `Of ${count(total)} tasks drawn at random, by models that did not know their labels.`);
    const names = new Set(confusion.flatMap(({ label, predicted }) => [label, predicted]));
    if (names.size <= MOST) return [said, matrix(classes, confusion)];
    const wrong = confusion.filter((one) => one.label !== one.predicted).sort((a, b) => b.count - a.count);
    return [said, table("Mistakes", ["people say", "model says", "tasks"],
      wrong.map((one) => [one.label, one.predicted, count(one.count)]), [2])];
  }

  Dubito.panels.classes = (section, project) => {
    const body = make("div");
    section.append(body);
    project.onChange(({ round, labels, assessed }) => [round, labels, assessed], async () => {
      const { classes, confusion } = await project.shared("learning");
      const found = confusion.length ? mistakes(classes, confusion)
        : [make("p", { class: "muted" }, "What is mistaken for what is told from 20 labels on.")];
      body.replaceChildren(sizes(classes), make("h3", {}, "Mistakes"), ...found);
    });
  };
})();
