/** The card with the keyboard shortcuts. */

import { button, el, icon } from "./dom.js";

const KEYS = [
  ["→  ←", "step forward, back"],
  ["Home  End", "to the start, to the end"],
  ["Space", "play, pause"],
  ["+  −  0", "zoom in, out, fit"],
  ["Shift + arrows", "move the graph (or drag it)"],
  ["N  P", "select the next, previous node"],
  ["E", "select the next edge into that node"],
  ["Enter", "inspect the selection"],
  ["O", "open or fold the selected node"],
  ["1  2  3", "Inspector, Chain rule, Steps"],
  ["B", "box the next factor of the chain"],
  ["Esc", "close, then deselect"],
];

/** Creates the card, hidden; `load` adds how the graph is to be read. */
export function createHelp(close) {
  const rows = KEYS.flatMap(([keys, words]) => [el("dt", {}, ...keys.split("  ").map((key) => el("kbd", {}, key))), el("dd", {}, words)]);
  const shut = button({ class: "gv-control gv-close", "aria-label": "Close" }, close, icon("close"));
  const legend = el("ul", { class: "gv-conventions" });
  const attributes = { class: "gv-help", role: "dialog", "aria-label": "Keyboard shortcuts", tabindex: -1, hidden: true };
  const element = el("div", attributes, shut, el("h2", {}, "Keys"), el("dl", {}, ...rows), legend);
  return { element, load: (model) => legend.replaceChildren(...model.payload.conventions.map((text) => el("li", {}, text))) };
}
