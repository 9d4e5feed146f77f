"use strict";
/* How good the model was after how many labels, and what random labels would have given. */
(() => {
  const { make, percent, count, table, charts } = Dubito;
  const points = (found) =>
    found.map(({ labels, estimate, low, high }) => [labels, estimate, low, high]);

  function shown(curve, chance) {
    const rows = [
      ...curve.map((one) => ["Dubito", one]),
      ...chance.map((one) => ["random sampling", one]),
    ];
    const all = rows.map(([, one]) => one);
    const lowest = Math.min(...all.map((one) => one.low));
    return charts.lines({
      label: "Accuracy by number of labels, with 95 % intervals",
      x: { name: "labels", low: 0, high: Math.max(...all.map((one) => one.labels)), format: count },
      y: {
        low: Math.max(0, Math.floor(10 * lowest) / 10),
        high: 1,
        format: (share) => percent(share),
      },
      series: [
        { name: "Dubito", kind: "", points: points(curve) },
        { name: "random sampling", kind: "second", points: points(chance) },
      ],
      table: table(
        "Learning curve",
        ["selection", "labels", "accuracy", "low", "high", "random tasks"],
        rows.map(([who, one]) => [
          who,
          count(one.labels),
          percent(one.estimate, 1),
          percent(one.low, 1),
          percent(one.high, 1),
          count(one.n),
        ]),
        [1, 2, 3, 4, 5],
      ),
    });
  }

  Dubito.panels.curve = (section, project) => {
    const body = make("div");
    section.append(body);
    project.onChange(
      ({ curve, assessed }) => [curve.length, assessed],
      async ({ curve }) => {
        const { by_chance: chance } = await project.shared("learning");
        if (!curve.length) {
          body.replaceChildren(
            make(
              "p",
              { class: "muted" },
              "The curve starts at 20 labels, 5 of them of tasks drawn at random.",
            ),
          );
          return;
        }
        const names = [["", "Dubito, with 95 % intervals"]];
        if (chance.length) names.push(["second", "estimate with random sampling only"]);
        body.replaceChildren(
          charts.legend(names),
          shown(curve, chance),
          make(
            "p",
            { class: "muted" },
            "Measured on tasks drawn at random, not on tasks chosen by the model.",
          ),
        );
      },
    );
  };
})();
