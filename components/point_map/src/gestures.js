// Pointer and wheel on a view: move, magnify, outline, hover and click, told to a panel.

const CLICK_WITHIN = 4;
const CORNER_EVERY = 3;

/** `panel`: camera, mode(), moved(place), outlined(corners, done), hover(place|null), click(place). */
export function listen(target, panel) {
  const pointers = new Map();
  let outline = null;
  let start = null;
  let dragged = false;

  const place = (event) => {
    const box = target.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  const boxOf = ([x0, y0], [x1, y1]) => [[x0, y0], [x1, y0], [x1, y1], [x0, y1]];
  const far = ([x0, y0], [x1, y1], distance) => Math.hypot(x1 - x0, y1 - y0) >= distance;

  const handlers = {
    pointerdown(event) {
      if (event.button !== 0) return;
      target.setPointerCapture(event.pointerId);
      pointers.set(event.pointerId, place(event));
      if (pointers.size > 1) {
        outline = null; // two fingers magnify
        panel.outlined(null, false);
        return;
      }
      start = place(event);
      dragged = false;
      const mode = panel.mode();
      if (mode === "box") outline = [start];
      else if (mode === "lasso" || event.shiftKey) outline = [start];
    },
    pointermove(event) {
      const now = place(event);
      const before = pointers.get(event.pointerId);
      if (!before) {
        if (event.pointerType !== "touch") panel.hover(now);
        return;
      }
      if (!dragged && start && far(start, now, CLICK_WITHIN)) {
        dragged = true;
        panel.hover(null);
      }
      if (pointers.size === 2) {
        const [other] = [...pointers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
        const length = (at) => Math.max(1, Math.hypot(at[0] - other[0], at[1] - other[1]));
        panel.camera.magnify(length(now) / length(before), (now[0] + other[0]) / 2, (now[1] + other[1]) / 2);
        panel.moved();
      } else if (outline) {
        if (panel.mode() === "box") outline = boxOf(start, now);
        else if (far(outline.at(-1), now, CORNER_EVERY)) outline.push(now);
        panel.outlined(outline, false);
      } else if (dragged) {
        panel.camera.pan(now[0] - before[0], now[1] - before[1]);
        panel.moved();
      }
      pointers.set(event.pointerId, now);
    },
    pointerup(event) {
      if (!pointers.delete(event.pointerId)) return;
      if (outline && dragged && outline.length > 2) panel.outlined(outline, true);
      else if (outline) panel.outlined(null, false);
      if (!dragged && pointers.size === 0) panel.click(place(event));
      outline = null;
    },
    pointercancel(event) {
      pointers.delete(event.pointerId);
      outline = null;
      panel.outlined(null, false);
    },
    pointerleave() {
      if (!pointers.size) panel.hover(null);
    },
    wheel(event) {
      event.preventDefault();
      const lines = event.deltaMode === 1 ? 20 : 1;
      panel.camera.magnify(Math.exp(-event.deltaY * lines * 0.0018), ...place(event));
      panel.moved(place(event));
    },
  };
  for (const [name, handler] of Object.entries(handlers)) {
    target.addEventListener(name, handler, { passive: false });
  }
}
