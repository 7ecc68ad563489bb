// Pictures instead of dots, where so few points are in sight that there is room for them.
import { element } from "./dom.js";

export const MOST = 150;
const [SMALLEST, LARGEST] = [26, 72];

export class Sprites {
  constructor(layer) {
    this.layer = layer;
    this.shown = new Map();
  }

  /** Places the pictures of rows; colourOf(row) is that of the frame. */
  layout(rows, sight, placeOf, pictureOf, titleOf, colourOf) {
    const room = Math.sqrt((sight.width * sight.height) / Math.max(rows.length, 1));
    const size = Math.max(SMALLEST, Math.min(LARGEST, room * 0.55));
    const kept = new Set();
    for (const row of rows) {
      const picture = pictureOf(row);
      if (!picture) continue;
      kept.add(row);
      let image = this.shown.get(row);
      if (!image) {
        image = element("img", { class: "sprite", src: picture, alt: titleOf(row), draggable: "false" });
        this.shown.set(row, image);
        this.layer.append(image);
      }
      const [left, top] = sight.toScreen(...placeOf(row));
      image.style.cssText =
        `max-width:${size}px;max-height:${size}px;border-color:${colourOf(row)};` +
        `transform:translate(${left}px,${top}px) translate(-50%,-50%)`;
    }
    for (const [row, image] of this.shown) {
      if (kept.has(row)) continue;
      image.remove();
      this.shown.delete(row);
    }
  }

  raise(row) {
    for (const [other, image] of this.shown) image.classList.toggle("raised", other === row);
  }
}
