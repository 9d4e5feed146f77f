"use strict";
/* How certain the open tasks are, now and some rounds ago. */
(() => {
  const { make, count, table, charts } = Dubito;
  const step = (place, bins) => `${(place / bins).toFixed(2)}–${((place + 1) / bins).toFixed(2)}`;

  function shown(found) {
    const [now] = found;
    const bins = now.certainty.length;
    const highest = Math.max(1, ...found.flatMap(({ certainty }) => certainty));
    return charts.histogram({
      label: `Open tasks by certainty after ${now.labels} labels`,
      x: {
        name: "certainty: from 0 (two classes tie) to 1 (certain)",
        low: 0,
        high: 1,
        format: (value) => value.toFixed(1),
      },
      y: { low: 0, high: highest, format: count },
      series: found.map(({ certainty }) => ({ counts: certainty })),
      table: table(
        "Open tasks by certainty",
        ["certainty", ...found.map(({ labels }) => `${count(labels)} labels`)],
        now.certainty.map((_, place) => [
          step(place, bins),
          ...found.map(({ certainty }) => count(certainty[place])),
        ]),
        found.map((_, place) => place + 1),
      ),
    });
  }

  Dubito.panels.certainty = (section, project) => {
    const body = make("div");
    section.append(body);
    project.onChange(
      ({ round }) => round,
      async () => {
        const { certainty } = await project.shared("learning");
        if (!certainty.length) {
          body.replaceChildren(
            make("p", { class: "muted" }, "Available once there are two different labels."),
          );
          return;
        }
        const earlier = certainty.slice(1).map(({ labels }) => count(labels));
        const names = [["", `now, after ${count(certainty[0].labels)} labels`]];
        if (earlier.length) names.push(["faint", `after ${earlier.join(", ")} labels`]);
        body.replaceChildren(charts.legend(names), shown(certainty));
      },
    );
  };
})();
