/** The chain rule of one leaf: the product along a path in the direction of the graph, with one factor boxed. */

import { button, el } from "./dom.js";
import { edgeEquation } from "./inspector.js";
import { jumpButton } from "./jump.js";
import { mathNode } from "./math.js";
import { aligned } from "./matrix.js";
import { consumerOf, shapeOfSource, slotAt, stepAt, titleOf } from "./model.js";

const LONGEST_NUMBER = 9;
const DIGITS = 4;
const REUSED = "↺";
const PULLED = "Each factor is a Jacobian; the gradient is pulled through them from right to left.";

/** Creates the panel; its own state is the leaf, the path and the boxed factor. */
export function createChain(actions) {
  const element = el("div", { class: "gv-chain" });
  const panel = { element, actions, state: null, leaf: null, path: 0, factor: 0, seen: null, shown: [null] };
  return {
    element,
    show: (state) => show(panel, state),
    nextFactor: () => nextFactor(panel),
    chooseLeaf: (id) => choose(panel, id),
  };
}

function show(panel, state) {
  panel.state = state;
  const { chains } = state.model;
  if (!chains.has(panel.leaf)) Object.assign(panel, { leaf: chains.keys().next().value ?? null, path: 0, factor: 0 });
  followStep(panel);
  const shown = [state.model, panel.leaf, panel.path, panel.factor];
  if (panel.shown.every((part, index) => part === shown[index])) return;
  render(panel);
}

/** While the backward pass runs, the box stands on the edge that it is passing. */
function followStep(panel) {
  const { model, k } = panel.state;
  const edge = stepAt(model, k)?.edge;
  if (!edge || panel.seen === edge) return;
  panel.seen = edge;
  const paths = model.chains.get(panel.leaf)?.paths ?? [];
  const here = paths[panel.path]?.edges.indexOf(edge) ?? -1;
  if (here >= 0) panel.factor = here;
  else {
    const path = paths.findIndex(({ edges }) => edges.includes(edge));
    if (path >= 0) Object.assign(panel, { path, factor: paths[path].edges.indexOf(edge) });
  }
}

function choose(panel, leaf) {
  if (!panel.state?.model.chains.has(leaf)) return;
  Object.assign(panel, { leaf, path: 0, factor: 0, seen: null });
  followStep(panel);
  render(panel);
}

function nextFactor(panel) {
  const path = panel.state.model.chains.get(panel.leaf)?.paths[panel.path];
  if (!path) return;
  panel.factor = (panel.factor + 1) % path.edges.length;
  render(panel);
}

function render(panel) {
  const { model } = panel.state;
  panel.shown = [model, panel.leaf, panel.path, panel.factor];
  const chain = model.chains.get(panel.leaf);
  if (!chain) {
    panel.element.replaceChildren(el("p", { class: "gv-quiet" }, "No input's gradient is wanted, so there is no chain to show."));
    return;
  }
  const path = chain.paths[panel.path];
  const parts = [leafButtons(panel, model), el("p", { class: "gv-quiet" }, pathWords(chain))];
  if (chain.paths.length > 1) parts.push(pathList(panel, chain));
  if (path) parts.push(product(panel, chain, path), boxedFactor(panel, chain, path));
  panel.element.replaceChildren(...parts);
}

function leafButtons(panel, model) {
  const buttons = [...model.chains].map(([id, chain]) => {
    const pressed = String(id === panel.leaf);
    return button({ class: "gv-chip", "aria-pressed": pressed }, () => choose(panel, id), mathNode(chain.math));
  });
  return el("div", { class: "gv-chips gv-leaves" }, ...buttons);
}

function pathWords({ count, paths }) {
  if (count === 1) return "One path from the leaf to the output: a single product, in the direction of the graph.";
  const shown = paths.length < count ? `, the first ${paths.length} are listed` : "";
  return `${count} paths lead to the output: the gradient is the sum of ${count} products${shown}.`;
}

function pathList(panel, chain) {
  const rows = chain.paths.map(({ edges, value }, index) => {
    const names = edges.map((edge) => titleOf(panel.state.model, consumerOf(edge)));
    const pick = () => {
      Object.assign(panel, { path: index, factor: 0 });
      render(panel);
    };
    const route = el("span", { class: "gv-route", title: names.join(" → ") }, `${index + 1}. ${abridged(names)}`);
    const result = el("b", {}, value.includes("\n") ? "" : value);
    return button({ class: "gv-path", "aria-pressed": String(index === panel.path) }, pick, route, result);
  });
  const total = el("p", { class: "gv-total" }, mathNode(chain.math), el("span", {}, "="), valueText(chain.value));
  return el("div", { class: "gv-paths" }, ...rows, total);
}

function abridged(names) {
  const shown = names.length > 5 ? [...names.slice(0, 2), "…", ...names.slice(-2)] : names;
  return shown.join(" → ");
}

function valueText(text) {
  return el("b", { class: text.includes("\n") ? "gv-gradient-text gv-lines" : "gv-gradient-text" }, aligned(text));
}

/** Each factor is a column: the derivative, its number, and (for a single path) the running gradient under it. */
function product(panel, chain, path) {
  const single = chain.count === 1;
  const lead = column("gv-lead", el("span", {}, mathNode(chain.math), " ="), "=", single ? " " : null);
  const columns = path.edges.map((edge, index) => factor(panel, chain, path, edge, index, single));
  const value = path.value ? el("p", { class: "gv-total" }, "=", valueText(path.value)) : null;
  const legend = single ? el("p", { class: "gv-quiet" }, "Under each number: the running gradient, built from right to left.") : null;
  const factors = el("div", { class: "gv-factors" }, lead, ...columns);
  const matrices = path.edges.some((edge) => panel.state.model.edges.get(edge).jacobian);
  const pulled = matrices ? el("p", { class: "gv-quiet" }, PULLED) : null;
  return el("section", { class: "gv-product", "aria-label": "Product of local derivatives" }, factors, value, legend, pulled);
}

function column(name, ...cells) {
  const kinds = ["gv-derivative", "gv-number", "gv-running"];
  return el("div", { class: name }, ...cells.map((cell, row) => (cell === null ? null : el("span", { class: kinds[row] }, cell))));
}

function factor(panel, chain, path, edge, index, single) {
  const { model } = panel.state;
  const info = model.edges.get(edge);
  const boxed = index === panel.factor;
  const reused = reuse(panel, chain, edge);
  const running = single ? short(lastText(model, edge), shapeOfSource(model, edge)) : null;
  const cells = column("gv-cells", mathNode(info.math), info.short || jacobianSize(info) || short(info.local, info.shape), running);
  const pick = () => {
    panel.factor = index;
    render(panel);
  };
  const name = boxed ? "gv-factor gv-boxed" : "gv-factor";
  const title = reused ? `already computed, ${reused}` : null;
  const element = button({ class: name, "aria-pressed": String(boxed), title }, pick, cells);
  if (reused) element.append(el("span", { class: "gv-reused", "aria-hidden": "true" }, REUSED));
  return element;
}

/** For whom else the gradient at this edge is computed: in the payload's words, or built from the leaves behind the edge. */
function reuse(panel, chain, edge) {
  if (chain.reused) return chain.reused[edge];
  const { leaves = [], leaves_count: count = leaves.length } = panel.state.model.edges.get(edge);
  const others = leaves.filter((title) => title !== titleOf(panel.state.model, panel.leaf));
  const rest = count - 1 - others.length;
  const words = [others.join(", "), rest > 0 ? `${rest} more` : ""].filter(Boolean).join(" and ");
  return words && `also used for ${words}`;
}

/** A Jacobian that no line of numbers shows is represented by its size. */
function jacobianSize({ jacobian }) {
  return jacobian ? el("span", { class: "gv-shape" }, jacobian) : null;
}

function localNumber(text) {
  if (!text.includes("\n")) return text ? el("p", {}, `= ${text}`) : null;
  return el("p", { class: "gv-total" }, "=", el("span", { class: "gv-matrix" }, aligned(text)));
}

function lastText(model, edge) {
  return slotAt(model, `contribution:${edge}`, model.total).text;
}

/** A number rounded for its column; anything longer is represented by its shape. */
function short(text, shape) {
  const number = Number(text.replace("−", "-"));
  if (text.trim() && Number.isFinite(number)) return String(Number(number.toPrecision(DIGITS))).replace("-", "−");
  const long = text.includes("\n") || text.length > LONGEST_NUMBER;
  return long ? el("span", { class: "gv-shape" }, shape) : text;
}

function boxedFactor(panel, chain, path) {
  const { model } = panel.state;
  const edge = path.edges[panel.factor];
  const info = model.edges.get(edge);
  const reused = reuse(panel, chain, edge);
  const own = el("p", { class: "gv-own" }, edgeEquation(info));
  return el(
    "section", { class: "gv-section gv-under" },
    el("h3", {}, "The boxed factor"), own, localNumber(info.local),
    reused ? el("p", { class: "gv-note-reused" }, `${REUSED} already computed, ${reused}`) : null,
    el("p", { class: "gv-actions" }, jumpButton(info.step, panel.actions)),
  );
}
