"use strict";
/* Labels, predictions, the model and this page, to be kept and used elsewhere. */
(() => {
  const { make, count, moment } = Dubito;
  const LOOK_MILLISECONDS = 1000;

  const counted = (number, one, many) => `${count(number)} ${number === 1 ? one : many}`;
  const sized = (bytes) =>
    bytes < 1e6 ? `${Math.max(1, Math.round(bytes / 1e3))} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

  /** Return links to files, each with a name that says what it is.
   *
   * @param query names the question, where a file is about one */
  function links(project, files, query = "") {
    const list = make("ul", { class: "files" });
    for (const [file, shown, said] of files) {
      const href = `${project.path}/export/${file}${query}`;
      list.append(make("li", {}, make("a", { href, download: "", "aria-label": said }, shown)));
    }
    return list;
  }

  const LABELS = [
    ["labels.csv", "CSV", "Labels as CSV"],
    ["labels.json", "JSON", "Labels as JSON"],
  ];
  const PREDICTIONS = [
    ["predictions.csv", "CSV", "Predictions as CSV"],
    ["predictions.json", "JSON", "Predictions as JSON"],
    ["predictions.ls.json", "for Label Studio", "Predictions in Label Studio's import format"],
  ];

  function about(model) {
    if (model.state === "making") return "in preparation …";
    if (model.state === "failed") return `failed: ${model.error}`;
    if (model.state === "none") return "trained on request; takes a few seconds";
    const age = model.is_latest ? "" : "; labels, tasks or settings have changed since then";
    return `trained on ${counted(model.labels, "label", "labels")}, ${moment(model.made_at)}${age}`;
  }

  function aboutLabels(questions) {
    const most = Math.max(0, ...questions.map(({ labels }) => labels));
    if (!most) return "none yet";
    const tasks = questions.length > 1 ? "" : `of ${counted(most, "task", "tasks")}, `;
    return `${tasks}one row per annotation`;
  }

  function row(name, said, ...files) {
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, name),
      make("td", {}, said),
      make("td", {}, ...files),
    );
  }

  Dubito.panels.takeaway = (section, project) => {
    if (project.isReport) {
      section.hidden = true;
      return;
    }
    const body = make("tbody");
    const said = make("p", { class: "muted", role: "status" });
    const button = make("button", { type: "button" }, "Train the model");
    const report = make("a", { download: "" }, "HTML");
    section.append(
      make(
        "div",
        { class: "scroll", tabindex: "0", role: "region", "aria-label": "Exports" },
        make("table", {}, body),
      ),
      said,
    );
    let drawn = "";
    let waits = null;
    let wasAsked = false;

    function draw(offer, status) {
      const { predictions, model } = offer;
      button.disabled = model.state === "making" || !predictions;
      button.textContent = model.state === "ready" ? "Train again" : "Train the model";
      const zip = [
        [
          "model.zip",
          `ZIP, ${sized(model.size || 0)}`,
          `Model with a prediction script, ${sized(model.size || 0)}`,
        ],
      ];
      const hasButton = !(model.state === "ready" && model.is_latest);
      const focused = document.activeElement === button;
      report.href = `/projects/${encodeURIComponent(status.key)}/report.html${project.query()}`;
      report.setAttribute("aria-label", "This page as one HTML file");
      body.replaceChildren(
        row("Labels", aboutLabels(status.questions), links(project, LABELS)),
        row(
          "Predictions",
          predictions
            ? `for ${counted(predictions, "task", "tasks")}, including labelled tasks`
            : "available once a model is trained",
          predictions ? links(project, PREDICTIONS) : null,
        ),
        row(
          status.questions.length > 1 ? `Model of ${status.question}` : "Model",
          predictions ? about(model) : "available once there are two different labels",
          model.state === "ready" ? links(project, zip, project.query()) : null,
          hasButton ? button : null,
        ),
        row("Report", "this page as one file that works offline", report),
      );
      if (focused && hasButton) button.focus();
      if (wasAsked && model.state !== "making") {
        wasAsked = false;
        said.textContent = model.state === "ready" ? "The model is ready." : "";
      }
    }

    async function look() {
      clearTimeout(waits);
      const offer = await project.get("export");
      const now = JSON.stringify([offer, project.status.labels, project.question]);
      if (now !== drawn) draw(offer, project.status);
      drawn = now;
      if (offer.model.state === "making") waits = setTimeout(follow, LOOK_MILLISECONDS);
    }

    /** Look again; what is wrong with the server the page itself says. */
    function follow() {
      return look().catch(() => {
        waits = setTimeout(follow, LOOK_MILLISECONDS);
      });
    }

    button.addEventListener("click", async () => {
      button.disabled = true;
      said.textContent = "Training the model …";
      wasAsked = true;
      try {
        await project.post("model");
        await look();
      } catch (error) {
        said.textContent = error.message;
        button.disabled = false;
        wasAsked = false;
      }
    });
    project.onStatus(follow);
  };
})();
