// The points of one view as the chart and the index take them.
import KDBush from "kdbush";

export class Points {
  /** `data` is [n, 2]; NaN where an item is not in this view. */
  constructor(data, n) {
    this.data = data;
    this.n = n;
    this.#measure();
    this.order = this.#shuffled();
    const count = this.order.length;
    this.x = new Float32Array(count);
    this.y = new Float32Array(count);
    this.index = new KDBush(count, 64, Float32Array);
    this.order.forEach((row, i) => {
      const [x, y] = this.toUnit(data[2 * row], data[2 * row + 1]);
      this.x[i] = x;
      this.y[i] = y;
      this.index.add(x, y);
    });
    this.index.finish();
  }

  get missing() {
    return this.n - this.order.length;
  }

  has(row) {
    return this.data[2 * row] === this.data[2 * row];
  }

  #measure() {
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
    this.extent = [x1 - x0, y1 - y0].map((size) => Math.max(0.1, size / 2 / this.half));
  }

  // Rows of what is in this view. Catalogues come sorted, often by category: in their order the
  // last category would cover the others. Shuffled the same way each time, so that the same map
  // looks the same.
  #shuffled() {
    const order = new Uint32Array(this.n);
    let count = 0;
    let seed = 12345;
    for (let row = 0; row < this.n; row++) {
      if (!this.has(row)) continue;
      seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
      const j = Math.floor((seed / 4294967296) * (count + 1));
      order[count] = order[j];
      order[j] = row;
      count++;
    }
    return order.subarray(0, count);
  }

  /** Data coordinates as those of the chart, which reach to ±1. */
  toUnit(x, y) {
    return [(x - this.middle[0]) / this.half, (y - this.middle[1]) / this.half];
  }

  /** And back, in the float32 steps that the data has. */
  toData([x, y]) {
    return [Math.fround(x * this.half + this.middle[0]), Math.fround(y * this.half + this.middle[1])];
  }

  placeOf(row) {
    return this.toUnit(this.data[2 * row], this.data[2 * row + 1]);
  }

  /** The row of the nearest point that `may` be taken within a radius; -1 where there is none. */
  nearest([x, y], radius, may) {
    let best = -1;
    let least = Infinity;
    for (const i of this.index.within(x, y, radius)) {
      const distance = (this.x[i] - x) ** 2 + (this.y[i] - y) ** 2;
      if (distance < least && may(this.order[i])) {
        least = distance;
        best = this.order[i];
      }
    }
    return best;
  }

  /** Rows in a rectangle. */
  within([x0, y0, x1, y1]) {
    return this.index.range(x0, y0, x1, y1).map((i) => this.order[i]);
  }
}
