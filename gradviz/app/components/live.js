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

const PATIENCE = 5000; // milliseconds after which a stream of which nothing is heard is given up

/**
 * Draws a message inside `root`: a line of JSON, {panels, version, alert, title, state, words, heard, stream}, then a line for each panel that is new; `panels` tells
 * of each name whether it is. While there is a `stream`, its messages follow. `hooks.onEvents` gets what a person did and was not yet heard.
 */
export function mount(root, message, hooks) {
  const title = el("h2", { class: "lv-name" });
  const status = el("p", { class: "lv-status" });
  const alert = el("p", { class: "lv-alert" });
  const grid = el("div", { class: "lv-grid" });
  const foot = el("div");
  const view = el("div", { class: "lv" }, el("header", { class: "lv-head" }, title, status, alert), grid, foot);
  root.append(view);
  const parts = { root, view, title, status, alert, grid, foot, hooks };
  const app = { ...parts, panels: new Map(), head: {}, picture: new Map(), unheard: [], number: 0, followed: null, source: null, frame: null };
  const theme = watchTheme(root, view);
  const recolored = new MutationObserver(() => show(app));
  recolored.observe(view, { attributes: true, attributeFilter: ["data-theme"] });
  const resizing = new ResizeObserver(() => (view.dataset.size = view.clientWidth < 700 ? "narrow" : "wide"));
  resizing.observe(view);
  const update = (next) => {
    take(app, typeof next === "string" ? next : new TextDecoder().decode(next));
    app.unheard = app.unheard.filter(({ number }) => number > app.head.heard);
    theme.apply();
    show(app);
    follow(app);
  };
  update(message);
  return {
    update,
    destroy: () => {
      leave(app);
      cancelAnimationFrame(app.frame);
      for (const { part } of app.panels.values()) part.destroy();
      for (const observer of [recolored, resizing]) observer.disconnect();
      theme.stop();
      view.remove();
    },
  };
}

/** What Streamlit brings may be older than what the stream brought: then only what the stream does not tell is taken. */
function take(app, message) {
  const [head, ...lines] = message.split("\n");
  const { panels, ...rest } = JSON.parse(head);
  if (app.followed && rest.stream === app.followed && rest.version < app.head.version) {
    const { title, heard } = rest;
    Object.assign(app.head, { title, heard });
    return;
  }
  let next = 0;
  const picture = Object.entries(panels).map(([name, fresh]) => [name, fresh ? lines[next++] : app.picture.get(name)]);
  app.picture = new Map(picture.filter(([, line]) => line));
  Object.assign(app.head, rest);
}

/** Listens to the stream of the training as long as there is one, and tells when it ends or cannot be reached. */
function follow(app) {
  const { stream } = app.head;
  if (stream === app.followed) return;
  leave(app);
  if (!stream) return;
  const source = new EventSource(`live/${stream}`);
  const over = (kind) => (leave(app), send(app, { kind }));
  const hear = () => {
    clearTimeout(app.waiting);
    app.waiting = setTimeout(() => over("unreached"), PATIENCE);
  };
  Object.assign(app, { followed: stream, source });
  hear();
  source.onmessage = ({ data }) => {
    hear();
    take(app, data);
    app.frame ??= requestAnimationFrame(() => ((app.frame = null), show(app))); // what comes too fast is not drawn
  };
  source.addEventListener("beat", hear);
  source.addEventListener("end", () => over("ended"));
  source.onerror = () => source.readyState === EventSource.CLOSED && over("unreached");
}

function leave(app) {
  app.source?.close();
  clearTimeout(app.waiting);
  Object.assign(app, { followed: null, source: null });
}

/** Numbers an event and sends it with all that were not heard yet; of a drawing only the last matters. */
function send(app, event) {
  app.number = Math.max(app.number + 1, app.head.heard + 1, Date.now()); // after what was heard, also of another clock
  app.unheard = app.unheard.filter(({ kind, panel }) => kind !== "drawing" || panel !== event.panel || event.kind !== "drawing");
  app.unheard.push({ ...event, number: app.number });
  app.hooks.onEvents?.(app.unheard);
}

function colorsHere(app) {
  const background = getComputedStyle(app.view).getPropertyValue("--st-background-color").trim();
  return colorsOf(app.view.dataset.theme, /^#[0-9a-f]{6}$/i.test(background) ? background : null);
}

function show(app) {
  const { panels, picture, head } = app;
  const { title, state, words, alert } = head;
  app.title.parentElement.hidden = !title;
  app.view.dataset.state = state ?? "";
  setText(app.title, title ?? "");
  setText(app.status, words ?? "");
  setText(app.alert, alert ? `⚠ ${alert}` : "");
  const colors = colorsHere(app);
  for (const [name, panel] of panels) {
    if (picture.has(name)) continue;
    panel.part.destroy();
    panel.element.remove();
    panels.delete(name);
  }
  let place = 0;
  for (const [name, line] of picture) {
    const panel = panels.get(name) ?? addPanel(app, name);
    const home = panel.kind === "health" ? app.foot : app.grid; // as tall as it needs to be
    const at = home === app.grid ? place++ : 0;
    if (home.children[at] !== panel.element) home.insertBefore(panel.element, home.children[at] ?? null);
    if (panel.line !== line || panel.colors !== colors) fill(panel, line, colors);
  }
}

/** `name` is the kind of the panel and its id. */
function addPanel(app, name) {
  const kind = name.split(" ", 1)[0];
  const part = KINDS[kind]({ send: (event) => send(app, event) });
  const title = el("h3", { class: "lv-title" });
  const note = el("p", { class: "lv-note" });
  const element = el("section", { class: "lv-panel", "data-kind": kind, "data-panel": name.slice(kind.length + 1) }, title, note, part.element);
  const panel = { kind, part, title, note, element, line: "", colors: null };
  app.panels.set(name, panel);
  return panel;
}

/** Draws a panel of which something changed. */
function fill(panel, line, colors) {
  const spec = JSON.parse(line);
  Object.assign(panel, { line, colors });
  setText(panel.title, spec.title ?? "");
  setText(panel.note, spec.note ?? "");
  panel.note.hidden = !spec.note;
  panel.element.style.setProperty("--width", spec.width);
  panel.element.style.setProperty("--rows", spec.rows);
  panel.part.update(spec, colors);
}
