/** The health strip: per layer the gradient's norm, update to weight ratio, dead or saturated units, and the activations. */

import { el } from "./dom.js";
import { number, painted } from "./pen.js";

const ROW = 30;
const HEADS = ["layer", "gradient norm", "update / weight", "dead, saturated", "activations"];

/** The table on a canvas, and the warnings in words below it. */
export function createHealth(hooks) {
  const strip = painted(paint)(hooks);
  const words = el("ul", { class: "lv-warnings" });
  const element = el("div", { class: "lv-health" }, strip.element, words);
  return {
    element,
    update: (spec, colors) => {
      strip.element.style.height = `${ROW * (spec.layers.length + 1)}px`;
      strip.update(spec, colors);
      const lines = spec.findings.map((text) => el("li", { class: "lv-warning" }, `⚠ ${text}.`));
      words.replaceChildren(...(lines.length ? lines : [el("li", {}, "✓ Nothing unusual.")]));
    },
    destroy: strip.destroy,
  };
}

function paint(pen, spec) {
  const stops = [0, 0.17, 0.4, 0.63, 0.8].map((share) => share * pen.width);
  HEADS.forEach((head, i) => pen.text(head, stops[i], ROW / 2, { color: pen.colors.muted, room: (stops[i + 1] ?? pen.width) - stops[i] - 6 }));
  spec.layers.forEach((layer, i) => {
    const y = ROW * (i + 1.5);
    pen.ctx.strokeStyle = pen.colors.line;
    pen.ctx.lineWidth = 1;
    pen.line(0, ROW * (i + 1) + 0.5, pen.width, ROW * (i + 1) + 0.5);
    pen.text(layer.warned ? `⚠ ${layer.name}` : layer.name, 0, y, { weight: layer.warned ? 700 : 400, room: stops[1] - 8 });
    if (layer.learns) level(pen, layer.gradient, -7, 2, stops[1], stops[2] - 14, y, null);
    if (layer.learns) level(pen, layer.update, -7, 0, stops[2], stops[3] - 14, y, [-4, -2]);
    if (layer.idle !== null) pen.text(`${number(100 * layer.idle, 2)} %`, stops[3], y, { weight: layer.warned ? 700 : 400 });
    if (layer.counts.length) activations(pen, layer, stops[4], pen.width - 4, y);
  });
}

/** A number on a scale of powers of ten; the usual range is shaded. */
function level(pen, value, low, high, left, right, y, usual) {
  if (value === null || value === undefined) return void pen.text("NaN", left, y, { weight: 700 });
  const { ctx, colors } = pen;
  const text = number(value, 2);
  const start = left + 66;
  const x = (power) => start + ((Math.min(high, Math.max(low, power)) - low) / (high - low)) * (right - start);
  pen.text(text, left, y);
  if (right - start < 24) return;
  ctx.strokeStyle = colors.strong;
  ctx.lineWidth = 1;
  pen.line(start, y, right, y);
  ctx.fillStyle = colors.line;
  if (usual) ctx.fillRect(x(usual[0]), y - 6, x(usual[1]) - x(usual[0]), 12);
  ctx.fillStyle = colors.series[0];
  ctx.beginPath();
  ctx.arc(x(Math.log10(value || 1e-30)), y, 5, 0, 7);
  ctx.fill();
}

function activations(pen, { counts, edges }, left, right, y) {
  const most = Math.max(...counts, 1);
  const width = (right - left) / counts.length;
  counts.forEach((count, i) => {
    const zero = edges && edges[i] <= 0 && edges[i + 1] > 0;
    pen.ctx.fillStyle = zero ? pen.colors.series[1] : pen.colors.series[0];
    const height = Math.max(count ? 1.5 : 0, (count / most) * (ROW - 8));
    pen.ctx.fillRect(left + i * width, y + ROW / 2 - 4 - height, Math.max(1, width - 1), height);
  });
}
