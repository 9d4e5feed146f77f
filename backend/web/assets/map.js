"use strict";
/* The map of all tasks: by class, labelled ones marked, the least certain standing out. */
(() => {
  const { make, count, percent, MapView } = Dubito;
  const COLOURS = 10;
  const MOST_BUTTONS = 30;
  const LISTED = 20;
  const STAND_OUT = { share: 0.02, least: 10, most: 100 };
  const LOOK_AFTER = 120;
  const MOST_KEPT = 300;
  const SOON = 10_000;
  const LATER = 30_000;
  const WHY = {
    start: "to see every class early",
    doubt: "because the model is uncertain about this task",
    audit: "drawn at random to measure how good the model is",
  };
  const METHODS = {
    pca: "Similar tasks lie close together. The axes are the two principal components of the features (PCA).",
    tsne: "Similar tasks lie close together. Distances between groups mean little (t-SNE).",
  };
  const HINT =
    "Point at a task to preview it; click to open it in Label Studio. Drag to move; after a click, the mouse wheel zooms. Keyboard: arrow keys select, Enter opens, + − 0 zoom.";

  const UNKNOWN = -1;
  const SEVERAL = -2;
  const UNNAMED = new Map([
    [UNKNOWN, "no class yet"],
    [SEVERAL, "several classes"],
    [-3, "none of them"],
  ]);

  /** Return the open tasks of which least is certain, as places in the lists. */
  function leastCertain(map) {
    return map.tasks
      .map((_, i) => i)
      .filter((i) => map.label[i] === UNKNOWN && map.certainty[i] !== null)
      .sort((one, other) => map.certainty[one] - map.certainty[other] || one - other);
  }

  const classOf = (map, i) => (map.label[i] === UNKNOWN ? map.predicted[i] : map.label[i]);
  const named = (map, code) => UNNAMED.get(code) ?? map.classes[code];
  const colourOf = (code) => {
    if (code === SEVERAL) return "--text";
    return code < 0 ? "--muted" : `--class-${code % COLOURS}`;
  };

  /** Return the points as MapView draws them. */
  function pointsOf(map, hidden, doubts) {
    const places = new Map(map.tasks.map((task, i) => [task, i]));
    const most = Math.min(
      STAND_OUT.most,
      Math.max(STAND_OUT.least, Math.round(STAND_OUT.share * doubts.length)),
    );
    const doubtful = new Uint8Array(map.tasks.length);
    for (const i of doubts.slice(0, most)) doubtful[i] = 1;
    return {
      x: map.x,
      y: map.y,
      doubtful,
      colour: map.tasks.map((_, i) => colourOf(classOf(map, i))),
      level: map.certainty.map((one) => (one === null || one < 0.34 ? 0 : one < 0.67 ? 1 : 2)),
      labelled: Uint8Array.from(map.label, (code) => (code === UNKNOWN ? 0 : 1)),
      hidden: Uint8Array.from(map.tasks, (_, i) => (hidden.has(classOf(map, i)) ? 1 : 0)),
      window: map.window.filter((task) => places.has(task)).map((task) => places.get(task)),
    };
  }

  const keys = () =>
    make(
      "ul",
      { class: "legend" },
      ...[
        ["labelled", "labelled"],
        ["predicted", "predicted (paler: more certain)"],
        ["doubtful", "least certain"],
        ["next", "next in the queue"],
      ].map(([kind, name]) =>
        make("li", {}, make("span", { class: `shape ${kind}`, "aria-hidden": "true" }), name),
      ),
    );

  class Panel {
    constructor(section, project) {
      Object.assign(this, {
        project,
        map: null,
        hidden: new Set(),
        kept: new Map(),
        wanted: null,
        isAsking: false,
      });
      this.canvas = make("canvas", {
        tabindex: "0",
        role: "application",
        "aria-label": "Map of the tasks",
        "aria-describedby": "map-hint",
      });
      this.card = make("div", {
        class: "card",
        role: "status",
        tabindex: "0",
        "aria-label": "The selected task",
      });
      this.note = make("p", { class: "muted" });
      this.buttons = make("div", {
        class: "classes",
        role: "group",
        "aria-label": "Classes shown",
      });
      this.list = make("ol");
      this.view = new MapView(this.wrapped(section), {
        pick: (i) => this.pick(i),
        open: (i) => this.open(i),
      });
      this.isShown = false;
      new IntersectionObserver(
        ([seen]) => {
          this.isShown = seen.isIntersecting;
          if (this.isShown && this.isStale) this.refresh();
        },
        { rootMargin: "300px" },
      ).observe(section);
      project.onStatus((status) => this.told(status));
    }

    wrapped(section) {
      const tool = (text, label, deed) => {
        const made = make("button", { type: "button", "aria-label": label, title: label }, text);
        made.addEventListener("click", deed);
        return made;
      };
      const tools = make(
        "div",
        { class: "tools", role: "group", "aria-label": "Zoom" },
        tool("+", "Zoom in", () => this.view.zoomBy(MapView.STEP)),
        tool("−", "Zoom out", () => this.view.zoomBy(1 / MapView.STEP)),
        tool("⟲", "Show all", () => this.view.reset()),
      );
      this.body = make(
        "div",
        { hidden: "" },
        this.buttons,
        keys(),
        make(
          "div",
          { class: "mapped" },
          make(
            "div",
            {},
            make("div", { class: "frame" }, this.canvas),
            make(
              "div",
              { class: "under" },
              make("p", { class: "muted", id: "map-hint" }, HINT),
              tools,
            ),
          ),
          this.card,
        ),
        make("details", {}, make("summary", {}, "List of the least certain tasks"), this.list),
      );
      section.append(this.note, this.body);
      return this.canvas;
    }

    /** Ask for the map again when what it shows has changed, and somebody sees it. */
    told(status) {
      const basis = [
        status.question,
        status.round,
        status.tasks,
        status.labels,
        status.window.map(({ task }) => task),
      ].join();
      if (basis === this.basis) return;
      if (status.question !== this.question) this.hidden.clear(); // it has other classes
      this.question = status.question;
      this.basis = basis;
      this.isStale = true;
      this.kept.clear();
      if (this.isShown || this.project.isReport) this.refresh(); // a report may be printed, unseen
    }

    /** Ask for the map, and again after a while: a worker draws it anew when it is quiet. */
    async refresh() {
      if (this.isLoading) return;
      [this.isLoading, this.isStale] = [true, false];
      clearTimeout(this.later);
      try {
        const map = await this.ask();
        if (map !== undefined) this.fill(map);
      } catch (error) {
        this.note.textContent = `The map cannot be loaded: ${error.message}.`;
      }
      if (this.project.isReport) return;
      // Many points are drawn anew only now and then while people label.
      setTimeout(
        () => {
          this.isLoading = false;
          if (this.isStale && this.isShown) this.refresh();
        },
        this.map ? this.map.shown / 4 : SOON,
      );
      const isDone = this.map?.settled && this.map.shown === this.map.total;
      this.later = setTimeout(
        () => {
          this.isStale = true;
          if (this.isShown) this.refresh();
        },
        isDone ? LATER : SOON,
      );
    }

    /** Return the map, or undefined if it is still the same. */
    async ask() {
      if (this.project.isReport) return this.project.get("map");
      const headers = this.mark ? { "If-None-Match": this.mark } : {};
      const { question } = this.project;
      const { response, body } = await Dubito.ask(this.project.address("map"), { headers });
      if (question !== this.project.question) return undefined; // it is asked for again
      if (body) this.mark = response.headers.get("ETag");
      return body;
    }

    fill(map) {
      const task = this.view.chosen >= 0 && this.map ? this.map.tasks[this.view.chosen] : null;
      this.map = map;
      this.body.hidden = !map || !map.shown;
      this.note.textContent = map
        ? [map.note, METHODS[map.method]].filter(Boolean).join(" ")
        : "This report contains no map.";
      if (this.body.hidden) return;
      const doubts = leastCertain(map);
      this.view.chosen = task === null ? -1 : map.tasks.indexOf(task);
      this.doubts = doubts;
      this.view.resize();
      this.view.show(pointsOf(map, this.hidden, doubts));
      this.canvas.dataset.points = map.shown;
      this.legend();
      this.listed(doubts.slice(0, LISTED));
      this.pick(this.view.chosen);
    }

    legend() {
      const { map, hidden } = this;
      const counts = new Map();
      for (let i = 0; i < map.tasks.length; i += 1)
        counts.set(classOf(map, i), (counts.get(classOf(map, i)) || 0) + 1);
      const order = [...counts.keys()].sort(
        (one, other) => counts.get(other) - counts.get(one) || one - other,
      );
      const shown = order.slice(0, MOST_BUTTONS).sort((one, other) => one - other);
      const rest = order.slice(MOST_BUTTONS);
      const groups = shown.map((code) => [
        [code],
        named(map, code),
        counts.get(code),
        colourOf(code),
      ]);
      if (rest.length)
        groups.push([
          rest,
          `${rest.length} more classes`,
          rest.reduce((sum, code) => sum + counts.get(code), 0),
          "--muted",
        ]);
      this.buttons.replaceChildren(
        ...groups.map(([codes, name, total, colour]) => {
          const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
          swatch.style.background = `var(${colour})`;
          const button = make(
            "button",
            { type: "button", "aria-pressed": String(!hidden.has(codes[0])) },
            swatch,
            `${name} `,
            make("small", {}, count(total)),
          );
          button.addEventListener("click", () => this.toggle(codes, button));
          return button;
        }),
      );
    }

    toggle(codes, button) {
      const isHidden = !this.hidden.has(codes[0]);
      for (const code of codes) this.hidden[isHidden ? "add" : "delete"](code);
      button.setAttribute("aria-pressed", String(!isHidden));
      this.view.points.hidden = Uint8Array.from(this.map.tasks, (_, i) =>
        this.hidden.has(classOf(this.map, i)) ? 1 : 0,
      );
      if (this.view.chosen >= 0 && this.view.points.hidden[this.view.chosen]) this.view.choose(-1);
      this.view.bucket();
    }

    link(task) {
      return Dubito.taskLink(this.project.status, task);
    }

    listed(places) {
      this.list.replaceChildren(
        ...places.map((i) =>
          make(
            "li",
            {},
            this.link(this.map.tasks[i]),
            `: ${named(this.map, this.map.predicted[i])}, certainty ${this.map.certainty[i]}`,
          ),
        ),
      );
      this.list.parentElement.hidden = !places.length;
    }

    open(i) {
      window.open(this.link(this.map.tasks[i]).href, "_blank", "noopener");
    }

    /** Show what is known of a point at once, and what it holds when it stays chosen. */
    pick(i) {
      clearTimeout(this.timer);
      this.wanted = i < 0 ? null : this.map.tasks[i];
      this.canvas.style.cursor = i < 0 ? "grab" : "pointer";
      if (i < 0) {
        this.card.replaceChildren(make("p", { class: "muted" }, "No task is selected."));
        return;
      }
      const { content, isKnown } = this.held(this.wanted);
      this.card.dataset.task = this.wanted;
      this.card.replaceChildren(
        make("h3", {}, this.link(this.wanted)),
        ...this.thought(i),
        ...content,
      );
      if (!isKnown && !this.project.isReport)
        this.timer = setTimeout(() => this.look(), LOOK_AFTER);
    }

    held(task) {
      const found = this.kept.get(task);
      return { content: found ? found() : [], isKnown: Boolean(found) };
    }

    thought(i) {
      const { map } = this;
      const place = map.window.indexOf(map.tasks[i]) + 1;
      const asked = place
        ? this.project.status.window.find(({ task }) => task === map.tasks[i])
        : null;
      const said = [];
      if (map.label[i] !== UNKNOWN) said.push(`Label: ${named(map, map.label[i])}.`);
      if (map.predicted[i] !== UNKNOWN)
        said.push(
          `Prediction: ${named(map, map.predicted[i])}, certainty ${percent(map.certainty[i])}.`,
        );
      if (place) said.push(`Number ${place} in the queue${asked ? `, ${WHY[asked.why]}` : ""}.`);
      if (!said.length) said.push("Not labelled, and no prediction yet.");
      return said.map((text) => make("p", {}, text));
    }

    /** Look at the task that is wanted; one at a time, and always the last one wanted. */
    async look() {
      if (this.isAsking || this.wanted === null) return;
      this.isAsking = true;
      const task = this.wanted;
      try {
        const found = await this.project.get(`tasks/${task}`);
        this.kept.set(task, () => Dubito.item(found));
      } catch (error) {
        this.kept.set(task, () => [
          make("p", { class: "muted" }, `The task cannot be shown: ${error.message}.`),
        ]);
      }
      if (this.kept.size > MOST_KEPT) this.kept.delete(this.kept.keys().next().value);
      this.isAsking = false;
      if (this.wanted === task) this.card.append(...this.held(task).content);
      else this.look();
    }
  }

  Dubito.panels.map = (section, project) => {
    section.panel = new Panel(section, project);
  };
})();
