"use strict";
/* Labels that the model finds suspicious. */
(() => {
  const { make, count } = Dubito;

  const row = (status, one) => make("tr", { "data-task": one.task },
    make("td", {}, Dubito.taskLink(status, one.task)), make("td", {}, one.label),
    make("td", {}, one.suggested), make("td", {}, one.reason), make("td", { class: "act" }));

  Dubito.panels.doubtful = (section, project) => {
    const body = make("div");
    section.append(body);
    let drawn = "";
    project.onStatus((status) => {
      const basis = JSON.stringify(status.doubtful);
      if (basis === drawn) return;
      drawn = basis;
      if (!status.doubtful.length) {
        body.replaceChildren(make("p", { class: "muted" }, "None."));
        return;
      }
      const columns = ["task", "label", "rather", "why", ""].map((name) => make("th", { scope: "col" }, name));
      body.replaceChildren(
        make("p", { class: "muted" }, `${count(status.doubtful.length)} that may be slips, the likeliest first.`),
        make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Labels to look at again" },
          make("table", {}, make("thead", {}, make("tr", {}, ...columns)),
            make("tbody", {}, ...status.doubtful.map((one) => row(status, one))))));
    });
  };
})();
