/** Horizontal bars and histograms. */

import { number, painted, ticks } from "./pen.js";

export const createBars = painted((pen, spec) => {
  const values = spec.values.map((value) => value ?? 0);
  const all = [...values, ...(spec.second ?? [])];
  const top = spec.second ? drawNames(pen, spec) : 0;
  const map = scaleOf(spec, all);
  const written = (value) => (spec.percent ? `${number(100 * value, 3)} %` : number(value));
  const both = (value, i) => (spec.second ? `${written(value)} · ${written(spec.second[i])}` : written(value));
  const texts = spec.texts ?? spec.values.map(both);
  const down = Math.min(34, (pen.height - top) / spec.labels.length);
  const names = spec.labels.map((label, i) => (i === spec.highlight ? `▸ ${label}` : String(label)));
  const left = Math.min(pen.width * 0.45, Math.max(...names.map((name) => pen.measure(name, 13, 600))) + 10);
  const right = pen.width - Math.max(...texts.map((text) => pen.measure(text, 13, 600))) - 10;
  const shown = down < 15 ? Math.max(1, Math.floor((pen.height - top) / 18) - 1) : names.length;
  const step = down < 15 ? 18 : down;
  for (let i = 0; i < shown; i += 1) {
    const y = top + (i + 0.5) * step;
    const strong = i === spec.highlight;
    pen.text(names[i], left - 8, y, { align: "right", weight: strong ? 700 : 400, room: left - 8 });
    drawBar(pen, map, values[i], left, right, y, step * (spec.second ? 0.36 : 0.68), strong, spec.second ? -step * 0.19 : 0);
    if (spec.second) drawBar(pen, map, spec.second[i], left, right, y, step * 0.36, false, step * 0.19, true);
    pen.text(texts[i], right + 8, y, { weight: strong ? 700 : 400 });
  }
  if (shown < names.length) pen.text(`… ${names.length - shown} more`, left, top + (shown + 0.5) * step, { color: pen.colors.muted });
});

function scaleOf(spec, values) {
  if (spec.log) {
    const floor = Math.log10(spec.range?.[0] ?? Math.min(...values.filter((value) => value > 0), 1)) - 0.3;
    const high = Math.log10(spec.range?.[1] ?? Math.max(...values, 10 ** (floor + 1)));
    return (value) => [0, value > 0 ? (Math.log10(value) - floor) / (high - floor) : 0];
  }
  const [low, high] = spec.range ?? [Math.min(0, ...values), Math.max(0, ...values)];
  const span = high - low || 1;
  return (value) => [(Math.max(0, low) - low) / span, (value - low) / span];
}

function drawBar(pen, map, value, left, right, y, thick, strong, shift, hatched = false) {
  const [from, to] = map(value).map((share) => left + Math.min(1, Math.max(0, share)) * (right - left));
  const { ctx, colors } = pen;
  const [x, width] = [Math.min(from, to), Math.max(1, Math.abs(to - from))];
  ctx.fillStyle = hatched ? colors.bg : value < 0 ? colors.series[0] : strong ? colors.series[1] : colors.series[2];
  ctx.fillRect(x, y + shift - thick / 2, width, thick);
  ctx.setLineDash([]);
  Object.assign(ctx, { strokeStyle: hatched ? colors.series[0] : colors.text, lineWidth: strong ? 2.5 : hatched ? 1.5 : 0 });
  if (hatched) hatch(pen, x, y + shift - thick / 2, width, thick);
  if (strong || hatched) ctx.strokeRect(x, y + shift - thick / 2, width, thick);
}

function hatch(pen, x, y, width, height) {
  const { ctx } = pen;
  ctx.save();
  ctx.beginPath();
  ctx.rect(x, y, width, height);
  ctx.clip();
  for (let at = x - height; at < x + width; at += 6) pen.line(at, y + height, at + height, y);
  ctx.restore();
}

function drawNames(pen, spec) {
  let x = 0;
  (spec.names ?? []).forEach((name, i) => {
    const { ctx, colors } = pen;
    ctx.fillStyle = colors.series[2];
    Object.assign(ctx, { strokeStyle: colors.series[0], lineWidth: 1.5 });
    if (i === 0) ctx.fillRect(x, 4, 22, 12);
    else hatch(pen, x, 4, 22, 12), ctx.strokeRect(x, 4, 22, 12);
    pen.text(name, x + 28, 10);
    x += 44 + pen.measure(name);
  });
  return 24;
}

export const createHistogram = painted((pen, spec) => {
  const { edges, series } = spec;
  if (!edges?.length) return;
  const [low, high] = [edges[0], edges.at(-1)];
  const size = (count) => (spec.log ? Math.log10(1 + count) : count);
  const most = Math.max(1e-9, ...series.flatMap(({ counts }) => counts.map(size)));
  const named = series.some(({ label }) => label);
  const [left, right, top, bottom] = [2, pen.width - 4, named ? 26 : 8, pen.height - 22];
  const x = (value) => left + ((value - low) / (high - low || 1)) * (right - left);
  const y = (count) => bottom - (size(count) / most) * (bottom - top);
  let at = 0;
  series.forEach((one, i) => {
    const paint = pen.colors.series[(one.color ?? i) % 8];
    drawSteps(pen, edges, one.counts, x, y, bottom, paint, i);
    if (!one.label) return;
    Object.assign(pen.ctx, { strokeStyle: paint, lineWidth: 2.25 });
    pen.ctx.setLineDash(i % 2 ? [6, 4] : []);
    pen.line(at, 10, at + 24, 10);
    pen.text(one.label, at + 30, 10);
    at += 46 + pen.measure(one.label);
  });
  drawFloor(pen, spec, x, low, high, left, right, bottom);
});

function drawSteps(pen, edges, counts, x, y, bottom, paint, index) {
  const { ctx } = pen;
  ctx.beginPath();
  ctx.moveTo(x(edges[0]), bottom);
  counts.forEach((count, i) => (ctx.lineTo(x(edges[i]), y(count)), ctx.lineTo(x(edges[i + 1]), y(count))));
  ctx.lineTo(x(edges.at(-1)), bottom);
  ctx.fillStyle = paint;
  ctx.globalAlpha = index ? 0.12 : 0.3;
  ctx.fill();
  ctx.globalAlpha = 1;
  Object.assign(ctx, { strokeStyle: paint, lineWidth: 1.75 });
  ctx.setLineDash(index % 2 ? [6, 4] : []);
  ctx.stroke();
  ctx.setLineDash([]);
}

function drawFloor(pen, spec, x, low, high, left, right, bottom) {
  pen.ctx.strokeStyle = pen.colors.strong;
  pen.ctx.lineWidth = 1;
  pen.line(left, bottom + 0.5, right, bottom + 0.5);
  const label = spec.x_label ?? "";
  const free = right - (label ? pen.measure(label) + 12 : 0);
  if (label) pen.text(label, right, bottom + 13, { align: "right", color: pen.colors.muted });
  for (const value of ticks(low, high || low + 1, Math.max(1, (free - left) / 70)).values) {
    const half = pen.measure(number(value)) / 2;
    const at = Math.max(left + half, x(value));
    pen.line(x(value), bottom, x(value), bottom + 4);
    if (at + half <= free && at - x(value) < 10) pen.text(number(value), at, bottom + 13, { align: "center", color: pen.colors.muted });
  }
}
