/** Arrays written out row by row: "[1 −2]\n[3 4]", or as numpy prints them. */

/** The rows with every entry padded to its column, for letters of one width. */
export function aligned(text) {
  if (!text.includes("\n") || !text.includes("[")) return text;
  const rows = text.split("\n").map((line) => {
    const [, before, entries, after] = /^(.*\[|\s*)([^\]]*)(.*)$/.exec(line);
    return { before, cells: entries.split(/\s+/).filter(Boolean), after };
  });
  const margin = Math.max(...rows.map(({ before }) => before.length));
  const widths = [];
  for (const { cells } of rows) cells.forEach((cell, at) => (widths[at] = Math.max(widths[at] ?? 0, cell.length)));
  return rows
    .map(({ before, cells, after }) => (cells.length ? before.padStart(margin) + cells.map((cell, at) => cell.padStart(widths[at])).join(" ") + after : ""))
    .join("\n");
}
