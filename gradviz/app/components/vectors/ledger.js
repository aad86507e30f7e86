/** The shape ledger: a chain as factors with their shapes, an arrangement to put right, and the costs. */

import { createCosts } from "./costs.js";
import { button, el } from "./dom.js";
import { createExercise } from "./exercise.js";
import { equation, mathNode } from "./math.js";
import { watchTheme } from "./theme.js";

/** Draws `data` = {ledger, exercise, costs} inside `root`; `hooks.send(event)` tells what a person did. */
export function mount(root, data, hooks) {
  let home = data.exercise.home;  // the leaf, the product and the layout that an event is about
  const send = (event) => hooks.send?.({ ...event, home });
  const chain = el("section", { class: "lg-chain" });
  const exercise = createExercise(send);
  const costs = createCosts(send);
  const view = el("div", { class: "gv lg" }, chain, exercise.element, costs.element);
  root.append(view);
  const theme = watchTheme(root, view);
  const resizing = new ResizeObserver(() => (view.dataset.size = view.clientWidth < 720 ? "narrow" : "wide"));
  resizing.observe(view);
  const show = (next) => {
    home = next.exercise.home;
    chain.replaceChildren(...written(next.ledger, send));
    exercise.show(next.exercise, next.ledger.factors);
    costs.show(next.costs);
  };
  show(data);
  return {
    update: (next) => (theme.apply(), show(next)),
    destroy: () => (resizing.disconnect(), theme.stop(), view.remove()),
  };
}

/** The factors in their places, sizes that meet marked between them, and the line of shapes as one says it. */
function written(ledger, send) {
  const tiles = [];
  ledger.factors.forEach((factor, i) => {
    const before = ledger.factors[i - 1];
    if (before) tiles.push(el("span", { class: "lg-joint" }, `${before.size[1]} = ${factor.size[0]} ✓`));
    const hint = `Show the matrix ${factor.name}: ${factor.size.join(" × ")}, ${factor.kind}`;
    tiles.push(button({ class: "lg-tile", title: hint, "aria-label": hint }, () => send({ kind: "factor", index: i }), ...face(factor)));
  });
  const sizes = Object.entries(ledger.sizes).map(([letter, size]) => `${letter} = ${size}`).join(", ");
  return [
    el("div", { class: "lg-lead" }, equation(...(ledger.paths > 1 ? [] : [ledger.symbol, "="]), ledger.math)),
    el("div", { class: "lg-tiles", tabindex: 0, "aria-label": "The factors of the chain" }, ...tiles),
    el("p", { class: "lg-text" }, ledger.letters, sizes ? el("span", { class: "lg-sizes" }, `with ${sizes}:  ${ledger.text}`) : null),
    el("p", { class: "lg-used" }, "What is really computed at the leaf, from the upstream gradient δ: ", mathNode(ledger.used)),
  ];
}

function face(factor) {
  return [
    el("span", { class: "lg-symbol" }, mathNode(factor.math)),
    el("span", { class: "lg-general" }, mathNode(factor.general)),
    el("b", { class: "lg-shape" }, factor.letters),
  ];
}
