// Colours of points: Okabe and Ito's first, then a walk around the wheel; cividis for numbers.

const OKABE_ITO = ["#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442"];
const GOLDEN_ANGLE = 137.50776;
const LIGHTNESS = [0.62, 0.75, 0.52, 0.69];
const CHROMA = [0.15, 0.11, 0.13];
/** Code of an item that has no category. */
export const NONE = 65535;
export const STEPS = 256;

// Every 1/8 of cividis (Nuñez, Anderton and Renslow 2018); between them it is almost straight.
const CIVIDIS = [
  [0, 34, 78], [26, 56, 111], [67, 78, 108], [97, 100, 111], [125, 124, 120],
  [155, 148, 118], [188, 174, 108], [222, 202, 88], [254, 232, 56],
];

/** "#RRGGBB", "#RGB" or "rgb(...)" as three numbers. */
export function parse(text) {
  const colour = text.trim();
  if (colour.startsWith("#")) {
    const hex = colour.length < 7 ? colour.slice(1).replace(/./g, "$&$&") : colour.slice(1);
    return [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16));
  }
  return (colour.match(/[\d.]+/g) ?? [128, 128, 128]).slice(0, 3).map((part) => Math.round(Number(part)));
}

export const hex = (rgb) => `#${rgb.map((c) => c.toString(16).padStart(2, "0")).join("")}`;
export const css = ([r, g, b], alpha = 1) => `rgb(${r} ${g} ${b} / ${alpha})`;

function oklch(lightness, chroma, degrees) {
  const a = chroma * Math.cos((degrees * Math.PI) / 180);
  const b = chroma * Math.sin((degrees * Math.PI) / 180);
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const linear = [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
  return linear.map((c) => {
    const value = c <= 0.0031308 ? 12.92 * c : 1.055 * Math.max(c, 0) ** (1 / 2.4) - 0.055;
    return Math.round(255 * Math.max(0, Math.min(1, value)));
  });
}

/** Colour of a category by its place in the legend. */
export function categoryColour(code, theme) {
  if (code === NONE) return theme.none;
  if (code < OKABE_ITO.length) return parse(OKABE_ITO[code]);
  // Their eighth is black, which a dark page swallows.
  if (code === OKABE_ITO.length) return theme.text;
  const i = code - OKABE_ITO.length - 1;
  return oklch(LIGHTNESS[i % LIGHTNESS.length], CHROMA[i % CHROMA.length], 20 + i * GOLDEN_ANGLE);
}

/** Colour of a number at t in [0, 1]. */
export function numberColour(t, theme) {
  // The darkest fifth would be lost on a dark page.
  const from = theme.dark ? 0.2 : 0;
  const at = (from + (1 - from) * Math.max(0, Math.min(1, t))) * (CIVIDIS.length - 1);
  const i = Math.min(CIVIDIS.length - 2, Math.floor(at));
  return CIVIDIS[i].map((c, k) => Math.round(c + (CIVIDIS[i + 1][k] - c) * (at - i)));
}

/** What the page's theme says, from Streamlit's CSS variables. */
export function themeOf(element) {
  const style = getComputedStyle(element);
  const read = (name, other) => parse(style.getPropertyValue(name) || other);
  const background = read("--st-background-color", "#FFFFFF");
  const text = read("--st-text-color", "#1B1F24");
  const mix = (t) => text.map((c, i) => Math.round(c * t + background[i] * (1 - t)));
  return {
    background,
    text,
    none: mix(0.3),
    dark: background.reduce((sum, c) => sum + c) < 384,
    accent: read("--st-primary-color", "#0072B2"),
    font: style.getPropertyValue("--st-font") || "sans-serif",
  };
}
