/** A canvas that is sharp on every screen, and a pen that keeps what it wrote. */

import { el } from "./dom.js";

export const SIZE = 13; // px of ordinary text, the smallest there is
const FONT = '"Source Sans", system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", Arial, sans-serif';

/**
 * A panel painted on one canvas. `paint(pen, spec)` may return targets [{x, y, width, height, title, event}]: they
 * can be clicked, or walked with the arrow keys and chosen with Enter.
 */
export function painted(paint) {
  return (hooks) => {
    const canvas = el("canvas", { class: "lv-canvas", role: "img" });
    const state = { spec: null, colors: null, targets: [], at: -1 };
    const draw = () => {
      if (!state.spec || !canvas.clientWidth) return;
      const pen = createPen(canvas, state.colors);
      state.targets = paint(pen, state.spec) ?? [];
      canvas.labels = pen.labels;
      if (state.targets.length) canvas.tabIndex = 0;
      if (canvas.matches(":focus-visible") && state.targets[state.at]) ring(pen, state.targets[state.at]);
    };
    listen(canvas, state, hooks, draw);
    const resizing = new ResizeObserver(draw);
    resizing.observe(canvas);
    return {
      element: canvas,
      update: (spec, colors) => {
        Object.assign(state, { spec, colors });
        canvas.setAttribute("aria-label", spec.alt ?? [spec.title, spec.note].filter(Boolean).join(". "));
        draw();
      },
      destroy: () => resizing.disconnect(),
    };
  };
}

function listen(canvas, state, hooks, draw) {
  const under = (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    return state.targets.findLastIndex(({ x, y, width, height }) =>
      event.clientX - left >= x && event.clientX - left < x + width && event.clientY - top >= y && event.clientY - top < y + height);
  };
  const choose = (at) => state.targets[at] && hooks.send({ panel: state.spec.id, ...state.targets[at].event });
  canvas.addEventListener("click", (event) => choose((state.at = under(event))));
  canvas.addEventListener("pointermove", (event) => {
    const target = state.targets[under(event)];
    canvas.style.cursor = target ? "pointer" : "";
    canvas.title = target?.title ?? "";
  });
  canvas.addEventListener("keydown", (event) => {
    if (!state.targets.length) return;
    if (event.key === "Enter" || event.key === " ") choose(state.at);
    else if (event.key.startsWith("Arrow")) state.at = neighbour(state.targets, state.at, event.key);
    else return;
    event.preventDefault();
    draw();
  });
  for (const name of ["focus", "blur"]) canvas.addEventListener(name, draw);
}

function neighbour(targets, at, key) {
  if (at < 0) return 0;
  const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[key];
  const here = targets[at];
  let [best, nearest] = [at, Infinity];
  targets.forEach((target, index) => {
    const [along, across] = [(target.x - here.x) * dx + (target.y - here.y) * dy, Math.abs((target.x - here.x) * dy + (target.y - here.y) * dx)];
    if (along > 1 && along + 3 * across < nearest) [best, nearest] = [index, along + 3 * across];
  });
  return best;
}

function ring(pen, { x, y, width, height }) {
  pen.ctx.setLineDash([]);
  pen.ctx.strokeStyle = pen.colors.bg;
  pen.ctx.lineWidth = 5;
  pen.ctx.strokeRect(x, y, width, height);
  pen.ctx.strokeStyle = pen.colors.text;
  pen.ctx.lineWidth = 2.5;
  pen.ctx.strokeRect(x, y, width, height);
}

/** A cleared canvas to draw on, in CSS px. */
export function createPen(canvas, colors) {
  const ratio = Math.max(1, devicePixelRatio || 1);
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [across, down] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== across || canvas.height !== down) Object.assign(canvas, { width: across, height: down });
  const ctx = canvas.getContext("2d");
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
  ctx.clearRect(0, 0, width, height);
  ctx.setLineDash([]);
  const pen = { ctx, width, height, ratio, colors, labels: [] };
  pen.measure = (string, size = SIZE, weight = 400) => ((ctx.font = `${weight} ${size}px ${FONT}`), ctx.measureText(string).width);
  pen.text = (string, x, y, options = {}) => write(pen, String(string), x, y, options);
  pen.line = (x0, y0, x1, y1) => (ctx.beginPath(), ctx.moveTo(x0, y0), ctx.lineTo(x1, y1), ctx.stroke());
  return pen;
}

function write(pen, string, x, y, { align = "left", size = SIZE, weight = 400, color = pen.colors.text, halo = null, room = Infinity }) {
  const { ctx, labels } = pen;
  const shown = fitted(pen, string, room, size, weight);
  const width = pen.measure(shown, size, weight);
  ctx.textAlign = align;
  ctx.textBaseline = "middle";
  if (halo) {
    Object.assign(ctx, { strokeStyle: halo, lineWidth: 4, lineJoin: "round" });
    ctx.setLineDash([]);
    ctx.strokeText(shown, x, y);
  }
  ctx.fillStyle = color;
  ctx.fillText(shown, x, y);
  const left = { left: x, center: x - width / 2, right: x - width }[align];
  if (shown) labels.push({ text: shown, x: left, y: y - size / 2, width, height: size, size });
}

function fitted(pen, string, room, size, weight) {
  if (pen.measure(string, size, weight) <= room) return string;
  let length = string.length;
  while (length > 1 && pen.measure(`${string.slice(0, length)}…`, size, weight) > room) length -= 1;
  return length > 1 ? `${string.slice(0, length)}…` : "";
}

/** A number as it is read: about `digits` significant digits, with a real minus sign. */
export function number(value, digits = 3) {
  if (value === null || value === undefined) return "NaN";
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e5 || size < 1e-3) {
    const [head, power] = value.toExponential(Math.max(0, digits - 1)).split("e");
    return `${String(Number(head))}e${Number(power)}`.replaceAll("-", "−");
  }
  return String(Number(size >= 10 ** digits ? value.toFixed(0) : value.toPrecision(digits))).replace("-", "−");
}

/** Round numbers from `low` to `high`, about `count` of them. */
export function ticks(low, high, count) {
  const rough = (high - low) / Math.max(1, count);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].find((factor) => factor * power >= rough * 0.999) * power;
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1) found.push(k * step);
  return { step, values: found.map((value) => (Math.abs(value) < step * 1e-9 ? 0 : value)) };
}
