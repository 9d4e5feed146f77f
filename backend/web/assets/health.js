"use strict";
/* Whether all parts work, what went wrong last, and a button to read all anew. */
(() => {
  const { make, count, moment } = Dubito;

  const MODES = {
    events: "Label Studio sends each label immediately",
    polling: "Dubito checks Label Studio every 2 seconds",
    not_publishing: "Dubito does not write the order to Label Studio",
  };

  const LABEL_STUDIO = {
    away:
      "Label Studio does not answer: check that it runs, and that Dubito reaches it at" +
      " LABEL_STUDIO_URL. Dubito goes on when it answers.",
    failing: "Label Studio answers with errors: see its log. Dubito goes on when they end.",
    "refuses the key":
      "Label Studio refuses the API key: set LABEL_STUDIO_API_KEY to a valid token.",
  };

  /** Return what is wrong, in a sentence; empty if nothing is. */
  function fault(status) {
    const nothing = status.mode === "not_publishing" ? "Dubito publishes nothing." : "";
    return status.last_error || LABEL_STUDIO[status.label_studio] || nothing;
  }

  function lines(status) {
    const waits = status.events_pending;
    const places = status.window.length;
    return [
      ["Connection", MODES[status.mode]],
      ["Last event", status.last_event_at === null ? "none yet" : moment(status.last_event_at)],
      ["Unprocessed events", waits ? count(waits) : "none"],
      [
        "Order last written",
        status.published_at === null ? "not yet" : moment(status.published_at),
      ],
      ["Next tasks in order", `${count(status.window_written)} of ${count(places)}`],
      [
        "Scores in Label Studio",
        `${count(status.scores_written)} of ${count(status.scores.of)} open tasks`,
      ],
      ["Set aside", status.set_aside ? status.set_aside_reasons.join("; ") : "none"],
      ["Waiting for files", status.pending ? `${count(status.pending)} tasks` : "none"],
      ["Skipped", count(status.skipped)],
    ];
  }

  Dubito.panels.health = (section, project) => {
    const verdict = make("p");
    const table = make("div");
    const notes = make("ul", { class: "muted" });
    section.append(verdict, table, notes);
    if (!project.isReport) section.append(resync(project));
    project.onStatus((status) => {
      const wrong = fault(status);
      verdict.className = wrong ? "bad" : "good";
      verdict.textContent = wrong || "Everything works.";
      table.replaceChildren(
        make(
          "table",
          {},
          make(
            "tbody",
            {},
            ...lines(status).map(([name, said]) =>
              make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, said)),
            ),
          ),
        ),
      );
      notes.replaceChildren(...status.notes.map((note) => make("li", {}, note)));
    });
  };

  function resync(project) {
    const button = make("button", { type: "button" }, "Reread Label Studio");
    const said = make("span", { class: "muted", role: "status" });
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await project.post("sync");
        said.textContent = " Requested: Dubito rereads the project from Label Studio.";
      } catch (error) {
        said.textContent = ` ${error.message}`;
      }
      button.disabled = false;
    });
    return make("p", {}, button, said);
  }
})();
