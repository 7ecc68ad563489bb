// Rings around items and the outline that is being drawn, above the points.
import { css } from "./colours.js";

const FULL_TURN = 2 * Math.PI;

export class Overlay {
  constructor(canvas) {
    this.canvas = canvas;
  }

  /** `marked` and `hovered` are screen places with a colour; `outline` is a list of places. */
  draw({ marked, hovered, outline, theme, pixels }) {
    const context = this.canvas.getContext("2d");
    context.setTransform(pixels, 0, 0, pixels, 0, 0);
    context.clearRect(0, 0, this.canvas.width, this.canvas.height);
    for (const point of marked) this.#ring(context, point, 5, 9, theme);
    if (hovered) this.#ring(context, hovered, 4, 7, theme);
    if (outline?.length > 1) {
      context.beginPath();
      outline.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
      context.closePath();
      context.fillStyle = css(theme.accent, 0.1);
      context.fill();
      context.lineWidth = 1.5;
      context.strokeStyle = css(theme.accent);
      context.stroke();
    }
  }

  #ring(context, { left, top, colour }, dot, radius, theme) {
    context.beginPath();
    context.arc(left, top, dot, 0, FULL_TURN);
    context.fillStyle = css(colour);
    context.fill();
    for (const [width, ink] of [[4, theme.background], [1.75, theme.text]]) {
      context.beginPath();
      context.arc(left, top, radius, 0, FULL_TURN);
      context.lineWidth = width;
      context.strokeStyle = css(ink);
      context.stroke();
    }
  }
}
