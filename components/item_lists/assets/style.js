// Colours, fonts and radii are those of Streamlit's theme, light or dark.
export const STYLE = `
:host { display: block; }
* { box-sizing: border-box; }
.host {
  --ink: var(--st-text-color);
  --paper: var(--st-background-color);
  --soft: color-mix(in srgb, var(--ink) 64%, var(--paper));
  --line: var(--st-border-color);
  --accent: var(--st-primary-color);
  font: 13px/1.3 var(--st-font);
  font-variant-numeric: tabular-nums;
  color: var(--ink);
}
ol, ul, p, h3 { margin: 0; padding: 0; list-style: none; }
button {
  font: inherit; color: inherit; text-align: left; padding: 0; background: none; border: 0;
  cursor: pointer; overflow-wrap: anywhere;
}
img, .none { display: block; object-fit: contain; border-radius: 3px; }
.none {
  display: flex; align-items: center; justify-content: center; text-align: center;
  font-size: 10px; line-height: 1.1; color: var(--soft);
  background: color-mix(in srgb, currentColor 12%, transparent);
}

.lists {
  display: grid; column-gap: 18px;
  grid-template-columns: repeat(auto-fit, minmax(min(170px, 100%), 1fr));
}
/* The lines of all lists share their heights, so that equal ranks stand beside one another. */
section { display: grid; grid-template-rows: subgrid; grid-row: span var(--lines); min-width: 0; }
ol { display: grid; grid-template-rows: subgrid; grid-row: span calc(var(--lines) - 1); }
header { padding: 0 6px 8px; border-bottom: 1px solid var(--line); }
h3 { font-size: 14px; font-weight: 600; overflow-wrap: anywhere; }
header p { margin-top: 2px; font-size: 12px; color: var(--soft); }
.reason {
  align-self: start; grid-row: 2 / span calc(var(--lines) - 1); margin-top: 8px; padding: 10px 12px;
  border-radius: 4px; background: color-mix(in srgb, var(--accent) 10%, transparent);
}
.row {
  position: relative; display: grid; grid-template-columns: 48px minmax(0, 1fr); column-gap: 10px;
  align-items: start; padding: 7px 6px; border-bottom: 1px solid var(--line);
}
.row:last-child { border-bottom-color: transparent; }
.row img, .row .none { width: 48px; height: 48px; }
.row .open { display: block; font-weight: 500; }
/* All of the line opens the item; the title is the button that a keyboard reaches. */
.open::after { content: ""; position: absolute; inset: 0; border-radius: 5px; }
.open:focus-visible { outline: none; }
.open:focus-visible::after { outline: 2px solid var(--accent); outline-offset: -1px; }
.row:hover .open, .tile:hover .open { color: var(--st-link-color, var(--accent)); }
.row.same { background: color-mix(in srgb, var(--accent) 13%, transparent); border-radius: 5px; }
.row.opened {
  background: color-mix(in srgb, var(--ink) 8%, transparent); border-radius: 5px;
  box-shadow: inset 3px 0 0 var(--accent);
}
.marks { display: flex; flex-wrap: wrap; gap: 1px 8px; align-items: baseline; margin-top: 2px; font-size: 12px; }
.said { margin-top: 2px; font-size: 12px; color: var(--soft); overflow-wrap: anywhere; }
.hit {
  padding: 0 5px; border-radius: 3px; font-weight: 600; color: var(--st-green-text-color, #157f3c);
  background: var(--st-green-background-color, rgb(33 195 84 / 0.1));
}
.move, .place { color: var(--soft); white-space: nowrap; }
.place { position: relative; z-index: 1; white-space: normal; }
.place:hover { color: var(--st-link-color, var(--accent)); text-decoration: underline; }
.place:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; border-radius: 2px; }

.tiles { display: flex; flex-wrap: wrap; gap: 14px 12px; }
.tile { position: relative; width: var(--width); }
.tile img { width: 100%; max-height: 176px; object-position: left bottom; }
.tile .none { width: 100%; aspect-ratio: 1; }
.tile .open { display: block; margin-top: 4px; font-size: 12.5px; line-height: 1.25; }
.note { margin-top: 1px; font-size: 12px; color: var(--soft); }
`;
