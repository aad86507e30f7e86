/** A drawing pad of a few pixels: mouse, pen, finger, or the keyboard. */

import { button, el } from "./dom.js";
import { createPen } from "./pen.js";
import { decode, drawImage, toCanvas } from "./raster.js";

const PAUSE = 125; // ms between two reports of a stroke
const BRUSH = 1.15; // px of full ink around the middle of the stroke

/** A pad that reports its pixels while something is drawn. */
export function createPad(hooks) {
  const canvas = el("canvas", { class: "lv-canvas lv-pad", tabindex: 0, role: "application" });
  const pad = { canvas, hooks, size: 28, ink: new Float32Array(28 * 28), version: null, from: null, cursor: [14, 14], timer: 0, spec: null, colors: null };
  const clear = button({ class: "lv-button" }, () => (pad.ink.fill(0), changed(pad, true)), "Clear");
  const words = el("span", {}, "Draw here; with the keyboard: arrows, space draws, Delete clears.");
  const element = el("div", { class: "lv-plane" }, canvas, el("div", { class: "lv-classes" }, clear, words));
  listen(pad);
  const resizing = new ResizeObserver(() => draw(pad));
  resizing.observe(canvas);
  return {
    element,
    update: (spec, colors) => {
      Object.assign(pad, { spec, colors });
      canvas.setAttribute("aria-label", spec.alt ?? `${spec.title}. Drawing pad: arrows move, space draws, Delete clears.`);
      load(pad, spec);
      draw(pad);
    },
    destroy: () => (resizing.disconnect(), clearTimeout(pad.timer)),
  };
}

function load(pad, { size = 28, version = 0, pixels }) {
  if (pad.size !== size) Object.assign(pad, { size, ink: new Float32Array(size * size), cursor: [size / 2, size / 2] });
  if (pad.version === version) return;
  pad.version = version;
  if (pixels) pad.ink = Float32Array.from(decode(pixels), (byte) => byte / 255);
}

function box(pad) {
  const side = Math.min(pad.canvas.clientWidth, pad.canvas.clientHeight) - 2;
  return { side, left: (pad.canvas.clientWidth - side) / 2, top: 1 };
}

function listen(pad) {
  const { canvas } = pad;
  const at = (event) => {
    const [bounds, { side, left, top }] = [canvas.getBoundingClientRect(), box(pad)];
    return [event.clientX - bounds.left - left, event.clientY - bounds.top - top].map((px) => (px / side) * pad.size);
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    pad.from = at(event);
    stroke(pad, pad.from, pad.from);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!pad.from) return;
    const to = at(event);
    stroke(pad, pad.from, to);
    pad.from = to;
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => pad.from && ((pad.from = null), changed(pad, true)));
  canvas.addEventListener("keydown", (event) => key(pad, event));
  for (const name of ["focus", "blur"]) canvas.addEventListener(name, () => draw(pad));
}

function key(pad, event) {
  const middle = pad.cursor.map((value) => Math.floor(value) + 0.5);
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
  if (step) pad.cursor = pad.cursor.map((value, i) => Math.min(pad.size - 1, Math.max(0, value + step[i])));
  else if (event.key === " ") stroke(pad, middle, middle);
  else if (event.key === "Delete" || event.key === "Backspace") pad.ink.fill(0), changed(pad, true);
  else return;
  event.preventDefault();
  draw(pad);
}

/** Full ink on the way from one place to the other, fading over one pixel. */
function stroke(pad, [x0, y0], [x1, y1]) {
  const length = (x1 - x0) ** 2 + (y1 - y0) ** 2;
  const reach = Math.ceil(BRUSH + 1);
  const span = (a, b) => [Math.max(0, Math.floor(Math.min(a, b)) - reach), Math.min(pad.size - 1, Math.floor(Math.max(a, b)) + reach)];
  const [[left, right], [top, bottom]] = [span(x0, x1), span(y0, y1)];
  for (let j = top; j <= bottom; j += 1) {
    for (let i = left; i <= right; i += 1) {
      const [dx, dy] = [i + 0.5 - x0, j + 0.5 - y0];
      const share = length ? Math.min(1, Math.max(0, (dx * (x1 - x0) + dy * (y1 - y0)) / length)) : 0;
      const away = Math.hypot(dx - share * (x1 - x0), dy - share * (y1 - y0));
      pad.ink[j * pad.size + i] = Math.max(pad.ink[j * pad.size + i], Math.min(1, Math.max(0, BRUSH + 0.5 - away)));
    }
  }
  changed(pad, false);
}

/** Reports at once at the end of a stroke, and meanwhile every PAUSE. */
function changed(pad, now) {
  draw(pad);
  const report = () => {
    pad.timer = 0;
    const bytes = Array.from(pad.ink, (value) => String.fromCharCode(Math.round(255 * value)));
    pad.hooks.send({ kind: "drawing", panel: pad.spec.id, pixels: btoa(bytes.join("")) });
  };
  if (now) {
    clearTimeout(pad.timer);
    report();
  } else if (!pad.timer) pad.timer = setTimeout(report, PAUSE);
}

function draw(pad) {
  if (!pad.colors || !pad.canvas.clientWidth) return;
  const pen = createPen(pad.canvas, pad.colors);
  const { side, left, top } = box(pad);
  const bytes = Uint8ClampedArray.from(pad.ink, (value) => 255 * value);
  drawImage(pen, toCanvas({ w: pad.size, h: pad.size, bytes }, pad.colors.palettes.ink), left, top, side, side);
  Object.assign(pen.ctx, { strokeStyle: pad.colors.strong, lineWidth: 1 });
  pen.ctx.strokeRect(left - 0.5, top - 0.5, side + 1, side + 1);
  if (!pad.canvas.matches(":focus-visible")) return;
  const cell = side / pad.size;
  Object.assign(pen.ctx, { strokeStyle: pad.colors.series[1], lineWidth: 2 });
  pen.ctx.strokeRect(left + Math.floor(pad.cursor[0]) * cell, top + Math.floor(pad.cursor[1]) * cell, cell, cell);
}
