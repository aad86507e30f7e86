/** Confusion matrices, and numbers on a grid. */

import { inkOn, shade } from "./colors.js";
import { number, painted } from "./pen.js";
import { decodeFloats, drawScale, unstack } from "./raster.js";

export const createConfusion = painted((pen, spec) => {
  const { counts } = spec;
  const names = spec.labels ?? counts.map((_, i) => String(i));
  const head = Math.max(pen.measure("true ↓") + 10, ...names.map((name) => pen.measure(name) + 14));
  const cell = Math.min((pen.width - head) / counts.length, (pen.height - 42) / counts.length);
  const left = Math.max(0, (pen.width - head - cell * counts.length) / 2) + head;
  pen.text("answer →", left, 9, { color: pen.colors.muted });
  pen.text("true ↓", left - 8, 9, { align: "right", color: pen.colors.muted });
  const targets = [];
  counts.forEach((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0) || 1;
    pen.text(names[i], left - 8, 42 + (i + 0.5) * cell, { align: "right", weight: 600 });
    pen.text(names[i], left + (i + 0.5) * cell, 30, { align: "center", weight: 600 });
    row.forEach((count, j) => {
      const box = { x: left + j * cell, y: 42 + i * cell, width: cell, height: cell };
      drawCount(pen, box, count, count / total, i === j);
      targets.push({ ...box, title: `true ${names[i]}, answered ${names[j]}: ${count}`, event: { kind: "cell", row: i, column: j } });
    });
  });
  outline(pen, spec.selected, left, 42, cell, cell);
  return targets;
});

/** Right answers shade towards blue, wrong ones, more steeply, towards orange. */
function drawCount(pen, { x, y, width, height }, count, share, right) {
  const lut = pen.colors.palettes.signed;
  const at = right ? 0.5 - 0.42 * share : 0.5 + (count ? 0.08 : 0) + 0.4 * Math.sqrt(share);
  pen.ctx.fillStyle = shade(lut, at);
  pen.ctx.fillRect(x, y, width, height);
  Object.assign(pen.ctx, { strokeStyle: pen.colors.line, lineWidth: 1 });
  pen.ctx.setLineDash([]);
  pen.ctx.strokeRect(x + 0.5, y + 0.5, width, height);
  if (count && pen.measure(String(count)) < width - 2 && height > 14) {
    pen.text(count, x + width / 2, y + height / 2, { align: "center", color: inkOn(lut, at), weight: right ? 400 : 700 });
  }
}

function outline(pen, selected, left, top, across, down) {
  if (!selected) return;
  Object.assign(pen.ctx, { strokeStyle: pen.colors.text, lineWidth: 3 });
  pen.ctx.setLineDash([]);
  pen.ctx.strokeRect(left + selected[1] * across, top + selected[0] * down, across, down);
}

export const createMatrix = painted((pen, spec) => {
  const [image] = unstack(spec.cells);
  const texts = Array.from(decodeFloats(spec.values), (value) => fixed(value, spec.digits ?? 2));
  const widest = spec.numbers === false ? 0 : Math.max(...texts.map((text) => pen.measure(text)));
  const palette = spec.palette ?? "grey";
  const lut = pen.colors.palettes[palette];
  const scaled = palette === "signed" || palette === "heat";
  const left = Math.max(0, ...(spec.row_labels ?? []).map((name) => pen.measure(name) + 10));
  const top = spec.column_labels?.length ? 20 : 0;
  const [across, down] = cellSize(widest, image, pen.width - left - 2, pen.height - top - (scaled ? 24 : 2));
  const x0 = left + Math.max(0, (pen.width - left - across * image.w) / 2);
  const printed = widest > 0 && widest <= across - 3 && down >= 14;
  const targets = [];
  for (let i = 0; i < image.h; i += 1) {
    if (spec.row_labels?.[i] !== undefined) pen.text(spec.row_labels[i], x0 - 8, top + (i + 0.5) * down, { align: "right" });
    for (let j = 0; j < image.w; j += 1) {
      const share = image.bytes[i * image.w + j] / 255;
      const box = { x: x0 + j * across, y: top + i * down, width: across, height: down };
      pen.ctx.fillStyle = shade(lut, share);
      pen.ctx.fillRect(box.x, box.y, across + 0.5, down + 0.5);
      if (printed) pen.text(texts[i * image.w + j], box.x + across / 2, box.y + down / 2, { align: "center", color: inkOn(lut, share) });
      if (spec.pick) targets.push({ ...box, title: `${i + 1}, ${j + 1}: ${texts[i * image.w + j]}`, event: { kind: "cell", row: i, column: j } });
    }
  }
  (spec.column_labels ?? []).forEach((name, j) => pen.text(name, x0 + (j + 0.5) * across, 10, { align: "center", room: across - 2 }));
  Object.assign(pen.ctx, { strokeStyle: pen.colors.strong, lineWidth: 1 });
  pen.ctx.strokeRect(x0 - 0.5, top - 0.5, across * image.w + 1, down * image.h + 1);
  outline(pen, spec.selected, x0, top, across, down);
  if (scaled) drawScale(pen, lut, palette === "signed", [number(spec.low), number(spec.high)], 2, pen.height - 10, pen.width);
  return targets;
});

/** Square cells, unless numbers only fit into wider ones. */
function cellSize(widest, image, width, height) {
  const [across, down] = [width / image.w, height / image.h];
  const square = Math.min(across, down);
  const wanted = widest + 3.5;
  return widest && wanted > square && wanted <= across ? [Math.min(across, wanted * 1.2), Math.min(down, 40)] : [square, square];
}

function fixed(value, digits) {
  return Number.isFinite(value) ? value.toFixed(digits).replace("-", "−") : String(value);
}
