/** The toolbar under the graph: first, previous, play, next, last, the scrubber with its phases, speed and help. */

import { button, el, icon, setText } from "./dom.js";
import { phases, shownFrom, stepAt } from "./model.js";

const SPEEDS = [0.5, 1, 2, 4];
const NARROWEST_LABEL = 7;

/** Creates the toolbar; `load` takes a model, `show` the state. */
export function createControls(actions) {
  const play = control("play", "Play", actions.togglePlay);
  const parts = {
    first: control("first", "First state (Home)", actions.first),
    previous: control("previous", "Step back (←)", actions.previous),
    play,
    next: control("next", "Step forward (→)", actions.next),
    last: control("last", "Last step (End)", actions.last),
    band: el("div", { class: "gv-band", "aria-hidden": "true" }),
    words: el("div", { class: "gv-phases", "aria-hidden": "true" }),
    range: el("input", { type: "range", class: "gv-range", min: 0, step: 1, "aria-label": "Step" }),
    counter: el("span", { class: "gv-counter" }),
    speed: speedSelect(actions.setSpeed),
  };
  parts.range.addEventListener("input", () => actions.go(Number(parts.range.value)));
  const scrubber = el("div", { class: "gv-scrubber" }, parts.band, parts.range, parts.words);
  const buttons = el("div", { class: "gv-buttons" }, parts.first, parts.previous, play, parts.next, parts.last);
  const words = "Keyboard shortcuts (?)";
  const help = button({ class: "gv-control gv-ask", "aria-label": words, title: words }, actions.toggleHelp, "?");
  const element = el("div", { class: "gv-toolbar", role: "toolbar", "aria-label": "Stepping" }, buttons, scrubber, parts.counter, parts.speed, help);
  return {
    element,
    range: parts.range,
    load: (model) => load(parts, model),
    show: (state) => show(parts, state),
  };
}

/** Zoom buttons that float over the corner of the graph. */
export function createZoom(actions) {
  return el(
    "div", { class: "gv-zoom", role: "toolbar", "aria-label": "Zoom" },
    control("minus", "Zoom out (−)", actions.zoomOut), control("fit", "Fit (0)", actions.fit), control("plus", "Zoom in (+)", actions.zoomIn),
  );
}

function control(name, label, onClick) {
  return button({ class: `gv-control gv-${name}`, "aria-label": label, title: label }, onClick, icon(name));
}

function speedSelect(setSpeed) {
  const options = SPEEDS.map((speed) => el("option", { value: speed, selected: speed === 1 }, `${speed}×`));
  const select = el("select", { class: "gv-speed", "aria-label": "Speed", title: "Speed" }, ...options);
  select.addEventListener("change", () => setSpeed(Number(select.value)));
  return select;
}

function load(parts, model) {
  parts.range.max = String(model.total);
  const runs = phases(model);
  parts.band.replaceChildren(...runs.map(({ kind, count }) => segment(kind, count, "")));
  parts.words.replaceChildren(...runs.map(({ kind, count }) => segment(kind, count, (100 * count) / model.total < NARROWEST_LABEL ? "" : kind)));
}

function segment(kind, count, word) {
  const element = el("span", { class: `gv-phase gv-${kind}`, title: `${kind}: ${count} ${count === 1 ? "step" : "steps"}` }, word);
  element.style.flexGrow = String(count);
  return element;
}

function show(parts, { model, k, playing }) {
  const words = positionWords(model, k);
  parts.range.value = String(k);
  parts.range.setAttribute("aria-valuetext", words);
  setText(parts.counter, words);
  // Not `disabled`: a button that disables itself while it has the focus swallows the keys that follow.
  for (const name of ["first", "previous"]) parts[name].setAttribute("aria-disabled", String(k === 0));
  parts.next.setAttribute("aria-disabled", String(shownFrom(model, k, 1) === k));
  parts.last.setAttribute("aria-disabled", String(k === model.total));
  const shown = playing ? "pause" : "play";
  if (parts.play.dataset.shows === shown) return;
  parts.play.dataset.shows = shown;
  parts.play.setAttribute("aria-label", playing ? "Pause (space)" : "Play (space)");
  parts.play.title = parts.play.getAttribute("aria-label");
  parts.play.replaceChildren(icon(shown));
}

function positionWords(model, k) {
  const step = stepAt(model, k);
  return step ? `step ${k} of ${model.total} · ${step.kind}` : `start · ${model.total} ${model.total === 1 ? "step" : "steps"}`;
}
