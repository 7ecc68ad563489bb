// Which points lie in a polygon. The arithmetic is that of inside() in pages/ui/point_map.py,
// operation for operation, so that the browser and the server count the same points.

const BANDS = 64;

/** A test (x, y) -> boolean for a polygon given as [[x, y], ...]. */
export function insideTest(polygon) {
  const edges = polygon.map((point, i) => [...polygon[(i || polygon.length) - 1], ...point]);
  const ys = polygon.map((point) => point[1]);
  const xs = polygon.map((point) => point[0]);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [bottom, top] = [Math.min(...ys), Math.max(...ys)];
  const step = (top - bottom) / BANDS || 1;
  const band = (y) => Math.max(0, Math.min(BANDS - 1, Math.floor((y - bottom) / step)));
  const bands = Array.from({ length: BANDS }, () => []);
  for (const edge of edges) {
    const [first, last] = [band(Math.min(edge[1], edge[3])), band(Math.max(edge[1], edge[3]))];
    for (let i = first; i <= last; i++) bands[i].push(edge);
  }
  return (x, y) => {
    if (!(x >= left && x <= right && y >= bottom && y <= top)) return false;
    let odd = false;
    for (const [x1, y1, x2, y2] of bands[band(y)]) {
      if (y1 > y !== y2 > y && x < ((x2 - x1) * (y - y1)) / (y2 - y1) + x1) odd = !odd;
    }
    return odd;
  };
}

/** At most `most` corners of a polygon, evenly taken. */
export function thin(polygon, most) {
  if (polygon.length <= most) return polygon;
  return Array.from({ length: most }, (_, i) => polygon[Math.floor((i * polygon.length) / most)]);
}
