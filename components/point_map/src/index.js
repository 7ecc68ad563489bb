// What Streamlit calls for each instance, at mounting and whenever data or theme change.
import { unpack } from "./bytes.js";
import { join, leave } from "./hub.js";
import { PointMap } from "./map.js";
import style from "./style.css";

const instances = new WeakMap();

class Store {
  accept(parts, { header, payload }) {
    this.parts = parts;
    this.part = header.part;
    parts.stores.set(header.part, { header, payload });
  }

  free() {
    this.parts.stores.delete(this.part);
  }
}

class Wire {
  accept(parts, { data, setStateValue, setTriggerValue }) {
    this.parts = parts;
    parts.wire = { data, state: setStateValue, trigger: setTriggerValue };
  }

  free() {
    this.parts.wire = null;
  }
}

class View {
  constructor(parent) {
    const sheet = document.createElement("style");
    sheet.textContent = style;
    this.host = document.createElement("div");
    parent.append(sheet, this.host);
    this.map = new PointMap(this.host);
  }

  accept(parts, { data, setTriggerValue }) {
    this.parts = parts;
    this.map.options(data, (ask) => setTriggerValue("ask", ask));
    this.map.repaint();
    parts.view = this.map;
  }

  free() {
    if (this.parts.view === this.map) this.parts.view = null;
    this.map.free();
  }
}

const KINDS = { wire: Wire, view: View };

export default function mount(component) {
  const { data, parentElement } = component;
  if (!data) return undefined;
  let instance = instances.get(parentElement);
  if (data instanceof Uint8Array) {
    // Called again for a theme: the bytes are the same, and need no second copy.
    if (instance?.bytes === data) return instance.free;
    const content = unpack(data);
    instance ??= enter(parentElement, new Store(), content.header.map);
    instance.bytes = data;
    instance.role.accept(instance.parts, content);
  } else {
    instance ??= enter(parentElement, new KINDS[data.role](parentElement), data.map);
    instance.role.accept(instance.parts, component);
  }
  instance.parts.arrived();
  return instance.free;
}

function enter(parentElement, role, key) {
  const instance = { role, parts: join(key), bytes: null };
  instance.free = () => {
    role.free();
    leave(key);
    instances.delete(parentElement);
  };
  instances.set(parentElement, instance);
  return instance;
}
