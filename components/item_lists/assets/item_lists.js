// MMRec Lens, Apache-2.0. Items as ranked lists side by side, or as tiles; what a person opens
// goes back to the server. Text from data is only ever set as text.
import { STYLE } from "./style.js";

const instances = new WeakMap();
let byKeyboard = false;
for (const [event, own] of [["keydown", true], ["pointerdown", false]]) {
  document.addEventListener(event, () => (byKeyboard = own), { capture: true });
}
const MOVES = {
  up: "places higher than on the first list",
  down: "places lower than on the first list",
  same: "in the same place as on the first list",
  new: "not on the first list",
};

// Streamlit calls this at mounting and whenever data or theme change.
export default function mount({ data, parentElement, setTriggerValue }) {
  let instance = instances.get(parentElement);
  if (!instance) {
    const sheet = element("style");
    sheet.textContent = STYLE;
    const host = element("div", { class: "host" });
    parentElement.append(sheet, host);
    instance = { host, data: null };
    instance.free = () => {
      sheet.remove();
      host.remove();
      instances.delete(parentElement);
    };
    instances.set(parentElement, instance);
  }
  instance.open = (value) => setTriggerValue("open", value);
  if (data && instance.data !== data) {
    const focused = focusBefore(instance, data);
    instance.data = data;
    instance.host.replaceChildren(data.form === "lists" ? lists(instance) : tiles(instance));
    // Whoever walks through a list by keyboard stays where they were.
    if (focused) rowOf(instance, ...focused)?.querySelector(".open").focus({ preventScroll: true });
  }
  return instance.free;
}

// The row that has the focus, of the same person; of a list that was opened by keyboard its item.
function focusBefore(instance, data) {
  if (!instance.data) return byKeyboard && data.opened ? [String(data.opened[1]), data.opened[0]] : null;
  return instance.data.whose === data.whose ? focusOf(instance) : null;
}

function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value != null && value !== false) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null && child !== ""));
  return made;
}

function picture(data, { item, name }) {
  const source = data.pictures[item];
  return source
    ? element("img", { src: source, alt: name, decoding: "async" })
    : element("span", { class: "none", role: "img", "aria-label": `${name}, no picture` }, "no picture");
}

// Tiles

function tiles(instance) {
  const { data } = instance;
  const made = data.tiles.map((own) =>
    element(
      "li",
      { class: "tile", "data-item": own.item },
      picture(data, own),
      element(
        "button",
        { type: "button", class: "open", onclick: () => instance.open({ item: own.item }) },
        own.title,
      ),
      own.note && element("p", { class: "note" }, own.note),
    ),
  );
  const list = element("ul", { class: "tiles" }, ...made);
  list.style.setProperty("--width", `${data.width}px`);
  return list;
}

// Lists

function lists(instance) {
  const { data } = instance;
  const longest = Math.max(1, ...data.lists.map((own) => own.rows.length));
  const board = element(
    "div",
    { class: "lists", "data-whose": data.whose },
    ...data.lists.map((own) => column(instance, own)),
  );
  board.style.setProperty("--lines", String(longest + 1));
  const mark = (event) => same(board, event.target.closest?.(".row")?.dataset.item);
  board.addEventListener("pointerover", mark);
  board.addEventListener("focusin", mark);
  board.addEventListener("pointerleave", () => same(board));
  board.addEventListener("focusout", () => same(board));
  return board;
}

function column(instance, own) {
  const heading = element("h3", {}, own.title);
  const head = element("header", {}, heading, own.summary && element("p", {}, own.summary));
  const body = own.reason
    ? element("p", { class: "reason" }, own.reason)
    : element("ol", {}, ...own.rows.map((each, at) => row(instance, own, each, at + 1)));
  return element("section", { "aria-label": own.title, "data-at": own.at }, head, body);
}

function row(instance, own, each, rank) {
  const { opened } = instance.data;
  const open = opened !== null && opened[0] === each.item && opened[1] === own.at;
  const places = each.places.map(({ at, text }) =>
    element("button", { type: "button", class: "place", onclick: () => jump(instance, at, each.item) }, text),
  );
  const marks = [
    each.hit && element("span", { class: "hit" }, "✓ hit"),
    each.move && element("span", { class: "move", title: MOVES[each.move] }, each.moved),
    ...places,
  ].filter(Boolean);
  return element(
    "li",
    { class: open ? "row opened" : "row", "data-item": each.item, "aria-current": open ? "true" : null },
    picture(instance.data, each),
    element(
      "div",
      { class: "words" },
      element(
        "button",
        {
          type: "button", class: "open", title: "Why this item?",
          onclick: () => instance.open({ item: each.item, at: own.at }),
        },
        `${rank}. ${each.title}`,
      ),
      marks.length ? element("p", { class: "marks" }, ...marks) : null,
      each.said && element("p", { class: "said" }, each.said),
    ),
  );
}

function same(board, item) {
  if (board.dataset.same === (item ?? "")) return;
  board.dataset.same = item ?? "";
  for (const own of board.querySelectorAll(".row")) {
    own.classList.toggle("same", item != null && own.dataset.item === item);
  }
}

function rowOf(instance, at, item) {
  const section = [...instance.host.querySelectorAll("section")].find((own) => own.dataset.at === String(at));
  return section && [...section.querySelectorAll(".row")].find((own) => own.dataset.item === item);
}

function focusOf(instance) {
  const row = instance.host.getRootNode().activeElement?.closest?.(".row");
  return row && instance.host.contains(row) ? [row.closest("section").dataset.at, row.dataset.item] : null;
}

// To the item in another list; where that list is not on the page, the item is opened there.
function jump(instance, at, item) {
  const target = rowOf(instance, at, item);
  if (!target) {
    instance.open({ item, at });
    return;
  }
  target.scrollIntoView({ block: "nearest" });
  target.querySelector(".open").focus({ preventScroll: true });
}
