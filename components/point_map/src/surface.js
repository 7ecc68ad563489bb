// One WebGL context for all maps of a page: browsers allow some sixteen.
import { createRenderer } from "regl-scatterplot";

const RESTORE_AFTER = 1500;

class Surface {
  #size = [1, 1];

  constructor() {
    /** Panels: sight, lost(), restored(). */
    this.users = new Set();
    this.#start();
  }

  /** False where the browser has no WebGL, or none with textures of floats. */
  get works() {
    return this.renderer !== null;
  }

  #start() {
    const canvas = document.createElement("canvas");
    // One pixel, not the window that the library would take: it takes the size of what is drawn.
    canvas.width = canvas.height = 1;
    this.renderer = null;
    if (!canvas.getContext("webgl", { antialias: false })) return;
    try {
      this.renderer = createRenderer({ canvas });
    } catch {
      return; // regl refuses a browser without what it needs
    }
    this.renderer.resize(...this.#size);
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      if (this.renderer?.canvas !== canvas) return;
      for (const user of this.users) user.lost();
      // A browser may never give it back; a new canvas gets a new one.
      setTimeout(() => {
        if (this.renderer?.canvas !== canvas) return;
        this.renderer.destroy();
        this.#start();
        for (const user of this.users) user.restored();
      }, RESTORE_AFTER);
    });
  }

  /** Takes the size of the largest view: by that the library reckons how dense points are. */
  fit() {
    const sights = [...this.users].map((user) => user.sight);
    const wanted = ["width", "height"].map((side) => Math.max(1, ...sights.map((sight) => sight[side])));
    if (wanted.join() === this.#size.join()) return;
    this.#size = wanted;
    this.renderer?.resize(...wanted);
  }

  leave(user) {
    this.users.delete(user);
    if (this.users.size || !this.renderer) return;
    const { regl } = this.renderer;
    const loss = regl._gl.getExtension("WEBGL_lose_context");
    // What the library's plots leave on the graphics card goes with the context.
    this.renderer.destroy();
    this.renderer = null;
    loss?.loseContext();
    shared = null;
  }
}

let shared = null;

/** The surface that all maps of a page share; each user leaves it at its end. */
export function sharedSurface(user) {
  shared ??= new Surface();
  shared.users.add(user);
  return shared;
}
