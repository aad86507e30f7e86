/** The inspector: everything known about the selected node or edge after k steps. */

import { button, el } from "./dom.js";
import { jumpButton } from "./jump.js";
import { equation, mathNode } from "./math.js";
import { aligned } from "./matrix.js";
import { DASH, consumerOf, folding, settled, shapeOfSource, slotAt, stepAt, titleOf } from "./model.js";
import { createPictures, pictureSection } from "./picture.js";

const ROLES = {
  input: "input", parameter: "input: its gradient is wanted", operation: "operation", output: "output", group: "group, folded",
};

/** Creates the panel; it follows the step until something is selected. */
export function createInspector(actions) {
  const element = el("div", { class: "gv-inspector" });
  const tools = { ...actions, pictures: createPictures(actions) };
  return { element, show: (state) => element.replaceChildren(...content(state, tools)) };
}

function content(state, actions) {
  const { model, k, selection } = state;
  const step = stepAt(model, k);
  if (selection?.kind === "edge" && model.edges.has(selection.id)) return edgeContent(state, selection.id, actions);
  const id = selection?.id ?? step?.node;
  const box = model.boxes.get(id);
  if (box?.group && model.nodes.has(box.shows)) return nodeContent(state, box.shows, actions, box);
  if (!id || !model.nodes.has(id)) return introduction(model);
  const origin = selection ? null : el("p", { class: "gv-origin" }, "following the step");
  return [origin, ...nodeContent(state, id, actions)].filter(Boolean);
}

function introduction(model) {
  const lines = model.payload.conventions.map((text) => el("li", {}, text));
  return [
    el("h2", { class: "gv-heading" }, "How to read the graph"),
    el("ul", { class: "gv-conventions" }, ...lines),
    el("p", { class: "gv-quiet" }, "Click a node or an edge to inspect it. Press ? for the keys."),
  ];
}

/** What is known about a node; for a folded box, about the node that the box shows. */
function nodeContent({ model, k }, id, actions, box = null) {
  const info = model.nodes.get(id);
  const computed = k >= (model.computedAt.get(id) ?? 0);
  const drawn = drawnParts(model, k, id);
  return [
    el("h2", { class: "gv-heading" }, mathNode(info.math)),
    el("p", { class: "gv-quiet" }, kindWords(info)),
    box ? section("Folded into this box", memberNames(model, box, id, actions)) : null,
    info.warning ? el("p", { class: "gv-warning" }, `⚠ ${info.warning}`) : null,
    numbers([
      ["value", drawn?.value ? "" : computed ? valueWords(model, id) : DASH, "gv-value-text"],
      ["gradient", drawn?.gradient ? "" : gradientWords(model, id, k), "gv-gradient-text"],
      ["shape", info.shape], ["options", info.options],
    ]),
    drawn ? pictureSection(actions.pictures, model, id, drawn) : null,
    info.arguments.length ? section("Arguments", argumentTable(model, k, info.arguments, actions)) : null,
    savedSection(info.saved),
    info.why ? section("Why", el("p", {}, info.why)) : null,
    info.convention ? section("Convention", el("p", {}, info.convention)) : null,
    info.used_by.length ? section("Used by", links(model, info.used_by, actions)) : null,
    info.line ? section("Source", el("code", { class: "gv-source" }, info.line)) : null,
    codeSection(model.payload.code?.[info.op]),
    foldButtons(model, box?.id ?? id, actions),
  ].filter(Boolean);
}

/** What is in a folded box; the parameters and parts of a layer can be inspected without unfolding it. */
function memberNames(model, box, id, actions) {
  const members = box.members ?? [];
  if (!model.payload.layered) return el("p", {}, members.map((node) => titleOf(model, node)).join(", "));
  return el("p", { class: "gv-chips" }, ...members.filter((node) => node !== id).map((node) => chip(model, node, actions)));
}

/** Which of value and gradient are shown as images by now; null when the node has no images. */
function drawnParts(model, k, id) {
  const parts = model.payload.pictures?.[id];
  if (!parts) return null;
  const computed = k >= (model.computedAt.get(id) ?? 0);
  return { value: Boolean(parts.value) && computed, gradient: Boolean(parts.gradient) && settled(model, `gradient:${id}`, k) };
}

/** All digits of an array; of a number what the graph shows, its digits are a line of their own. */
function valueWords(model, id) {
  const { value } = model.nodes.get(id);
  const { text } = slotAt(model, `value:${id}`, model.total);
  return isNumber(text) && isNumber(value) ? { text, exact: value } : value;
}

function isNumber(text) {
  return text.trim() !== "" && Number.isFinite(Number(text.replaceAll("−", "-")));
}

function gradientWords(model, id, k) {
  return model.slots.has(`gradient:${id}`) ? precise(slotAt(model, `gradient:${id}`, k)) : "not wanted";
}

function codeSection(code) {
  if (!code) return null;
  return el("details", { class: "gv-code" }, el("summary", {}, "As code"), el("pre", { class: "gv-source" }, code));
}

function kindWords({ role, operation }) {
  const words = ROLES[role] ?? role;
  return operation && operation !== "input" ? `${words} · ${operation}` : words;
}

function numbers(rows) {
  const list = el("dl", { class: "gv-numbers" });
  for (const [name, words, kind] of rows) {
    const { text, exact } = words?.text === undefined ? { text: words } : words;
    if (!text) continue;
    const digits = exact && exact !== text ? el("span", { class: "gv-exact gv-quiet" }, `exact ${exact}`) : null;
    list.append(el("dt", {}, name), el("dd", { class: `${colour(text, kind)} ${text.includes("\n") ? "gv-lines" : ""}` }, aligned(text), digits));
  }
  return list;
}

/** All digits; a matrix that is written out stays a matrix. */
function precise({ text, exact }) {
  if (isNumber(text)) return { text, exact };
  return (text.includes("\n") && text.startsWith("[") ? text : exact || text) || DASH;
}

function colour(text, kind = "") {
  return text === DASH ? "gv-quiet" : kind;
}

function section(title, ...children) {
  return el("section", { class: "gv-section" }, el("h3", {}, title), ...children);
}

/** Per argument: the local derivative as formula and number, and the contribution that flows through it. */
function argumentTable(model, k, ids, actions) {
  const current = stepAt(model, k)?.edge;
  const rows = ids.filter((id) => model.edges.has(id)).map((id) => argumentRow(model, k, id, id === current, actions));
  return el("div", { class: "gv-arguments" }, ...rows);
}

function argumentRow(model, k, id, current, actions) {
  const info = model.edges.get(id);
  const formula = el("span", { class: "gv-equation" }, edgeEquation(info));
  const local = el("span", { class: "gv-local" }, info.local ? "local " : "", el("b", {}, brief(info.local, info.shape)));
  const flowing = slotAt(model, `contribution:${id}`, k);
  const contribution = flowing.text || (flowing.exact ? shapeOfSource(model, id) : DASH);
  const amount = el("b", { class: colour(contribution, "gv-gradient-text") }, brief(contribution, shapeOfSource(model, id)));
  const flow = el("span", { class: "gv-quiet" }, "contributes ", amount);
  const name = current ? "gv-argument gv-current" : "gv-argument";
  const pick = () => actions.select({ kind: "edge", id });
  return button({ class: name, title: "Inspect this edge" }, pick, formula, el("span", { class: "gv-pair" }, local, flow));
}

/** What the edge's formula says: the local derivative, or the gradient that is pulled back through the edge. */
export function edgeEquation({ math, left, formula }) {
  return formula ? equation(left ?? math, "=", formula) : mathNode(math);
}

function brief(text, shape) {
  return text.includes("\n") ? shape : text;
}

function savedSection(saved) {
  if (!saved.length) return null;
  const total = saved.reduce((sum, { bytes }) => sum + bytes, 0);
  const names = saved.map(({ name, bytes }) => `${name} (${bytes} B)`).join(", ");
  return section("Saved for backward", el("p", {}, `${names} · ${total} bytes in all`));
}

function links(model, edges, actions) {
  const users = new Set(edges.map((edge) => consumerOf(edge)));
  return el("p", { class: "gv-chips" }, ...[...users].map((id) => chip(model, id, actions)));
}

function chip(model, id, actions) {
  return button({ class: "gv-chip" }, () => actions.select({ kind: "node", id }), titleOf(model, id));
}

function foldButtons(model, id, actions) {
  const { openable, foldable } = folding(model, id);
  const entry = canOpenEntry(model, id);
  if (!openable && !foldable && !entry) return null;
  const open = openable ? button({ class: "gv-action" }, () => actions.open(id), openWords(model, id)) : null;
  const fold = foldable ? button({ class: "gv-action" }, () => actions.fold(id), foldWords(model, id)) : null;
  const one = entry ? button({ class: "gv-action" }, () => actions.openEntry(id, null), "Open one entry") : null;
  return el("p", { class: "gv-actions" }, open, one, fold);
}

/** Beside an image the entry is chosen there. */
function canOpenEntry(model, id) {
  return Boolean(model.payload.elements && model.nodes.get(id)?.element && !model.payload.pictures?.[id]);
}

function openWords(model, id) {
  return model.boxes.get(id)?.group ? "Unfold: show its members" : "Open: show what is inside";
}

/** The parts of an opened operation are called "<operation>/<part>". */
function foldWords(model, id) {
  const opened = id.includes("/") || [...model.nodes.keys()].some((other) => other.startsWith(`${id}/`));
  return opened ? "Close: back to one operation" : `Fold its ${model.payload.layered ? "layer" : "line"} into one box`;
}

function edgeContent({ model, k }, id, actions) {
  const info = model.edges.get(id);
  const link = model.links.get(id);
  const consumer = consumerOf(id);
  const ends = [link?.source, consumer].filter(Boolean).map((node) => chip(model, node, actions));
  if (ends.length === 2) ends.splice(1, 0, el("span", { class: "gv-quiet" }, "→"));
  return [
    el("h2", { class: "gv-heading" }, edgeEquation(info)),
    el("p", { class: "gv-chips" }, ...ends),
    numbers([
      ["local", info.local], ["upstream", precise(slotAt(model, `gradient:${consumer}`, k)), "gv-gradient-text"],
      ["contribution", precise(slotAt(model, `contribution:${id}`, k)), "gv-gradient-text"],
      ["shape", info.shape], ["structure", info.structure], ["summed axes", info.summed],
    ]),
    info.zero ? el("p", { class: "gv-warning" }, "⚠ The local derivative is zero: nothing flows back here.") : null,
    link?.dashed ? el("p", { class: "gv-quiet" }, "No gradient flows along a dashed edge.") : null,
    el("p", { class: "gv-actions" }, jumpButton(info.step, actions)),
  ].filter(Boolean);
}
