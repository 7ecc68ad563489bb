// One view's points, drawn by regl-scatterplot.
import createScatterplot from "regl-scatterplot";
import { hex } from "./colours.js";

// Beyond this the library would count the points in sight too slowly to set their opacity by it.
const DENSITY_UP_TO = 500000;
const FILL = 0.4;
const LEAST_INK = 0.22;
const DIMMED = 0.28;

export class Chart {
  #stale = new Set();
  #busy = false;

  /** `drawn` is called after each frame, `lassoed` with corners in ±1. */
  constructor(renderer, canvas, { drawn, lassoed }) {
    this.plot = createScatterplot({
      renderer,
      canvas,
      syncEvents: true,
      colorBy: "valueZ",
      // The selected: as they were, above the others, which fade.
      pointSizeSelected: 0,
      pointOutlineWidth: 0,
      opacityInactiveScale: DIMMED,
      actionKeyMap: { lasso: "shift" },
      lassoMinDelay: 0,
      // Rings show what is hovered, and a click opens it: the library would draw all points again
      // for the one, and select for the other. With this it never finds a point.
      pointSizeMouseDetection: -1e6,
      deselectOnDblClick: false,
      deselectOnEscape: false,
      lassoInitiatorParentElement: canvas.parentElement,
      lassoLongPressIndicatorParentElement: canvas.parentElement,
    });
    this.plot.subscribe("drawing", drawn);
    this.plot.subscribe("lassoEnd", ({ coordinates }) => lassoed(coordinates));
    this.camera = this.plot.get("camera");
  }

  setMode(mode) {
    this.plot.set({
      mouseMode: mode === "pan" ? "panZoom" : "lasso",
      lassoType: mode === "box" ? "rectangle" : "lasso",
    });
  }

  /** Takes what is to be drawn; `changed` names what of it is new: points, look, filter, chosen. */
  show(scene, changed) {
    this.scene = scene;
    for (const what of changed) this.#stale.add(what);
    this.#work();
  }

  // One at a time: the library refuses to draw while it draws.
  async #work() {
    if (this.#busy) return;
    this.#busy = true;
    while (this.#stale.size) {
      const stale = this.#stale;
      this.#stale = new Set();
      const { points, codes, shown, chosen } = this.scene;
      if (stale.has("look") || stale.has("points")) this.#look();
      if (stale.has("points")) {
        await this.plot.draw(
          { x: points.x, y: points.y, z: codes },
          {
            zDataType: "categorical",
            spatialIndex: points.index.data,
            select: chosen,
            ...(shown.length < points.order.length && { filter: shown }),
          },
        );
      } else {
        if (stale.has("filter")) {
          if (shown.length < points.order.length) this.plot.filter(shown);
          else this.plot.unfilter();
        }
        this.plot.select(chosen);
      }
      this.redraw();
    }
    this.#busy = false;
  }

  // Few points are drawn large, many small; all of them dark enough to be seen alone. The library
  // scales both with the camera, so that home is where they are as wanted.
  #look() {
    const { points, values, theme, area, home } = this.scene;
    const n = Math.max(1, points.order.length);
    const size = Math.max(2, Math.min(9, Math.sqrt((0.15 * area) / n)));
    const fill = Math.max(FILL, (LEAST_INK * n * size * size) / area);
    const small = Math.min(1, home);
    const byDensity = n <= DENSITY_UP_TO;
    const colours = Array.from({ length: values.colours }, (_, code) => hex(values.colour(code, theme)));
    this.plot.set({
      backgroundColor: hex(theme.background),
      pointColor: colours,
      pointSize: size / small,
      opacityBy: byDensity ? "density" : null,
      opacityByDensityFill: fill / small ** 2,
      opacity: LEAST_INK,
      lassoColor: hex(theme.accent),
    });
  }

  /** Draws again, counting what is in sight. */
  redraw() {
    this.plot.view(this.camera.view);
  }

  free() {
    this.#stale.clear();
    this.#busy = true;
    this.plot.destroy();
  }
}
