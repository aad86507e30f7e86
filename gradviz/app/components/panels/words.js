/** Panels of words: tables, text and code, and the four stages of the training loop. */

import { el, setText } from "./dom.js";
import { number } from "./pen.js";

/** A small table; numbers to four digits, right aligned. */
export function createTable() {
  const body = el("tbody");
  const head = el("tr");
  const element = el("div", { class: "lv-scroll" }, el("table", { class: "lv-table" }, el("thead", {}, head), body));
  let lit = null;
  const resizing = new ResizeObserver(() => reveal(element, lit));
  resizing.observe(element);
  const update = ({ columns, cells, highlight }) => {
    head.replaceChildren(...columns.map((name, c) => el("th", { scope: "col", class: cells.some((row) => typeof row[c] === "number") ? "lv-number" : null }, name)));
    body.replaceChildren(...cells.map((row, r) => el("tr", { class: r === highlight ? "lv-lit" : null }, ...row.map(cell))));
    reveal(element, (lit = body.children[highlight] ?? null));
  };
  return { element, update, destroy: () => resizing.disconnect() };
}

/** Scrolls the panel, and nothing else, until the row can be seen. */
function reveal(element, row) {
  if (!row) return;
  const [seen, wanted] = [element.getBoundingClientRect(), row.getBoundingClientRect()];
  if (wanted.bottom > seen.bottom) element.scrollTop += wanted.bottom - seen.bottom;
  else if (wanted.top < seen.top + wanted.height) element.scrollTop -= seen.top + wanted.height - wanted.top;
}

function cell(value) {
  return typeof value === "string" ? el("td", {}, value) : el("td", { class: "lv-number" }, number(value, 4));
}

/** Lines of text or code, some of them lit. */
export function createText() {
  const element = el("div", { class: "lv-scroll lv-text" });
  const update = ({ lines, mono, big, lit }) => {
    element.classList.toggle("lv-mono", Boolean(mono));
    element.classList.toggle("lv-big", Boolean(big));
    element.replaceChildren(...lines.map((line, i) => el("p", { class: lit?.includes(i) ? "lv-lit" : null }, line || "\u00a0")));
  };
  return { element, update, destroy: () => {} };
}

const STAGES = { sample: "a batch", forward: "loss", backward: "gradients", update: "W ← W − α ∂L/∂W" };

/** The ribbon of the loop; the stage that runs is lit, pointed at and named. */
export function createLoop() {
  const items = Object.keys(STAGES).map((stage, i) => {
    const text = el("span", { class: "lv-stage-text" });
    return { stage, text, element: el("li", { class: "lv-stage" }, el("b", {}, `${i + 1} ${stage}`), text) };
  });
  const element = el("ol", { class: "lv-loop", "aria-label": "The training loop" }, ...items.map((item) => item.element));
  const update = ({ stage, texts }) => {
    for (const item of items) {
      const lit = item.stage === stage;
      item.element.classList.toggle("lv-lit", lit);
      if (lit) item.element.setAttribute("aria-current", "step");
      else item.element.removeAttribute("aria-current");
      setText(item.text, texts?.[item.stage] ?? STAGES[item.stage]);
    }
  };
  return { element, update, destroy: () => {} };
}
