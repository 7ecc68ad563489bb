// Where the parts of a map meet. Streamlit mounts several instances for each map: stores of raw
// bytes, the wire (small options, and the way back to the whole page) and the view. They come in
// any order; the map is shown when all parts that the wire names have arrived.

const maps = new Map();

class Parts {
  constructor() {
    this.stores = new Map();
    this.wire = null;
    this.view = null;
    this.users = 0;
  }

  complete() {
    const { wire, stores } = this;
    if (!wire) return false;
    return Object.entries(wire.data.versions).every(
      ([part, version]) => stores.get(part)?.header.version === version,
    );
  }

  arrived() {
    if (this.view && this.complete()) this.view.update(this);
  }
}

/** The parts of a map; called once by each instance, which calls leave(key) at its end. */
export function join(key) {
  if (!maps.has(key)) maps.set(key, new Parts());
  const parts = maps.get(key);
  parts.users++;
  return parts;
}

export function leave(key) {
  const parts = maps.get(key);
  if (parts && --parts.users === 0) maps.delete(key);
}
