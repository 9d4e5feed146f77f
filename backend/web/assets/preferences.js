"use strict";
/* What is set, what it means, and where it is set. */
(() => {
  const { make } = Dubito;

  const MEANINGS = {
    controls:
      "names of the controls to learn, the most important first; all that can be learnt together if none is named",
    strategy:
      "measure of certainty: margin (between the two most likely classes), entropy or least_confidence",
    cost: "what labelling costs where people mark stretches: as much for each task, or for each second or word (length)",
    unit_length:
      "length of the units in which stretches of recordings, sounds and videos are learnt; it comes from the data if none is set",
    extractor: "the extractor of an installed package, if one describes the items",
    learner: "model type: auto, or one that an installed package provides",
    features: "data keys that the model uses; all usable keys if none is named",
    group:
      "data key of a group, such as the person: the accuracy is then estimated for unseen groups",
    class_names: "whether the names of the classes teach before the first label: auto or off",
    initial:
      "number of typical and of random tasks to label first (default: one of each per class)",
    audit: "share of tasks drawn at random to measure how good the model is",
    window: "number of next tasks whose order is exact",
    preannotate: "whether annotators see the model's prediction",
    seed: "random seed: the same seed, labels and tasks give the same order",
  };

  function said(value) {
    if (value === null || value === "") return "none";
    if (Array.isArray(value)) return value.length ? value.join(", ") : "all";
    if (typeof value === "object")
      return Object.entries(value)
        .map(([k, v]) => `${k}: ${v ?? "one per class"}`)
        .join(", ");
    return String(value);
  }

  Dubito.panels.preferences = (section, project) => {
    const where = make("p", { class: "muted" });
    const body = make("tbody");
    section.append(where, make("table", {}, body));
    project.onStatus(({ preferences, links }) => {
      const link = make(
        "a",
        { href: links.settings, target: "_blank", rel: "noopener" },
        "Settings → Model of Label Studio",
      );
      where.replaceChildren(
        "To change a setting, edit the extra params (JSON) of Dubito's card in ",
        link,
        ".",
      );
      body.replaceChildren(
        ...Object.entries(preferences).map(([name, value]) =>
          make(
            "tr",
            {},
            make("th", { scope: "row" }, name),
            make("td", {}, said(value), make("br"), make("small", {}, MEANINGS[name] || "")),
          ),
        ),
      );
    });
  };
})();
