/** Line charts: axes with round numbers, a legend by line style and colour with the last value, vertical marks. */

import { number, painted, SIZE, ticks } from "./pen.js";
import { decodeFloats } from "./raster.js";

const STYLES = { solid: [], dashed: [8, 4], dotted: [2, 3.5] };
const ORDER = ["solid", "dashed", "dotted"];
const ROW = 20;
const APART = 14; // px between two measured points from which on the line between them is longer than a dot

export const createLines = painted((pen, spec) => {
  const series = spec.series.map((one, i) => ({
    ...one, x: decodeFloats(one.x), y: decodeFloats(one.y),
    dash: STYLES[one.style ?? ORDER[i % 3]], paint: pen.colors.series[(one.color ?? i) % 8],
  }));
  const top = drawLegend(pen, spec, series);
  const xs = range(series.flatMap(({ x, y }) => [...x].filter((_, i) => shows(spec, y[i]))));
  const ys = range(series.flatMap(({ y }) => [...y].filter((value) => shows(spec, value))));
  if (!xs || !ys) {
    pen.text("nothing yet", pen.width / 2, pen.height / 2, { align: "center", color: pen.colors.muted });
    return;
  }
  const frame = axes(pen, spec, xs, ys, top);
  for (const one of series) drawSeries(pen, spec, frame, one);
  for (const mark of spec.marks ?? []) drawMark(pen, frame, mark);
  if (spec.points?.length) drawPoints(pen, frame, spec.points, passed(spec, frame, series));
});

function shows(spec, value) {
  return Number.isFinite(value) && (!spec.log || value > 0);
}

function range(values) {
  if (!values.length) return null;
  let [low, high] = [Infinity, -Infinity];
  for (const value of values) [low, high] = [Math.min(low, value), Math.max(high, value)];
  return [low, high];
}

function drawLegend(pen, spec, series) {
  let [x, y] = [0, ROW / 2];
  const write = (text, width) => {
    if (x > 0 && x + width > pen.width) [x, y] = [0, y + ROW];
    return text;
  };
  if (spec.y_label) {
    pen.text(write(spec.y_label, pen.measure(spec.y_label)), x, y, { color: pen.colors.muted });
    x += pen.measure(spec.y_label) + 16;
  }
  for (const one of series) {
    const value = spec.values === false || one.last === null || one.last === undefined ? "" : ` ${shown(spec, one.last)}`;
    const width = 34 + pen.measure(one.label) + pen.measure(value, SIZE, 600);
    write(one.label, width);
    stroke(pen, one);
    pen.line(x, y, x + 26, y);
    if (one.marker) dot(pen, one, [x + 13, y]);
    pen.text(one.label, x + 32, y);
    pen.text(value.trim(), x + 36 + pen.measure(one.label), y, { weight: 600 });
    x += width + 16;
  }
  return y + ROW / 2 + 4;
}

function shown(spec, value, digits = 3) {
  return spec.percent ? `${number(100 * value, digits)} %` : number(value, digits);
}

function stroke(pen, { dash, paint }) {
  Object.assign(pen.ctx, { strokeStyle: paint, lineWidth: 2.25, lineJoin: "round", lineCap: "butt" });
  pen.ctx.setLineDash(dash);
}

/** Draws both axes; what it returns maps data to px. */
function axes(pen, spec, xs, ys, top) {
  const bottom = pen.height - 22;
  const scale = spec.log ? logScale(ys, spec) : linearScale(ys, spec, Math.max(2, Math.floor((bottom - top) / 44)));
  const names = scale.ticks.map((value) => (spec.percent ? `${Number((100 * value).toPrecision(6))} %` : tickText(value)));
  const left = Math.ceil(Math.max(...names.map((name) => pen.measure(name)))) + 8;
  const right = pen.width - 6;
  const along = spec.log_x ? Math.log10 : Number;
  const span = along(xs[1]) - along(xs[0]) || 1;
  const frame = { left, right, top, bottom, x: (value) => left + ((along(value) - along(xs[0])) / span) * (right - left), y: (value) => bottom - scale.share(value) * (bottom - top) };
  Object.assign(pen.ctx, { strokeStyle: pen.colors.line, lineWidth: 1 });
  pen.ctx.setLineDash([]);
  scale.ticks.forEach((value, i) => {
    const y = Math.round(frame.y(value)) + 0.5;
    pen.line(left, y, right, y);
    pen.text(names[i], left - 6, Math.min(y, bottom - 2), { align: "right", color: pen.colors.muted });
  });
  pen.ctx.strokeStyle = pen.colors.strong;
  pen.line(left, bottom + 0.5, right, bottom + 0.5);
  xTicks(pen, spec, frame, xs);
  return frame;
}

function xTicks(pen, spec, frame, xs) {
  const label = spec.x_label ?? "";
  const y = frame.bottom + 13;
  const free = frame.right - (label && !spec.x_ticks ? pen.measure(label) + 12 : 0);
  if (label) pen.text(label, frame.right, spec.x_ticks ? frame.bottom - 10 : y, { align: "right", color: pen.colors.muted });
  if (xs[0] === xs[1]) {
    pen.text(tickText(xs[0]), frame.left, y, { color: pen.colors.muted });
    return;
  }
  const count = Math.max(1, Math.floor((free - frame.left) / 70));
  const values = spec.log_x ? powers(Math.ceil(Math.log10(xs[0]) - 1e-9), Math.floor(Math.log10(xs[1]) + 1e-9), count) : ticks(xs[0], xs[1], count).values;
  const marked = spec.x_ticks ?? values.map((value) => ({ x: value, label: tickText(value) }));
  for (const { x: value, label: text } of marked) {
    const [x, half] = [frame.x(value), pen.measure(text) / 2];
    pen.line(x, frame.bottom, x, frame.bottom + 4);
    const at = Math.min(Math.max(frame.left + half, x), spec.x_ticks ? frame.right - half : Infinity);
    if (at + half <= free + 0.5 && at - x < 12) pen.text(text, at, y, { align: "center", color: pen.colors.muted });
  }
}

function tickText(value) {
  return number(Number(value.toPrecision(6)), 6);
}

function linearScale([low, high], spec, count) {
  const given = spec.y_range ?? [null, null];
  if (low > 0 && low < 0.4 * high) low = 0;
  if (low === high) [low, high] = [low - Math.abs(low || 1) / 2, high + Math.abs(high || 1) / 2];
  [low, high] = [given[0] ?? low, given[1] ?? high];
  const { step } = ticks(low, high, count);
  if (given[0] === null) low = Math.floor(low / step + 1e-9) * step;
  if (given[1] === null) high = Math.ceil(high / step - 1e-9) * step;
  return { ticks: ticks(low, high, (high - low) / step).values, share: (value) => (value - low) / (high - low) };
}

function logScale([low, high], spec) {
  const given = spec.y_range ?? [null, null];
  const bottom = Math.floor(Math.log10(given[0] ?? low) + 1e-9);
  const top = Math.max(bottom + 1, Math.ceil(Math.log10(given[1] ?? high) - 1e-9));
  return { ticks: powers(bottom, top, 5), share: (value) => (Math.log10(value) - bottom) / (top - bottom) };
}

/** Powers of ten between two exponents, at most about `count` of them. */
function powers(low, high, count) {
  const every = Math.max(1, Math.ceil((high - low) / count));
  const found = [];
  for (let power = low; power <= high; power += every) found.push(10 ** power);
  return found;
}

function drawMark(pen, frame, { x, label }) {
  const at = frame.x(x);
  if (at < frame.left || at > frame.right) return;
  Object.assign(pen.ctx, { strokeStyle: pen.colors.text, lineWidth: 1.5 });
  pen.ctx.setLineDash([3, 3]);
  pen.line(at, frame.top, at, frame.bottom);
  const onLeft = at + 6 + pen.measure(label ?? "") > frame.right;
  if (label) pen.text(label, at + (onLeft ? -6 : 6), frame.top + 9, { align: onLeft ? "right" : "left", halo: pen.colors.bg });
}

function drawSeries(pen, spec, frame, one) {
  const { ctx } = pen;
  ctx.save();
  ctx.beginPath();
  ctx.rect(frame.left - 4, frame.top - 4, frame.right - frame.left + 8, frame.bottom - frame.top + 8);
  ctx.clip();
  stroke(pen, one);
  const places = [...one.y].map((value, i) => (shows(spec, value) ? [frame.x(one.x[i]), frame.y(value)] : null));
  ctx.beginPath();
  places.forEach((place, i) => place && (places[i - 1] ? ctx.lineTo(...place) : ctx.moveTo(...place)));
  ctx.stroke();
  places.forEach((place, i) => place && showsDot(one, places, i) && dot(pen, one, place));
  ctx.restore();
}

/** A point without neighbours has no line; and of a line of some length one has to see that nothing was measured on it. */
function showsDot({ marker }, places, i) {
  const beside = [places[i - 1], places[i + 1]].filter(Boolean);
  return !beside.length || (marker && beside.some(([x, y]) => Math.hypot(x - places[i][0], y - places[i][1]) >= APART));
}

function dot({ ctx }, { paint }, [x, y]) {
  ctx.fillStyle = paint;
  ctx.beginPath();
  ctx.arc(x, y, 3.5, 0, 7);
  ctx.fill();
}

/** Places along all the lines, a few px from each other: where a name would be struck through. */
function passed(spec, frame, series) {
  const lines = (spec.marks ?? []).map((mark) => [[frame.x(mark.x), frame.top], [frame.x(mark.x), frame.bottom]]);
  for (const { x, y } of series) lines.push([...y].map((value, i) => (shows(spec, value) ? [frame.x(x[i]), frame.y(value)] : null)));
  const found = [];
  for (const places of lines) {
    places.slice(1).forEach((end, i) => {
      const start = places[i];
      const steps = start && end ? 1 + Math.floor(Math.hypot(end[0] - start[0], end[1] - start[1]) / 3) : -1;
      for (let k = 0; k <= steps; k += 1) found.push(start.map((from, axis) => from + (k / steps) * (end[axis] - from)));
    });
  }
  return found;
}

/** Rings around points, each named where its name covers no other and no ring, and the lines least. */
function drawPoints(pen, frame, points, lines) {
  const rings = points.map(({ x, y, color = 0 }) => {
    const [across, down] = [frame.x(x), frame.y(y)];
    pen.ctx.setLineDash([]);
    for (const [paint, width] of [[pen.colors.bg, 6], [pen.colors.series[color % 8], 2.5]]) {
      Object.assign(pen.ctx, { strokeStyle: paint, lineWidth: width });
      pen.ctx.beginPath();
      pen.ctx.arc(across, down, 6, 0, 7);
      pen.ctx.stroke();
    }
    return { x: across - 7, y: down - 7, width: 14, height: 14 };
  });
  points.forEach(({ label }, i) => {
    if (!label) return;
    const width = pen.measure(label, SIZE, 600);
    const free = beside(rings[i], width).filter(([left, middle]) => isFree([...pen.labels, ...rings], frame, left, middle, width));
    const struck = free.map((place) => strokes(place, width, lines));
    if (free.length) pen.text(label, ...free[struck.indexOf(Math.min(...struck))], { weight: 600, halo: pen.colors.bg });
  });
}

/** Where a name of this width can stand: under, over, right and left of a ring, then at its corners. */
function beside({ x, y }, width) {
  const [across, corner] = [width / 2 + 13, width / 2 + 4];
  const moves = [[0, 18], [0, -18], [across, 0], [-across, 0]];
  for (const down of [16, -16, 28, -28]) moves.push([corner, down], [-corner, down]);
  return moves.map(([dx, dy]) => [x + 7 + dx - width / 2, y + 7 + dy]);
}

/** How much of the lines runs behind a name. */
function strokes([left, middle], width, lines) {
  return lines.filter(([x, y]) => x > left - 3 && x < left + width + 3 && Math.abs(y - middle) < SIZE / 2 + 1).length;
}

function isFree(taken, { left, right, top, bottom }, x, y, width) {
  if (x < left || x + width > right || y - SIZE / 2 < top || y + SIZE / 2 > bottom) return false;
  return taken.every((one) => x > one.x + one.width + 2 || x + width < one.x - 2 || Math.abs(y - one.y - one.height / 2) > (SIZE + one.height) / 2 + 2);
}
