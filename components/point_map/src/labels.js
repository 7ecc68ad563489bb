// Names of regions: the heavier first, and only where they cover no other; more of them appear
// as one zooms in.
import { element } from "./dom.js";

const MOST = 60;
const LINE = 15;
const GAP = 6;
const LONGEST = 34;

export class Labels {
  constructor(layer) {
    this.layer = layer;
    this.labels = [];
  }

  set(labels, place, font) {
    const context = document.createElement("canvas").getContext("2d");
    context.font = `600 12px ${font}`;
    this.labels = labels
      .map(([text, x, y, weight]) => {
        const shown = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
        const [wx, wy] = place(x, y);
        return { shown, x: wx, y: wy, weight, width: context.measureText(shown).width, element: null };
      })
      .sort((a, b) => b.weight - a.weight);
    this.layer.replaceChildren();
  }

  layout(sight, visible) {
    const taken = [];
    let placed = 0;
    for (const label of this.labels) {
      const [left, top] = sight.toScreen(label.x, label.y);
      const half = label.width / 2 + GAP;
      const box = [left - half, top - LINE / 2 - 2, left + half, top + LINE / 2 + 2];
      const shown =
        visible &&
        placed < MOST &&
        box[0] >= 0 && box[2] <= sight.width && box[1] >= 0 && box[3] <= sight.height &&
        taken.every((other) => box[0] > other[2] || box[2] < other[0] || box[1] > other[3] || box[3] < other[1]);
      if (shown) {
        taken.push(box);
        placed++;
        if (!label.element) {
          label.element = element("span", { class: "label" }, label.shown);
          this.layer.append(label.element);
        }
        label.element.style.transform = `translate(${left}px, ${top}px) translate(-50%, -50%)`;
      }
      if (label.element) label.element.hidden = !shown;
    }
  }
}
