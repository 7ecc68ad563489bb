// One or two views of the same items: they share colours, filter, selection and hovered item.
import { unpackRows } from "./bytes.js";
import { themeOf } from "./colours.js";
import { Details } from "./details.js";
import { element } from "./dom.js";
import { Legend } from "./legend.js";
import { Panel } from "./panel.js";
import { insideTest, thin } from "./polygon.js";
import { Toolbar } from "./toolbar.js";
import { Values } from "./values.js";

const MOST_CORNERS = 240;
// Below this many pixels views and legend stand under one another.
const [NARROW_ONE, NARROW_TWO] = [520, 760];

export class PointMap {
  #wanting = [];

  constructor(host) {
    this.host = host;
    this.panels = [];
    this.values = null;
    this.selection = null;
    this.marked = [];
    this.hovered = -1;
    this.mode = "pan";
    this.showLabels = true;
    this.showPictures = true;
    this.stamp = 0;
    this.theme = themeOf(host);
    this.details = new Details((ask) => this.ask(ask), () => this.#arrived());
    this.toolbar = new Toolbar(this);
    this.legend = new Legend(() => this.#filtered());
    this.views = element("div", { class: "views" });
    this.root = element(
      "div",
      { class: "map", hidden: true, onkeydown: (event) => this.#key(event) },
      this.toolbar.root,
      element("div", { class: "body" }, this.views, this.legend.root),
    );
    host.append(this.root);
    this.widths = new ResizeObserver(([entry]) => {
      const room = this.panels.length > 1 ? NARROW_TWO : NARROW_ONE;
      this.root.classList.toggle("narrow", entry.contentRect.width < room);
    });
    this.widths.observe(this.root);
  }

  /** The view's own options: how high it is, and answers about items. */
  options({ height, answers }, ask) {
    this.ask = ask;
    this.root.style.setProperty("--height", `${height}px`);
    this.details.answer(answers);
  }

  /** All parts have arrived. */
  update({ wire, stores }) {
    const { data } = wire;
    this.wire = wire;
    this.root.hidden = false;
    while (this.panels.length > data.views.length) this.panels.pop().free();
    while (this.panels.length < data.views.length) {
      const panel = new Panel(this, this.panels.length);
      this.panels.push(panel);
      this.views.append(panel.root);
    }
    const recoloured = this.#recolour(data, stores.get("colours"));
    if (this.items !== data.items) {
      this.items = data.items;
      this.details.forget();
      this.hovered = -1;
    }
    this.panels.forEach((panel, i) => panel.setPoints(stores.get(`points-${i}`), data.views[i]));
    this.#select(data, stores.get("selection"));
    this.marked = data.marked;
    this.toolbar.show();
    this.#refresh({ codes: recoloured });
  }

  #recolour(data, store) {
    const version = `${store.header.version} ${JSON.stringify(data.colours)}`;
    if (this.colourVersion === version) return false;
    this.colourVersion = version;
    const { header, payload } = store;
    this.values = new Values(header.form, payload, header.n, data.colours);
    this.legend.show(this.values, this.theme);
    if (this.state?.length !== header.n) {
      this.state = new Uint8Array(header.n);
      this.selection = null;
    }
    return true;
  }

  // The server's selection counts when it is another than before, and was made in the knowledge
  // of what has been outlined here since.
  #select(data, store) {
    const version = store.header.version;
    if (this.selectionVersion === version || data.seen < this.stamp) return;
    this.selectionVersion = version;
    this.selection = unpackRows(store, this.state.length);
  }

  #refresh(what = {}) {
    const { state, selection, values } = this;
    const filtered = values.filtered;
    for (let row = 0; row < state.length; row++) {
      state[row] = (selection ? selection[row] : 0) | (filtered && values.hides(row) ? 2 : 0);
    }
    for (const panel of this.panels) panel.refresh(what);
    this.toolbar.show();
  }

  #filtered() {
    this.#refresh({ filter: true });
  }

  /** Streamlit's theme may have changed. */
  repaint() {
    const theme = themeOf(this.host);
    if (JSON.stringify(theme) === JSON.stringify(this.theme)) return;
    this.theme = theme;
    if (!this.values) return;
    this.legend.show(this.values, theme);
    for (const panel of this.panels) panel.refresh({ look: true });
  }

  // What toolbar and panels tell

  setMode(mode) {
    this.mode = mode;
    this.views.dataset.mode = mode;
    for (const panel of this.panels) panel.setMode(mode);
    this.toolbar.show();
  }

  toggle(name) {
    this[name] = !this[name];
    this.toolbar.show();
    for (const panel of this.panels) panel.invalidate();
  }

  #key(event) {
    if (event.key === "Escape" && !(event.target instanceof HTMLInputElement)) this.clearSelection();
  }

  setHovered(row) {
    if (row === this.hovered) return;
    this.hovered = row;
    for (const panel of this.panels) panel.showHovered();
  }

  clicked(row) {
    this.wire.trigger("clicked", row);
  }

  /** Selects what lies in an outline of a panel: here at once, and on the server. */
  lasso(panel, outline) {
    const { points } = panel;
    const polygon = thin(outline, MOST_CORNERS).map((corner) => points.toData(corner));
    const inside = insideTest(polygon);
    const { data } = points;
    const chosen = new Uint8Array(this.state.length);
    let count = 0;
    for (let row = 0; row < chosen.length; row++) {
      if (!(this.state[row] & 2) && inside(data[2 * row], data[2 * row + 1])) {
        chosen[row] = 1;
        count++;
      }
    }
    this.selection = chosen;
    this.#refresh();
    this.#tell({
      view: panel.index,
      polygon,
      hidden: [...this.values.hidden],
      range: this.values.range,
      count,
    });
  }

  clearSelection() {
    if (!this.selection) return;
    this.selection = null;
    this.#refresh();
    this.#tell(null);
  }

  #tell(lasso) {
    this.stamp = Math.max(Date.now(), this.stamp + 1);
    this.wire.state("selection", { stamp: this.stamp, lasso });
  }

  /** Details of rows are wanted: those given first, then those of pictures in sight. */
  want(wait, rows = []) {
    if (rows.length) this.#wanting = rows;
    const inSight = this.panels.flatMap((panel) => panel.wanted());
    this.details.want([...new Set([...this.#wanting, ...inSight])], wait);
  }

  #arrived() {
    for (const panel of this.panels) {
      panel.invalidate();
      panel.showHovered();
    }
  }

  free() {
    this.details.stop();
    this.widths.disconnect();
    for (const panel of this.panels) panel.free();
    this.root.remove();
  }
}
