"use strict";
/* The questions that the label config asks: which are learnt, and how well. */
(() => {
  const { make, table, count } = Dubito;

  const KINDS = {
    "one of": "one class",
    "any of": "any of the classes",
    ordered: "a grade",
    number: "a number",
  };

  /** Return how well a question is answered, in words. */
  function quality(question) {
    const measured = Dubito.accuracy(question);
    if (!measured) return "not known yet";
    const text = `${measured.figure} (${measured.bounds})`;
    if (question.kind === "number") return `mean error ${text}`;
    return question.mean_error
      ? `${text}; mean error ${Dubito.meanError(question.mean_error)}`
      : text;
  }

  const row = (question) => [
    question.control,
    KINDS[question.kind],
    count(question.labels),
    quality(question),
    question.can_stop ? "more labels would change little" : "",
  ];

  function reasons(notLearnt) {
    if (!notLearnt.length) return [];
    const items = notLearnt.map((reason) => make("li", {}, reason));
    return [make("h3", {}, "Not learnt"), make("ul", {}, ...items)];
  }

  Dubito.panels.questions = (section, project) => {
    const body = make("div");
    section.append(body);
    project.onStatus(({ questions, not_learnt: notLearnt }) => {
      section.hidden = questions.length < 2 && !notLearnt.length;
      const columns = ["Question", "Answer", "Labels", "Accuracy", "Advice"];
      const [first] = questions;
      const about =
        questions.length > 1
          ? `A task is as certain as its least certain question. The rest of this page is about ${first.control}.`
          : null;
      body.replaceChildren(
        table("Questions", columns, questions.map(row), [2]),
        ...(about ? [make("p", { class: "muted" }, about)] : []),
        ...reasons(notLearnt),
      );
    });
  };
})();
