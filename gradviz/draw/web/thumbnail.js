/** A small image beside the text of a value or gradient, in a few levels: one path per level. */

import { svg } from "./dom.js";

const MIDDLE = 4; // the level of 0 where there are two signs; levels run from 0 to 8

/** Rows of digits as filled squares; `area` is [left, top, width, height]. */
export function drawThumbnail(rows, [left, top, width, height], signed) {
  const across = width / rows[0].length;
  const down = height / rows.length;
  const paths = new Map();
  rows.forEach((row, i) => {
    [...row].forEach((digit, j) => {
      const square = `M${(left + j * across).toFixed(2)} ${(top + i * down).toFixed(2)}h${across.toFixed(2)}v${down.toFixed(2)}h${(-across).toFixed(2)}z`;
      paths.set(digit, (paths.get(digit) ?? "") + square);
    });
  });
  const levels = [...paths].map(([digit, d]) => svg("path", { class: levelClass(Number(digit), signed), d }));
  const frame = svg("rect", { class: "gv-thumb-frame", x: left, y: top, width, height });
  return svg("g", { class: "gv-thumb" }, frame, ...levels);
}

function levelClass(level, signed) {
  if (!signed) return `gv-grey gv-level-${level}`;
  return `${level < MIDDLE ? "gv-below" : "gv-above"} gv-level-${2 * Math.abs(level - MIDDLE)}`;
}
