"use strict";
/* Whether all parts work, what went wrong last, and a button to read all anew. */
(() => {
  const { make, count, moment } = Dubito;

  const MODES = {
    events: "Label Studio tells of each label at once",
    polling: "Label Studio is asked every 2 seconds",
    not_publishing: "the order is not written into Label Studio",
  };

  function lines(status) {
    const waits = status.events_pending;
    const { written, of } = status.scores;
    return [
      ["Labels arrive", MODES[status.mode]],
      ["Last event", status.last_event_at === null ? "none yet" : moment(status.last_event_at)],
      ["Not yet taken in", waits ? `${count(waits)} events` : "nothing"],
      ["Order written", status.published_at === null ? "not yet" : moment(status.published_at)],
      ["Scores in Label Studio", `${count(written)} of ${count(of)} open tasks`],
      ["Set aside", status.set_aside ? `${count(status.set_aside)}: ${status.set_aside_reasons.join("; ")}` : "nothing"],
      ["Waiting for their files", status.pending ? `${count(status.pending)} tasks` : "nothing"],
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
      const isWell = !status.last_error && status.mode !== "not_publishing";
      verdict.className = isWell ? "good" : "bad";
      verdict.textContent = isWell ? "All is well." : status.last_error || "Nothing is published.";
      table.replaceChildren(make("table", {}, make("tbody", {}, ...lines(status).map(([name, said]) =>
        make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, said))))));
      notes.replaceChildren(...status.notes.map((note) => make("li", {}, note)));
    });
  };

  function resync(project) {
    const button = make("button", { type: "button" }, "Read everything anew");
    const said = make("span", { class: "muted", role: "status" });
    button.addEventListener("click", async () => {
      button.disabled = true;
      try {
        await project.post("sync");
        said.textContent = " Asked: Label Studio is read anew.";
      } catch (error) {
        said.textContent = ` ${error.message}`;
      }
      button.disabled = false;
    });
    return make("p", {}, button, said);
  }
})();
