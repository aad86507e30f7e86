/** All steps as a list. Only the rows in view exist, so that a list of thousands scrolls freely. */

import { el } from "./dom.js";

const ROW = 38;
const SPARE = 6;
const SIGNS = { forward: "→", seed: "◆", backward: "←" };

/** Creates the panel; rows have one fixed height, so a row's place follows from its number. */
export function createStepList(actions) {
  const rows = el("div", { class: "gv-rows", role: "listbox", "aria-label": "Steps" });
  const element = el("div", { class: "gv-steplist", tabindex: -1 }, rows);
  const panel = { element, rows, model: null, k: 0, first: -1, last: -1 };
  element.addEventListener("scroll", () => drawRows(panel));
  rows.addEventListener("click", (event) => {
    const row = event.target.closest("[data-k]");
    if (row) actions.go(Number(row.dataset.k));
  });
  return { element, show: (state) => show(panel, state) };
}

function show(panel, { model, k }) {
  if (panel.model !== model) {
    panel.rows.style.height = `${(model.total + 1) * ROW}px`;
    panel.first = -1;
  }
  mark(panel, false);
  Object.assign(panel, { model, k });
  mark(panel, true);
  const { element } = panel;
  const top = k * ROW;
  if (top < element.scrollTop + ROW || top > element.scrollTop + element.clientHeight - 2 * ROW) {
    element.scrollTop = top - element.clientHeight / 2 + ROW / 2;
  }
  drawRows(panel);
}

function mark({ rows, first, last, k }, current) {
  if (first >= 0 && k >= first && k <= last) rows.children[k - first]?.setAttribute("aria-selected", String(current));
}

function drawRows(panel) {
  const { element, rows, model, k } = panel;
  if (!model) return;
  const first = Math.max(0, Math.floor(element.scrollTop / ROW) - SPARE);
  const last = Math.min(model.total, Math.ceil((element.scrollTop + element.clientHeight) / ROW) + SPARE);
  if (first === panel.first && last === panel.last) return;
  Object.assign(panel, { first, last });
  const drawn = [];
  for (let at = first; at <= last; at += 1) drawn.push(drawRow(model, at, at === k));
  rows.replaceChildren(...drawn);
}

function drawRow(model, at, current) {
  const step = at ? model.steps[at - 1] : { kind: "start", title: "only the inputs" };
  const attributes = {
    class: `gv-row gv-${step.kind}${step.hidden ? " gv-folded" : ""}`, role: "option", title: step.title, "data-k": at,
    "aria-selected": String(current), "aria-posinset": at + 1, "aria-setsize": model.total + 1,
  };
  const sign = el("span", { class: "gv-sign", "aria-label": step.kind }, SIGNS[step.kind] ?? "·");
  const title = el("span", { class: "gv-title" }, step.title);
  const row = el("div", attributes, el("span", { class: "gv-number" }, at), sign, title);
  row.style.top = `${at * ROW}px`;
  return row;
}
