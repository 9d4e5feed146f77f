"use strict";
/* What is set, what it means, and where it is set. */
(() => {
  const { make } = Dubito;

  const MEANINGS = {
    strategy: "how certainty is measured: margin (between the two likeliest classes), entropy or least_confidence",
    learner: "the model: auto, or one that a package brings",
    features: "data keys that are learnt from; all that can be used if none is named",
    group: "data key of what belongs together, such as a person: then the accuracy is that for somebody new",
    initial: "how many typical and random tasks are asked first; one of each per class if not said",
    audit: "share of tasks drawn at random, which measure the accuracy",
    window: "how many of the next tasks are kept in exact order",
    preannotate: "whether annotators see what the model would say",
    seed: "equal seeds, labels and tasks give an equal order",
  };

  function said(value) {
    if (value === null || value === "") return "none";
    if (Array.isArray(value)) return value.length ? value.join(", ") : "all";
    if (typeof value === "object") return Object.entries(value).map(([k, v]) => `${k}: ${v ?? "one per class"}`).join(", ");
    return String(value);
  }

  Dubito.panels.preferences = (section, project) => {
    const where = make("p", { class: "muted" });
    const body = make("tbody");
    section.append(where, make("table", {}, body));
    project.onStatus(({ preferences, links }) => {
      const link = make("a", { href: links.settings, target: "_blank", rel: "noopener" }, "Settings → Model in Label Studio");
      where.replaceChildren("They are set as JSON in the extra params of the model card: ", link, ".");
      body.replaceChildren(...Object.entries(preferences).map(([name, value]) => make("tr", {},
        make("th", { scope: "row" }, name), make("td", {}, said(value), make("br"), make("small", {}, MEANINGS[name] || "")))));
    });
  };
})();
