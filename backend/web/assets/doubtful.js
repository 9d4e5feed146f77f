"use strict";
/* Labels that the model finds suspicious, and tasks that are asked again. */
(() => {
  const { make, count, confirm } = Dubito;
  const STAGES = {
    wanted: "Dubito is removing the label",
    out: "queued before all other tasks",
    restoring: "Dubito is restoring the label",
  };

  function listed(label, columns, rows) {
    const heads = columns.map((name) =>
      make("th", { scope: "col" }, name || make("span", { class: "hidden" }, "action")),
    );
    return make(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": label },
      make("table", {}, make("thead", {}, make("tr", {}, ...heads)), make("tbody", {}, ...rows)),
    );
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

    async function ask(status, { task, label, start }) {
      const one = `the label ${JSON.stringify(Dubito.label(status, label))}`;
      let [what, it, restored] = [one, "it", "the label"];
      if (start !== null) [what, restored] = ["all that people marked in the task", "it"];
      else if (status.questions.length > 1)
        [what, it, restored] = ["all answers to the task", "them", "them"];
      const more = `Dubito removes ${what} from Label Studio and stores ${it}. You can restore ${restored} until somebody labels the task again.`;
      if (await confirm(`Ask for task ${task} again?`, "Ask again", more)) await post(task, "ask");
    }

    function button(name, label, does) {
      const made = make("button", { type: "button", "aria-label": label }, name);
      made.addEventListener("click", does);
      return project.isReport ? null : made;
    }

    const suspect = (status, one, asked) =>
      make(
        "tr",
        { "data-task": one.task },
        make("td", {}, Dubito.taskLink(status, one.task)),
        make("td", {}, Dubito.label(status, one.label)),
        make("td", {}, Dubito.label(status, one.suggested)),
        make("td", {}, one.reason),
        make(
          "td",
          { class: "act" },
          asked.has(one.task)
            ? "queued again"
            : button("Ask again", `Ask for task ${one.task} again`, () => ask(status, one)),
        ),
      );

    const questionOf = ({ questions }, { control }) =>
      questions.find((question) => question.control === control) ?? questions[0] ?? {};

    const waiting = (status, one) =>
      make(
        "tr",
        { "data-task": one.task },
        make("td", {}, Dubito.taskLink(status, one.task)),
        make("td", {}, Dubito.label(questionOf(status, one), one.label)),
        make("td", {}, one.error ? `${STAGES[one.stage]}: ${one.error}` : STAGES[one.stage]),
        make(
          "td",
          { class: "act" },
          one.stage === "restoring"
            ? null
            : button("Restore", `Restore the label of task ${one.task}`, () =>
                post(one.task, "restore"),
              ),
        ),
      );

    project.onChange(
      ({ doubtful, again }) => [doubtful, again],
      (status) => {
        const { again } = status;
        const asked = new Set(again.map((one) => one.task));
        const many = status.doubtful.length;
        body.replaceChildren(
          make(
            "p",
            { class: "muted" },
            many ? `${count(many)} possible label errors, most likely first.` : "None.",
          ),
          ...(many
            ? [
                listed(
                  "Possible label errors",
                  ["task", "label", "model suggests", "why", ""],
                  status.doubtful.map((one) => suspect(status, one, asked)),
                ),
              ]
            : []),
          ...(again.length
            ? [
                make("h3", {}, "Queued again"),
                listed(
                  "Tasks queued again",
                  ["task", "removed label", "state", ""],
                  again.map((one) => waiting(status, one)),
                ),
              ]
            : []),
        );
      },
    );
  };
})();
