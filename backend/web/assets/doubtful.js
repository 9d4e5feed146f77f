"use strict";
/* Labels that the model finds suspicious, and tasks that are asked again. */
(() => {
  const { make, count, confirm } = Dubito;
  const STAGES = {
    wanted: "is being taken out",
    out: "is asked again, before all others",
    restoring: "is being put back",
  };

  function listed(label, columns, rows) {
    const heads = columns.map((name) => make("th", { scope: "col" }, name || make("span", { class: "hidden" }, "what to do")));
    return make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)));
  }

  Dubito.panels.doubtful = (section, project) => {
    const body = make("div");
    const fault = make("p", { class: "bad", role: "status" });
    section.append(body, fault);

    async function post(task, action) {
      try {
        fault.textContent = "";
        await project.post("again", { tasks: [task], action });
      } catch (error) {
        fault.textContent = error.message;
      }
    }

    async function ask({ task, label }) {
      const more = `Its label ${JSON.stringify(label)} is taken out of Label Studio and kept here: it can be put back until somebody answers.`;
      if (await confirm(`Ask for task ${task} again?`, "Ask again", more)) await post(task, "ask");
    }

    function button(name, label, does) {
      const made = make("button", { type: "button", "aria-label": label }, name);
      made.addEventListener("click", does);
      return project.isReport ? null : made;
    }

    const suspect = (status, one, asked) => make("tr", { "data-task": one.task },
      make("td", {}, Dubito.taskLink(status, one.task)), make("td", {}, one.label),
      make("td", {}, one.suggested), make("td", {}, one.reason),
      make("td", { class: "act" }, asked.has(one.task) ? "asked again"
        : button("Ask again", `Ask for task ${one.task} again`, () => ask(one))));

    const waiting = (status, one) => make("tr", { "data-task": one.task },
      make("td", {}, Dubito.taskLink(status, one.task)), make("td", {}, one.label),
      make("td", {}, one.error ? `${STAGES[one.stage]}: ${one.error}` : STAGES[one.stage]),
      make("td", { class: "act" }, one.stage === "restoring" ? null
        : button("Restore", `Put the label of task ${one.task} back`, () => post(one.task, "restore"))));

    project.onChange(({ doubtful, again }) => [doubtful, again], (status) => {
      const { again } = status;
      const asked = new Set(again.map((one) => one.task));
      const many = status.doubtful.length;
      body.replaceChildren(
        make("p", { class: "muted" }, many ? `${count(many)} that may be slips, the likeliest first.` : "None."),
        ...(many ? [listed("Labels to look at again", ["task", "label", "rather", "why", ""],
          status.doubtful.map((one) => suspect(status, one, asked)))] : []),
        ...(again.length ? [make("h3", {}, "Asked again"), listed("Tasks that are asked again", ["task", "was", "now", ""],
          again.map((one) => waiting(status, one)))] : []));
    });
  };
})();
