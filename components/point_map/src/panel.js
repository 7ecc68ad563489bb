// One view: its chart, what lies above it, and what a person does there.
import { Chart } from "./chart.js";
import { css } from "./colours.js";
import { count, element, iconButton, vector } from "./dom.js";
import { Labels } from "./labels.js";
import { Overlay } from "./overlay.js";
import { Points } from "./points.js";
import { Sight } from "./sight.js";
import { MOST as MOST_SPRITES, Sprites } from "./sprites.js";
import { sharedSurface } from "./surface.js";
import { Tooltip } from "./tooltip.js";

const HOVER_WAIT = 120;
const SETTLE_WAIT = 120;
const SPRITE_WAIT = 100;
const REACH = 9;
const CLICK_WITHIN = 4;
const NO_WEBGL =
  "The map cannot be drawn: this browser offers no WebGL. Turn hardware acceleration on in its settings, or use another browser.";
const LOST = "The graphics card dropped the map; it is being drawn again.";

export class Panel {
  #hoverTimer = 0;
  #settleTimer = 0;
  #inSight = [];
  #stale = new Set();
  #pressed = null;
  #selection = null;

  /** `map` is what the panels share: values, state, details, hovered, mode ... (see map.js). */
  constructor(map, index) {
    this.map = map;
    this.index = index;
    this.sight = new Sight();
    this.surface = sharedSurface(this);
    this.points = null;
    this.chart = null;
    this.rings = vector("svg", { class: "rings", "aria-hidden": "true" });
    this.ground = element("div", { class: "ground" });
    const layers = ["sprites", "labels", "above"].map((name) => element("div", { class: `layer ${name}` }));
    this.title = element("h4");
    this.foot = element("div", { class: "foot", "aria-live": "polite" });
    this.notice = element("p", { class: "notice", hidden: true });
    this.plot = element(
      "div",
      { class: "plot", tabindex: "0", role: "application", onkeydown: (event) => this.#key(event) },
      this.ground, layers[0], this.rings, layers[1], this.notice, layers[2],
    );
    this.sprites = new Sprites(layers[0]);
    this.labels = new Labels(layers[1]);
    this.tooltip = new Tooltip(layers[2]);
    this.overlay = new Overlay(this.rings);
    this.root = element(
      "section",
      { class: "panel" },
      element(
        "header",
        {},
        this.title,
        iconButton("in", "Zoom in (+)", () => this.#look((sight) => sight.magnify(1.6))),
        iconButton("out", "Zoom out (-)", () => this.#look((sight) => sight.magnify(1 / 1.6))),
        iconButton("reset", "Show the whole map (0)", () => this.#look((sight) => sight.reset())),
      ),
      this.plot,
      this.foot,
    );
    this.#listen();
    this.resizes = new ResizeObserver(() => this.#resize());
    this.resizes.observe(this.plot);
    if (!this.surface.works) this.#say(NO_WEBGL);
  }

  /** New points: [n, 2] coordinates; the same points keep camera and graphics memory. */
  setPoints({ header, payload }, { title, labels }) {
    const text = JSON.stringify(labels);
    this.title.textContent = title;
    this.title.title = title;
    this.plot.setAttribute("aria-label", `Map: ${title}. Arrow keys move, plus and minus zoom, 0 shows all, Enter opens the item at the centre, Escape clears the selection.`);
    if (this.version !== header.version) {
      this.version = header.version;
      this.points = new Points(new Float32Array(payload, 0, 2 * header.n), header.n);
      this.sight.extent = this.points.extent;
      this.sight.reset();
      this.labelText = null;
      this.#inSight = [];
      this.#stale = new Set(["points"]);
    }
    if (this.labelText !== text) {
      this.labelText = text;
      this.labels.set(labels, (x, y) => this.points.toUnit(x, y), this.map.theme.font);
    }
  }

  /** Codes, colours, what the legend hides or what is selected have changed. */
  refresh({ codes = false, look = false, filter = false }) {
    if (codes) this.#stale.add("points");
    if (look) this.#stale.add("look");
    if (filter) this.#stale.add("filter");
    if (this.#selection !== this.map.selection) this.#stale.add("chosen");
    this.#selection = this.map.selection;
    this.#sort();
    this.#show();
    this.invalidate();
  }

  #sort() {
    const { map, points } = this;
    // Plain ascending arrays are what the library wants.
    this.shown = [];
    this.chosen = [];
    points.order.forEach((row, i) => {
      const state = map.state[row];
      if (state & 2) return;
      this.shown.push(i);
      if (state & 1) this.chosen.push(i);
    });
    this.drawn = this.shown.length;
    const hidden = points.order.length - this.drawn;
    const parts = [[`${count(this.drawn)} items drawn`, "drawn"]];
    if (points.missing) parts.push([`${count(points.missing)} not in this space`, "missing"]);
    if (hidden) parts.push([`${count(hidden)} hidden by the legend`, "hidden"]);
    if (map.selection) parts.push([`${count(this.chosen.length)} selected`, "selected"]);
    this.foot.replaceChildren(...parts.map(([text, name]) => element("span", { class: name }, text)));
  }

  #show() {
    const { map, points, sight, surface } = this;
    if (!this.shown || !sight.width || !surface.works || !this.notice.hidden) return;
    if (!this.chart) this.#open();
    if (!this.#stale.size) return;
    const { values, theme } = map;
    this.chart.show(
      {
        points, values, theme,
        area: sight.width * sight.height,
        home: sight.home,
        shown: this.shown,
        chosen: this.chosen,
        codes: points.order.map((row) => Math.min(values.codes[row], values.colours - 1)),
      },
      this.#stale,
    );
    this.#stale = new Set();
  }

  #open() {
    const canvas = element("canvas", { class: "points" });
    this.ground.replaceChildren(canvas);
    this.chart = new Chart(this.surface.renderer, canvas, {
      drawn: () => this.#layout(),
      lassoed: (corners) => this.#lassoed(corners),
    });
    this.chart.setMode(this.map.mode);
    this.sight.camera = this.chart.camera;
    this.sight.reset();
    this.#stale = new Set(["points"]);
  }

  #close() {
    this.chart?.free();
    this.chart = null;
    this.sight.camera = null;
  }

  #say(text) {
    this.notice.textContent = text ?? "";
    this.notice.hidden = !text;
  }

  lost() {
    this.#close();
    this.#say(LOST);
  }

  restored() {
    this.#say(this.surface.works ? null : NO_WEBGL);
    this.#show();
  }

  setMode(mode) {
    this.chart?.setMode(mode);
  }

  #resize() {
    const { clientWidth, clientHeight } = this.plot;
    if (!clientWidth || !clientHeight) return;
    this.sight.resize(clientWidth, clientHeight);
    this.surface.fit();
    this.#stale.add("look");
    this.#show();
  }

  /** What lies above the points has changed. */
  invalidate() {
    this.#settle();
    this.#layout();
  }

  #layout() {
    const { map, sight } = this;
    if (!sight.ready || !this.points) return;
    const place = `${sight.zoom} ${sight.toScreen(0, 0)}`;
    if (this.place !== place) this.#settle();
    this.place = place;
    this.labels.layout(sight, map.showLabels);
    this.#pictures();
    this.showHovered();
    this.plot.dataset.drawn = String(this.drawn);
    this.plot.dataset.zoom = sight.zoom.toFixed(3);
  }

  // Once the map stands still: who is in sight, if they are few enough to be shown as pictures.
  #settle() {
    clearTimeout(this.#settleTimer);
    this.#settleTimer = setTimeout(() => {
      const { sight, points, map } = this;
      if (!sight.ready || !points) return;
      let rows = [];
      // Where one looks at everything, only a small catalogue has few enough.
      if (map.showPictures && (this.drawn <= MOST_SPRITES || sight.zoom > 1.2)) {
        rows = points.within(sight.bounds).filter((row) => !(map.state[row] & 2));
      }
      this.#inSight = rows.length <= MOST_SPRITES ? rows : [];
      if (this.#inSight.length) map.want(SPRITE_WAIT);
      this.#pictures();
    }, SETTLE_WAIT);
  }

  /** Rows whose pictures this panel would show. */
  wanted() {
    return this.map.showPictures ? this.#inSight : [];
  }

  #pictures() {
    const { map, points } = this;
    this.sprites.layout(
      this.wanted(),
      this.sight,
      (row) => points.placeOf(row),
      (row) => map.details.get(row)?.picture,
      (row) => map.details.get(row)?.title ?? "",
      (row) => css(map.values.colour(map.values.codes[row], map.theme)),
    );
  }

  #ringOf(row) {
    if (!this.points.has(row) || this.map.state[row] & 2) return null;
    const [left, top] = this.sight.toScreen(...this.points.placeOf(row));
    return { left, top, colour: this.map.values.colour(this.map.values.codes[row], this.map.theme) };
  }

  #rings() {
    const { map } = this;
    this.overlay.draw({
      marked: map.marked.map((row) => this.#ringOf(row)).filter(Boolean),
      hovered: map.hovered >= 0 ? this.#ringOf(map.hovered) : null,
    });
    this.sprites.raise(map.hovered);
  }

  /** The hovered item, or what is known of it, has changed. */
  showHovered() {
    if (!this.points || !this.sight.ready) return;
    this.#rings();
    const { hovered, details } = this.map;
    const item = hovered >= 0 && this.hovering ? details.get(hovered) : null;
    if (!item) return this.tooltip.hide();
    const { left, top } = this.#ringOf(hovered) ?? {};
    if (left === undefined) return this.tooltip.hide();
    this.tooltip.show(item, left, top, this.sight.width, this.sight.height);
  }

  #nearest(place) {
    const { points, sight, map } = this;
    if (!points || !sight.ready) return -1;
    return points.nearest(sight.toWorld(...place), REACH / sight.scale, (row) => !(map.state[row] & 2));
  }

  #hover(place) {
    const row = place ? this.#nearest(place) : -1;
    this.hovering = row >= 0;
    this.plot.classList.toggle("over", row >= 0 && this.map.mode === "pan");
    clearTimeout(this.#hoverTimer);
    if (row >= 0 && !this.map.details.get(row)) {
      this.#hoverTimer = setTimeout(() => this.map.want(0, [row]), HOVER_WAIT);
    }
    this.map.setHovered(row);
  }

  #click(place) {
    const row = this.#nearest(place);
    if (row >= 0) this.map.clicked(row);
  }

  // Moving, zooming and outlining are the library's.
  #listen() {
    const { plot } = this;
    const place = (event) => {
      const box = plot.getBoundingClientRect();
      return [event.clientX - box.left - plot.clientLeft, event.clientY - box.top - plot.clientTop];
    };
    plot.addEventListener("pointerdown", (event) => {
      this.#pressed = place(event);
    });
    plot.addEventListener("pointermove", (event) => {
      if (event.pointerType !== "touch") this.#hover(event.buttons ? null : place(event));
    });
    plot.addEventListener("pointerleave", () => this.#hover(null));
    plot.addEventListener("blur", () => this.#hover(null));
    plot.addEventListener("wheel", () => this.#hover(null), { passive: true });
    plot.addEventListener("click", (event) => {
      const at = place(event);
      const [x, y] = this.#pressed ?? at;
      if (Math.hypot(at[0] - x, at[1] - y) < CLICK_WITHIN) this.#click(at);
    });
  }

  #lassoed(corners) {
    // The library has selected what it found inside: what the map finds must replace it.
    this.#stale.add("chosen");
    if (corners.length < 3) this.refresh({});
    else this.map.lasso(this, corners);
  }

  #look(change) {
    if (!this.sight.ready) return;
    change(this.sight);
    this.#hover(null);
    this.chart.redraw();
  }

  #key(event) {
    const step = 60;
    const actions = {
      ArrowLeft: (sight) => sight.pan(step, 0),
      ArrowRight: (sight) => sight.pan(-step, 0),
      ArrowUp: (sight) => sight.pan(0, step),
      ArrowDown: (sight) => sight.pan(0, -step),
      "+": (sight) => sight.magnify(1.25),
      "=": (sight) => sight.magnify(1.25),
      "-": (sight) => sight.magnify(0.8),
      0: (sight) => sight.reset(),
      Enter: () => this.#click(this.#centre()),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    this.#look(actions[event.key]);
    // Without a pointer, the centre is where one looks.
    this.#hover(this.#centre());
  }

  #centre() {
    return [this.sight.width / 2, this.sight.height / 2];
  }

  free() {
    clearTimeout(this.#hoverTimer);
    clearTimeout(this.#settleTimer);
    this.resizes.disconnect();
    this.#close();
    this.surface.leave(this);
    this.root.remove();
  }
}
