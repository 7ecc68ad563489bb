// Rings around items, above the points and without drawing those again.
import { css } from "./colours.js";
import { vector } from "./dom.js";

export class Overlay {
  #marks = [];

  constructor(svg) {
    this.svg = svg;
    this.hover = this.#ring(4, 7);
    svg.append(this.hover);
    this.draw({ marked: [], hovered: null });
  }

  /** `marked` and `hovered` are screen places with a colour. */
  draw({ marked, hovered }) {
    while (this.#marks.length > marked.length) this.#marks.pop().remove();
    while (this.#marks.length < marked.length) {
      const ring = this.#ring(5, 9);
      this.#marks.push(ring);
      this.svg.prepend(ring);
    }
    marked.forEach((point, i) => this.#place(this.#marks[i], point));
    this.#place(this.hover, hovered);
  }

  #ring(dot, radius) {
    return vector(
      "g",
      {},
      vector("circle", { r: dot }),
      vector("circle", { r: radius, class: "halo" }),
      vector("circle", { r: radius, class: "ring" }),
    );
  }

  #place(ring, point) {
    ring.style.display = point ? "" : "none";
    if (!point) return;
    ring.style.transform = `translate(${point.left}px, ${point.top}px)`;
    ring.firstChild.style.fill = css(point.colour);
  }
}
