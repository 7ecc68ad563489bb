// Rings around items and the outline that is being drawn, above the points. As SVG: Chromium
// goes on showing a canvas that was cleared while the page was busy.
import { css } from "./colours.js";
import { vector } from "./dom.js";

export class Overlay {
  #marks = [];

  constructor(svg) {
    this.svg = svg;
    this.outline = vector("polygon", { class: "outline" });
    this.hover = this.#ring(4, 7);
    svg.append(this.outline, this.hover);
    this.draw({ marked: [], hovered: null, outline: null });
  }

  /** `marked` and `hovered` are screen places with a colour; `outline` is a list of places. */
  draw({ marked, hovered, outline }) {
    while (this.#marks.length > marked.length) this.#marks.pop().remove();
    while (this.#marks.length < marked.length) {
      const ring = this.#ring(5, 9);
      this.#marks.push(ring);
      this.svg.prepend(ring);
    }
    marked.forEach((point, i) => this.#place(this.#marks[i], point));
    this.#place(this.hover, hovered);
    this.outline.setAttribute("points", (outline ?? []).map((place) => place.join()).join(" "));
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
