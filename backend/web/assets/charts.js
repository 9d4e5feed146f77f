"use strict";
/* Small charts in SVG: no more than the panels need. Each has its numbers as a table. */
(() => {
  const { make } = Dubito;
  const SVG = "http://www.w3.org/2000/svg";
  const HEIGHT = 260;
  const EDGE = { left: 48, right: 12, top: 12, bottom: 40 };
  const STEPS = [1, 2, 2.5, 5, 10];

  function draw(name, attributes = {}, text = null) {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== null) made.textContent = text;
    return made;
  }

  /** Return round numbers from low to high, about five. */
  function ticks(low, high) {
    const rough = (high - low || 1) / 5;
    const power = 10 ** Math.floor(Math.log10(rough));
    const step = power * STEPS.find((one) => one * power >= rough * 0.999);
    const first = Math.ceil(low / step - 1e-9);
    const found = [];
    for (let n = first; n * step <= high + step * 1e-6; n += 1)
      found.push(Number((n * step).toPrecision(12)));
    return found;
  }

  /** Return how numbers become places: `{x, y, low…}` inside the edges. */
  function scales(width, x, y) {
    const across = width - EDGE.left - EDGE.right;
    const down = HEIGHT - EDGE.top - EDGE.bottom;
    return {
      x: (value) => EDGE.left + (across * (value - x.low)) / (x.high - x.low || 1),
      y: (value) => EDGE.top + down - (down * (value - y.low)) / (y.high - y.low || 1),
    };
  }

  function axes(svg, width, x, y, at) {
    for (const value of ticks(y.low, y.high)) {
      const place = at.y(value);
      svg.append(
        draw("line", {
          class: "grid",
          x1: EDGE.left,
          x2: width - EDGE.right,
          y1: place,
          y2: place,
        }),
      );
      svg.append(
        draw("text", { x: EDGE.left - 6, y: place + 4, "text-anchor": "end" }, y.format(value)),
      );
    }
    for (const value of ticks(x.low, x.high)) {
      svg.append(
        draw(
          "text",
          { x: at.x(value), y: HEIGHT - EDGE.bottom + 16, "text-anchor": "middle" },
          x.format(value),
        ),
      );
    }
    const middle = (EDGE.left + width - EDGE.right) / 2;
    svg.append(draw("text", { x: middle, y: HEIGHT - 4, "text-anchor": "middle" }, x.name));
  }

  /** Draw into a figure, again whenever its width changes; give it a table. */
  function figure(label, table, paint) {
    const svg = draw("svg", { class: "chart", role: "img", "aria-label": label });
    const shown = make(
      "figure",
      {},
      svg,
      make("details", {}, make("summary", {}, "Show the numbers"), table),
    );
    const repaint = () => {
      const width = Math.max(240, shown.clientWidth || 560);
      svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
      svg.replaceChildren();
      paint(svg, width);
    };
    new ResizeObserver(repaint).observe(shown);
    shown.repaint = repaint;
    return shown;
  }

  const path = (points, at) =>
    points
      .map(([x, y], place) => `${place ? "L" : "M"}${at.x(x).toFixed(1)} ${at.y(y).toFixed(1)}`)
      .join("");

  function band(points, at) {
    const above = points.map(([x, , , high]) => [x, high]);
    const below = points.map(([x, , low]) => [x, low]).reverse();
    return `${path([...above, ...below], at)}Z`;
  }

  /**
   * Draw lines; a point is [x, y] or [x, y, low, high].
   * @param {{label, x, y, series: {name, kind, points, dots}[], table, mark}} what
   *   x and y are {name, low, high, format}; kind is "", "second" or "faint";
   *   mark is an x at which a line stands
   */
  function lines(what) {
    return figure(what.label, what.table, (svg, width) => {
      const at = scales(width, what.x, what.y);
      axes(svg, width, what.x, what.y, at);
      for (const { kind, points, dots = true } of what.series) {
        const group = draw("g", { class: kind || "first" });
        if (points.length && points[0].length > 2)
          group.append(draw("path", { class: "band", d: band(points, at) }));
        group.append(
          draw("path", { class: kind === "faint" ? "faint" : "line", d: path(points, at) }),
        );
        for (const [x, y] of dots ? points : []) {
          const dot = draw("circle", { class: "dot", cx: at.x(x), cy: at.y(y), r: 3.5 });
          dot.append(draw("title", {}, `${what.x.format(x)} ${what.x.name}: ${what.y.format(y)}`));
          group.append(dot);
        }
        svg.append(group);
      }
      if (what.mark !== undefined) {
        const x = at.x(what.mark);
        svg.append(
          draw("line", {
            class: "mark line second",
            x1: x,
            x2: x,
            y1: EDGE.top,
            y2: HEIGHT - EDGE.bottom,
          }),
        );
      }
    });
  }

  /** Draw counts as bars over equal steps from x.low to x.high, and others as outlines. */
  function histogram(what) {
    return figure(what.label, what.table, (svg, width) => {
      const at = scales(width, what.x, what.y);
      axes(svg, width, what.x, what.y, at);
      const [now, ...earlier] = what.series;
      const edge = (place, bins) => at.x(what.x.low + ((what.x.high - what.x.low) * place) / bins);
      now.counts.forEach((count, place) => {
        const [left, right] = [edge(place, now.counts.length), edge(place + 1, now.counts.length)];
        const bar = draw("rect", {
          class: "bar",
          x: left + 1,
          width: Math.max(0, right - left - 2),
          y: at.y(count),
          height: at.y(0) - at.y(count),
        });
        bar.append(draw("title", {}, `${count}`));
        svg.append(bar);
      });
      for (const { counts } of earlier) {
        const points = counts.flatMap((count, place) => [
          [place, count],
          [place + 1, count],
        ]);
        const d = points.map(
          ([place, count], n) =>
            `${n ? "L" : "M"}${edge(place, counts.length).toFixed(1)} ${at.y(count).toFixed(1)}`,
        );
        svg.append(draw("path", { class: "faint", d: d.join("") }));
      }
    });
  }

  const legend = (entries) =>
    make(
      "ul",
      { class: "legend" },
      ...entries.map(([kind, name]) =>
        make("li", {}, make("span", { class: `key ${kind}`, "aria-hidden": "true" }), name),
      ),
    );

  Dubito.charts = { draw, lines, histogram, legend };
})();
