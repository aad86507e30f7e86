/** The strip under the graph: what the step says in one sentence and, typeset, where its number comes from. */

import { el, setText } from "./dom.js";
import { mathNode, strut } from "./math.js";
import { stepAt } from "./model.js";

const LARGEST = 24;
const COMFORTABLE = 19;
const SMALLEST = 14;
const WRAPPED = [19, 17, 15];
const SCROLLING = [17, 14];
const ROW_ONLY = "gv-row-only";
const SHAPES = {
  input: "input", parameter: "its gradient is wanted", operation: "operation", output: "output",
  group: "group", dashed: "no gradient flows here",
};
const START = "Nothing is computed yet: only the inputs have values. Press → to take the first step.";

/** Creates the strip; `say` writes the words, `show` the formulas, `fit` makes long formulas smaller and then scrollable. */
export function createDerivation() {
  const parts = {
    sentence: el("p", { class: "gv-sentence" }),
    stages: el("div", { class: "gv-stages", tabindex: -1 }),
    note: el("p", { class: "gv-note" }),
  };
  return {
    element: el("section", { class: "gv-derivation", "aria-label": "Derivation" }, parts.sentence, parts.stages, parts.note),
    say: (state) => say(parts, state),
    show: (state) => show(parts, state),
    fit: () => fit(parts.stages),
  };
}

function say(parts, { model, k }) {
  const step = stepAt(model, k);
  setText(parts.sentence, step ? step.sentence : START);
  setText(parts.note, step?.note ?? "");
}

function show(parts, { model, k }) {
  const step = stepAt(model, k);
  parts.stages.dataset.kind = step?.kind ?? "";
  parts.stages.className = step ? "gv-stages" : "gv-stages gv-keys";
  parts.stages.replaceChildren(...(step ? step.stages.map(drawStage) : shapeKeys(model)));
}

/** Before the first step: what the shapes in this graph mean. */
function shapeKeys(model) {
  const roles = new Set([...model.boxes.values()].map(({ role }) => role));
  if ([...model.links.values()].some(({ dashed }) => dashed)) roles.add("dashed");
  return Object.entries(SHAPES).filter(([name]) => roles.has(name)).map(([name, words]) => el("span", { class: `gv-key gv-${name}` }, words));
}

function drawStage({ label, math }, index, all) {
  const name = index === all.length - 1 ? "gv-stage gv-newest" : "gv-stage";
  return el("div", { class: name }, el("div", { class: "gv-formula" }, strut(), mathNode(math)), el("div", { class: "gv-label" }, label));
}

/** One row as large as fits, else wrapped between stages, else one small row; what is longer still scrolls sideways, its end in sight. */
function fit(stages) {
  if (stages.classList.contains("gv-keys")) return;
  const { across, down } = arrange(stages, LARGEST, ROW_ONLY);
  let row = Math.floor(LARGEST * Math.min(across, down));
  while (row < LARGEST && row >= SMALLEST && !isWhole(arrange(stages, row, ROW_ONLY))) row -= 1;
  if (row >= COMFORTABLE || (down <= across && row >= SMALLEST)) return;
  if (WRAPPED.some((size) => isWhole(arrange(stages, size, "")))) return;
  if (row >= SMALLEST) arrange(stages, row, ROW_ONLY);
  else {
    SCROLLING.some((size) => arrange(stages, size, `${ROW_ONLY} gv-long`).down === 1);
    stages.scrollLeft = stages.scrollWidth;
  }
}

/** Lays the stages out and says how much of them is visible then. */
function arrange(stages, size, name) {
  stages.style.fontSize = `${size}px`;
  stages.className = `gv-stages ${name}`;
  const { clientWidth, scrollWidth, clientHeight, scrollHeight } = stages;
  return { across: share(clientWidth, scrollWidth), down: share(clientHeight, scrollHeight) };
}

function isWhole({ across, down }) {
  return across === 1 && down === 1;
}

/** How much of a content's length is visible; a rounding of 1 px does not count. */
function share(room, content) {
  return content <= room + 1 ? 1 : room / content;
}
