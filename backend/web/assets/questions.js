"use strict";
/* The questions that the label config asks: which are learnt, and how well. */
(() => {
  const { make, table, count } = Dubito;

  const ABOUT = "A task is as certain as its least certain question.";
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

  /** Return what people choose a question by, and what brings it up to date. */
  function chooser(project) {
    const select = make("select");
    let options = "";
    select.addEventListener("change", () => project.choose(select.value).catch(console.warn));
    const update = ({ question, questions }) => {
      const names = questions.map(({ control }) => control);
      if (JSON.stringify(names) !== options) {
        select.replaceChildren(...names.map((name) => make("option", { value: name }, name)));
        options = JSON.stringify(names);
      }
      select.value = question;
    };
    return { element: make("label", {}, "This page shows the question ", select), update };
  }

  Dubito.panels.questions = (section, project) => {
    const body = make("div");
    const { element, update } = chooser(project);
    const choice = make("p", {}, element);
    section.append(choice, body);
    project.onStatus((status) => {
      const { question, questions, not_learnt: notLearnt } = status;
      section.hidden = questions.length < 2 && !notLearnt.length;
      choice.hidden = questions.length < 2;
      if (project.isReport) choice.textContent = `This report shows the question ${question}.`;
      else update(status);
      const columns = ["Question", "Answer", "Labels", "Accuracy", "Advice"];
      body.replaceChildren(
        table("Questions", columns, questions.map(row), [2]),
        ...(questions.length > 1 ? [make("p", { class: "muted" }, ABOUT)] : []),
        ...reasons(notLearnt),
      );
    });
  };
})();
