// Titles, columns and pictures of items: asked for in batches, one question at a time, kept.

const BATCH = 40;
const PATIENCE = 15000;
const PICTURE = /^data:image\/(png|jpeg|webp|gif|avif);base64,/;

export class Details {
  #wanted = [];
  #asked = null;
  #timer = 0;
  #patience = 0;

  /** `ask` sends {id, rows} to the server; `arrived` is called when the cache has grown. */
  constructor(ask, arrived) {
    this.ask = ask;
    this.arrived = arrived;
    this.known = new Map();
  }

  get(row) {
    return this.known.get(row);
  }

  /** Asks for rows after a while, unless others are wanted until then. */
  want(rows, wait) {
    this.#wanted = rows.filter((row) => !this.known.has(row));
    clearTimeout(this.#timer);
    if (this.#wanted.length) this.#timer = setTimeout(() => this.#send(), wait);
  }

  #send() {
    if (this.#asked) return; // the answer sends what is still wanted
    const rows = this.#wanted.filter((row) => !this.known.has(row)).slice(0, BATCH);
    if (!rows.length) return;
    this.#asked = { id: Date.now(), rows };
    this.#patience = setTimeout(() => {
      this.#asked = null;
      this.#send();
    }, PATIENCE);
    this.ask(this.#asked);
  }

  answer(answers) {
    if (!answers || answers.id !== this.#asked?.id) return;
    clearTimeout(this.#patience);
    this.#asked = null;
    for (const item of answers.items) {
      const picture = PICTURE.test(item.picture ?? "") ? item.picture : null;
      this.known.set(item.row, { ...item, picture });
    }
    this.arrived();
    this.#send();
  }

  forget() {
    this.known.clear();
    this.stop();
  }

  stop() {
    clearTimeout(this.#timer);
    clearTimeout(this.#patience);
    this.#asked = null;
    this.#wanted = [];
  }
}
