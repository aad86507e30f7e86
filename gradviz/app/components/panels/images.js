/** Grids of small images with labels, marks and a printed scale. */

import { number, painted } from "./pen.js";
import { contour, drawImage, drawScale, toCanvas, unstack } from "./raster.js";

const GAP = 8;
const LABEL = 19;
const SIGNS = { right: "✓", wrong: "✗", chosen: "▸" };

export const createImages = painted((pen, spec) => {
  const images = spec.stacks.flatMap(unstack);
  if (!images.length) return [];
  const palette = spec.palette ?? "grey";
  const lut = pen.colors.palettes[palette];
  const scaled = palette === "signed" || palette === "heat";
  const room = pen.height - (scaled ? 22 : 0);
  const names = images.map((_, i) => labelOf(spec, i));
  const grid = arrange(pen, images, names, spec.columns, room);
  if (scaled) drawScale(pen, lut, palette === "signed", scaleEnds(spec, palette), 2, pen.height - 10, pen.width - 4);
  return images.slice(0, grid.shown).map((image, i) => {
    const x = grid.left + (i % grid.columns) * grid.across;
    const y = Math.floor(i / grid.columns) * grid.down;
    const [w, h] = [image.w * grid.scale(image), image.h * grid.scale(image)];
    const at = { x: x + (grid.across - GAP - w) / 2, y: y + 3 + (grid.high - h) / 2, width: w, height: h };
    drawImage(pen, toCanvas(image, lut), at.x, at.y, w, h);
    if (spec.zero) drawZero(pen, image, at);
    frame(pen, at, spec.marks?.[i]);
    if (names[i]) pen.text(names[i], x + (grid.across - GAP) / 2, y + grid.high + 14, { align: "center", room: grid.across - 4 });
    return spec.pick ? { ...at, title: names[i], event: { kind: "pick", index: i } } : null;
  }).filter(Boolean);
});

/** Under an image: its sign and label; the frame alone marks the chosen one where no image has a label. */
function labelOf(spec, i) {
  if (!spec.labels?.length && spec.marks?.[i] === "chosen") return "";
  return [SIGNS[spec.marks?.[i]], spec.labels?.[i]].filter((part) => part !== undefined && part !== "").join(" ");
}

function scaleEnds(spec, palette) {
  if (!spec.each) return [spec.low, spec.high].map((value) => (value > 0 && palette === "signed" ? `+${number(value)}` : number(value)));
  return palette === "signed" ? ["each: − its largest", "+ its largest"] : ["each: its smallest", "its largest"];
}

/** How many columns make the images largest, and how large that is. */
function arrange(pen, images, names, wanted, room) {
  const wide = Math.max(...images.map(({ w }) => w));
  const tall = Math.max(...images.map(({ h }) => h));
  const label = names.some(Boolean) ? LABEL : 0;
  const longest = Math.max(0, ...names.map((name) => pen.measure(name)));
  const width = pen.width - 4; // frames stand out by 2 px
  let best = null;
  for (let columns = wanted ?? 1; columns <= (wanted ?? images.length); columns += 1) {
    const rows = Math.ceil(images.length / columns);
    const across = (width + GAP) / columns - GAP;
    const down = (room + GAP) / rows - GAP - label - 3;
    const scale = Math.min(across / wide, down / tall);
    const value = scale * (longest > across ? 0.6 : 1);
    if (!best || value > best.value) best = { columns, rows, scale, value };
  }
  const factor = Math.max(best.scale, 0.25 / pen.ratio);
  const high = tall * factor;
  const across = Math.min((width + GAP) / best.columns, Math.max(wide * factor, Math.min(longest + 6, 220)) + GAP);
  return {
    columns: best.columns,
    across,
    down: high + label + GAP + 3,
    high,
    left: 2 + Math.max(0, (width - best.columns * across + GAP) / 2),
    shown: best.columns * best.rows,
    scale: (image) => Math.min((wide * factor) / image.w, high / image.h),
  };
}

function drawZero(pen, image, at) {
  const { ctx } = pen;
  ctx.beginPath();
  const cell = at.width / image.w;
  contour(ctx, image.w, image.h, (i, j) => image.bytes[j * image.w + i] - 127.5, (i, j) => [at.x + (i + 0.5) * cell, at.y + (j + 0.5) * cell]);
  ctx.setLineDash([]);
  Object.assign(ctx, { strokeStyle: pen.colors.text, lineWidth: 1.5 });
  ctx.stroke();
}

function frame(pen, { x, y, width, height }, mark) {
  const { ctx, colors } = pen;
  ctx.setLineDash(mark === "wrong" ? [5, 3] : []);
  ctx.strokeStyle = { right: colors.good, wrong: colors.bad, chosen: colors.text }[mark] ?? colors.line;
  ctx.lineWidth = mark ? 3 : 1;
  const out = mark ? 1.5 : 0.5;
  ctx.strokeRect(x - out, y - out, width + 2 * out, height + 2 * out);
  ctx.setLineDash([]);
}
