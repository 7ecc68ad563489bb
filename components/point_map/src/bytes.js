// What pages/ui/point_map.py packs: length of the header, header as JSON, payload; all of them
// in multiples of four bytes.

const decoder = new TextDecoder();

/** The header, and the payload as bytes of their own (aligned, and not part of a message). */
export function unpack(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = view.getUint32(0, true);
  const header = JSON.parse(decoder.decode(bytes.subarray(4, 4 + length)));
  return { header, payload: bytes.slice(4 + length).buffer };
}

/** Rows chosen by the server as one byte a row; null where nothing is chosen. */
export function unpackRows({ header, payload }, n) {
  if (header.form === "none") return null;
  const chosen = new Uint8Array(n);
  if (header.form === "rows") {
    for (const row of new Uint32Array(payload, 0, header.count)) chosen[row] = 1;
  } else {
    const bits = new Uint8Array(payload);
    for (let row = 0; row < n; row++) chosen[row] = (bits[row >> 3] >> (row & 7)) & 1;
  }
  return chosen;
}
