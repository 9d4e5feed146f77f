"use strict";
/* One task, as a person wants to see it: text, numbers, recordings, pictures, sounds, videos, PDFs. */
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

  /** Return what an item is called: "The task's image", "The left image", "Image 3". */
  function called(name, noun) {
    if (!name) return `The task's ${noun}`;
    const [, side, number] = name.match(/^(\D*?) ?(\d*)$/);
    const whose = side ? `The ${side} ${noun}` : `${noun[0].toUpperCase()}${noun.slice(1)}`;
    return number ? `${whose} ${number}` : whose;
  }

  function picture({ name, image }) {
    const shown = make("img", { src: image, alt: called(name, "image"), class: "picture" });
    return fetched(shown, "The image cannot be shown here.");
  }

  /** Return a player: of `audio`, or of `video`. */
  function player(tag, noun, { name, [tag]: address }) {
    const element = make(tag, {
      src: address,
      controls: "",
      preload: "metadata",
      "aria-label": called(name, noun),
    });
    return fetched(element, `The ${noun} cannot be played here.`);
  }

  function documentLink({ name, document }) {
    const text = name ? `Open the ${name} PDF` : "Open the PDF";
    const link = make("a", { href: document, target: "_blank", rel: "noopener" }, text);
    return make("p", {}, link);
  }

  /** Return what is to be seen of an item; null if that is nothing. */
  function seen(item) {
    if (item.image) return picture(item);
    if (item.audio) return player("audio", "sound", item);
    if (item.video) return player("video", "video", item);
    if (item.document) return documentLink(item);
    if (item.trace) return trace(item.trace);
    return item.note ? make("p", { class: "muted" }, item.note) : null;
  }

  /** Return the items of a task: the only one, or each with its name over it. */
  function items(found) {
    const shown = found.items.flatMap((item) => {
      const element = seen(item);
      if (!element) return [];
      return [item.name ? make("figure", {}, make("figcaption", {}, item.name), element) : element];
    });
    const rest = found.items_left_out
      ? [make("p", { class: "muted" }, `and ${found.items_left_out} more`)]
      : [];
    const isOne = shown.length < 2;
    return [...(isOne ? shown : [make("div", { class: "items" }, ...shown)]), ...rest];
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

  /** Return what a task holds; items that are shown stand for their numbers. */
  Dubito.item = (found) => {
    const parts = [];
    if (found.text !== null) parts.push(make("p", { class: "quote" }, found.text));
    parts.push(...items(found));
    if (found.numbers.length && !found.items.some((item) => !item.note)) parts.push(numbers(found));
    for (const said of new Set([found.note, found.refused])) {
      if (said) parts.push(make("p", { class: "muted" }, said));
    }
    return [...otherAnswers(found.others), ...parts];
  };
})();
