/** The neuron drawing: a circle per unit, or its map over the plane, and a line per weight. */

import { inkOn, shade } from "./colors.js";
import { number, painted } from "./pen.js";
import { drawImage, toCanvas, unstack } from "./raster.js";

const LABEL = 40;

export const createNetwork = painted((pen, spec) => {
  const layers = spec.layers.map((layer) => ({ ...layer, images: unstack(layer.units), slots: slotsOf(layer) }));
  const bottom = pen.height - LABEL;
  const gap = pen.width / layers.length;
  layers.forEach((layer, l) => {
    const [most, share] = layer.units.h > 1 ? [96, 0.62] : [40, 0.42];
    layer.size = Math.max(10, Math.min(bottom / (layer.slots.length * 1.22), gap * share, most));
    place(layer, gap * (l + 0.5), bottom, Math.min(layer.size * 1.22, bottom / layer.slots.length));
  });
  for (let l = 0; l + 1 < layers.length; l += 1) drawWeights(pen, spec.weights[l], layers[l], layers[l + 1]);
  return layers.flatMap((layer, l) => drawLayer(pen, spec, layer, l, bottom));
});

/** Places of the units that were sent; null stands for those left out between the first and the last. */
function slotsOf({ shown }) {
  const gap = shown.findIndex((unit, k) => unit !== k);
  const all = shown.map((_, k) => k);
  return gap < 0 ? all : [...all.slice(0, gap), null, ...all.slice(gap)];
}

function place(layer, x, bottom, pitch) {
  const top = bottom / 2 - (pitch * (layer.slots.length - 1)) / 2;
  layer.at = layer.slots.map((_, k) => [x, top + k * pitch]);
}

function drawWeights(pen, matrix, from, to) {
  const largest = Math.max(...matrix.flat().map((value) => Math.abs(value ?? 0))) || 1;
  const { ctx, colors } = pen;
  to.slots.forEach((i, a) => {
    from.slots.forEach((j, b) => {
      if (i === null || j === null) return;
      const weight = (matrix[i]?.[j] ?? 0) / largest;
      if (Math.abs(weight) < 0.02) return;
      const lut = colors.palettes.signed;
      ctx.strokeStyle = shade(lut, weight > 0 ? 0.84 : 0.16);
      ctx.globalAlpha = 0.3 + 0.7 * Math.abs(weight);
      ctx.lineWidth = 0.5 + 4 * Math.abs(weight);
      ctx.setLineDash(weight > 0 ? [] : [6, 4]);
      pen.line(from.at[b][0] + from.size / 2, from.at[b][1], to.at[a][0] - to.size / 2, to.at[a][1]);
    });
  });
  ctx.globalAlpha = 1;
  ctx.setLineDash([]);
}

function drawLayer(pen, spec, layer, l, bottom) {
  const { size } = layer;
  const targets = [];
  const lut = pen.colors.palettes[layer.palette];
  const lowest = Math.max(...layer.at.map(([, y]) => y)) + size / 2 + 14;
  layer.slots.forEach((unit, k) => {
    const [x, y] = layer.at[k];
    if (unit === null) return void pen.text("⋮", x, y, { align: "center", weight: 700, size: 18 });
    const box = { x: x - size / 2, y: y - size / 2, width: size, height: size };
    if (layer.units.h > 1) drawMap(pen, layer.images[unit], lut, box);
    else drawUnit(pen, layer, unit, lut, x, y, size);
    const index = layer.shown[unit];
    const name = layer.names?.[index];
    if (name !== undefined && l === 0) pen.text(name, box.x - 6, y, { align: "right" });
    else if (name !== undefined) pen.text(name, box.x + size + 6, y);
    if (spec.pick) targets.push({ ...box, title: `${layer.label} ${index + 1}`, event: { kind: "pick", layer: l, index } });
  });
  const [x] = layer.at[0];
  const words = layer.count > layer.shown.length ? `${layer.label} · ${layer.count} units` : layer.label;
  pen.text(words, x, Math.min(bottom + 10, Math.max(lowest, bottom - 4)), { align: "center", weight: 600, room: pen.width / spec.layers.length - 8 });
  pen.text(`${number(layer.low, 2)} … ${number(layer.high, 2)}`, x, bottom + 28, { align: "center", color: pen.colors.muted });
  return targets;
}

function drawMap(pen, image, lut, { x, y, width, height }) {
  pen.ctx.save();
  pen.ctx.beginPath();
  pen.ctx.roundRect(x, y, width, height, 5);
  pen.ctx.fillStyle = pen.colors.bg;
  pen.ctx.fill();
  pen.ctx.clip();
  drawImage(pen, toCanvas(image, lut), x, y, width, height);
  pen.ctx.restore();
  Object.assign(pen.ctx, { strokeStyle: pen.colors.text, lineWidth: 1.5 });
  pen.ctx.beginPath();
  pen.ctx.roundRect(x, y, width, height, 5);
  pen.ctx.stroke();
}

function drawUnit(pen, layer, unit, lut, x, y, size) {
  const share = layer.images[unit].bytes[0] / 255;
  pen.ctx.beginPath();
  pen.ctx.arc(x, y, size / 2, 0, 7);
  pen.ctx.fillStyle = shade(lut, share);
  pen.ctx.fill();
  Object.assign(pen.ctx, { strokeStyle: pen.colors.text, lineWidth: 1.5 });
  pen.ctx.stroke();
  const text = number(layer.numbers?.[unit], 2);
  if (layer.numbers && pen.measure(text) < size - 6) pen.text(text, x, y, { align: "center", color: inkOn(lut, share) });
}
