/** The live view: a status line over a grid of panels, each drawn from plain data that keeps arriving. */

import { createBars, createHistogram } from "./bars.js";
import { createConfusion, createMatrix } from "./cells.js";
import { colorsOf } from "./colors.js";
import { el, setText } from "./dom.js";
import { createHealth } from "./health.js";
import { createImages } from "./images.js";
import { createLines } from "./lines.js";
import { createNetwork } from "./network.js";
import { createPad } from "./pad.js";
import { createRegions } from "./regions.js";
import { watchTheme } from "./theme.js";
import { createLoop, createTable, createText } from "./words.js";

const KINDS = {
  lines: createLines, images: createImages, regions: createRegions, network: createNetwork, histogram: createHistogram,
  bars: createBars, confusion: createConfusion, matrix: createMatrix, table: createTable, text: createText, loop: createLoop,
  health: createHealth, pad: createPad,
};

const PACE = 83; // milliseconds between two pictures that came together

/** Draws `data` = {panels, earlier, version, status: {title, state, words} or null, heard} inside `root`: first what `earlier` lists, panels that
 *  were different for a moment. `hooks.onEvents` gets what a person did and was not yet heard. */
export function mount(root, data, hooks) {
  const title = el("h2", { class: "lv-name" });
  const status = el("p", { class: "lv-status" });
  const alert = el("p", { class: "lv-alert" });
  const grid = el("div", { class: "lv-grid" });
  const foot = el("div");
  const view = el("div", { class: "lv" }, el("header", { class: "lv-head" }, title, status, alert), grid, foot);
  root.append(view);
  const app = { root, view, title, status, alert, grid, foot, hooks, panels: new Map(), data, unheard: [], number: 0, timer: null };
  const theme = watchTheme(root, view);
  const recolored = new MutationObserver(() => show(app));
  recolored.observe(view, { attributes: true, attributeFilter: ["data-theme"] });
  const resizing = new ResizeObserver(() => (view.dataset.size = view.clientWidth < 700 ? "narrow" : "wide"));
  resizing.observe(view);
  show(app);
  return {
    update: (next) => {
      const again = next.earlier?.length > 0 && next.version === app.data.version; // Streamlit calls more often than it has news
      app.data = next;
      app.unheard = app.unheard.filter(({ number }) => number > next.heard);
      theme.apply();
      if (!again) play(app);
      else if (app.timer === null) show(app);
    },
    destroy: () => {
      clearTimeout(app.timer);
      for (const { part } of app.panels.values()) part.destroy();
      for (const observer of [recolored, resizing]) observer.disconnect();
      theme.stop();
      view.remove();
    },
  };
}

/** Numbers an event and sends it with all that were not heard yet; of a drawing only the last matters. */
function send(app, event) {
  app.number = Math.max(app.number + 1, Date.now());
  app.unheard = app.unheard.filter(({ kind, panel }) => kind !== "drawing" || panel !== event.panel || event.kind !== "drawing");
  app.unheard.push({ ...event, number: app.number });
  app.hooks.onEvents?.(app.unheard);
}

/** The pictures of before, one after the other, then that of now. */
function play(app) {
  const before = [...(app.data.earlier ?? [])];
  const next = () => {
    app.timer = null;
    if (before.length === 0) return show(app);
    const colors = colorsHere(app);
    for (const spec of before.shift()) {
      const panel = app.panels.get(keyOf(spec));
      if (panel) fill(panel, spec, colors);
    }
    app.timer = setTimeout(next, PACE);
  };
  clearTimeout(app.timer);
  next();
}

function colorsHere(app) {
  const background = getComputedStyle(app.view).getPropertyValue("--st-background-color").trim();
  return colorsOf(app.view.dataset.theme, /^#[0-9a-f]{6}$/i.test(background) ? background : null);
}

function show(app) {
  const { panels, status } = app.data;
  app.title.parentElement.hidden = !status;
  app.view.dataset.state = status?.state ?? "";
  setText(app.title, status?.title ?? "");
  setText(app.status, status?.words ?? "");
  setText(app.alert, app.data.alert ? `⚠ ${app.data.alert}` : "");
  const colors = colorsHere(app);
  const wanted = new Set(panels.map(keyOf));
  for (const [key, panel] of app.panels) {
    if (wanted.has(key)) continue;
    panel.part.destroy();
    panel.element.remove();
    app.panels.delete(key);
  }
  panels.forEach((spec, i) => {
    const key = keyOf(spec);
    const panel = app.panels.get(key) ?? addPanel(app, key, spec);
    const home = spec.kind === "health" ? app.foot : app.grid; // as tall as it needs to be
    if (home === app.grid && home.children[i] !== panel.element) home.insertBefore(panel.element, home.children[i] ?? null);
    else if (home !== panel.element.parentElement) home.append(panel.element);
    fill(panel, spec, colors);
  });
}

function keyOf({ kind, id }) {
  return `${kind} ${id}`;
}

function addPanel(app, key, spec) {
  const part = KINDS[spec.kind]({ send: (event) => send(app, event) });
  const title = el("h3", { class: "lv-title" });
  const note = el("p", { class: "lv-note" });
  const element = el("section", { class: "lv-panel", "data-kind": spec.kind, "data-panel": spec.id }, title, note, part.element);
  const panel = { part, title, note, element, seen: "", colors: null };
  app.panels.set(key, panel);
  return panel;
}

/** Draws a panel again only when something about it changed. */
function fill(panel, spec, colors) {
  const seen = JSON.stringify(spec);
  if (panel.seen === seen && panel.colors === colors) return;
  Object.assign(panel, { seen, colors });
  setText(panel.title, spec.title ?? "");
  setText(panel.note, spec.note ?? "");
  panel.note.hidden = !spec.note;
  panel.element.style.setProperty("--width", spec.width);
  panel.element.style.setProperty("--rows", spec.rows);
  panel.part.update(spec, colors);
}
