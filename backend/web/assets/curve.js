"use strict";
/* How good the model was after how many labels, and what random labels would have given. */
(() => {
  const { make, percent, count, rounded, table, charts } = Dubito;
  const points = (found) =>
    found.map(({ labels, estimate, low, high }) => [labels, estimate, low, high]);

  const ACCURACY = {
    name: "Accuracy",
    format: (share) => percent(share),
    exact: (share) => percent(share, 1),
    low: (lowest) => Math.max(0, Math.floor(10 * lowest) / 10),
    high: () => 1,
  };
  const ERROR = {
    name: "Mean error",
    format: rounded,
    exact: rounded,
    low: () => 0,
    high: (highest) => highest,
  };

  /** Draw one measure of what was learnt by Dubito, and by random labels. */
  function shown(curve, chance, { name, format, exact, low, high }) {
    const rows = [
      ...curve.map((one) => ["Dubito", one]),
      ...chance.map((one) => ["random sampling", one]),
    ];
    const all = rows.map(([, one]) => one);
    return charts.lines({
      label: `${name} by number of labels, with 95 % intervals`,
      x: { name: "labels", low: 0, high: Math.max(...all.map((one) => one.labels)), format: count },
      y: {
        low: low(Math.min(...all.map((one) => one.low))),
        high: high(Math.max(...all.map((one) => one.high))),
        format,
      },
      series: [
        { name: "Dubito", kind: "", points: points(curve) },
        { name: "random sampling", kind: "second", points: points(chance) },
      ],
      table: table(
        "Learning curve",
        ["selection", "labels", name.toLowerCase(), "low", "high", "random tasks"],
        rows.map(([who, one]) => [
          who,
          count(one.labels),
          exact(one.estimate),
          exact(one.low),
          exact(one.high),
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
      ({ curve, assessed, accuracy_needs: needs }) => [curve.length, assessed, needs],
      async ({ curve, kind, accuracy_needs: needs }) => {
        const { by_chance: chance } = await project.shared("learning");
        if (!curve.length) {
          body.replaceChildren(
            make("p", { class: "muted" }, `The first point of the curve needs ${needs}.`),
          );
          return;
        }
        const names = [["", "Dubito, with 95 % intervals"]];
        if (chance.length) names.push(["second", "estimate with random sampling only"]);
        body.replaceChildren(
          charts.legend(names),
          shown(curve, chance, kind === "number" ? ERROR : ACCURACY),
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
