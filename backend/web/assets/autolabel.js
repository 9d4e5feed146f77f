"use strict";
/* Labelling the rest: what each certainty covers, and the job that writes it. */
(() => {
  const { make, count, percent, table, confirm } = Dubito;
  const { lines } = Dubito.charts;
  const LOOK_MILLISECONDS = 1500;
  const ACTIVE = ["writing", "undoing"];
  const MEANS =
    "Annotations close their tasks, so annotators do not see these tasks any more. They are marked" +
    " as auto-labels: the model is not trained on them, and they do not count for the accuracy." +
    " Otherwise Dubito writes predictions of version dubito-labels, and the tasks stay open.";

  const share = (one) => percent(one.error, 1);
  const interval = (one) => `${(100 * one.low).toFixed(1)}–${(100 * one.high).toFixed(1)} %`;
  const axis = (high) => ({
    name: "",
    low: 0,
    high,
    format: (value) => percent(value, high < 0.1 ? 1 : 0),
  });

  function sentence(one, total) {
    const covered = `At certainty ${one.certainty.toFixed(2)}: ${count(one.tasks)} of ${count(total)} tasks`;
    return one.error === null
      ? `${covered}.`
      : `${covered}, expected errors ${share(one)} (${interval(one)}).`;
  }

  /** Draw what each threshold covers, and how often it errs; `mark` moves on both. */
  function plots(thresholds, mark) {
    const total = thresholds[0].tasks;
    const known = thresholds.filter((one) => one.error !== null);
    const x = { name: "minimum certainty", low: 0, high: 1, format: (value) => value.toFixed(1) };
    const most = Math.max(0.02, ...known.map((one) => one.high));
    const errors = {
      label: "Expected errors by minimum certainty, with 95 % intervals",
      x,
      y: axis(most),
      mark,
      series: [
        {
          kind: "",
          dots: false,
          points: known.map((one) => [one.certainty, one.error, one.low, one.high]),
        },
      ],
      table: table(
        "Expected errors",
        ["certainty", "errors", "95 % interval"],
        known.map((one) => [one.certainty.toFixed(2), share(one), interval(one)]),
        [0, 1, 2],
      ),
    };
    const covered = {
      label: "Share of the open tasks that reach the minimum certainty",
      x,
      y: axis(1),
      mark,
      series: [
        {
          kind: "",
          dots: false,
          points: thresholds.map((one) => [one.certainty, one.tasks / total]),
        },
      ],
      table: table(
        "Tasks covered",
        ["certainty", "tasks", "share"],
        thresholds.map((one) => [
          one.certainty.toFixed(2),
          count(one.tasks),
          percent(one.tasks / total),
        ]),
        [0, 1, 2],
      ),
    };
    const drawn = [errors, covered].map((what) => ({ what, shown: lines(what) }));
    const named = (name, { shown }) => make("div", {}, make("h3", {}, name), shown);
    return {
      shown: make(
        "div",
        { class: "pair" },
        named("Expected errors", drawn[0]),
        named("Tasks covered", drawn[1]),
      ),
      move: (value) =>
        drawn.forEach(({ what, shown }) => {
          what.mark = value;
          shown.repaint();
        }),
    };
  }

  function told(job) {
    const of = `${count(job.written)} of ${count(job.of)}`;
    const kind = job.as_annotations ? "annotations" : "predictions";
    const over = job.passed_over
      ? ` ${count(job.passed_over)} were skipped: people labelled these tasks, or the tasks were deleted.`
      : "";
    const texts = {
      none: "",
      writing: `Writing ${kind}: ${of}.${over}`,
      undoing: `Undoing: ${of} labels are left.`,
      paused:
        job.doing === "undoing"
          ? `Undo is paused: ${of} labels are left.`
          : `Paused: ${of} ${kind} are written.${over}`,
      done: `Done: ${of} ${kind} are in Label Studio.${over}`,
      undone: "Undone. Labels that somebody edited were kept.",
    };
    const remaining =
      job.time_left && `${job.time_left[0].toUpperCase()}${job.time_left.slice(1)}.`;
    const fault = job.error && `The job has stopped: ${job.error}`;
    return [texts[job.state], remaining, job.note, fault].filter(Boolean).join(" ");
  }

  Dubito.panels.rest = (section, project) => {
    const advice = make("p", {});
    const chart = make("div");
    const range = make("input", { type: "range", id: "least", min: 0, max: 1, step: 0.02 });
    const words = make("p", { role: "status" });
    const errors = make("p", { class: "muted" });
    const box = make("input", {
      type: "checkbox",
      id: "answers",
      "aria-describedby": "answers-mean",
    });
    const choice = make(
      "div",
      { hidden: "" },
      make("label", { for: "least" }, "Minimum certainty"),
      range,
      words,
      errors,
      make("p", {}, box, " ", make("label", { for: "answers" }, "as annotations")),
      make("p", { class: "muted", id: "answers-mean" }, MEANS),
    );
    const bar = make("progress", { "aria-label": "Labels in Label Studio", hidden: "" });
    const said = make("p", { role: "status" });
    const fault = make("p", { class: "bad", role: "status", hidden: "" });
    const actions = make("div", { class: "actions" });
    section.append(advice, chart, choice, actions, bar, said, fault);
    let found = null;
    let drawn = "";
    let plot = null;
    let timer = 0;
    let chosen = null;

    const at = () =>
      found.thresholds.find((one) => Math.abs(one.certainty - Number(range.value)) < 0.005);

    /** Say which questions a label answers, where there are several. */
    function answered() {
      const { answers } = found;
      if (answers.length < 2) return "";
      const names = `${answers.slice(0, -1).join(", ")} and ${answers.at(-1)}`;
      return `Each label answers ${names}, as far as the editor shows them; other controls stay empty.`;
    }

    function describe() {
      words.textContent = sentence(at(), found.thresholds[0].tasks);
      range.setAttribute("aria-valuetext", words.textContent);
      plot.move(Number(range.value));
    }

    async function act(wish) {
      try {
        show(await project.post("rest", wish));
        fault.hidden = true;
      } catch (error) {
        fault.textContent = error.message;
        fault.hidden = false;
      }
    }

    async function start() {
      const kind = box.checked ? "annotations" : "predictions";
      const more = box.checked
        ? ["This closes the tasks: annotators will not see them. You can undo this."]
        : ["You can undo this."];
      const question = `Write ${count(at().tasks)} ${kind} to Label Studio?`;
      if (await confirm(question, "Write", words.textContent, ...more)) {
        await act({ action: "start", certainty: at().certainty, annotations: box.checked });
      }
    }

    async function undo() {
      const more = "Dubito keeps labels that somebody edited. The tasks are open again afterwards.";
      if (await confirm("Remove the auto-labels?", "Remove", more)) await act({ action: "undo" });
    }

    function buttons({ thresholds, job }) {
      const isFree = ["none", "done", "undone"].includes(job.state);
      const offers = [
        [isFree && thresholds.length > 0, "Start", start, "primary"],
        [ACTIVE.includes(job.state), "Pause", () => act({ action: "pause" })],
        [job.state === "paused", "Resume", () => act({ action: "resume" }), "primary"],
        [
          ["writing", "paused", "done"].includes(job.state) && job.doing !== "undoing",
          "Undo",
          undo,
        ],
      ].filter(([isOffered]) => isOffered);
      const names = offers.map(([, name]) => name).join();
      if (actions.dataset.names === names) return;
      actions.dataset.names = names;
      actions.replaceChildren(
        ...offers.map(([, name, does, kind]) => {
          const button = make("button", { type: "button", class: kind }, name);
          button.addEventListener("click", does);
          return button;
        }),
      );
    }

    function show(answer) {
      if (!answer) return;
      found = answer;
      const { thresholds, job } = found;
      advice.textContent = found.reason
        ? `Not available yet: ${found.reason}.`
        : `${found.advice[0].toUpperCase()}${found.advice.slice(1)}.`;
      const basis = JSON.stringify(thresholds);
      if (basis !== drawn) {
        drawn = basis;
        if (chosen === null && thresholds.length) range.value = found.advised ?? 0.9;
        plot = thresholds.length ? plots(thresholds, Number(range.value)) : null;
        chart.replaceChildren(...(plot ? [plot.shown] : []));
      }
      errors.textContent = [found.errors && `Expected errors are ${found.errors}.`, answered()]
        .filter(Boolean)
        .join(" ");
      choice.hidden = !thresholds.length || project.isReport;
      if (plot && !project.isReport) describe();
      bar.hidden = !ACTIVE.includes(job.doing);
      bar.max = Math.max(1, job.of);
      bar.value = job.written;
      if (said.textContent !== told(job)) said.textContent = told(job);
      if (!project.isReport) buttons(found);
      clearTimeout(timer);
      if (!project.isReport && ACTIVE.includes(job.state))
        timer = setTimeout(look, LOOK_MILLISECONDS);
    }

    async function look() {
      try {
        show(await project.get("rest"));
      } catch {
        timer = setTimeout(look, LOOK_MILLISECONDS);
      }
    }

    range.addEventListener("input", () => {
      chosen = range.value;
      describe();
    });
    let seen = "";
    project.onStatus(({ round, pool, estimates, phase }) => {
      const basis = [round, pool, estimates, phase].join();
      if (basis === seen) return;
      seen = basis;
      look();
    });
  };
})();
