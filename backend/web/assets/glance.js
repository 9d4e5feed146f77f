"use strict";
/* The few things an owner wants to know first. */
(() => {
  const { make, percent, count } = Dubito;

  const PHASES = {
    waiting: "Waiting for tasks",
    start: "Starting: typical and random tasks first",
    learning: "Learning: the least certain tasks first",
    can_stop: "You can stop: more labels would change little",
    done: "Done: no open task is left",
    paused: "Paused",
  };
  const NEXT = {
    start: "a typical task, or one drawn at random, so that every class appears early",
    doubt: "the task the model is least certain about",
    audit: "a task drawn at random, to measure how good the model is",
  };

  Dubito.phase = (status) => {
    const { kind } = status.questions[0] ?? status;
    return kind === "number" && status.phase === "learning"
      ? "Learning: tasks drawn at random"
      : PHASES[status.phase] || status.phase;
  };

  /** Return the phase, and why where nothing goes on. */
  const phaseWithReason = (status) =>
    status.phase === "paused" && status.last_error
      ? `${Dubito.phase(status)}: ${status.last_error}`
      : Dubito.phase(status);

  /** Return the accuracy, of numbers the mean error, in words; null while it is not known. */
  Dubito.accuracy = ({ kind, accuracy, mean_error }) => {
    const found = kind === "number" ? mean_error : accuracy;
    if (!found || found.estimate === null) return null;
    const said = kind === "number" ? Dubito.rounded : (share) => percent(share, 1);
    const bounds = `${said(found.low)} to ${said(found.high)}`;
    return { figure: said(found.estimate), bounds, n: found.n };
  };

  const tile = (name, figure, ...more) =>
    make(
      "div",
      { class: "tile" },
      make("div", { class: "name" }, name),
      make("div", { class: "figure" }, figure),
      ...more.filter(Boolean).map((text) => make("div", { class: "muted" }, text)),
    );

  /** Return how far the least certain tasks are; null if they are next. */
  function untilLeastCertain({ start, pool }) {
    if (!start.left) return null;
    return start.left < pool
      ? `${count(start.left)} more until the least certain tasks come first`
      : "typical and random tasks until the last one: too few to go on to the least certain";
  }

  function labels(status) {
    const asked = status.labels + status.pool;
    const share = asked ? status.labels / asked : 0;
    const bar = make("div", { class: "share", "aria-hidden": "true" }, make("span"));
    bar.firstChild.style.width = `${100 * share}%`;
    const left = status.phase === "start" ? untilLeastCertain(status) : null;
    return make(
      "div",
      {},
      tile("Labels", count(status.labels), `${count(status.pool)} tasks are open`, left),
      bar,
    );
  }

  /** Return what the accuracy means of this kind of question; null if it is plain. */
  function meaning({ kind, f1, mean_error }) {
    if (kind === "any of" && f1) return "share of tasks whose classes are all right";
    if (kind === "any of") return "share of the time, or of the words, whose labels are right";
    if (kind !== "ordered") return null;
    const exact = "share of tasks whose grade is exactly right";
    return mean_error ? `${exact}; mean error ${Dubito.meanError(mean_error)}` : exact;
  }

  /** Return of how many labels the accuracy is; null if it is of all that there are now. */
  function basis({ labels, assessed }) {
    return assessed.labels === labels ? null : `assessed at ${count(assessed.labels)} labels`;
  }

  function accuracy(status) {
    const measure = status.kind === "number" ? "Mean error" : "Accuracy";
    const name = status.questions.length > 1 ? `${measure} of ${status.question}` : measure;
    const found = Dubito.accuracy(status);
    if (!found) {
      return tile(name, "not known yet", `it needs ${status.accuracy_needs}`);
    }
    return tile(
      name,
      found.figure,
      `${found.bounds} (95 %)`,
      `measured on ${count(found.n)} tasks drawn at random`,
      basis(status),
      meaning(status),
    );
  }

  function advice(status) {
    const wait = status.phase === "paused" ? "Nothing to label now" : "Continue labelling";
    const shown = tile("Advice", status.stop.advised ? "You can stop" : wait);
    const reasons = status.stop.reasons.map((reason) => make("li", {}, reason));
    if (reasons.length) shown.append(make("ul", { class: "muted" }, ...reasons));
    return shown;
  }

  function next(status) {
    const [first] = status.window;
    if (!first)
      return tile("Next", ["done", "paused"].includes(status.phase) ? "none" : "not chosen yet");
    const sure =
      first.certainty === null ? null : `certainty ${first.certainty.toFixed(2)} (0 to 1)`;
    return tile("Next", Dubito.taskLink(status, first.task), NEXT[first.why], sure);
  }

  Dubito.panels.glance = (section, project) => {
    const phase = make("p", { class: "phase", role: "status" });
    const tiles = make("div", { class: "tiles" });
    section.append(phase, tiles);
    project.onStatus((status) => {
      const said = phaseWithReason(status);
      if (phase.textContent !== said) phase.textContent = said;
      tiles.replaceChildren(labels(status), accuracy(status), advice(status), next(status));
    });
  };
})();
