/** Values and gradients of large arrays as images on a canvas, with a printed scale, a sample chooser and a reading. */

import { button, el, setText } from "./dom.js";

const WIDE = 308;
const HIGH = 236;
const GAP = 2;
const LARGEST_CELL = 22;

/** What a person chose, kept while panels are rebuilt: the sample for all nodes, the entry per node. */
export function createPictures(actions) {
  return { actions, frame: 0, cursors: new Map() };
}

/** The images of a node; `shown` says which of value and gradient are known by now. */
export function pictureSection(pictures, { payload, nodes }, id, shown) {
  const parts = payload.pictures[id];
  const entries = Boolean(payload.elements && nodes.get(id).element); // they can be opened
  const kinds = ["value", "gradient"].filter((which) => parts[which] && shown[which]);
  if (!kinds.length) return null;
  const section = el("section", { class: "gv-section gv-pictures" });
  const views = kinds.map((which) => createPicture(parts[which], which));
  const move = (cursor) => {
    pictures.cursors.set(id, cursor);
    refresh();
  };
  const frames = Math.max(...views.map(({ picture }) => picture.shape[0]));
  const chooser = frames > 1 ? createChooser(parts[kinds[0]], frames, pictures, () => refresh()) : null;
  const opener = entries ? el("span") : null;
  const saver = payload.savable ? button({ class: "gv-action" }, () => pictures.actions.savePicture({ node: id, frame: pictures.frame, shown: kinds }), "Save picture") : null;
  const refresh = () => {
    const cursor = pictures.cursors.get(id) ?? null;
    for (const view of views) drawPicture(view, Math.min(pictures.frame, view.picture.shape[0] - 1), cursor);
    chooser?.show();
    if (opener) showOpener(opener, pictures, id, views[0].picture, cursor);
  };
  for (const view of views) listen(view, pictures, id, entries, move);
  const buttons = opener || saver ? el("p", { class: "gv-actions" }, opener, saver) : null;
  section.append(...[chooser?.element, ...views.map(({ element }) => element), buttons].filter(Boolean));
  queueMicrotask(refresh); // once it is on the page, which says whether it is light or dark
  return section;
}

function createPicture(source, which) {
  const picture = { ...source, bytes: bytesOf(source.data) };
  const layout = arrange(picture);
  const canvas = el("canvas", { class: "gv-canvas", tabindex: 0, role: "img", width: layout.width, height: layout.height });
  const reading = el("span", { class: "gv-reading", "aria-live": "polite" });
  const scale = el("p", { class: "gv-scale" }, el("span", {}, picture.ends[0]), ramp(picture.signed), el("span", {}, picture.ends[1]));
  const caption = el("figcaption", {}, el("b", { class: `gv-${which}-text` }, which), ` ${picture.statistics}`);
  const rest = picture.left_out ? el("p", { class: "gv-quiet gv-small" }, picture.left_out) : null;
  const element = el("figure", { class: "gv-picture" }, caption, canvas, el("div", { class: "gv-under-picture" }, scale, reading), rest);
  return { picture, which, layout, canvas, reading, element, frame: 0, cursor: null };
}

function bytesOf(data) {
  const text = atob(data);
  return Uint8Array.from({ length: text.length }, (_, at) => text.charCodeAt(at));
}

/** The largest whole cell at which all tiles fit into the panel; a fraction of a pixel where even one is too large. */
function arrange({ shape: [, tiles, rows, columns], columns: fixed }) {
  for (let cell = LARGEST_CELL; cell >= 1; cell -= 1) {
    const most = fixed || Math.min(tiles, Math.floor((WIDE + GAP) / (columns * cell + GAP)));
    const down = Math.ceil(tiles / Math.max(1, most));
    const across = fixed || Math.min(most, Math.ceil(tiles / down));
    const width = across * (columns * cell + GAP) - GAP;
    const height = down * (rows * cell + GAP) - GAP;
    if (across >= 1 && width <= WIDE && (height <= HIGH || cell === 1)) return { cell, across, width, height };
  }
  const across = fixed || 1;
  const cell = Math.max(0.25, (WIDE / across - GAP) / columns);
  const down = Math.ceil(tiles / across);
  return { cell, across, width: Math.round(across * (columns * cell + GAP)), height: Math.round(down * (rows * cell + GAP)) };
}

function ramp(signed) {
  const strip = el("canvas", { class: "gv-ramp", width: 64, height: 1, "aria-hidden": "true" });
  strip.dataset.signed = signed ? "yes" : "";
  return strip;
}

function drawPicture(view, frame, cursor) {
  Object.assign(view, { frame, cursor });
  const { picture, layout, canvas } = view;
  const [, tiles, rows, columns] = picture.shape;
  const palette = paletteOf(canvas, picture.signed);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = layout.cell < 1;
  context.clearRect(0, 0, canvas.width, canvas.height);
  const tile = el("canvas", { width: columns, height: rows });
  for (let at = 0; at < tiles; at += 1) {
    paint(tile, picture.bytes, (frame * tiles + at) * rows * columns, palette);
    const [x, y] = corner(view, at);
    context.drawImage(tile, x, y, columns * layout.cell, rows * layout.cell);
  }
  if (cursor) markCursor(context, view, cursor, canvas);
  paintRamp(view.element.querySelector(".gv-ramp"), palette);
  const words = cursor ? `${placeWords(view, cursor)}: ${valueAt(view, cursor)}` : "";
  setText(view.reading, words);
  canvas.setAttribute("aria-label", `${view.which} as an image, ${picture.statistics}. Arrow keys choose an entry. ${words}`);
}

function corner({ layout, picture }, tile) {
  const [, , rows, columns] = picture.shape;
  const x = (tile % layout.across) * (columns * layout.cell + GAP);
  return [x, Math.floor(tile / layout.across) * (rows * layout.cell + GAP)];
}

function paint(canvas, bytes, from, palette) {
  const context = canvas.getContext("2d");
  const image = context.createImageData(canvas.width, canvas.height);
  for (let at = 0; at < canvas.width * canvas.height; at += 1) image.data.set(palette[bytes[from + at]], 4 * at);
  context.putImageData(image, 0, 0);
}

function paintRamp(strip, palette) {
  const levels = Uint8Array.from({ length: strip.width }, (_, at) => Math.round((at / (strip.width - 1)) * (strip.dataset.signed ? 254 : 255)));
  paint(strip, levels, 0, palette);
}

/** Grey from black to white, or blue below 0 and vermillion above it with the background's own shade between. */
function paletteOf(canvas, signed) {
  const dark = canvas.closest(".gv")?.dataset.theme === "dark";
  const middle = dark ? [24, 28, 36] : [255, 255, 255];
  const [below, above] = dark ? [[86, 180, 233], [242, 132, 58]] : [[0, 114, 178], [213, 94, 0]];
  return Array.from({ length: 256 }, (_, byte) => {
    if (!signed) return [byte, byte, byte, 255];
    const share = Math.min(1, (byte - 127) / 127);
    const end = share < 0 ? below : above;
    return [...middle.map((zero, at) => Math.round(zero + (end[at] - zero) * Math.abs(share))), 255];
  });
}

function markCursor(context, view, { tile, row, column }, canvas) {
  const [x, y] = corner(view, tile);
  const size = Math.max(view.layout.cell, 4);
  const box = [x + column * view.layout.cell, y + row * view.layout.cell, size, size];
  context.lineWidth = 3;
  context.strokeStyle = "#000000";
  context.strokeRect(...box);
  context.lineWidth = 1.5;
  context.strokeStyle = "#ffd400";
  context.strokeRect(...box);
  canvas.dataset.entry = `${tile} ${row} ${column}`;
}

function valueAt({ picture, frame }, { tile, row, column }) {
  const [, tiles, rows, columns] = picture.shape;
  if (tile >= tiles || row >= rows || column >= columns) return "not sent";
  const byte = picture.bytes[((frame * tiles + tile) * rows + row) * columns + column];
  const share = byte / (picture.signed ? 254 : 255);
  const value = picture.signed && byte === 127 ? 0 : picture.low + share * (picture.high - picture.low);
  return `≈ ${value === 0 ? "0" : value.toPrecision(2)}`.replace("-", "−");
}

/** The entry of the array that a place of the picture stands for. */
export function entryAt({ kind, shape, columns, step }, frame, { tile, row, column }) {
  const [, , rows, width] = shape;
  if (kind === "batch") return [frame, tile, row * step, column * step];
  if (kind === "filters") return columns ? [Math.floor(tile / columns), tile % columns, row, column] : [tile, 0, row, column];
  if (kind === "stack") return [tile, row * step, column * step];
  if (kind === "images") return [frame, tile * rows * width + row * width + column];
  return kind === "matrix" ? [row, column] : [column];
}

const AXES = {
  batch: ["sample", "channel", "row", "column"], filters: ["output", "input", "row", "column"], stack: ["channel", "row", "column"],
  images: ["row", "column"], matrix: ["row", "column"], vector: ["entry"],
};

function placeWords({ picture, frame }, cursor) {
  const names = AXES[picture.kind];
  const places = entryAt(picture, frame, cursor).map((at, axis) => `${names[axis]} ${at}`);
  return `${places.join(", ")} (counted from 0)`;
}

function createChooser({ kind }, frames, pictures, refresh) {
  const word = kind === "images" ? "row" : "sample";
  const label = el("span", { class: "gv-frame" });
  const turn = (offset) => () => {
    pictures.frame = (Math.min(pictures.frame, frames - 1) + offset + frames) % frames;
    refresh();
  };
  const element = el(
    "p", { class: "gv-chooser" },
    button({ class: "gv-chip", "aria-label": `Previous ${word}` }, turn(-1), "‹"), label, button({ class: "gv-chip", "aria-label": `Next ${word}` }, turn(1), "›"),
  );
  return { element, show: () => setText(label, `${word} ${Math.min(pictures.frame, frames - 1)} (0 to ${frames - 1})`) };
}

/** Only for nodes whose entries can be opened as products. */
function showOpener(opener, pictures, id, picture, cursor) {
  const index = cursor && entryAt(picture, Math.min(pictures.frame, picture.shape[0] - 1), cursor);
  const words = index ? `Open entry [${index.join(", ")}]` : "Open its liveliest entry";
  opener.replaceChildren(button({ class: "gv-action" }, () => pictures.actions.openEntry(id, index), words));
}

function listen(view, pictures, id, entries, move) {
  const { canvas, picture } = view;
  const [, tiles, rows, columns] = picture.shape;
  canvas.addEventListener("click", (event) => {
    const bounds = canvas.getBoundingClientRect();
    const place = placeAt(view, event.clientX - bounds.left, event.clientY - bounds.top);
    if (place) move(place);
  });
  const open = () => {
    const cursor = pictures.cursors.get(id);
    if (cursor && entries) pictures.actions.openEntry(id, entryAt(picture, view.frame, cursor));
  };
  canvas.addEventListener("dblclick", open);
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === "Enter") open();
    else if (by) move(stepped(pictures.cursors.get(id), by, view.layout.across, tiles, rows, columns));
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
}

function placeAt({ layout, picture }, x, y) {
  const [, tiles, rows, columns] = picture.shape;
  const across = Math.floor(x / (columns * layout.cell + GAP));
  const down = Math.floor(y / (rows * layout.cell + GAP));
  const tile = down * layout.across + across;
  const row = Math.floor((y - down * (rows * layout.cell + GAP)) / layout.cell);
  const column = Math.floor((x - across * (columns * layout.cell + GAP)) / layout.cell);
  return tile < tiles && across < layout.across && row < rows && column < columns && row >= 0 && column >= 0 ? { tile, row, column } : null;
}

/** One cell on; over the edge of a tile into the next one. */
function stepped(cursor, [down, right], across, tiles, rows, columns) {
  if (!cursor) return { tile: 0, row: 0, column: 0 };
  let { tile, row, column } = { ...cursor, row: cursor.row + down, column: cursor.column + right };
  if (column < 0 || column >= columns) [tile, column] = [tile + right, column < 0 ? columns - 1 : 0];
  if (row < 0 || row >= rows) [tile, row] = [tile + down * across, row < 0 ? rows - 1 : 0];
  return tile >= 0 && tile < tiles ? { tile, row, column } : cursor;
}
