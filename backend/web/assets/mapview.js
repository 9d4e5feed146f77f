"use strict";
/* Points on a canvas: drawn in one go, found under the pointer by a grid, zoomed and moved. */
(() => {
  const CELLS = 64;
  const REACH = 22;
  const DRAG = 4;
  const MOST_ZOOM = 60;
  const PAD = 18;
  const STEP = 1.4;
  const ALPHAS = [1, 0.7, 0.42];
  const TURN = 2 * Math.PI;

  /** Which points lie in which cell: those of cell c are order[starts[c]] to order[starts[c + 1]]. */
  function grid(u, v) {
    const cell = new Uint16Array(u.length);
    const starts = new Uint32Array(CELLS * CELLS + 1);
    const at = (value) => Math.min(CELLS - 1, Math.max(0, Math.floor(value * CELLS)));
    for (let i = 0; i < u.length; i += 1) {
      cell[i] = at(v[i]) * CELLS + at(u[i]);
      starts[cell[i] + 1] += 1;
    }
    for (let c = 0; c < CELLS * CELLS; c += 1) starts[c + 1] += starts[c];
    const free = starts.slice();
    const order = new Uint32Array(u.length);
    for (let i = 0; i < u.length; i += 1) order[free[cell[i]]++] = i;
    return { starts, order, at };
  }

  /** Put values into [0, 1]; all in the middle if they are equal. */
  function spread(values) {
    let low = Infinity,
      high = -Infinity;
    for (const value of values) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const width = high - low;
    return Float64Array.from(values, (value) => (width > 0 ? (value - low) / width : 0.5));
  }

  class MapView {
    /** @param {{pick(place), open(place)}} told called with the number of a point, or -1 */
    constructor(canvas, told) {
      this.canvas = canvas;
      this.context = canvas.getContext("2d");
      // All points, drawn anew only when one of them moves: not for each step of a pointer.
      this.layer = document.createElement("canvas");
      this.told = told;
      this.points = null;
      this.chosen = -1;
      this.pointers = new Map();
      this.frame = 0;
      this.drawn = 0;
      this.reset();
      new ResizeObserver(() => this.resize()).observe(canvas.parentElement);
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.repaint());
      this.listen();
    }

    /**
     * Show points.
     * @param {{x, y, colour, level, labelled, doubtful, hidden, window}} points arrays by point;
     *   colour is a name of a style's variable, level 0 to 2 from doubt to certainty,
     *   window are the points asked next
     */
    show(points) {
      this.points = points;
      [this.u, this.v] = [spread(points.x), spread(points.y).map((value) => 1 - value)];
      this.grid = grid(this.u, this.v);
      this.bucket();
    }

    /** Sort what is drawn alike together: changing the colour costs more than a point. */
    bucket() {
      const { colour, level, labelled, doubtful, hidden } = this.points;
      const plain = new Map();
      this.marked = { labelled: [], doubtful: [] };
      for (let i = 0; i < colour.length; i += 1) {
        if (hidden[i]) continue;
        if (labelled[i]) this.marked.labelled.push(i);
        else if (doubtful[i]) this.marked.doubtful.push(i);
        else {
          const key = `${level[i]} ${colour[i]}`;
          if (!plain.has(key)) plain.set(key, []);
          plain.get(key).push(i);
        }
      }
      this.plain = [...plain].sort(([one], [other]) => (one < other ? 1 : -1));
      this.repaint();
    }

    reset() {
      [this.zoom, this.left, this.top] = [1, 0, 0];
      this.canvas.style.touchAction = "pan-y";
      this.repaint();
    }

    /** Zoom about a place on the canvas, its middle if none is given. */
    zoomBy(factor, x = this.width / 2, y = this.height / 2) {
      const zoom = Math.min(MOST_ZOOM, Math.max(1, this.zoom * factor));
      const [u, v] = [this.across(x), this.down(y)];
      this.zoom = zoom;
      this.left = u - (x - PAD) / ((this.width - 2 * PAD) * zoom);
      this.top = v - (y - PAD) / ((this.height - 2 * PAD) * zoom);
      this.bound();
    }

    moveBy(x, y) {
      this.left -= x / ((this.width - 2 * PAD) * this.zoom);
      this.top -= y / ((this.height - 2 * PAD) * this.zoom);
      this.bound();
    }

    bound() {
      const most = 1 - 1 / this.zoom;
      this.left = Math.min(most, Math.max(0, this.left));
      this.top = Math.min(most, Math.max(0, this.top));
      this.canvas.style.touchAction = this.zoom > 1 ? "none" : "pan-y";
      this.repaint();
    }

    placeX(i) {
      return PAD + (this.u[i] - this.left) * this.zoom * (this.width - 2 * PAD);
    }
    placeY(i) {
      return PAD + (this.v[i] - this.top) * this.zoom * (this.height - 2 * PAD);
    }
    across(x) {
      return this.left + (x - PAD) / ((this.width - 2 * PAD) * this.zoom);
    }
    down(y) {
      return this.top + (y - PAD) / ((this.height - 2 * PAD) * this.zoom);
    }

    /** Return the point nearest to a place on the canvas, -1 if none is near. */
    nearest(x, y, reach = REACH) {
      if (!this.points) return -1;
      const { starts, order, at } = this.grid;
      const [from, to] = [at(this.across(x - reach)), at(this.across(x + reach))];
      let [found, best] = [-1, reach * reach];
      for (let row = at(this.down(y - reach)); row <= at(this.down(y + reach)); row += 1) {
        for (let n = starts[row * CELLS + from]; n < starts[row * CELLS + to + 1]; n += 1) {
          const i = order[n];
          if (this.points.hidden[i]) continue;
          const away = (this.placeX(i) - x) ** 2 + (this.placeY(i) - y) ** 2;
          if (away < best) [found, best] = [i, away];
        }
      }
      return found;
    }

    /** Return the nearest point in a direction: what lies aside counts as farther. */
    beside(i, dx, dy) {
      let [found, best] = [i, Infinity];
      for (let j = 0; j < this.u.length; j += 1) {
        if (this.points.hidden[j]) continue;
        const [x, y] = [this.placeX(j) - this.placeX(i), this.placeY(j) - this.placeY(i)];
        const ahead = x * dx + y * dy;
        const aside = Math.abs(x * dy - y * dx);
        if (ahead <= 0.5 || aside > 2 * ahead) continue;
        const away = ahead + 2 * aside;
        if (away < best) [found, best] = [j, away];
      }
      return found;
    }

    /** Choose a point, and bring it into view. */
    choose(i, isFollowed = false) {
      if (i === this.chosen) return;
      this.chosen = i;
      if (isFollowed && i >= 0) {
        const [x, y] = [this.placeX(i), this.placeY(i)];
        const outside = (value, size) =>
          value < PAD ? PAD * 2 - value : Math.min(0, size - 2 * PAD - value);
        if (x < PAD || y < PAD || x > this.width - PAD || y > this.height - PAD) {
          this.moveBy(outside(x, this.width), outside(y, this.height));
        }
      }
      this.told.pick(i);
      this.mark();
    }

    resize() {
      const ratio = window.devicePixelRatio || 1;
      this.width = Math.max(200, this.canvas.parentElement.clientWidth);
      this.height = Math.round(Math.min(560, Math.max(300, this.width * 0.62)));
      this.canvas.style.height = `${this.height}px`;
      for (const one of [this.canvas, this.layer]) {
        [one.width, one.height] = [Math.round(this.width * ratio), Math.round(this.height * ratio)];
      }
      this.repaint();
    }

    repaint() {
      this.isStale = true;
      this.mark();
    }

    mark() {
      if (this.frame) return;
      this.frame = requestAnimationFrame(() => {
        this.frame = 0;
        if (this.points && this.width) this.paint();
      });
    }

    paint() {
      const { context, canvas, layer } = this;
      const ratio = window.devicePixelRatio || 1;
      const style = getComputedStyle(canvas);
      const named = (name) => style.getPropertyValue(name).trim();
      if (this.isStale) {
        this.pen = layer.getContext("2d");
        this.pen.setTransform(ratio, 0, 0, ratio, 0, 0);
        this.pen.clearRect(0, 0, this.width, this.height);
        this.paintPoints(named);
        this.isStale = false;
      }
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.clearRect(0, 0, canvas.width, canvas.height);
      context.drawImage(layer, 0, 0);
      context.setTransform(ratio, 0, 0, ratio, 0, 0);
      this.pen = context;
      if (this.chosen >= 0) this.ring(this.chosen, 12, named("--accent"), 3);
    }

    paintPoints(named) {
      const { pen, points, plain, marked } = this;
      const many = this.u.length;
      const size = Math.min(8, (many > 5000 ? 3 : many > 1000 ? 4.5 : 6) + Math.log2(this.zoom));
      for (const [key, places] of plain) {
        pen.globalAlpha = ALPHAS[key[0]];
        pen.fillStyle = named(key.slice(2));
        this.squares(places, size);
      }
      pen.globalAlpha = 1;
      const [edge, line] = [named("--surface"), named("--text")];
      const colours = new Map([...new Set(points.colour)].map((name) => [name, named(name)]));
      for (const i of marked.doubtful) this.diamond(i, colours.get(points.colour[i]), line);
      for (const i of marked.labelled) this.disc(i, colours.get(points.colour[i]), edge, line);
      for (const i of points.window) if (!points.hidden[i]) this.ring(i, 9, line, 2);
      this.drawn = marked.labelled.length + marked.doubtful.length;
      for (const [, places] of plain) this.drawn += places.length;
    }

    squares(places, size) {
      const { pen, u, v, left, top, width, height } = this;
      const [sx, sy] = [this.zoom * (width - 2 * PAD), this.zoom * (height - 2 * PAD)];
      const half = size / 2;
      for (const i of places) {
        const x = PAD + (u[i] - left) * sx,
          y = PAD + (v[i] - top) * sy;
        if (x > -size && y > -size && x < width + size && y < height + size)
          pen.fillRect(x - half, y - half, size, size);
      }
    }

    disc(i, colour, edge, line) {
      const { pen } = this;
      pen.beginPath();
      pen.arc(this.placeX(i), this.placeY(i), 5.5, 0, TURN);
      pen.fillStyle = colour;
      pen.fill();
      pen.lineWidth = 3;
      pen.strokeStyle = edge;
      pen.stroke();
      pen.lineWidth = 1.5;
      pen.strokeStyle = line;
      pen.stroke();
    }

    diamond(i, colour, line) {
      const { pen } = this;
      const [x, y, r] = [this.placeX(i), this.placeY(i), 6];
      pen.beginPath();
      pen.moveTo(x, y - r);
      pen.lineTo(x + r, y);
      pen.lineTo(x, y + r);
      pen.lineTo(x - r, y);
      pen.closePath();
      pen.fillStyle = colour;
      pen.fill();
      pen.lineWidth = 1;
      pen.strokeStyle = line;
      pen.stroke();
    }

    ring(i, radius, colour, thick) {
      const { pen } = this;
      pen.beginPath();
      pen.arc(this.placeX(i), this.placeY(i), radius, 0, TURN);
      pen.lineWidth = thick;
      pen.strokeStyle = colour;
      pen.stroke();
    }

    listen() {
      const { canvas } = this;
      canvas.addEventListener("pointerdown", (event) => this.press(event));
      canvas.addEventListener("pointermove", (event) => this.move(event));
      for (const name of ["pointerup", "pointercancel", "lostpointercapture"])
        canvas.addEventListener(name, (event) => this.release(event));
      canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
      canvas.addEventListener("keydown", (event) => this.key(event));
    }

    /** The wheel scrolls the page, unless the map has been clicked or a key asks for it. */
    wheel(event) {
      const isOut = this.zoom === 1 && event.deltaY > 0;
      if (isOut || (!event.ctrlKey && document.activeElement !== this.canvas)) return;
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
    }

    press(event) {
      if (event.button !== 0) return;
      this.canvas.setPointerCapture(event.pointerId);
      this.pointers.set(event.pointerId, [event.offsetX, event.offsetY]);
      this.began = [event.offsetX, event.offsetY];
      this.isDragged = this.pointers.size > 1;
    }

    move(event) {
      const [x, y] = [event.offsetX, event.offsetY];
      const before = this.pointers.get(event.pointerId);
      if (!before) {
        this.choose(this.nearest(x, y));
        return;
      }
      if (this.pointers.size > 1) this.pinch(event.pointerId, before, [x, y]);
      else if (this.isDragged || Math.hypot(x - this.began[0], y - this.began[1]) > DRAG) {
        this.isDragged = true;
        this.moveBy(x - before[0], y - before[1]);
      }
      this.pointers.set(event.pointerId, [x, y]);
    }

    pinch(id, before, now) {
      const other = [...this.pointers].find(([key]) => key !== id)[1];
      const apart = ([x, y]) => Math.hypot(x - other[0], y - other[1]) || 1;
      this.zoomBy(apart(now) / apart(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
    }

    /** A click opens the point; a finger's tap shows it first. */
    release(event) {
      if (!this.pointers.delete(event.pointerId) || this.isDragged || event.type !== "pointerup")
        return;
      const found = this.nearest(event.offsetX, event.offsetY);
      const isOpened = event.pointerType === "mouse" && event.button === 0;
      this.choose(found);
      if (found >= 0 && isOpened) this.told.open(found);
    }

    key(event) {
      const arrows = {
        ArrowLeft: [-1, 0],
        ArrowRight: [1, 0],
        ArrowUp: [0, -1],
        ArrowDown: [0, 1],
      };
      const deeds = {
        "+": () => this.zoomBy(STEP),
        "=": () => this.zoomBy(STEP),
        "-": () => this.zoomBy(1 / STEP),
        0: () => this.reset(),
        Escape: () => this.choose(-1),
        Enter: () => {
          if (this.chosen >= 0) this.told.open(this.chosen);
        },
      };
      if (event.ctrlKey || event.metaKey || event.altKey || !this.points) return;
      if (arrows[event.key]) this.step(...arrows[event.key]);
      else if (deeds[event.key]) deeds[event.key]();
      else return;
      event.preventDefault();
    }

    step(dx, dy) {
      const first =
        this.points.window.find((i) => !this.points.hidden[i]) ?? this.points.hidden.indexOf(0);
      this.choose(this.chosen < 0 ? first : this.beside(this.chosen, dx, dy), true);
    }
  }

  Dubito.MapView = MapView;
  Dubito.MapView.STEP = STEP;
})();
