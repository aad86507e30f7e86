/** Formulas as cards in groups: the statement, its shapes, and two ways to go on with it. */

import { button, el } from "./dom.js";
import { equation, IN } from "./math.js";
import { watchTheme } from "./theme.js";

/** Draws `data` = {groups, hidden} inside `root`; `hooks.send({kind, name})` tells which card was opened and how. */
export function mount(root, data, hooks) {
  const view = el("div", { class: "gv gl" });
  root.append(view);
  const theme = watchTheme(root, view);
  const send = (kind, name) => hooks.send?.({ kind, name });
  const show = ({ groups, hidden }) => view.replaceChildren(...groups.map((group) => drawGroup(group, hidden, send)));
  show(data);
  return {
    update: (next) => (theme.apply(), show(next)),
    destroy: () => (theme.stop(), view.remove()),
  };
}

function drawGroup({ title, cards }, hidden, send) {
  return el("section", { "aria-label": title }, el("h3", {}, title), el("ul", { class: "gl-cards" }, ...cards.map((card) => drawCard(card, hidden, send))));
}

function drawCard(card, hidden, send) {
  const right = hidden ? "<math><mtext>?</mtext></math>" : card.right;
  return el("li", { class: "gl-card", "data-name": card.name },
    el("div", { class: "gl-formula", tabindex: 0, "aria-label": hidden ? "" : card.title }, equation(card.left), equation("=", right)),
    el("p", { class: "gl-shapes" }, ...card.shapes.flatMap(([name, space], i) => [i ? ", " : "", equation(name, IN, space)]), card.domain ? `;  ${card.domain}` : ""),
    hidden ? null : el("p", { class: "gl-lesson" }, card.lesson),
    el("div", { class: "gl-actions" },
      button({ class: "gv-action", "aria-label": `Use as an exercise: ${card.left_text}` }, () => send("exercise", card.name), "Exercise"),
      button({ class: "gv-action", "aria-label": `Step through: ${card.left_text}` }, () => send("step", card.name), "Step through")));
}
