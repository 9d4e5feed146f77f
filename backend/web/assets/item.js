"use strict";
/* One task, as a person wants to see it: text, numbers, recording, picture, sound, video or PDF. */
(() => {
  const { make, charts } = Dubito;
  const TRACE = { width: 240, height: 44 };
  const ELSEWHERE = "Log in to Label Studio in this browser, or open the task there.";

  function channel({ name, at, values }, samples) {
    const [low, high] = [Math.min(...values), Math.max(...values)];
    const x = (value) => ((TRACE.width * value) / Math.max(1, samples - 1)).toFixed(1);
    const y = (value) =>
      (TRACE.height - 3 - ((TRACE.height - 6) * (value - low)) / (high - low || 1)).toFixed(1);
    const label = `${name}: from ${low} to ${high}`;
    const svg = charts.draw("svg", {
      class: "trace",
      role: "img",
      "aria-label": label,
      viewBox: `0 0 ${TRACE.width} ${TRACE.height}`,
      preserveAspectRatio: "none",
    });
    const d = at.map((place, n) => `${n ? "L" : "M"}${x(place)} ${y(values[n])}`).join("");
    svg.append(charts.draw("path", { d }));
    return make("div", { class: "channel" }, make("span", {}, name), svg);
  }

  function trace(found) {
    const more = found.channels_left_out
      ? ` ${found.channels_left_out} more channels are not shown.`
      : "";
    return make(
      "div",
      {},
      ...found.channels.map((one) => channel(one, found.samples)),
      make("p", { class: "muted" }, `${Dubito.count(found.samples)} samples.${more}`),
    );
  }

  /** Return an element, or why its file cannot be had. */
  function fetched(element, reason) {
    element.addEventListener("error", () =>
      element.replaceWith(make("p", { class: "muted" }, `${reason} ${ELSEWHERE}`)),
    );
    return element;
  }

  function picture(address) {
    const shown = make("img", { src: address, alt: "The task's image", class: "picture" });
    return fetched(shown, "The image cannot be shown here.");
  }

  /** Return a player: of `audio`, or of `video`. */
  function player(tag, noun, address) {
    const element = make(tag, {
      src: address,
      controls: "",
      preload: "metadata",
      "aria-label": `The task's ${noun}`,
    });
    return fetched(element, `The ${noun} cannot be played here.`);
  }

  function documentLink(address) {
    const link = make("a", { href: address, target: "_blank", rel: "noopener" }, "Open the PDF");
    return make("p", {}, link);
  }

  function numbers(found) {
    const pairs = found.numbers.flatMap(({ name, value }) => [
      make("dt", {}, name),
      make("dd", {}, String(value)),
    ]);
    const more = found.numbers_left_out
      ? make("p", { class: "muted" }, `and ${found.numbers_left_out} more`)
      : null;
    return make("div", {}, make("dl", { class: "numbers" }, ...pairs), more);
  }

  /** Return what people and the model answer to the other questions. */
  function otherAnswers(others) {
    const texts = others.flatMap(({ control, kind, label, predicted }) => {
      const named = (answer) => Dubito.label({ kind }, answer);
      const answers = [
        label === null ? null : `labelled ${named(label)}`,
        predicted === null ? null : `predicted ${named(predicted)}`,
      ].filter((text) => text !== null);
      return answers.length ? [`${control}: ${answers.join(", ")}`] : [];
    });
    return texts.map((text) => make("p", {}, text));
  }

  /** Return what a task holds; a recording, a picture, a sound, a video or a PDF stands for its numbers. */
  Dubito.item = (found) => {
    const parts = [];
    if (found.text !== null) parts.push(make("p", { class: "quote" }, found.text));
    if (found.image) parts.push(picture(found.image));
    if (found.audio) parts.push(player("audio", "sound", found.audio));
    if (found.video) parts.push(player("video", "video", found.video));
    if (found.document) parts.push(documentLink(found.document));
    const isShown = found.image || found.audio || found.video || found.document;
    if (found.trace) parts.push(trace(found.trace));
    else if (found.numbers.length && !isShown) parts.push(numbers(found));
    for (const said of new Set([found.note, found.refused])) {
      if (said) parts.push(make("p", { class: "muted" }, said));
    }
    return [...otherAnswers(found.others), ...parts];
  };
})();
