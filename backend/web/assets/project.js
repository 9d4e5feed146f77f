"use strict";
/* What the panels are told, by the server or by a report's own JSON. */
(() => {
  const Dubito = { panels: {} };
  window.Dubito = Dubito;
  const LOOK_MILLISECONDS = 2000;
  const MOST_PARTS = 20;
  const LATE = new Error("another question was chosen meanwhile");
  const kept = document.getElementById("kept");

  /** Make an element; what is null or undefined is left out. */
  Dubito.make = (name, attributes = {}, ...content) => {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (value !== null && value !== undefined) made.setAttribute(key, value);
    }
    made.append(...content.filter((one) => one !== null && one !== undefined));
    return made;
  };

  /** Make a table of texts; columns in `numbers` stand to the right. */
  Dubito.table = (caption, columns, rows, numbers = []) => {
    const { make } = Dubito;
    const style = (place) => (numbers.includes(place) ? { class: "number" } : {});
    const cells = (row) => row.map((cell, place) => make("td", style(place), cell));
    return make(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": caption },
      make(
        "table",
        {},
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            ...columns.map((name, place) => make("th", { scope: "col", ...style(place) }, name)),
          ),
        ),
        make("tbody", {}, ...rows.map((row) => make("tr", {}, ...cells(row)))),
      ),
    );
  };

  Dubito.percent = (share, digits = 0) => `${(100 * share).toFixed(digits)} %`;
  /** Return a number with three digits that count. */
  Dubito.rounded = (number) => String(Number(number.toPrecision(3)));
  /** Return a mean error in grades, and its bounds. */
  Dubito.meanError = ({ estimate, low, high }) =>
    `${estimate.toFixed(2)} grades (${low.toFixed(2)} to ${high.toFixed(2)})`;
  Dubito.count = (number) => number.toLocaleString("en");
  Dubito.moment = (seconds) => new Date(1000 * seconds).toLocaleString();

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  /** Return a label as people read it: classes, or stretches with their ends. */
  Dubito.label = ({ kind }, label) => {
    // A label from before the question took several classes is a plain text.
    const list = kind === "any of" ? parsed(label) : null;
    if (!Array.isArray(list)) return label;
    const parts = list.map((part) =>
      Array.isArray(part) ? `${part[2]} (${part[0]} to ${part[1]})` : part,
    );
    const rest = parts.length - MOST_PARTS;
    const shown = parts.slice(0, MOST_PARTS).join(", ") || "none of them";
    return rest > 0 ? `${shown} and ${rest} more` : shown;
  };
  /** Return one task as a link into Label Studio. */
  Dubito.taskLink = (status, task) =>
    Dubito.make(
      "a",
      { href: `${status.links.tasks}?task=${task}`, target: "_blank", rel: "noopener" },
      `task ${task}`,
    );

  async function ask(path, options = {}) {
    const response = await fetch(path, { cache: "no-store", ...options });
    if (response.status === 304) return { response };
    const body = await response.json();
    if (!response.ok) {
      const error = new Error(body.detail || `${path} answered ${response.status}`);
      throw Object.assign(error, { status: response.status });
    }
    return { response, body };
  }

  /** One project: its status, what is asked of it, and who wants to be told. */
  class Project {
    constructor(name) {
      this.path = `/api/projects/${encodeURIComponent(name)}`;
      this.isReport = kept !== null;
      this.kept = this.isReport ? JSON.parse(kept.textContent) : {};
      this.status = this.kept.status || null;
      this.question = new URLSearchParams(location.search).get("question") || "";
      this.listeners = [];
      this.mark = null;
      this.answers = new Map();
    }

    onStatus(listener) {
      this.listeners.push(listener);
      if (this.status) listener(this.status);
    }

    /** Draw now, and whenever what `basis` takes from the status has changed. */
    onChange(basis, draw) {
      let drawn = null;
      this.onStatus(async (status) => {
        const state = JSON.stringify([status.question, basis(status)]);
        if (state === drawn) return;
        drawn = state;
        try {
          await draw(status);
        } catch (error) {
          if (error === LATE) return; // the question that is shown now is drawn by itself
          drawn = null; // it is drawn with the next status
          console.warn(error);
        }
      });
    }

    /** Return the address of what is told of the project, as to the chosen question. */
    address(name = "") {
      const path = name ? `${this.path}/${name}` : this.path;
      return path + this.query();
    }

    query() {
      return this.question ? `?question=${encodeURIComponent(this.question)}` : "";
    }

    /** Show another question, here and when the page is opened by the same address. */
    choose(question) {
      this.question = question;
      this.mark = null;
      history.replaceState(null, "", location.pathname + this.query() + location.hash);
      return this.look();
    }

    /** Return what is told; throw `LATE` if another question was chosen meanwhile. */
    async get(name) {
      if (this.isReport) return this.kept[name] ?? null;
      const { question } = this;
      const { body } = await ask(this.address(name));
      if (question !== this.question) throw LATE;
      return body;
    }

    /** Like get, but asked once for all panels while the status stays. */
    shared(name) {
      if (!this.answers.has(name)) this.answers.set(name, this.get(name));
      return this.answers.get(name);
    }

    async post(name, body = {}) {
      const options = {
        method: "POST",
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
      };
      const told = (await ask(this.address(name), options)).body;
      this.look();
      return told;
    }

    /** Ask how the project stands; tell the panels if that has changed. */
    async look() {
      const { question } = this;
      const headers = this.mark ? { "If-None-Match": this.mark } : {};
      let answer;
      try {
        answer = await ask(this.address(), { headers });
      } catch (error) {
        if (question !== this.question) return;
        if (error.status !== 404 || !question) throw error;
        await this.choose(""); // the label config asks that question no more
        return;
      }
      const { response, body } = answer;
      if (!body || question !== this.question) return;
      this.mark = response.headers.get("ETag");
      this.status = body;
      this.answers.clear();
      for (const listener of this.listeners) listener(body);
    }

    follow(say) {
      const again = async () => {
        try {
          if (!document.hidden) await this.look();
          say("");
        } catch (error) {
          say(`Dubito does not respond: ${error.message}. This page retries.`);
        }
        setTimeout(again, LOOK_MILLISECONDS);
      };
      document.addEventListener("visibilitychange", () => {
        if (!document.hidden) this.look().catch(() => {});
      });
      again();
    }
  }

  Dubito.ask = ask;
  Dubito.Project = Project;
  Dubito.away = (text) => {
    const banner = document.getElementById("away");
    if (banner.textContent !== text) banner.textContent = text;
    banner.hidden = !text;
  };
})();
