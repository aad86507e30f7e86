/** Bytes that arrived as text become images, and lines where a number crosses a level. */

import { shade } from "./colors.js";

/** The bytes of a packed stack of images. */
export function decode(text) {
  const raw = atob(text);
  const bytes = new Uint8ClampedArray(raw.length);
  for (let i = 0; i < raw.length; i += 1) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

/** Numbers that arrived as text, 4 bytes each. */
export function decodeFloats(text) {
  return new Float32Array(decode(text).buffer);
}

/** The images of a packed stack as {w, h, bytes, rgb}. */
export function unstack(stack) {
  const bytes = decode(stack.data);
  const size = stack.w * stack.h * (stack.rgb ? 3 : 1);
  return Array.from({ length: stack.n }, (_, i) => ({ w: stack.w, h: stack.h, rgb: stack.rgb, bytes: bytes.subarray(i * size, (i + 1) * size) }));
}

/** One image as a canvas of its own size. */
export function toCanvas({ w, h, bytes, rgb }, lut) {
  const pixels = new Uint8ClampedArray(w * h * 4);
  for (let i = 0; i < w * h; i += 1) {
    for (let c = 0; c < 3; c += 1) pixels[4 * i + c] = rgb ? bytes[3 * i + c] : lut[3 * bytes[i] + c];
    pixels[4 * i + 3] = 255;
  }
  return fromPixels(pixels, w, h);
}

/** Red, green, blue and opacity of every pixel as a canvas, which is good until the next image of its size. */
export function fromPixels(pixels, w, h) {
  const ctx = scratch("pixels", w, h);
  ctx.putImageData(new ImageData(pixels, w, h), 0, 0);
  return ctx.canvas;
}

const drawn = new Map();

/** A canvas that is used again and again: making one for every small image is what takes the time. */
function scratch(purpose, width, height) {
  const key = `${purpose} ${width} ${height}`;
  if (!drawn.has(key)) {
    if (drawn.size > 64) drawn.clear();
    const canvas = Object.assign(document.createElement("canvas"), { width, height });
    drawn.set(key, canvas.getContext("2d", { willReadFrequently: true }));
  }
  return drawn.get(key);
}

/** Draws an image into a box, its pixels as even squares where they are enlarged. */
export function drawImage(pen, canvas, x, y, width, height) {
  const factor = (width * pen.ratio) / canvas.width;
  const whole = Math.abs(factor - Math.round(factor)) < 0.01;
  pen.ctx.imageSmoothingEnabled = factor < 1 || !whole;
  pen.ctx.imageSmoothingQuality = "high";
  // Enlarged by a whole factor first, so that no pixel comes out wider than its neighbour.
  pen.ctx.drawImage(factor > 1 && !whole ? enlarged(canvas, Math.ceil(factor)) : canvas, x, y, width, height);
  pen.ctx.imageSmoothingEnabled = true;
}

function enlarged(canvas, factor) {
  const ctx = scratch("enlarged", canvas.width * factor, canvas.height * factor);
  ctx.imageSmoothingEnabled = false;
  ctx.drawImage(canvas, 0, 0, ctx.canvas.width, ctx.canvas.height);
  return ctx.canvas;
}

/** Adds to the current path the lines on which `value(column, row)` is 0; `place` maps a sample to px. */
export function contour(ctx, w, h, value, place) {
  const cross = (a, b, from, to) => {
    const share = a / (a - b);
    return place(from[0] + share * (to[0] - from[0]), from[1] + share * (to[1] - from[1]));
  };
  for (let j = 0; j + 1 < h; j += 1) {
    for (let i = 0; i + 1 < w; i += 1) {
      const corners = [[i, j], [i + 1, j], [i + 1, j + 1], [i, j + 1]];
      const values = corners.map(([column, row]) => value(column, row));
      const points = [];
      for (let side = 0; side < 4; side += 1) {
        const next = (side + 1) % 4;
        if (values[side] > 0 !== values[next] > 0) points.push(cross(values[side], values[next], corners[side], corners[next]));
      }
      for (let k = 0; k + 1 < points.length; k += 2) {
        ctx.moveTo(...points[k]);
        ctx.lineTo(...points[k + 1]);
      }
    }
  }
}

/** A bar of a palette with its two ends, and 0 where the palette is signed, written beside it. */
export function drawScale(pen, lut, signed, ends, x, y, room) {
  const [left, right] = ends;
  const [before, after] = [pen.measure(left), pen.measure(right)];
  const length = Math.min(120, room - before - after - 16);
  if (length < 24) return;
  pen.text(left, x, y);
  const start = x + before + 8;
  for (let i = 0; i < length; i += 1) {
    pen.ctx.fillStyle = shade(lut, i / (length - 1));
    pen.ctx.fillRect(start + i, y - 5, 1.5, 10);
  }
  pen.ctx.strokeStyle = pen.colors.strong;
  pen.ctx.lineWidth = 1;
  pen.ctx.strokeRect(start - 0.5, y - 5.5, length + 1, 11);
  if (signed) pen.line(start + length / 2, y - 8, start + length / 2, y + 8);
  pen.text(right, start + length + 8, y);
}
