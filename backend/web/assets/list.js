"use strict";
/* All projects, and what each wants. */
(() => {
  const { make, count, ask, away, Project } = Dubito;
  const LOOK_MILLISECONDS = 5000;
  const list = document.getElementById("list");
  const missing = location.pathname.startsWith("/projects/")
    ? `Project ${decodeURIComponent(location.pathname.split("/")[2])} is not connected.`
    : "";

  function row(status) {
    const found = Dubito.accuracy(status);
    const error = status.kind === "number" ? "mean error " : "";
    const title = status.title || `Project ${status.id}`;
    return make(
      "tr",
      {},
      make("td", {}, make("a", { href: `/projects/${status.key}` }, title)),
      make("td", {}, Dubito.phase(status)),
      make("td", { class: "number" }, count(status.labels)),
      make("td", { class: "number" }, count(status.pool)),
      make("td", {}, found ? `${error}${found.figure} (${found.bounds})` : "not known yet"),
      make("td", { class: status.last_error ? "bad" : "good" }, status.last_error || "works"),
    );
  }

  function show(found) {
    const columns = ["project", "phase", "labels", "open", "accuracy", "health"];
    const numbers = ["labels", "open"];
    const heads = columns.map((name) =>
      make("th", { scope: "col", class: numbers.includes(name) ? "number" : null }, name),
    );
    const empty = make(
      "p",
      {},
      "No project is connected yet. Run ",
      make("code", {}, "dubito connect --project ID"),
      ", or add Dubito in Settings → Model of Label Studio.",
    );
    list.replaceChildren(
      ...(missing ? [make("p", { class: "warn" }, missing)] : []),
      found.length
        ? make(
            "div",
            { class: "scroll", tabindex: "0", role: "region", "aria-label": "Projects" },
            make(
              "table",
              {},
              make("thead", {}, make("tr", {}, ...heads)),
              make("tbody", {}, ...found.map(row)),
            ),
          )
        : empty,
    );
  }

  async function look() {
    try {
      const { body } = await ask("/api/projects");
      const projects = body.projects.map(({ key }) => new Project(key));
      await Promise.all(projects.map((project) => project.look()));
      show(projects.map((project) => project.status));
      away("");
    } catch (error) {
      away(`Dubito does not respond: ${error.message}. This page retries.`);
    }
    setTimeout(look, LOOK_MILLISECONDS);
  }
  look();
})();
