/** The plane of two-dimensional points: what a network answers everywhere, the points, and new points by click or key. */

import { mix } from "./colors.js";
import { button, el, setText } from "./dom.js";
import { number, painted, ticks } from "./pen.js";
import { contour, fromPixels, unstack } from "./raster.js";

const NAMES = ["A", "B", "C", "D", "E", "F", "G", "H", "I", "J"];
const RADIUS = 5;

/** The plane with, when points may be added, a choice of their class below it. */
export function createRegions(hooks) {
  const state = { spec: null, colors: null, chosen: 0, frame: null, cursor: null };
  const plane = painted((pen, spec) => void (state.frame = paint(pen, spec, state)))(hooks);
  const choice = el("div", { class: "lv-classes", role: "radiogroup", "aria-label": "Class of a new point" });
  const element = el("div", { class: "lv-plane" }, plane.element, choice);
  const redraw = () => (plane.update(state.spec, state.colors), showChoice(choice, state, redraw));
  const add = (x, y) => {
    const [left, right, low, high] = state.spec.extent;
    if (x < left || x > right || y < low || y > high) return;
    hooks.send({ kind: "point", panel: state.spec.id, x, y, class: state.chosen });
  };
  plane.element.addEventListener("click", (event) => {
    if (!state.spec?.add || !state.frame) return;
    const { left, top } = plane.element.getBoundingClientRect();
    add(...state.frame.back(event.clientX - left, event.clientY - top));
  });
  plane.element.addEventListener("keydown", (event) => state.spec?.add && key(event, state, add, redraw));
  return {
    element,
    update: (spec, colors) => {
      Object.assign(state, { spec, colors });
      redraw();
      plane.element.classList.toggle("lv-add", Boolean(spec.add));
      if (spec.add) plane.element.tabIndex = 0;
    },
    destroy: plane.destroy,
  };
}

function key(event, state, add, redraw) {
  const [left, right, low, high] = state.spec.extent;
  const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
  const at = state.cursor ?? [(left + right) / 2, (low + high) / 2];
  const within = (value, from, to) => Math.min(to, Math.max(from, value));
  if (step) state.cursor = [within(at[0] + (step[0] * (right - left)) / 40, left, right), within(at[1] + (step[1] * (high - low)) / 40, low, high)];
  else if (event.key === "Enter" || event.key === " ") add(...at);
  else if (/^[0-9]$/.test(event.key) && Number(event.key) < classCount(state.spec)) state.chosen = Number(event.key);
  else return;
  event.preventDefault();
  redraw();
}

function classCount(spec) {
  return Math.max(2, spec.field.n);
}

function showChoice(choice, state, redraw) {
  const { spec } = state;
  choice.hidden = !spec.add;
  const count = classCount(spec);
  if (spec.add && choice.childElementCount !== count + 1) {
    const buttons = Array.from({ length: count }, (_, i) => button({ class: "lv-class", role: "radio" }, () => ((state.chosen = i), redraw())));
    choice.replaceChildren(el("span", {}, "A click adds"), ...buttons);
  }
  [...choice.querySelectorAll("button")].forEach((item, i) => {
    setText(item, `${"●▲■◆✚"[i % 5]} ${spec.labels?.[i] ?? NAMES[i]}`);
    item.style.setProperty("--class", state.colors.classes[i]);
    item.setAttribute("aria-checked", String(i === state.chosen));
  });
}

function paint(pen, spec, state) {
  const [x0, x1, y0, y1] = spec.extent;
  const [left, bottom] = [34, pen.height - 40];
  const scale = Math.min((pen.width - left - 8) / (x1 - x0), (bottom - 8) / (y1 - y0));
  const [width, height] = [scale * (x1 - x0), scale * (y1 - y0)];
  const [x, y] = [left + (pen.width - left - 8 - width) / 2, (bottom - height) / 2 + 2];
  const frame = {
    x, y, width, height,
    to: (a, b) => [x + (a - x0) * scale, y + (y1 - b) * scale],
    back: (a, b) => [x0 + (a - x) / scale, y1 - (b - y) / scale],
  };
  pen.ctx.save();
  pen.ctx.beginPath();
  pen.ctx.rect(frame.x, frame.y, width, height);
  pen.ctx.clip();
  drawField(pen, spec, frame);
  for (const [from, to] of spec.lines ?? []) drawRule(pen, frame, from, to);
  drawPoints(pen, spec, frame);
  if (state.cursor && pen.ctx.canvas.matches(":focus")) drawCursor(pen, frame.to(...state.cursor));
  pen.ctx.restore();
  drawAxes(pen, spec, frame);
  drawKey(pen, spec, frame);
  return frame;
}

/** Every number of the field belongs to the middle of a cell. */
function drawField(pen, spec, frame) {
  const fields = unstack(spec.field);
  const { w, h } = spec.field;
  const pixels = new Uint8ClampedArray(w * h * 4);
  const paints = pen.colors.classes;
  const background = pen.colors.bg.startsWith("#") ? pen.colors.bg : "#ffffff";
  const tones = fields.length === 1 ? [1, 0].map((c) => mixes(background, paints[1 - c])) : fields.map((_, c) => mixes(background, paints[c]));
  for (let i = 0; i < w * h; i += 1) {
    const [best, sure] = winner(fields, i);
    const tone = tones[best];
    const at = 3 * Math.round(sure * 63);
    pixels.set([tone[at], tone[at + 1], tone[at + 2], 255], 4 * i);
  }
  const [across, down] = [frame.width / w, frame.height / h];
  pen.ctx.imageSmoothingEnabled = true;
  pen.ctx.drawImage(fromPixels(pixels, w, h), frame.x, frame.y, frame.width, frame.height);
  Object.assign(pen.ctx, { strokeStyle: pen.colors.text, lineWidth: 2 });
  pen.ctx.setLineDash([]);
  pen.ctx.beginPath();
  // A rim of repeated cells lets the line reach the edges of the plane.
  const place = (i, j) => [frame.x + (i - 0.5) * across, frame.y + (j - 0.5) * down];
  const cell = (at, count) => Math.min(count - 1, Math.max(0, at - 1));
  for (let c = fields.length === 1 ? 0 : 1; c < fields.length; c += 1) {
    contour(pen.ctx, w + 2, h + 2, (i, j) => margin(fields, c, cell(j, h) * w + cell(i, w)), place);
  }
  pen.ctx.stroke();
}

/** 64 tones from the page's colour to 62 % of a class's. */
function mixes(background, paint) {
  return Array.from({ length: 64 }, (_, k) => mix(background, paint, 0.04 + 0.58 * (k / 63))).flat();
}

/** The likeliest class, and how sure: 0 at a tie, 1 when certain. */
function winner(fields, i) {
  if (fields.length === 1) {
    const away = fields[0].bytes[i] / 127.5 - 1;
    return [away > 0 ? 1 : 0, away * away];
  }
  const shares = fields.map(({ bytes }) => bytes[i] / 255);
  const best = shares.indexOf(Math.max(...shares));
  return [best, Math.min(1, Math.max(0, (shares[best] * fields.length - 1) / (fields.length - 1)))];
}

function margin(fields, c, i) {
  if (fields.length === 1) {
    const away = fields[0].bytes[i] / 127.5 - 1;
    return away * Math.abs(away);
  }
  return fields[c].bytes[i] + 0.5 - Math.max(...fields.map(({ bytes }, other) => (other === c ? -1 : bytes[i])));
}

function drawRule(pen, frame, from, to) {
  const ends = [...frame.to(...from), ...frame.to(...to)];
  for (const [style, width, dash] of [[pen.colors.bg, 3.5, []], [pen.colors.text, 1.5, [6, 4]]]) {
    Object.assign(pen.ctx, { strokeStyle: style, lineWidth: width });
    pen.ctx.setLineDash(dash);
    pen.line(...ends);
  }
}

function drawPoints(pen, spec, frame) {
  const radius = spec.points.length > 400 ? 3.5 : RADIUS;
  pen.ctx.setLineDash([]);
  spec.points.forEach(([a, b], i) => {
    const [x, y] = frame.to(a, b);
    drawPoint(pen, x, y, radius, spec.classes[i], spec.test?.[i]);
    if (!spec.wrong?.[i]) return;
    Object.assign(pen.ctx, { strokeStyle: pen.colors.text, lineWidth: 1.5 });
    pen.ctx.beginPath();
    pen.ctx.arc(x, y, radius + 4, 0, 7);
    pen.ctx.stroke();
  });
}

/** Circle, triangle, square, diamond, cross by class; hollow for a test point. */
function drawPoint(pen, x, y, radius, kind, hollow) {
  const { ctx, colors } = pen;
  const paint = colors.classes[kind % 10];
  ctx.beginPath();
  if (kind % 5 === 0) ctx.arc(x, y, radius, 0, 7);
  else outline(ctx, x, y, kind % 5, radius);
  ctx.closePath();
  ctx.fillStyle = hollow ? colors.bg : paint;
  ctx.fill();
  Object.assign(ctx, { strokeStyle: hollow ? paint : colors.bg, lineWidth: hollow ? 2 : 1.25 });
  ctx.stroke();
}

function outline(ctx, x, y, shape, r) {
  const corners = {
    1: [[0, -1.25], [1.15, 0.85], [-1.15, 0.85]],
    2: [[-0.95, -0.95], [0.95, -0.95], [0.95, 0.95], [-0.95, 0.95]],
    3: [[0, -1.3], [1.1, 0], [0, 1.3], [-1.1, 0]],
    4: [[-0.4, -1.2], [0.4, -1.2], [0.4, -0.4], [1.2, -0.4], [1.2, 0.4], [0.4, 0.4], [0.4, 1.2], [-0.4, 1.2], [-0.4, 0.4], [-1.2, 0.4], [-1.2, -0.4], [-0.4, -0.4]],
  }[shape];
  corners.forEach(([a, b]) => ctx.lineTo(x + a * r, y + b * r));
}

function drawCursor(pen, [x, y]) {
  for (const [style, width] of [[pen.colors.bg, 5], [pen.colors.text, 2]]) {
    Object.assign(pen.ctx, { strokeStyle: style, lineWidth: width });
    pen.line(x - 11, y, x + 11, y);
    pen.line(x, y - 11, x, y + 11);
  }
}

function drawAxes(pen, spec, frame) {
  const [x0, x1, y0, y1] = spec.extent;
  const { ctx, colors } = pen;
  Object.assign(ctx, { strokeStyle: colors.strong, lineWidth: 1 });
  ctx.setLineDash([]);
  ctx.strokeRect(frame.x - 0.5, frame.y - 0.5, frame.width + 1, frame.height + 1);
  const bottom = frame.y + frame.height;
  const [across, up] = [spec.x_label ?? "x₁", spec.y_label ?? "x₂"];
  for (const value of ticks(x0, x1, frame.width / 80).values) {
    const [x] = frame.to(value, y0);
    if (x < frame.x + frame.width - 34) pen.text(number(value), x, bottom + 12, { align: "center", color: colors.muted });
  }
  pen.text(across, frame.x + frame.width, bottom + 12, { align: "right" });
  for (const value of ticks(y0, y1, frame.height / 60).values) {
    const [, y] = frame.to(x0, value);
    if (y > frame.y + 24) pen.text(number(value), frame.x - 6, Math.min(y, bottom - 6), { align: "right", color: colors.muted });
  }
  pen.text(up, frame.x - 6, frame.y + 8, { align: "right" });
}

function drawKey(pen, spec, frame) {
  const y = frame.y + frame.height + 30;
  let x = frame.x + 4;
  const entry = (text, draw) => {
    if (x + 24 + pen.measure(text) > pen.width) return;
    draw(x + 5);
    pen.text(text, x + 14, y);
    x += 14 + pen.measure(text) + 16;
  };
  pen.ctx.setLineDash([]);
  for (let c = 0; c < classCount(spec); c += 1) entry(spec.labels?.[c] ?? NAMES[c], (at) => drawPoint(pen, at, y, RADIUS, c, false));
  if (spec.test) entry("hollow: test", (at) => drawPoint(pen, at, y, RADIUS, 0, true));
  if (spec.wrong) {
    entry("ringed: wrong", (at) => {
      Object.assign(pen.ctx, { strokeStyle: pen.colors.text, lineWidth: 1.5 });
      pen.ctx.beginPath();
      pen.ctx.arc(at, y, 6, 0, 7);
      pen.ctx.stroke();
    });
  }
}
