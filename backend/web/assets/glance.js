"use strict";
/* The few things an owner wants to know first. */
(() => {
  const { make, percent, count } = Dubito;

  const PHASES = {
    waiting: "Waiting for tasks",
    start: "Asking for typical and random examples",
    learning: "Learning: asking for what it is least sure of",
    can_stop: "You can stop: more labels would change little",
    done: "Done: every task has been asked for",
    paused: "Paused",
  };
  const NEXT = {
    start: "a typical task or one drawn at random, so that every class is met",
    doubt: "the task it is least sure of",
    audit: "a task drawn at random, to measure the accuracy honestly",
  };

  Dubito.phase = (status) => PHASES[status.phase] || status.phase;

  /** Return the accuracy in words; null while it is not known. */
  Dubito.accuracy = ({ estimate, low, high }) => (estimate === null ? null
    : { figure: percent(estimate, 1), bounds: `${percent(low, 1)} to ${percent(high, 1)}` });

  const tile = (name, figure, ...more) => make("div", { class: "tile" },
    make("div", { class: "name" }, name), make("div", { class: "figure" }, figure),
    ...more.map((text) => make("div", { class: "muted" }, text)));

  function labels(status) {
    const asked = status.labels + status.pool;
    const share = asked ? status.labels / asked : 0;
    const bar = make("div", { class: "share", "aria-hidden": "true" }, make("span"));
    bar.firstChild.style.width = `${100 * share}%`;
    const left = status.start.left && status.phase === "start"
      ? `${count(status.start.left)} more until it asks by doubt` : null;
    return make("div", {}, tile("Labels", count(status.labels),
      `${count(status.pool)} tasks could still be asked for`, left), bar);
  }

  function accuracy(status) {
    const found = Dubito.accuracy(status.accuracy);
    if (!found) {
      return tile("Accuracy", "not known yet",
        "told from 20 labels on, 5 of them of tasks drawn at random");
    }
    return tile("Accuracy", found.figure, `${found.bounds} (95 %)`,
      `told by ${count(status.accuracy.n)} tasks drawn at random`);
  }

  function advice(status) {
    const shown = tile("Advice", status.stop.advised ? "You can stop" : "Go on");
    const reasons = status.stop.reasons.map((reason) => make("li", {}, reason));
    if (reasons.length) shown.append(make("ul", { class: "muted" }, ...reasons));
    return shown;
  }

  function next(status) {
    const [first] = status.window;
    if (!first) return tile("Next", status.phase === "done" ? "nothing" : "not decided yet");
    const sure = first.certainty === null ? null : `certainty ${first.certainty.toFixed(2)} of 1`;
    return tile("Next", Dubito.taskLink(status, first.task), NEXT[first.why], sure);
  }

  Dubito.panels.glance = (section, project) => {
    const phase = make("p", { class: "phase", role: "status" });
    const tiles = make("div", { class: "tiles" });
    section.append(phase, tiles);
    project.onStatus((status) => {
      const said = Dubito.phase(status);
      if (phase.textContent !== said) phase.textContent = said;
      tiles.replaceChildren(labels(status), accuracy(status), advice(status), next(status));
    });
  };
})();
