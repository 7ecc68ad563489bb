// What the colours mean, and a filter: categories switched off one by one, or a range of numbers.
import { NONE, css, numberColour } from "./colours.js";
import { count, element, short } from "./dom.js";

const SEARCH_FROM = 30;
const MOST_ROWS = 500;
const HANDLE_STEPS = 1000;

export class Legend {
  /** `changed` is called when the filter of the values has changed. */
  constructor(changed) {
    this.changed = changed;
    this.root = element("aside", { class: "legend", "aria-label": "Legend and filter" });
  }

  show(values, theme) {
    this.values = values;
    this.theme = theme;
    const all = element("button", { type: "button", class: "word", onclick: () => this.#all() }, "show all");
    this.all = all;
    const head = element("header", {}, element("h4", { title: values.title }, values.title), all);
    const body = values.kind === "categories" ? this.#categories() : this.#numbers();
    this.root.replaceChildren(head, ...body);
    this.#mark();
  }

  #all() {
    this.values.hidden.clear();
    this.values.range = null;
    for (const reset of this.resets ?? []) reset();
    this.#mark();
    this.changed();
  }

  #mark() {
    this.all.hidden = !this.values.filtered;
    for (const [code, entry] of this.entries ?? []) {
      entry.setAttribute("aria-pressed", String(!this.values.hidden.has(code)));
    }
  }

  #categories() {
    const { values } = this;
    this.resets = [];
    this.entries = new Map();
    this.list = element("div", { class: "entries" });
    const codes = values.names.map((_, code) => code);
    if (values.without) codes.push(NONE);
    const name = (code) => (code === NONE ? "none" : values.names[code]);
    const fill = (query) => {
      const words = query.trim().toLowerCase();
      const found = codes.filter((code) => name(code).toLowerCase().includes(words));
      this.entries.clear();
      for (const code of found.slice(0, MOST_ROWS)) this.entries.set(code, this.#entry(code, name(code)));
      this.list.replaceChildren(...this.entries.values());
      const left = found.length - MOST_ROWS;
      if (left > 0) this.list.append(element("p", {}, `${count(left)} more: search for them`));
      if (!found.length) this.list.append(element("p", {}, "Nothing by that name"));
      this.#mark();
    };
    const search =
      codes.length > SEARCH_FROM &&
      element("input", {
        type: "search",
        placeholder: `Search ${count(codes.length)}`,
        "aria-label": "Search the legend",
        oninput: (event) => fill(event.target.value),
      });
    fill("");
    const hint = element("p", { class: "hint" }, "Click hides, shift-click keeps one.");
    return [search, this.list, hint].filter(Boolean);
  }

  #entry(code, name) {
    const { values } = this;
    const n = code === NONE ? values.without : values.counts[code];
    const swatch = element("i", {});
    swatch.style.background = css(values.colour(code, this.theme));
    return element(
      "button",
      { type: "button", class: "entry", title: name, onclick: (event) => this.#toggle(code, event.shiftKey) },
      swatch,
      element("span", { class: "name" }, name),
      element("span", { class: "n" }, count(n)),
    );
  }

  #toggle(code, alone) {
    const { hidden, names, without } = this.values;
    if (alone) {
      const others = names.map((_, other) => other).filter((other) => other !== code);
      if (without && code !== NONE) others.push(NONE);
      const already = !hidden.has(code) && others.every((other) => hidden.has(other));
      hidden.clear();
      if (!already) for (const other of others) hidden.add(other);
    } else if (!hidden.delete(code)) hidden.add(code);
    this.#mark();
    this.changed();
  }

  #numbers() {
    const { values } = this;
    this.entries = null;
    const bars = element("canvas", { class: "bars", width: "320", height: "72", "aria-hidden": "true" });
    const [low, high] = ["Lowest value shown", "Highest value shown"].map((label, i) =>
      element("input", {
        type: "range",
        min: "0",
        max: String(HANDLE_STEPS),
        value: String(i * HANDLE_STEPS),
        "aria-label": label,
        oninput: () => moved(i),
      }),
    );
    const [least, most] = [element("span"), element("span")];
    const read = () => [low, high].map((handle) => Number(handle.value) / HANDLE_STEPS);
    const write = () => {
      const [a, b] = read();
      least.textContent = short(values.valueAt(a));
      most.textContent = short(values.valueAt(b));
      low.setAttribute("aria-valuetext", least.textContent);
      high.setAttribute("aria-valuetext", most.textContent);
      this.#bars(bars, a, b);
    };
    const moved = (which) => {
      const [a, b] = read();
      if (a > b) (which ? high : low).value = String((which ? a : b) * HANDLE_STEPS);
      const [from, to] = read();
      values.range = from <= 0 && to >= 1 ? null : [values.valueAt(from), values.valueAt(to)];
      write();
      this.#mark();
      this.changed();
    };
    this.resets = [
      () => {
        low.value = "0";
        high.value = String(HANDLE_STEPS);
        write();
      },
    ];
    write();
    const scale = element("div", { class: "scale" }, bars, element("div", { class: "handles" }, low, high));
    const ends = element("div", { class: "ends" }, least, most);
    const notes = [];
    if (values.log) notes.push("Logarithmic scale.");
    if (values.without) notes.push(`${count(values.without)} without a value (grey); a narrower range hides them.`);
    return [scale, ends, element("p", { class: "hint" }, notes.join(" "))];
  }

  #bars(canvas, from, to) {
    const context = canvas.getContext("2d");
    const { bins } = this.values;
    const highest = Math.max(1, ...bins);
    const width = canvas.width / bins.length;
    context.clearRect(0, 0, canvas.width, canvas.height);
    bins.forEach((n, i) => {
      const t = (i + 0.5) / bins.length;
      context.fillStyle = css(numberColour(t, this.theme), t >= from && t <= to ? 1 : 0.2);
      const height = n ? Math.max(3, (n / highest) * (canvas.height - 14)) : 0;
      context.fillRect(i * width, canvas.height - 12 - height, width - 1, height);
      context.fillRect(i * width, canvas.height - 10, width + 0.5, 10);
    });
  }
}
