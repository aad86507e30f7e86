/** Edges as lists of points: "M…C…" becomes [start, control, control, end, …], so that ends can be cut for an arrow head. */

/** Points of an SVG path of M, C and L; a path in any other notation is replaced by a straight line between the boxes. */
export function readPath(path, source, target) {
  const plain = /^M[-+\d.eE,\s]+(?:[CL][-+\d.eE,\s]+)+$/.test(path);
  const numbers = plain ? path.match(/[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?/g).map(Number) : [];
  const points = [];
  for (let index = 0; index + 1 < numbers.length; index += 2) points.push([numbers[index], numbers[index + 1]]);
  if (points.length >= 4 && points.length % 3 === 1 && !path.includes("L")) return points;
  const start = points[0] ?? [source.x + source.width / 2, source.y];
  const end = points[points.length - 1] ?? [target.x - target.width / 2, target.y];
  return [start, between(start, end, 1 / 3), between(start, end, 2 / 3), end];
}

function between(a, b, share) {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
}

/** The path text with its ends drawn back along the curve's own direction. */
export function trimmed(points, atStart, atEnd) {
  const cut = [...points];
  if (atStart) cut[0] = towards(points[0], direction(points), atStart);
  if (atEnd) cut[cut.length - 1] = towards(points[points.length - 1], direction([...points].reverse()), atEnd);
  const [start, ...rest] = cut.map(([x, y]) => `${round(x)} ${round(y)}`);
  return `M${start}C${rest.join(" ")}`;
}

/** A triangle with its tip on the last point; `wide` for the thick line of a backward step. */
export function arrowHead(points, wide, length) {
  const reversed = [...points].reverse();
  const tip = reversed[0];
  const [dx, dy] = direction(reversed);
  const half = wide ? 7.5 : 4.2;
  const base = towards(tip, [dx, dy], length + 1);
  const corners = [[base[0] - dy * half, base[1] + dx * half], [base[0] + dy * half, base[1] - dx * half]];
  return `M${[tip, ...corners].map(([x, y]) => `${round(x)} ${round(y)}`).join("L")}Z`;
}

/** Unit vector in which a curve leaves its first point. */
function direction(points) {
  const [x, y] = points[0];
  const next = points.find((point) => Math.hypot(point[0] - x, point[1] - y) > 1e-6) ?? [x + 1, y];
  const length = Math.hypot(next[0] - x, next[1] - y);
  return [(next[0] - x) / length, (next[1] - y) / length];
}

function towards([x, y], [dx, dy], distance) {
  return [x + dx * distance, y + dy * distance];
}

function round(value) {
  return Math.round(value * 100) / 100;
}
