/** Colours of the live view: tables for light and dark pages, and palettes as look-up tables of 256 colours. */

const LIGHT = {
  text: "#1b2330", muted: "#5b6470", line: "#d3d9e0", strong: "#8b95a1", bg: "#ffffff", good: "#00785a", bad: "#b34e00",
  series: ["#0072b2", "#c24f00", "#00805c", "#9b3f7d", "#8a5a00", "#3485b8", "#4a4a4a", "#a03030"],
  classes: ["#0072b2", "#d55e00", "#009e73", "#9b3f7d", "#b58900", "#56b4e9", "#4a4a4a", "#a03030", "#6b5bd2", "#7a8a00"],
  signed: ["#004a80", "#2f86bd", "#9cc8e4", "#f6f6f4", "#f4b68f", "#d9691e", "#8f3400"],
};
const DARK = {
  text: "#e9edf2", muted: "#a9b1bc", line: "#343c48", strong: "#7c8694", bg: "#0e1117", good: "#4fd1a8", bad: "#ffa366",
  series: ["#6cb6ee", "#ff9d5c", "#4fd1a8", "#e79ac9", "#f0c05a", "#b9dcf7", "#d5d5d5", "#ff9c8f"],
  classes: ["#6cb6ee", "#f2843a", "#2fbf92", "#e79ac9", "#f0c05a", "#b9dcf7", "#d5d5d5", "#ff9c8f", "#a99cf5", "#bccb4b"],
  signed: ["#9ad4ff", "#4a9bd6", "#235580", "#15181d", "#80401a", "#d9762c", "#ffbd8a"],
};
const HEAT = ["#0d1440", "#1d3f78", "#2c7390", "#4fa891", "#a5d28c", "#fff3b3"];

const tables = new Map();

/** Everything that is drawn with on a light or a dark page. */
export function colorsOf(theme, background) {
  const key = `${theme} ${background}`;
  if (!tables.has(key)) {
    const colors = { ...(theme === "dark" ? DARK : LIGHT), theme };
    if (background) colors.bg = background;
    colors.palettes = { grey: table(["#000000", "#ffffff"]), ink: table(["#ffffff", "#000000"]), heat: table(HEAT), signed: table(colors.signed) };
    tables.set(key, colors);
  }
  return tables.get(key);
}

function table(anchors) {
  const points = anchors.map(channels);
  const colors = new Uint8ClampedArray(256 * 3);
  for (let i = 0; i < 256; i += 1) {
    const at = (i / 255) * (points.length - 1);
    const below = Math.min(points.length - 2, Math.floor(at));
    for (let c = 0; c < 3; c += 1) colors[3 * i + c] = points[below][c] + (at - below) * (points[below + 1][c] - points[below][c]);
  }
  return colors;
}

/** Red, green and blue, 0 to 255, of a colour written as #rrggbb. */
export function channels(hex) {
  return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
}

/** A colour of a palette as CSS; `share` is 0 to 1. */
export function shade(lut, share) {
  const at = 3 * Math.round(255 * Math.min(1, Math.max(0, share)));
  return `rgb(${lut[at]},${lut[at + 1]},${lut[at + 2]})`;
}

/** Black or white, whichever is read better on a palette's colour. */
export function inkOn(lut, share) {
  const at = 3 * Math.round(255 * Math.min(1, Math.max(0, share)));
  return 0.299 * lut[at] + 0.587 * lut[at + 1] + 0.114 * lut[at + 2] > 140 ? "#000000" : "#ffffff";
}

/** Two colours mixed; `share` of the second. */
export function mix(first, second, share) {
  const [a, b] = [channels(first), channels(second)];
  return a.map((value, c) => value + share * (b[c] - value));
}
