/** One Jacobian: the graph on which its nodes are picked, the matrix as a heat map, and its formulas entry by entry. */

import { colorsOf } from "./colors.js";
import { el } from "./dom.js";
import { createHeatmap } from "./heatmap.js";
import { equation, IN } from "./math.js";
import { createPicker } from "./picker.js";
import { watchTheme } from "./theme.js";

/** Draws `data` = {graph, of, wrt, edges, view} inside `root`; `hooks.send({of, wrt})` tells of a pick. */
export function mount(root, data, hooks) {
  const picker = createPicker((picked) => hooks.send?.(picked));
  const heading = el("h2", { class: "jv-heading" });
  const badge = el("b", { class: "jv-badge" });
  const structure = el("p", { class: "jv-structure" });
  const heatmap = createHeatmap((at) => light(app, at));
  const formulas = el("section", { class: "jv-formulas", tabindex: 0, "aria-label": "The Jacobian as formulas" });
  const head = el("header", { class: "jv-head" }, heading, badge, structure);
  const view = el("div", { class: "gv jv" }, head, picker.element, heatmap.element, formulas);
  const app = { view, picker, heading, badge, structure, heatmap, formulas, data, tables: [] };
  root.append(view);
  const theme = watchTheme(root, view);
  const recolored = new MutationObserver(() => paint(app));
  recolored.observe(view, { attributes: true, attributeFilter: ["data-theme"] });
  const resizing = new ResizeObserver(() => (view.dataset.size = view.clientWidth < 720 ? "narrow" : "wide"));
  resizing.observe(view);
  show(app);
  return {
    update: (next) => {
      app.data = next;
      theme.apply();
      show(app);
    },
    destroy: () => {
      for (const observer of [recolored, resizing, picker, heatmap]) (observer.disconnect ?? observer.destroy).call(observer);
      theme.stop();
      view.remove();
    },
  };
}

function show(app) {
  const { view, graph, of, wrt, edges, paths } = app.data;
  app.picker.show(graph, { of, wrt, edges });
  app.heading.replaceChildren(equation(view.symbol));
  app.badge.replaceChildren(equation(IN, view.space));
  const single = view.shape.every((size) => size === 1);
  app.structure.replaceChildren(...(single ? [] : [el("b", {}, view.structure)]), view.words);
  write(app, view, paths);
  paint(app);
}

function paint(app) {
  const background = getComputedStyle(app.view).getPropertyValue("--st-background-color").trim();
  app.heatmap.show(app.data.view, colorsOf(app.view.dataset.theme, /^#[0-9a-f]{6}$/i.test(background) ? background : null));
}

/** The general form as a sum over paths, then every entry as a derivative, in symbols and in numbers. */
function write({ formulas }, view, paths) {
  const parts = [];
  view.general.forEach((form, i) => parts.push(i ? plus() : "=", form));
  if (parts.length && view.general.length < paths) parts.push(plus(), "<math><mo>⋯</mo></math>");
  const lines = [];
  if (parts.length) lines.push(line("general form", equation(view.symbol, ...parts), ...view.letters));
  const { written, numbers } = view;
  if (written && view.shape.some((size) => size > 1)) {
    const steps = [written.symbols, written.entries, numbers].filter((matrix, i, all) => matrix && matrix !== all[i - 1]);
    lines.push(line("entry by entry", equation(view.symbol, ...steps.flatMap((matrix) => ["=", matrix]))));
  }
  formulas.replaceChildren(...lines);
  formulas.hidden = !lines.length;
}

function plus() {
  return "<math><mo>+</mo></math>";
}

/** A formula under its label, and what its letters stand for. */
function line(label, math, ...letters) {
  const words = letters.map((text) => el("span", { class: "jv-letter" }, text));
  return el("div", { class: "jv-line" }, el("span", { class: "jv-label" }, label), el("div", { class: "jv-formula" }, math), ...words);
}

/** Marks the entry under the pointer in the written matrices too. */
function light({ formulas }, at) {
  for (const cell of formulas.querySelectorAll(".jv-lit")) cell.classList.remove("jv-lit");
  if (!at) return;
  for (const table of formulas.querySelectorAll("mtable")) {
    if (!table.parentElement.closest("mtable")) table.children[at.row]?.children[at.column]?.classList.add("jv-lit");
  }
}
