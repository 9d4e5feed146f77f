"use strict";
/* The last rounds: when, of how many labels, how long. */
(() => {
  const { make, count, moment, table } = Dubito;

  Dubito.panels.rounds = (section, project) => {
    const body = make("div");
    section.append(body);
    project.onChange(
      ({ round }) => round,
      async () => {
        const { rounds } = await project.shared("learning");
        if (!rounds.length) {
          body.replaceChildren(make("p", { class: "muted" }, "None yet."));
          return;
        }
        body.replaceChildren(
          table(
            "Rounds",
            ["round", "labels", "seconds", "when"],
            rounds.map((one) => [
              count(one.round),
              count(one.labels),
              one.seconds.toFixed(2),
              moment(one.at),
            ]),
            [0, 1, 2],
          ),
        );
      },
    );
  };
})();
