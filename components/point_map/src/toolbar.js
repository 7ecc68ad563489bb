// How a drag is read, and what is shown over the points.
import { element, iconButton } from "./dom.js";

const MODES = [
  ["pan", "Move the map by dragging"],
  ["lasso", "Lasso: outline a selection (or hold Shift)"],
  ["box", "Box: select a rectangle"],
];
const HINTS = {
  pan: "Drag moves, the wheel zooms, shift-drag selects",
  lasso: "Draw around what you want to select",
  box: "Drag a rectangle over what you want to select",
};

export class Toolbar {
  constructor(map) {
    this.map = map;
    this.modes = MODES.map(([mode, label]) => [mode, iconButton(mode, label, () => map.setMode(mode))]);
    this.labels = iconButton("labels", "Names of regions", () => map.toggle("showLabels"));
    this.pictures = iconButton("pictures", "Pictures instead of dots when zoomed in", () => map.toggle("showPictures"));
    this.clear = iconButton("clear", "Clear the selection (Escape)", () => map.clearSelection());
    this.hint = element("span", { class: "hint" });
    this.root = element(
      "div",
      { class: "toolbar", role: "toolbar", "aria-label": "Map tools" },
      element("span", { class: "group" }, ...this.modes.map(([, button]) => button)),
      element("span", { class: "group" }, this.labels, this.pictures),
      element("span", { class: "group" }, this.clear),
      this.hint,
    );
  }

  show() {
    const { map } = this;
    for (const [mode, button] of this.modes) button.setAttribute("aria-pressed", String(mode === map.mode));
    this.labels.setAttribute("aria-pressed", String(map.showLabels));
    this.pictures.setAttribute("aria-pressed", String(map.showPictures));
    this.clear.disabled = map.selection === null;
    this.hint.textContent = HINTS[map.mode];
  }
}
