"use strict";
/* Asks before something is changed in Label Studio. */
(() => {
  const { make } = Dubito;

  /** Ask; resolve to whether the answer was yes. */
  Dubito.confirm = (question, yes, ...more) =>
    new Promise((resolve) => {
      const heading = make("h3", { id: "question" }, question);
      const agree = make("button", { type: "submit", class: "primary", value: "yes" }, yes);
      const refuse = make("button", { type: "submit", value: "no" }, "Cancel");
      const form = make(
        "form",
        { method: "dialog" },
        heading,
        ...more.map((text) => make("p", {}, text)),
        make("div", { class: "actions" }, agree, refuse),
      );
      const dialog = make("dialog", { "aria-labelledby": "question" }, form);
      dialog.addEventListener("close", () => {
        resolve(dialog.returnValue === "yes");
        dialog.remove();
      });
      document.body.append(dialog);
      dialog.showModal();
      refuse.focus();
    });
})();
