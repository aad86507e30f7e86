/** A matrix as a heat map with its names: colour and number for a value, a dot where an entry is 0 whatever the values. */

import { inkOn, shade } from "./colors.js";
import { button, el, setText } from "./dom.js";
import { createPen, number } from "./pen.js";

const NAMED = 64; // px of a cell's width from which its own name is written under its number
const MODES = { values: "Values", pattern: "Zero pattern" };

/** `onLight({row, column} or null)` is called when another entry is looked at. */
export function createHeatmap(onLight) {
  const canvas = el("canvas", { class: "jv-canvas", role: "img", tabindex: 0 });
  const reading = el("p", { class: "jv-reading", "aria-live": "polite" });
  const note = el("p", { class: "jv-note" });
  const switcher = el("div", { class: "jv-modes", role: "radiogroup", "aria-label": "What the cells show" });
  const map = { canvas, reading, note, mode: "values", matrix: null, colors: null, place: null, at: null, onLight, modes: {} };
  for (const [mode, words] of Object.entries(MODES)) {
    map.modes[mode] = button({ class: "gv-chip", role: "radio" }, () => ((map.mode = mode), draw(map)), words);
    switcher.append(map.modes[mode]);
  }
  canvas.addEventListener("pointermove", (event) => look(map, cellAt(map, event)));
  canvas.addEventListener("pointerleave", () => look(map, null));
  canvas.addEventListener("click", (event) => look(map, cellAt(map, event)));
  canvas.addEventListener("keydown", (event) => walk(map, event));
  const resizing = new ResizeObserver(() => draw(map));
  resizing.observe(canvas);
  return {
    element: el("section", { class: "jv-matrix" }, el("div", { class: "jv-bar" }, switcher, note), canvas, reading),
    show: (view, colors) => {
      map.matrix = unpacked(view);
      map.colors = colors;
      map.at = null;
      const { zeros, values } = map.matrix;
      setText(map.modes.pattern, view.shown ? MODES.pattern : "Zeros here");
      canvas.setAttribute("aria-label", `${view.name}: ${view.shape.join(" by ")} matrix, ${view.structure}. ${view.shown ? `${zeros} entries are always 0` : "Drawn in blocks"}.`);
      setText(note, view.shown ? (zeros ? `· ${zeros.toLocaleString("en")} of ${values.length.toLocaleString("en")} entries are 0 whatever the values` : "")
        : inBlocks(view));
      draw(map);
    },
    destroy: () => resizing.disconnect(),
  };
}

/** What a cell of a matrix is that is too large to be shown entry by entry. */
function inBlocks({ shape, rows, columns, layout, seen, total }) {
  const [high, wide] = shape.map((size) => size.toLocaleString("en"));
  const whose = layout === "denominator" ? "columns" : "rows";
  const part = seen < total ? `; only ${seen.toLocaleString("en")} of its ${total.toLocaleString("en")} ${whose} were looked at, evenly spaced` : "";
  return `${high} × ${wide} entries are too many to be drawn one by one: here are ${rows.length} × ${columns.length} blocks, each with its entry of largest size${part}`;
}

function unpacked(view) {
  const bytes = Uint8Array.from(atob(view.cells), (c) => c.charCodeAt(0));
  const values = new Float64Array(bytes.buffer);
  const pattern = Uint8Array.from(atob(view.pattern), (c) => c.charCodeAt(0));
  const finite = values.filter(Number.isFinite);
  const largest = finite.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const rows = view.rows.length;
  return {
    view, values, pattern, rows, columns: rows ? values.length / rows : 0, largest,
    zeros: pattern.reduce((count, may) => count + (may ? 0 : 1), 0),
  };
}

function draw(map) {
  if (!map.matrix || !map.canvas.clientWidth) return;
  for (const [mode, chip] of Object.entries(map.modes)) chip.setAttribute("aria-checked", String(mode === map.mode));
  const pen = createPen(map.canvas, map.colors);
  map.place = measured(pen, map.matrix);
  paintCells(pen, map);
  writeNames(pen, map);
  writeEntries(pen, map);
  frame(pen, map);
  map.canvas.labels = pen.labels;
}

/** Where the cells go: as large as there is room. Names of columns stand upright where a cell is too narrow for them. */
function measured(pen, matrix) {
  const [rows, columns] = [matrix.view.rows, matrix.view.columns].map((names) => Math.max(0, ...names.slice(0, 400).map((name) => pen.measure(name))));
  const level = laid(pen, matrix, rows, 22);
  return columns + 6 > level.width ? { ...laid(pen, matrix, rows, Math.min(columns + 8, 90)), upright: true } : level;
}

/** The cells below names of this height, wider than high when numbers ask for it. */
function laid(pen, { rows, columns }, widest, top) {
  const left = Math.min(widest + 12, pen.width * 0.25);
  const across = (pen.width - left - 4) / columns;
  const down = Math.min((pen.height - top - 4) / rows, 84);
  const width = Math.min(across, Math.max(down * 1.7, Math.min(across, 12)), 150);
  const height = Math.min(down, rows === 1 ? 48 : width * 1.2);
  return { left: left + Math.max(0, (pen.width - left - 4 - width * columns) / 2), top, width, height, upright: false };
}

function written(value, digits) {
  if (Number.isFinite(value)) return number(value, digits);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "∞" : "−∞";
}

function shareOf({ largest }, value) {
  return largest && Number.isFinite(value) ? 0.5 + value / (2 * largest) : 0.5;
}

/** One picture of rows × columns pixels, enlarged: as quick for a million entries as for six. */
function paintCells(pen, { matrix, colors, mode, place }) {
  const { rows, columns, values, pattern } = matrix;
  if (!values.length) return;
  const image = new ImageData(columns, rows);
  const lut = colors.palettes.signed;
  const ink = colors.theme === "dark" ? 225 : 40;
  const empty = colors.theme === "dark" ? 25 : 250;
  values.forEach((value, i) => {
    const at = 3 * Math.round(255 * shareOf(matrix, value));
    const rgb = mode === "pattern" ? (pattern[i] ? [ink, ink, ink] : [empty, empty, empty]) : [lut[at], lut[at + 1], lut[at + 2]];
    image.data.set([...rgb, mode === "values" && !pattern[i] ? 0 : 255], 4 * i);
  });
  const small = new OffscreenCanvas(columns, rows);
  small.getContext("2d").putImageData(image, 0, 0);
  pen.ctx.imageSmoothingEnabled = place.width < 1 || place.height < 1;
  pen.ctx.drawImage(small, place.left, place.top, place.width * columns, place.height * rows);
}

/** As many names as stand beside each other without touching. */
function writeNames(pen, { matrix: { view, rows, columns }, place, at }) {
  const down = Math.ceil(16 / place.height);
  for (let i = 0; i < rows; i += down) {
    pen.text(view.rows[i] ?? "", place.left - 8, place.top + (i + 0.5) * place.height, { align: "right", weight: at?.row === i ? 700 : 400, room: place.left - 8 });
  }
  const across = place.upright ? Math.ceil(16 / place.width) : 1;
  for (let j = 0; j < columns; j += across) {
    const x = place.left + (j + 0.5) * place.width;
    const weight = at?.column === j ? 700 : 400;
    if (!place.upright) pen.text(view.columns[j] ?? "", x, place.top - 11, { align: "center", weight });
    else upright(pen, view.columns[j] ?? "", x, place.top - 6, weight);
  }
}

function upright(pen, name, x, y, weight) {
  pen.ctx.save();
  pen.ctx.translate(x, y);
  pen.ctx.rotate(-Math.PI / 2);
  const written = pen.labels.length;
  pen.text(name, 0, 0, { weight, room: y });
  pen.labels.length = written; // these lie on their side
  pen.ctx.restore();
}

function writeEntries(pen, { matrix, colors, mode, place }) {
  const { rows, columns, values, pattern, view } = matrix;
  if (place.width < 6 || place.height < 6) return;
  const texts = rows * columns <= 4096 ? Array.from(values, (value) => written(value, 4)) : [];
  const size = Math.min(18, Math.max(13, place.height * 0.36));
  const widest = Math.max(0, ...texts.map((text) => pen.measure(text, size, 600)));
  const printed = texts.length && widest <= place.width - 4 && place.height >= 16 && mode === "values";
  const named = printed && view.shown && place.height >= 44 && place.width >= NAMED;
  for (let k = 0; k < values.length; k += 1) {
    const [i, j] = [Math.floor(k / columns), k % columns];
    const [x, y] = [place.left + (j + 0.5) * place.width, place.top + (i + 0.5) * place.height];
    if (!pattern[k] && view.shown) dot(pen, x, y, colors);
    else if (printed && pattern[k]) pen.text(texts[k], x, named ? y - 8 : y, { align: "center", size, weight: 600, color: inkOn(colors.palettes.signed, shareOf(matrix, values[k])) });
    if (named && pattern[k]) pen.text(entryName(view, i, j), x, y + 13, { align: "center", room: place.width - 4, color: inkOn(colors.palettes.signed, shareOf(matrix, values[k])) });
  }
}

function dot({ ctx }, x, y, colors) {
  ctx.fillStyle = colors.muted;
  ctx.beginPath();
  ctx.arc(x, y, 2, 0, 7);
  ctx.fill();
}

function frame(pen, { matrix: { rows, columns }, place, at, colors }) {
  const { left, top, width, height } = place;
  const { ctx } = pen;
  Object.assign(ctx, { strokeStyle: colors.line, lineWidth: 1 });
  if (width >= 6 && height >= 6) {
    for (let i = 1; i < rows; i += 1) pen.line(left, top + i * height, left + columns * width, top + i * height);
    for (let j = 1; j < columns; j += 1) pen.line(left + j * width, top, left + j * width, top + rows * height);
  }
  ctx.strokeStyle = colors.strong;
  ctx.strokeRect(left, top, columns * width, rows * height);
  if (!at) return;
  Object.assign(ctx, { strokeStyle: colors.text, lineWidth: 2.5 });
  ctx.strokeRect(left + at.column * width, top + at.row * height, Math.max(width, 3), Math.max(height, 3));
}

function cellAt({ matrix, place, canvas }, event) {
  if (!place || !matrix) return null;
  const bounds = canvas.getBoundingClientRect();
  const row = Math.floor((event.clientY - bounds.top - place.top) / place.height);
  const column = Math.floor((event.clientX - bounds.left - place.left) / place.width);
  return row >= 0 && row < matrix.rows && column >= 0 && column < matrix.columns ? { row, column } : null;
}

function walk(map, event) {
  const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
  if (!move || !map.matrix?.values.length) return;
  event.preventDefault();
  const { rows, columns } = map.matrix;
  const next = map.at ? { row: map.at.row + move[0], column: map.at.column + move[1] } : { row: 0, column: 0 };
  if (next.row >= 0 && next.row < rows && next.column >= 0 && next.column < columns) look(map, next);
}

function look(map, at) {
  if (map.at?.row === at?.row && map.at?.column === at?.column) return;
  map.at = at;
  draw(map);
  map.onLight(at);
  if (!at) return;
  const { view, values, pattern, columns } = map.matrix;
  const [k, name] = [at.row * columns + at.column, entryName(view, at.row, at.column)];
  const [of, wrt] = sides(view, at.row, at.column);
  if (!view.shown) setText(map.reading, `the block from ${name} on: ${pattern[k] ? `its largest entry is ${written(values[k], 6)}` : "0 everywhere here"}`);
  else setText(map.reading, pattern[k] ? `${name} = ${written(values[k], 6)}` : `${name} = 0 always: ${of} does not depend on ${wrt}`);
}

/** The entries of the node that is differentiated and of the one it is done by. */
function sides(view, row, column) {
  const names = [view.rows[row] ?? `row ${row + 1}`, view.columns[column] ?? `column ${column + 1}`];
  return view.layout === "denominator" ? names.reverse() : names;
}

function entryName(view, row, column) {
  const [of, wrt] = sides(view, row, column);
  return `∂${of}/∂${wrt}`;
}
