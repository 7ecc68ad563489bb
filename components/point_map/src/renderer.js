// One WebGL context for all views: draws into a canvas of its own and copies to theirs.
// Browsers allow some sixteen contexts a page; two views and reruns must not use them up.
import vertexSource from "./points.vert";
import fragmentSource from "./points.frag";

const RESTORE_AFTER = 1500;

export class Renderer {
  #lostTimer = 0;

  constructor() {
    this.drawers = new Set();
    this.#start();
  }

  /** False where the browser has no WebGL 2. */
  get works() {
    return this.gl !== null;
  }

  get lost() {
    return this.gl === null || this.gl.isContextLost();
  }

  #start() {
    this.canvas = document.createElement("canvas");
    this.canvas.width = this.canvas.height = 1;
    this.gl = this.canvas.getContext("webgl2", { antialias: false, depth: false, stencil: false });
    if (!this.gl) return;
    this.#build();
    const { canvas } = this;
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      if (canvas !== this.canvas) return;
      for (const drawer of this.drawers) drawer.lost();
      // A browser may never give it back; a new canvas gets a new one.
      this.#lostTimer = setTimeout(() => {
        this.#start();
        for (const drawer of this.drawers) drawer.restored();
      }, RESTORE_AFTER);
    });
    canvas.addEventListener("webglcontextrestored", () => {
      if (canvas !== this.canvas) return;
      clearTimeout(this.#lostTimer);
      this.#build();
      for (const drawer of this.drawers) drawer.restored();
    });
  }

  #build() {
    const { gl } = this;
    const program = gl.createProgram();
    for (const [type, source] of [[gl.VERTEX_SHADER, vertexSource], [gl.FRAGMENT_SHADER, fragmentSource]]) {
      const shader = gl.createShader(type);
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS) && !gl.isContextLost()) {
      throw new Error(`point map: ${gl.getProgramInfoLog(program)}`);
    }
    this.program = program;
    this.at = Object.fromEntries(
      ["centre", "scale", "size", "opacity", "opacityChosen", "last", "pass", "dimmed", "background", "palette"].map(
        (name) => [name, gl.getUniformLocation(program, name)],
      ),
    );
    this.most = gl.getParameter(gl.ALIASED_POINT_SIZE_RANGE)?.[1] ?? 64;
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    gl.clearColor(0, 0, 0, 0);
  }

  /** Draws a cloud into a 2D canvas. The look is the rest. */
  draw(cloud, target, { camera, pixels, size, opacity, opacityChosen, dimmed, theme }) {
    const { gl, at, canvas } = this;
    const { width, height } = target;
    if (canvas.width < width || canvas.height < height) {
      canvas.width = Math.max(canvas.width, width);
      canvas.height = Math.max(canvas.height, height);
    }
    gl.viewport(0, 0, width, height);
    gl.clear(gl.COLOR_BUFFER_BIT);
    gl.useProgram(this.program);
    gl.bindVertexArray(cloud.array);
    gl.activeTexture(gl.TEXTURE0);
    gl.bindTexture(gl.TEXTURE_2D, cloud.palette);
    gl.uniform1i(at.palette, 0);
    gl.uniform2f(at.centre, camera.x, camera.y);
    gl.uniform2f(at.scale, (2 * camera.scale) / camera.width, (2 * camera.scale) / camera.height);
    gl.uniform1f(at.size, Math.min(size * pixels, this.most - 2));
    gl.uniform1f(at.opacity, opacity);
    gl.uniform1f(at.opacityChosen, opacityChosen);
    gl.uniform1ui(at.last, cloud.last);
    gl.uniform1i(at.dimmed, dimmed ? 1 : 0);
    gl.uniform3f(at.background, ...theme.background.map((c) => c / 255));
    for (const pass of dimmed ? [0, 1] : [0]) {
      gl.uniform1ui(at.pass, pass);
      gl.drawElements(gl.POINTS, cloud.n, gl.UNSIGNED_INT, 0);
    }
    const context = target.getContext("2d");
    context.clearRect(0, 0, width, height);
    context.drawImage(canvas, 0, canvas.height - height, width, height, 0, 0, width, height);
  }
}

/** The points of one view on the graphics card. */
export class Cloud {
  constructor(renderer, positions, n) {
    const { gl } = renderer;
    this.renderer = renderer;
    this.gl = gl;
    this.n = n;
    this.last = 0;
    this.array = gl.createVertexArray();
    gl.bindVertexArray(this.array);
    this.buffers = [0, 1, 2].map(() => gl.createBuffer());
    // Points that are not in this view are NaN; a card may do anything with those.
    const placed = positions.map((value) => (value === value ? value : 1e9));
    this.#fill(0, placed);
    gl.enableVertexAttribArray(0);
    gl.vertexAttribPointer(0, 2, gl.FLOAT, false, 0, 0);
    this.#fill(1, new Uint16Array(n));
    gl.enableVertexAttribArray(1);
    gl.vertexAttribIPointer(1, 1, gl.UNSIGNED_SHORT, 0, 0);
    this.#fill(2, new Uint8Array(n));
    gl.enableVertexAttribArray(2);
    gl.vertexAttribIPointer(2, 1, gl.UNSIGNED_BYTE, 0, 0);
    this.order = gl.createBuffer();
    gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, this.order);
    gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, shuffled(n), gl.STATIC_DRAW);
    gl.bindVertexArray(null);
    this.palette = gl.createTexture();
  }

  #fill(which, values) {
    const { gl } = this;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffers[which]);
    gl.bufferData(gl.ARRAY_BUFFER, values, gl.DYNAMIC_DRAW);
  }

  setCodes(codes) {
    this.#fill(1, codes);
  }

  setState(state) {
    this.#fill(2, state);
  }

  setPalette(values, theme) {
    const { gl } = this;
    this.last = values.colours - 1;
    const height = Math.ceil(values.colours / 256);
    const pixels = new Uint8Array(256 * height * 4);
    for (let code = 0; code < values.colours; code++) {
      pixels.set([...values.colour(code, theme), 255], 4 * code);
    }
    gl.bindTexture(gl.TEXTURE_2D, this.palette);
    gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA8, 256, height, 0, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MIN_FILTER, gl.NEAREST);
    gl.texParameteri(gl.TEXTURE_2D, gl.TEXTURE_MAG_FILTER, gl.NEAREST);
  }

  free() {
    const { gl } = this;
    for (const buffer of [...this.buffers, this.order]) gl.deleteBuffer(buffer);
    gl.deleteVertexArray(this.array);
    gl.deleteTexture(this.palette);
  }
}

// Catalogues come sorted, often by category: in their order the last category would cover the
// others. The same order each time, so that the same map looks the same.
function shuffled(n) {
  const order = new Uint32Array(n);
  let seed = 12345;
  for (let i = 0; i < n; i++) {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    const j = Math.floor((seed / 4294967296) * (i + 1));
    order[i] = order[j];
    order[j] = i;
  }
  return order;
}

let shared = null;

/** The renderer that all maps of a page share. */
export function sharedRenderer() {
  shared ??= new Renderer();
  return shared;
}
