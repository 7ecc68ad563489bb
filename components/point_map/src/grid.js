// Points of one view in cells of equal size: who is near, who is in sight, how dense it is.

/** An index of points in [-1, 1]²; points that are not in this view (NaN) are left out. */
export class Grid {
  constructor(positions, n) {
    this.positions = positions;
    this.side = Math.max(8, Math.min(512, Math.round(Math.sqrt(n) / 2)));
    const { side } = this;
    const cells = new Int32Array(n);
    this.starts = new Uint32Array(side * side + 1);
    this.count = 0;
    for (let row = 0; row < n; row++) {
      const x = positions[2 * row];
      if (x !== x) {
        cells[row] = -1;
        continue;
      }
      const cell = this.column(positions[2 * row + 1]) * side + this.column(x);
      cells[row] = cell;
      this.starts[cell + 1]++;
      this.count++;
    }
    for (let i = 0; i < side * side; i++) this.starts[i + 1] += this.starts[i];
    this.rows = new Uint32Array(this.count);
    const next = this.starts.slice(0, side * side);
    for (let row = 0; row < n; row++) if (cells[row] >= 0) this.rows[next[cells[row]]++] = row;
    this.#sum();
  }

  column(x) {
    return Math.max(0, Math.min(this.side - 1, Math.floor(((x + 1) / 2) * this.side)));
  }

  // Summed-area tables of points and of cells that hold some: the density of any rectangle
  // costs four look-ups, and is asked for in every frame.
  #sum() {
    const { side, starts } = this;
    const width = side + 1;
    this.pointSums = new Uint32Array(width * width);
    this.cellSums = new Uint32Array(width * width);
    for (let r = 0; r < side; r++) {
      let points = 0;
      let full = 0;
      for (let c = 0; c < side; c++) {
        const held = starts[r * side + c + 1] - starts[r * side + c];
        points += held;
        full += held ? 1 : 0;
        const at = (r + 1) * width + c + 1;
        this.pointSums[at] = this.pointSums[at - width] + points;
        this.cellSums[at] = this.cellSums[at - width] + full;
      }
    }
  }

  /** About how many points a rectangle holds, and what area of [-1, 1]² they stand on. */
  density(x0, y0, x1, y1) {
    const [c0, c1] = [this.column(x0), this.column(x1) + 1];
    const [r0, r1] = [this.column(y0), this.column(y1) + 1];
    const width = this.side + 1;
    const sum = (table) =>
      table[r1 * width + c1] - table[r0 * width + c1] - table[r1 * width + c0] + table[r0 * width + c0];
    return { points: sum(this.pointSums), area: sum(this.cellSums) * (2 / this.side) ** 2 };
  }

  /** Calls use(row) for each point of a rectangle until it returns false. */
  each(x0, y0, x1, y1, use) {
    const { positions, side, starts, rows } = this;
    for (let r = this.column(y0); r <= this.column(y1); r++) {
      for (let c = this.column(x0); c <= this.column(x1); c++) {
        for (let i = starts[r * side + c]; i < starts[r * side + c + 1]; i++) {
          const x = positions[2 * rows[i]];
          const y = positions[2 * rows[i] + 1];
          if (x >= x0 && x <= x1 && y >= y0 && y <= y1 && use(rows[i]) === false) return;
        }
      }
    }
  }

  /** The row of the nearest point that `may` be taken within a radius; -1 where there is none. */
  nearest(x, y, radius, may) {
    let best = -1;
    let least = radius * radius;
    this.each(x - radius, y - radius, x + radius, y + radius, (row) => {
      const distance = (this.positions[2 * row] - x) ** 2 + (this.positions[2 * row + 1] - y) ** 2;
      if (distance <= least && may(row)) {
        least = distance;
        best = row;
      }
    });
    return best;
  }
}
