/** An exercise: the graph on which its two nodes are picked, beside what is asked and the names an answer may use. */

import { el, setText } from "./dom.js";
import { equation, IN } from "./math.js";
import { createPicker } from "./picker.js";
import { watchTheme } from "./theme.js";

/** Draws `data` = {graph, of, wrt, edges, words, names} inside `root`; `hooks.send({of, wrt})` tells of a pick. */
export function mount(root, data, hooks) {
  const picker = createPicker((picked) => hooks.send?.(picked), "wrt");
  const asked = el("h2", { class: "jv-heading" });
  const badge = el("b", { class: "jv-badge" });
  const shape = el("p", { class: "jv-structure" });
  const names = el("dl", { class: "qs-names" });
  const words = el("section", { class: "qs-words" }, el("div", { class: "jv-head" }, asked, badge), shape, el("h3", {}, "Names you may use"), names);
  const view = el("div", { class: "gv qs" }, picker.element, words);
  root.append(view);
  const theme = watchTheme(root, view);
  const resizing = new ResizeObserver(() => (view.dataset.size = view.clientWidth < 720 ? "narrow" : "wide"));
  resizing.observe(view);
  const show = ({ graph, of, wrt, edges, ...asks }) => {
    picker.show(graph, { of, wrt, edges });
    asked.replaceChildren(equation(asks.words.symbol, "=", "<math><mtext>?</mtext></math>"));
    badge.replaceChildren(equation(IN, asks.words.space));
    setText(shape, asks.words.shape);
    names.replaceChildren(...asks.names.flatMap(([typed, written, space]) => [el("dt", {}, el("code", {}, typed)), el("dd", {}, equation(written, IN, space))]));
  };
  show(data);
  return {
    update: (next) => (theme.apply(), show(next)),
    destroy: () => (resizing.disconnect(), picker.destroy(), theme.stop(), view.remove()),
  };
}
