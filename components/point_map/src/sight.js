// Where a view looks: places of points, which reach to ±1, on the screen, and back. The camera is
// regl-scatterplot's.

const MARGIN = 0.94;
const [LEAST, MOST] = [0.5, 2000];

export class Sight {
  constructor() {
    this.width = 0;
    this.height = 0;
    this.extent = [1, 1];
    this.camera = null;
  }

  get ready() {
    return this.camera !== null && this.width > 0;
  }

  /** The camera's scale that shows all points: at 1 a unit takes half of the height. */
  get home() {
    const [x, y] = this.extent;
    return MARGIN * Math.min(this.width / this.height / x, 1 / y);
  }

  get zoom() {
    return this.camera.view[0] / this.home;
  }

  /** Pixels that a unit takes. */
  get scale() {
    return (this.camera.view[0] * this.height) / 2;
  }

  toScreen(x, y) {
    const { view } = this.camera;
    const half = this.height / 2;
    return [this.width / 2 + (x * view[0] + view[12]) * half, half - (y * view[5] + view[13]) * half];
  }

  toWorld(left, top) {
    const { view } = this.camera;
    const half = this.height / 2;
    return [((left - this.width / 2) / half - view[12]) / view[0], ((half - top) / half - view[13]) / view[5]];
  }

  /** The rectangle in sight: x0, y0, x1, y1. */
  get bounds() {
    const [x0, y1] = this.toWorld(0, 0);
    const [x1, y0] = this.toWorld(this.width, this.height);
    return [x0, y0, x1, y1];
  }

  /** Another size of the screen shows as much as before. */
  resize(width, height) {
    const zoom = this.ready ? this.zoom : 1;
    this.width = width;
    this.height = height;
    if (this.ready) this.#look([...this.camera.target], zoom);
  }

  reset() {
    if (this.ready) this.#look([0, 0], 1);
  }

  #look(target, zoom) {
    this.camera.setScaleBounds([LEAST * this.home, MOST * this.home]);
    this.camera.lookAt(target, 1 / (this.home * zoom));
  }

  /** Moves what is shown, in pixels. */
  pan(right, down) {
    this.camera.pan([(2 * right) / this.height, (-2 * down) / this.height]);
  }

  magnify(factor) {
    this.camera.scale(factor);
  }
}
