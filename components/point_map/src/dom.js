// Elements without markup: text from data is only ever set as text.

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (value === true) made.setAttribute(name, "");
    else if (value !== false && value != null) made.setAttribute(name, value);
  }
  made.append(...children.filter((child) => child != null));
  return made;
}

const SVG = "http://www.w3.org/2000/svg";

// 16 x 16, strokes only.
const PATHS = {
  pan: ["M8 1.5v13M1.5 8h13M8 1.5 6 3.5M8 1.5l2 2M8 14.5l-2-2M8 14.5l2-2M1.5 8l2-2M1.5 8l2 2M14.5 8l-2-2M14.5 8l-2 2"],
  lasso: ["M5 11.2C2.9 10.4 1.5 8.8 1.5 7 1.5 4.2 4.4 2 8 2s6.5 2.2 6.5 5-2.9 5-6.5 5c-.6 0-1.2-.1-1.7-.2", "M6.3 11.8a1.3 1.3 0 1 1-2.6 0 1.3 1.3 0 0 1 2.6 0ZM4.8 13.1c0 1-.5 1.6-1.5 1.9"],
  box: ["M2.5 5V2.5H5M7 2.5h2M11 2.5h2.5V5M13.5 7v2M13.5 11v2.5H11M9 13.5H7M5 13.5H2.5V11M2.5 9V7"],
  clear: ["M3.5 3.5l9 9M12.5 3.5l-9 9"],
  labels: ["M2.5 4.5v-2h11v2M8 2.5v11M5.5 13.5h5"],
  pictures: ["M2 3h12v10H2zM2 11l3.5-3.5 3 3L11 8l3 3", "M6.2 5.7a.9.9 0 1 1-1.8 0 .9.9 0 0 1 1.8 0Z"],
  in: ["M8 3v10M3 8h10"],
  out: ["M3 8h10"],
  reset: ["M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10"],
};

export function vector(tag, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function icon(name) {
  const paths = PATHS[name].map((d) => vector("path", { d }));
  return vector("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, ...paths);
}

/** A small button with an icon; its name is read out and shown on hovering. */
export function iconButton(name, label, onclick, attributes = {}) {
  return element(
    "button",
    { type: "button", class: "tool", title: label, "aria-label": label, onclick, ...attributes },
    icon(name),
  );
}

export const count = (n) => n.toLocaleString("en-US");

/** A number with about three significant digits. */
export function short(value) {
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return count(value);
  const size = Math.abs(value);
  if (size !== 0 && (size >= 1e6 || size < 1e-3)) return value.toExponential(2);
  return size >= 1000 ? count(Math.round(value)) : String(Number(value.toPrecision(3)));
}
