"use strict";
/* How many tasks each class has, and what is taken for what. */
(() => {
  const { make, count, percent, table } = Dubito;
  const MOST = 15;

  /** Return the tasks of each class, and what the last column says of it. */
  function sizes(classes, last, said) {
    return table(
      "Tasks of each class",
      ["class", "labelled", "predicted for unanswered tasks", last],
      classes.map((one) => [one.name, count(one.labelled), count(one.predicted), said(one)]),
      [1, 2, 3],
    );
  }

  function ofOne({ classes, confusion }) {
    const predicted = classes.reduce((sum, one) => sum + one.predicted, 0);
    const share = (one) => (predicted ? percent(one.predicted / predicted, 1) : "–");
    const found = confusion.length
      ? mistakes(classes, confusion)
      : [make("p", { class: "muted" }, "The confusion matrix appears with the accuracy.")];
    return [sizes(classes, "share of these", share), make("h3", {}, "Confusion matrix"), ...found];
  }

  function ofGrades(report, error) {
    const said = error
      ? `Mean error: ${Dubito.meanError(error)}. From ${count(error.n)} tasks drawn at random.`
      : "The mean error in grades appears with the accuracy.";
    return [...ofOne(report), make("p", { class: "muted" }, said)];
  }

  function ofNumbers(status) {
    const found = Dubito.accuracy(status);
    const said = found
      ? `Mean error: ${found.figure} (${found.bounds}). From ${count(found.n)} tasks drawn at random.`
      : "Labels are numbers: there are no classes.";
    return [make("p", { class: "muted" }, said)];
  }

  /** Return what F1 counts: sets of classes, or stretches, which have an accuracy alone. */
  function aboutF1(status) {
    const { f1 } = status;
    const whole = ({ estimate, low, high }) =>
      `${percent(estimate)} (${percent(low)} to ${percent(high)})`;
    if (f1) {
      return `F1 over all answers: ${whole(f1.micro)}; mean of the classes: ${whole(f1.macro)}. From ${count(f1.n)} tasks drawn at random.`;
    }
    const accuracy = Dubito.accuracy(status);
    return accuracy
      ? `A predicted stretch is right if it and a true one share half of what both cover. From ${count(accuracy.n)} tasks drawn at random.`
      : "F1 appears with the accuracy.";
  }

  function ofAny({ classes }, status) {
    return [
      sizes(classes, "F1", (one) => (one.f1 === null ? "–" : percent(one.f1))),
      make("p", { class: "muted" }, aboutF1(status)),
    ];
  }

  /** Return the classes that appear, and their counts as rows of labels. */
  function matrix(classes, confusion) {
    const met = new Set(confusion.flatMap(({ label, predicted }) => [label, predicted]));
    const names = classes.map(({ name }) => name).filter((name) => met.has(name));
    const counts = new Map(
      confusion.map((one) => [JSON.stringify([one.label, one.predicted]), one.count]),
    );
    const highest = Math.max(...confusion.map((one) => one.count));
    const cell = (label, predicted) => {
      const number = counts.get(JSON.stringify([label, predicted])) || 0;
      const made = make(
        "td",
        { class: label === predicted ? "right" : null },
        number ? count(number) : "·",
      );
      const share = Math.round((60 * number) / highest);
      made.style.background = `color-mix(in srgb, var(--${label === predicted ? "accent" : "warn"}) ${share / 2}%, transparent)`;
      return made;
    };
    return make(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "Confusion matrix" },
      make(
        "table",
        { class: "matrix" },
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            make("th", { scope: "col" }, "label ↓ · prediction →"),
            ...names.map((name) => make("th", { scope: "col" }, name)),
          ),
        ),
        make(
          "tbody",
          {},
          ...names.map((label) =>
            make(
              "tr",
              {},
              make("th", { scope: "row" }, label),
              ...names.map((predicted) => cell(label, predicted)),
            ),
          ),
        ),
      ),
    );
  }

  function mistakes(classes, confusion) {
    const total = confusion.reduce((sum, one) => sum + one.count, 0);
    const said = make(
      "p",
      { class: "muted" },
      `From ${count(total)} tasks drawn at random, each predicted by a model trained without its label.`,
    );
    const names = new Set(confusion.flatMap(({ label, predicted }) => [label, predicted]));
    if (names.size <= MOST) return [said, matrix(classes, confusion)];
    const wrong = confusion
      .filter((one) => one.label !== one.predicted)
      .sort((a, b) => b.count - a.count);
    return [
      said,
      table(
        "Mistakes",
        ["label", "prediction", "tasks"],
        wrong.map((one) => [one.label, one.predicted, count(one.count)]),
        [2],
      ),
    ];
  }

  function shown(status, report) {
    const { kind, mean_error } = status;
    if (kind === "number") return ofNumbers(status);
    if (kind === "any of") return ofAny(report, status);
    return kind === "ordered" ? ofGrades(report, mean_error) : ofOne(report);
  }

  Dubito.panels.classes = (section, project) => {
    const body = make("div");
    section.append(body);
    project.onChange(
      ({ round, labels, assessed, kind, f1, mean_error }) => [
        ...[round, labels, assessed, kind, f1, mean_error],
      ],
      async (status) => body.replaceChildren(...shown(status, await project.shared("learning"))),
    );
  };
})();
