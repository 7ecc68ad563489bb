// One view: its canvas, what lies above it, and what a person does there.
import { Camera } from "./camera.js";
import { css } from "./colours.js";
import { count, element, iconButton, vector } from "./dom.js";
import { listen } from "./gestures.js";
import { Grid } from "./grid.js";
import { Labels } from "./labels.js";
import { Overlay } from "./overlay.js";
import { Cloud, sharedRenderer } from "./renderer.js";
import { MOST as MOST_SPRITES, Sprites } from "./sprites.js";
import { Tooltip } from "./tooltip.js";

const HOVER_WAIT = 120;
const SPRITE_WAIT = 220;
const REACH = 9;
const NO_WEBGL =
  "The map cannot be drawn: this browser offers no WebGL 2. Turn hardware acceleration on in its settings, or use another browser.";
const LOST = "The graphics card dropped the map; it is being drawn again.";

export class Panel {
  #frame = 0;
  #hoverTimer = 0;
  #inSight = null;
  #wantsCloud = true;

  /** `map` is what the panels share: values, state, details, hovered, mode ... (see map.js). */
  constructor(map, index) {
    this.map = map;
    this.index = index;
    this.camera = new Camera();
    this.outline = null;
    this.renderer = sharedRenderer();
    this.canvas = element("canvas", { class: "points" });
    this.rings = vector("svg", { class: "rings", "aria-hidden": "true" });
    const layers = ["sprites", "labels", "above"].map((name) => element("div", { class: `layer ${name}` }));
    this.title = element("h4");
    this.foot = element("div", { class: "foot", "aria-live": "polite" });
    this.notice = element("p", { class: "notice", hidden: true });
    this.plot = element(
      "div",
      { class: "plot", tabindex: "0", role: "application", onkeydown: (event) => this.#key(event) },
      this.canvas, layers[0], this.rings, layers[1], this.notice, layers[2],
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
        iconButton("in", "Zoom in (+)", () => this.#magnify(1.6)),
        iconButton("out", "Zoom out (-)", () => this.#magnify(1 / 1.6)),
        iconButton("reset", "Show the whole map (0)", () => this.#reset()),
      ),
      this.plot,
      this.foot,
    );
    listen(this.plot, this);
    this.plot.addEventListener("blur", () => this.hover(null));
    this.resizes = new ResizeObserver(() => this.#resize());
    this.resizes.observe(this.plot);
    this.renderer.drawers.add(this);
    if (!this.renderer.works) this.#say(NO_WEBGL);
  }

  /** New points: [n, 2] coordinates; the same points keep camera and graphics memory. */
  setPoints({ header, payload }, { title, labels }) {
    const text = JSON.stringify(labels);
    this.title.textContent = title;
    this.title.title = title;
    this.plot.setAttribute("aria-label", `Map: ${title}. Arrow keys move, plus and minus zoom, 0 shows all, Enter opens the item at the centre, Escape clears the selection.`);
    if (this.version !== header.version) {
      if (this.version !== undefined) this.camera.reset();
      this.version = header.version;
      this.n = header.n;
      this.data = new Float32Array(payload, 0, 2 * this.n);
      this.#normalise();
      this.grid = new Grid(this.positions, this.n);
      this.missing = this.n - this.grid.count;
      this.#wantsCloud = true;
      this.labelText = null;
      this.sprites.layout([], this.camera);
    }
    if (this.labelText !== text) {
      this.labelText = text;
      this.labels.set(labels, (x, y) => this.#toUnit(x, y), this.map.theme.font);
    }
  }

  #normalise() {
    let [x0, y0, x1, y1] = [Infinity, Infinity, -Infinity, -Infinity];
    const { data, n } = this;
    for (let i = 0; i < 2 * n; i += 2) {
      if (data[i] < x0) x0 = data[i];
      if (data[i] > x1) x1 = data[i];
      if (data[i + 1] < y0) y0 = data[i + 1];
      if (data[i + 1] > y1) y1 = data[i + 1];
    }
    if (!(x0 <= x1)) [x0, y0, x1, y1] = [-1, -1, 1, 1];
    this.middle = [(x0 + x1) / 2, (y0 + y1) / 2];
    this.half = Math.max(x1 - x0, y1 - y0) / 2 || 1;
    // Not thinner than a tenth, or points on a line would be magnified without end.
    this.camera.extent = [x1 - x0, y1 - y0].map((size) => Math.max(0.1, size / 2 / this.half));
    this.positions = new Float32Array(2 * n);
    for (let i = 0; i < 2 * n; i++) this.positions[i] = (data[i] - this.middle[i & 1]) / this.half;
  }

  #toUnit(x, y) {
    return [(x - this.middle[0]) / this.half, (y - this.middle[1]) / this.half];
  }

  /** Screen places as data coordinates, in the float32 steps that the points have. */
  toData(places) {
    return places.map(([left, top]) =>
      this.camera.toWorld(left, top).map((unit, i) => Math.fround(unit * this.half + this.middle[i])),
    );
  }

  /** Codes, palette, hidden and chosen rows have changed. */
  refresh({ codes = false, palette = false, state = false }) {
    this.#inSight = null;
    if (this.cloud && !this.#wantsCloud) {
      if (codes) this.cloud.setCodes(this.map.values.codes);
      if (codes || palette) this.cloud.setPalette(this.map.values, this.map.theme);
      if (state) this.cloud.setState(this.map.state);
    }
    this.#write();
    this.invalidate();
  }

  #write() {
    const { map, n, missing } = this;
    let [hidden, chosen] = [0, 0];
    for (let row = 0; row < n; row++) {
      if (this.positions[2 * row] !== this.positions[2 * row]) continue;
      if (map.state[row] & 2) hidden++;
      else if (map.state[row] & 1) chosen++;
    }
    this.drawn = n - missing - hidden;
    this.selected = chosen;
    const parts = [[`${count(this.drawn)} items drawn`, "drawn"]];
    if (missing) parts.push([`${count(missing)} not in this space`, "missing"]);
    if (hidden) parts.push([`${count(hidden)} hidden by the legend`, "hidden"]);
    if (map.selection) parts.push([`${count(chosen)} selected`, "selected"]);
    this.foot.replaceChildren(...parts.map(([text, name]) => element("span", { class: name }, text)));
  }

  #say(text) {
    this.notice.textContent = text ?? "";
    this.notice.hidden = !text;
  }

  lost() {
    this.cloud = null;
    this.#wantsCloud = true;
    this.#say(LOST);
  }

  restored() {
    this.cloud = null;
    this.#say(this.renderer.works ? null : NO_WEBGL);
    this.invalidate();
  }

  #resize() {
    const { clientWidth, clientHeight } = this.plot;
    if (!clientWidth || !clientHeight) return;
    this.camera.width = clientWidth;
    this.camera.height = clientHeight;
    this.pixels = window.devicePixelRatio || 1;
    this.canvas.width = Math.round(clientWidth * this.pixels);
    this.canvas.height = Math.round(clientHeight * this.pixels);
    this.moved();
  }

  /** The camera has moved; `place` is where the pointer is. */
  moved(place = null) {
    this.#inSight = null;
    this.hover(place);
    this.invalidate();
  }

  invalidate() {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      this.#draw();
    });
  }

  #draw() {
    const { map, renderer, camera } = this;
    if (!this.grid || !map.values || !this.pixels || !this.root.isConnected) return;
    if (renderer.works && !renderer.lost) {
      if (this.#wantsCloud) {
        this.cloud?.free();
        this.cloud = new Cloud(renderer, this.positions, this.n);
        this.cloud.setCodes(map.values.codes);
        this.cloud.setPalette(map.values, map.theme);
        this.cloud.setState(map.state);
        this.#wantsCloud = false;
      }
      renderer.draw(this.cloud, this.canvas, {
        camera,
        pixels: this.pixels,
        dimmed: map.selection !== null,
        theme: map.theme,
        ...this.#look(),
      });
    }
    this.labels.layout(camera, map.showLabels);
    this.#pictures();
    this.showHovered();
    this.plot.dataset.drawn = String(this.drawn);
    this.plot.dataset.zoom = camera.zoom.toFixed(3);
  }

  // Few points are drawn large and opaque, many small and translucent: as much ink as there is
  // room for where points stand.
  #look() {
    const { points, area } = this.grid.density(...this.camera.sight);
    const shown = Math.max(1, (points * this.drawn) / Math.max(1, this.n - this.missing));
    const room = (area * this.camera.scale ** 2) / shown;
    const size = Math.max(1.8, Math.min(9, 0.7 * Math.sqrt(room)));
    const ink = (each) => Math.max(0.2, Math.min(0.88, (0.95 * each) / size ** 2));
    // Of what is selected as if nothing else were there.
    const part = Math.max(1, this.selected) / Math.max(1, this.drawn);
    return { size, opacity: ink(room), opacityChosen: Math.max(ink(room / part), 0.5) };
  }

  /** Rows in sight, or null where they are more than can be shown as pictures. */
  #rowsInSight() {
    if (this.#inSight !== null) return this.#inSight;
    const rows = [];
    // Where one looks at everything, only a small catalogue has few enough.
    if (this.grid.density(...this.camera.sight).points <= 40 * MOST_SPRITES || this.drawn <= MOST_SPRITES) {
      this.grid.each(...this.camera.sight, (row) => {
        if (!(this.map.state[row] & 2)) rows.push(row);
        return rows.length <= MOST_SPRITES;
      });
      if (rows.length > MOST_SPRITES) rows.length = 0;
    }
    this.#inSight = rows;
    return rows;
  }

  /** Rows whose pictures this panel would show. */
  wanted() {
    return this.map.showPictures && this.grid ? this.#rowsInSight() : [];
  }

  #pictures() {
    const { map } = this;
    const rows = this.wanted();
    if (rows.length) map.want(SPRITE_WAIT);
    this.sprites.layout(
      rows,
      this.camera,
      (row) => this.#placeOf(row),
      (row) => map.details.get(row)?.picture,
      (row) => map.details.get(row)?.title ?? "",
      (row) => css(map.values.colour(map.values.codes[row], map.theme)),
    );
  }

  #placeOf(row) {
    return [this.positions[2 * row], this.positions[2 * row + 1]];
  }

  #ringOf(row) {
    if (!(this.positions[2 * row] === this.positions[2 * row]) || this.map.state[row] & 2) return null;
    const [left, top] = this.camera.toScreen(...this.#placeOf(row));
    return { left, top, colour: this.map.values.colour(this.map.values.codes[row], this.map.theme) };
  }

  #rings() {
    const { map } = this;
    this.overlay.draw({
      marked: map.marked.map((row) => this.#ringOf(row)).filter(Boolean),
      hovered: map.hovered >= 0 ? this.#ringOf(map.hovered) : null,
      outline: this.outline,
    });
    this.sprites.raise(map.hovered);
  }

  /** The hovered item, or what is known of it, has changed. */
  showHovered() {
    if (!this.grid || !this.pixels) return;
    this.#rings();
    const { hovered, details } = this.map;
    const item = hovered >= 0 && this.hovering ? details.get(hovered) : null;
    if (!item) return this.tooltip.hide();
    const { left, top } = this.#ringOf(hovered) ?? {};
    if (left === undefined) return this.tooltip.hide();
    this.tooltip.show(item, left, top, this.camera.width, this.camera.height);
  }

  #nearest([left, top]) {
    if (!this.grid) return -1;
    const [x, y] = this.camera.toWorld(left, top);
    return this.grid.nearest(x, y, REACH / this.camera.scale, (row) => !(this.map.state[row] & 2));
  }

  // What gestures.js tells

  mode() {
    return this.map.mode;
  }

  hover(place) {
    const row = place ? this.#nearest(place) : -1;
    this.hovering = row >= 0;
    this.plot.classList.toggle("over", row >= 0 && this.map.mode === "pan");
    clearTimeout(this.#hoverTimer);
    if (row >= 0 && !this.map.details.get(row)) {
      this.#hoverTimer = setTimeout(() => this.map.want(0, [row]), HOVER_WAIT);
    }
    this.map.setHovered(row);
  }

  click(place) {
    const row = this.#nearest(place);
    if (row >= 0) this.map.clicked(row);
  }

  outlined(outline, done) {
    this.outline = done ? null : outline;
    if (done) this.map.lasso(this, outline);
    this.#rings();
  }

  #magnify(factor) {
    this.camera.magnify(factor);
    this.moved();
  }

  #reset() {
    this.camera.reset();
    this.moved();
  }

  #key(event) {
    const { camera } = this;
    const step = 60;
    const actions = {
      ArrowLeft: () => camera.pan(step, 0),
      ArrowRight: () => camera.pan(-step, 0),
      ArrowUp: () => camera.pan(0, step),
      ArrowDown: () => camera.pan(0, -step),
      "+": () => camera.magnify(1.25),
      "=": () => camera.magnify(1.25),
      "-": () => camera.magnify(0.8),
      0: () => camera.reset(),
      Enter: () => this.click([camera.width / 2, camera.height / 2]),
    };
    if (event.ctrlKey || event.metaKey || event.altKey || !actions[event.key]) return;
    event.preventDefault();
    event.stopPropagation();
    actions[event.key]();
    // Without a pointer, the centre is where one looks.
    this.moved([camera.width / 2, camera.height / 2]);
  }

  free() {
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#hoverTimer);
    this.resizes.disconnect();
    this.renderer.drawers.delete(this);
    this.cloud?.free();
    this.root.remove();
  }
}
