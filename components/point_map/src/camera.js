// Where a view looks: centre in [-1, 1]² and magnification; 1 shows all points.

const MARGIN = 0.94;
const [LEAST, MOST] = [0.5, 2000];

export class Camera {
  constructor() {
    this.width = 1;
    this.height = 1;
    this.extent = [1, 1];
    this.reset();
  }

  reset() {
    this.x = 0;
    this.y = 0;
    this.zoom = 1;
  }

  /** Pixels that a unit takes; points reach to ± extent. */
  get scale() {
    const [x, y] = this.extent;
    return (Math.min(this.width / x, this.height / y) / 2) * MARGIN * this.zoom;
  }

  toScreen(x, y) {
    return [this.width / 2 + (x - this.x) * this.scale, this.height / 2 - (y - this.y) * this.scale];
  }

  toWorld(left, top) {
    return [
      this.x + (left - this.width / 2) / this.scale,
      this.y - (top - this.height / 2) / this.scale,
    ];
  }

  /** The rectangle in sight: x0, y0, x1, y1. */
  get sight() {
    const [x0, y1] = this.toWorld(0, 0);
    const [x1, y0] = this.toWorld(this.width, this.height);
    return [x0, y0, x1, y1];
  }

  pan(right, down) {
    this.x = Math.max(-1.2, Math.min(1.2, this.x - right / this.scale));
    this.y = Math.max(-1.2, Math.min(1.2, this.y + down / this.scale));
  }

  /** Magnifies about a place on the screen, which stays where it is. */
  magnify(factor, left = this.width / 2, top = this.height / 2) {
    const [x, y] = this.toWorld(left, top);
    this.zoom = Math.max(LEAST, Math.min(MOST, this.zoom * factor));
    const [atX, atY] = this.toWorld(left, top);
    this.x += x - atX;
    this.y += y - atY;
    this.pan(0, 0);
  }
}
