// What the points are coloured by: categories or numbers, what of them is hidden, and the codes
// that the graphics card draws.
import { NONE, STEPS, categoryColour, numberColour } from "./colours.js";

export class Values {
  constructor(kind, payload, n, { names, title, log }) {
    this.kind = kind;
    this.n = n;
    this.names = names;
    this.title = title;
    this.hidden = new Set();
    this.range = null;
    if (kind === "categories") this.#categories(new Uint16Array(payload, 0, n));
    else this.#numbers(new Float32Array(payload, 0, n), log);
  }

  #categories(codes) {
    this.codes = codes;
    this.counts = new Uint32Array(this.names.length);
    this.without = 0;
    for (const code of codes) {
      if (code < this.counts.length) this.counts[code]++;
      else this.without++;
    }
  }

  #numbers(numbers, log) {
    this.numbers = numbers;
    let [least, most] = [Infinity, -Infinity];
    this.without = 0;
    for (const value of numbers) {
      if (value !== value) this.without++;
      else {
        if (value < least) least = value;
        if (value > most) most = value;
      }
    }
    [this.least, this.most] = least <= most ? [least, most] : [0, 0];
    this.log = log && this.least >= 0;
    const [a, b] = [this.#bend(this.least), this.#bend(this.most)];
    this.at = (value) => (b > a ? (this.#bend(value) - a) / (b - a) : 0.5);
    this.valueAt = (t) => {
      if (t <= 0) return this.least;
      if (t >= 1) return this.most;
      return this.log ? Math.expm1(a + t * (b - a)) : a + t * (b - a);
    };
    this.codes = new Uint16Array(this.n);
    this.bins = new Uint32Array(40);
    numbers.forEach((value, row) => {
      if (value !== value) this.codes[row] = NONE;
      else {
        const t = this.at(value);
        this.codes[row] = Math.round(t * (STEPS - 1));
        this.bins[Math.min(39, Math.floor(t * 40))]++;
      }
    });
  }

  #bend(value) {
    return this.log ? Math.log1p(value) : value;
  }

  /** How many colours the palette holds, that of "none" (the last) included. */
  get colours() {
    return (this.kind === "categories" ? this.names.length : STEPS) + 1;
  }

  colour(code, theme) {
    if (code >= this.colours - 1) return theme.none;
    return this.kind === "categories" ? categoryColour(code, theme) : numberColour(code / (STEPS - 1), theme);
  }

  get filtered() {
    return this.hidden.size > 0 || this.range !== null;
  }

  /** Whether the legend hides a row. */
  hides(row) {
    if (this.range) {
      const value = this.numbers[row];
      return !(value >= this.range[0] && value <= this.range[1]);
    }
    return this.hidden.size > 0 && this.hidden.has(this.codes[row]);
  }
}
