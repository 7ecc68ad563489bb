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
  lasso: ["M5 11.2C2.9 10.4 1.5 8.8 1.5 7 1.5 4.2 4.4 2 8 2s6.500 2.200 6.500 5-2.900 5-6.500 5c-.6 0-1.200-.1-1.700-.2", "M6.300 11.800a1.300 1.300 0 1 1-2.600 0 1.300 1.300 0 0 1 2.600 0ZM4.800 13.100c0 1-.5 1.600-1.500 1.900"],
  box: ["M2.500 5V2.500H5M7 2.500h2M11 2.500h2.500V5M13.500 7v2M13.500 11v2.500H11M9 13.500H7M5 13.500H2.500V11M2.500 9V7"],
  clear: ["M3.500 3.500l9 9M12.500 3.500l-9 9"],
  labels: ["M2.500 4.500v-2h11v2M8 2.500v11M5.500 13.500h5"],
  pictures: ["M2 3h12v10H2zM2 11l3.500-3.500 3 3L11 8l3 3", "M6.200 5.700a.9.9 0 1 1-1.800 0 .9.9 0 0 1 1.800 0Z"],
  in: ["M8 3v10M3 8h10"],
  out: ["M3 8h10"],
  reset: ["M2.500 6V2.500H6M10 2.500h3.500V6M13.500 10v3.500H10M6 13.500H2.500V10"],
};

export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 16 16");
  svg.setAttribute("aria-hidden", "true");
  for (const path of PATHS[name]) {
    const drawn = document.createElementNS(SVG, "path");
    drawn.setAttribute("d", path);
    svg.append(drawn);
  }
  return svg;
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
