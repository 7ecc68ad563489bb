// What an item is, beside the pointer.
import { element } from "./dom.js";

const AWAY = 14;

export class Tooltip {
  constructor(layer) {
    this.box = element("div", { class: "tooltip", role: "tooltip", hidden: true });
    layer.append(this.box);
  }

  show(item, left, top, width, height) {
    const picture = item.picture && element("img", { src: item.picture, alt: "" });
    const words = element("div", {}, element("b", {}, item.title));
    for (const [name, value] of item.columns) {
      words.append(element("div", { class: "fact" }, element("span", {}, name), String(value)));
    }
    this.box.replaceChildren(...[picture, words].filter(Boolean));
    this.box.hidden = false;
    const { offsetWidth, offsetHeight } = this.box;
    const right = left + AWAY + offsetWidth <= width;
    const below = top + AWAY + offsetHeight <= height;
    const x = right ? left + AWAY : Math.max(0, left - AWAY - offsetWidth);
    const y = below ? top + AWAY : Math.max(0, top - AWAY - offsetHeight);
    this.box.style.transform = `translate(${x}px, ${y}px)`;
  }

  hide() {
    this.box.hidden = true;
  }
}
