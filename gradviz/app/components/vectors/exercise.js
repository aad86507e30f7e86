/** The factors as cards to be put in order: by dragging, with buttons, with the keyboard, or by typing the order. */

import { button, el, setText } from "./dom.js";
import { mathNode } from "./math.js";

/**
 * `show(exercise, factors)` with exercise = {home, number, order, transposed, letters, typed, verdict, problem}. What a person did
 * is shown at once; until the answer to the last event comes, which has its number, older answers are not looked at.
 */
export function createExercise(send) {
  const cards = el("ol", { class: "lg-cards", "aria-label": "Your order of the factors" });
  const verdict = el("p", { class: "lg-verdict", role: "status" });
  const field = el("input", { class: "lg-field", type: "text", "aria-label": "Order of the factors", spellcheck: "false", autocomplete: "off", size: 16, maxlength: 200 });
  const form = el("form", { class: "lg-typed" }, el("label", {}, "or type the order ", field), button({ class: "gv-action" }, () => type(), "Check"));
  const again = button({ class: "gv-action" }, () => tell(exercise, { kind: "again" }), "Start again");
  const help = el("p", { class: "lg-help" }, "Put the factors in order: drag a card, or use its buttons; on a card the keys ← → move it and T transposes it. Typed, a cT b means the card a, then c transposed, then b.");
  const exercise = { order: [], transposed: [], letters: [], factors: [], home: null, sent: null, seen: null, cards, send };
  const type = () => tell(exercise, { kind: "typed", text: field.value });
  form.addEventListener("submit", (event) => (event.preventDefault(), type()));
  return {
    element: el("section", { class: "lg-exercise" }, el("h3", {}, "Put the chain in order"), help, cards, verdict, el("div", { class: "lg-bar" }, form, again)),
    show: (data, factors) => {
      const home = String(data.home);
      if (exercise.home !== home) exercise.sent = null;
      else if (exercise.sent && exercise.sent !== data.number) return;
      const answer = `${home} ${data.number}`;
      if (exercise.seen !== answer) field.value = data.typed;
      Object.assign(exercise, { factors, letters: data.letters, home, seen: answer, order: data.order, transposed: data.transposed });
      render(exercise, data.verdict?.failing);
      say(verdict, data);
    },
  };
}

function tell(exercise, event) {
  exercise.sent = Math.max((exercise.sent ?? 0) + 1, Date.now());
  exercise.send({ ...event, number: exercise.sent });
}

function say(element, { verdict, problem }) {
  element.className = `lg-verdict ${problem ? "lg-unread" : !verdict ? "" : verdict.ok ? "lg-ok" : "lg-no"}`;
  const judged = verdict ? `${verdict.ok ? "✓ Accepted" : "✗ Refused"}: ${verdict.reason}.` : "Not in order yet: drag the cards, or type the order.";
  setText(element, problem ? `⚠ ${problem}` : judged);
}

function render(exercise, failing) {
  const { cards, order, factors } = exercise;
  const focused = cards.getRootNode().activeElement?.closest(".lg-card");
  const tool = cards.getRootNode().activeElement?.dataset.tool;
  const rows = order.map((index, at) => card(exercise, index, at, failing?.includes(at)));
  cards.replaceChildren(...rows.flatMap((row, at) => (failing && at === failing[1] ? [joint(exercise, at), row] : [row])));
  if (!focused) return;
  const again = cards.querySelector(`[data-index="${focused.dataset.index}"]`);
  const same = tool && again?.querySelector(`[data-tool="${tool}"]:enabled`);
  (same || again)?.focus();
}

/** Where two neighbours do not fit. */
function joint({ order, transposed, factors }, at) {
  const [left, right] = [order[at - 1], order[at]].map((index) => sized(factors[index], transposed.includes(index)));
  return el("li", { class: "lg-clash", "aria-hidden": "true" }, `${left[1]} ≠ ${right[0]}`);
}

function sized({ size }, turned) {
  return turned ? [size[1], size[0]] : size;
}

function card(exercise, index, at, failing) {
  const { order, transposed, letters, factors } = exercise;
  const factor = factors[index];
  const turned = transposed.includes(index);
  const size = sized(factor, turned).join(" × ");
  const name = turned ? `${factor.name} transposed` : factor.name;
  const tools = el("span", { class: "lg-tools" },
    button({ "data-tool": "left", "aria-label": `Move ${factor.name} left`, disabled: at === 0 }, () => move(exercise, index, -1), "◀"),
    button({ "data-tool": "turn", "aria-label": `Transpose ${factor.name}`, "aria-pressed": String(turned) }, () => turn(exercise, index), "T"),
    button({ "data-tool": "right", "aria-label": `Move ${factor.name} right`, disabled: at === order.length - 1 }, () => move(exercise, index, 1), "▶"));
  const element = el("li", {
    class: `lg-card${failing ? " lg-failing" : ""}`, draggable: "true", tabindex: 0, "data-index": index,
    "aria-label": `Place ${at + 1}: card ${letters[index]}, ${name}, ${size}${failing ? ", does not fit" : ""}`,
  }, el("span", { class: "lg-letter" }, letters[index]), el("span", { class: "lg-symbol" }, mathNode(factor.math), turned ? el("sup", {}, "T") : null), el("b", { class: "lg-shape" }, `(${size})`), tools);
  listen(exercise, element, index, at);
  return element;
}

function listen(exercise, element, index, at) {
  element.addEventListener("keydown", (event) => {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (step) move(exercise, index, step);
    else if (event.key.toLowerCase() === "t") turn(exercise, index);
    else return;
    event.preventDefault();
  });
  element.addEventListener("dragstart", (event) => {
    exercise.dragged = index;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", exercise.letters[index]);
  });
  element.addEventListener("dragover", (event) => event.preventDefault());
  element.addEventListener("drop", (event) => {
    event.preventDefault();
    const { order, dragged } = exercise;
    if (dragged === undefined || dragged === index) return;
    const rest = order.filter((other) => other !== dragged);
    rest.splice(at, 0, dragged);
    arrange(exercise, rest, exercise.transposed);
  });
}

function move(exercise, index, step) {
  const order = [...exercise.order];
  const at = order.indexOf(index);
  if (order[at + step] === undefined) return;
  [order[at], order[at + step]] = [order[at + step], order[at]];
  arrange(exercise, order, exercise.transposed);
}

function turn(exercise, index) {
  const { transposed } = exercise;
  arrange(exercise, exercise.order, transposed.includes(index) ? transposed.filter((other) => other !== index) : [...transposed, index]);
}

/** Shown at once, and judged when the answer comes. */
function arrange(exercise, order, transposed) {
  Object.assign(exercise, { order, transposed });
  render(exercise, null);
  tell(exercise, { kind: "arrange", order, transposed });
}
