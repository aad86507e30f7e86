/** The view as a whole: mounts the parts, holds the state, and turns every user action into a new state. */

import { createAlert } from "./alert.js";
import { createChain } from "./chain.js";
import { createControls, createZoom } from "./controls.js";
import { createDerivation } from "./derivation.js";
import { el, setText } from "./dom.js";
import { createHelp } from "./help.js";
import { createInspector } from "./inspector.js";
import { listenKeys } from "./keys.js";
import { boxOf, buildModel, consumerOf, folding, opensToProducts, samePlace, shownFrom, stepAt, titleOf } from "./model.js";
import { createPanels } from "./panels.js";
import { createScene } from "./scene.js";
import { createStepList } from "./steplist.js";
import { watchTheme } from "./theme.js";
import { createView } from "./view.js";

const WIDE = 1150;
const NARROW = 700;
const SECONDS_PER_STEP = 1.6;
const ZOOM_STEP = 1.25;

/**
 * Draws a payload inside `root`.
 * Options: onOpen(nodeId), onFold(nodeId), onElement(nodeId, index or null), onPicture({node, frame, shown}), onStep(k),
 * onSelect({kind, id} or null), theme ("light" or "dark"; follows the page when absent), keys ("inside": only where the view has the focus).
 */
export function mount(root, payload, options = {}) {
  const app = { root, options, state: null, left: new Map(), speed: 1, timer: 0, frame: 0 };
  const actions = createActions(app);
  buildParts(app, actions);
  const theme = watchTheme(root, app.view, options.theme);
  const stopKeys = listenKeys(app.view, actions, options.keys === "inside");
  const resizing = new ResizeObserver(() => resize(app));
  load(app, payload);
  resizing.observe(app.view);
  resizing.observe(app.pane);
  return {
    update: (next) => (theme.apply(), load(app, next)),
    setStep: (k) => go(app, k),
    destroy: () => {
      pause(app);
      cancelAnimationFrame(app.frame);
      resizing.disconnect();
      theme.stop();
      stopKeys();
      app.camera.destroy();
      app.view.remove();
    },
  };
}

function buildParts(app, actions) {
  app.scene = createScene();
  app.controls = createControls(actions);
  app.derivation = createDerivation();
  app.contents = { inspector: createInspector(actions), chain: createChain(actions), steps: createStepList(actions) };
  app.panels = createPanels(app.contents, actions);
  app.help = createHelp(actions.toggleHelp);
  app.alert = createAlert();
  app.title = el("p", { class: "gv-caption" });
  app.live = el("p", { class: "gv-live", "aria-live": "polite" });
  const [value, gradient] = ["value", "gradient"].map((word) => el("span", { class: `gv-${word}-text` }, word));
  const legend = el("p", { class: "gv-legend", "aria-hidden": "true" }, value, " above · ", gradient, " below");
  app.pane = el("div", { class: "gv-graph", tabindex: 0, role: "application" }, app.scene.element, app.title, legend, createZoom(actions));
  const strip = el("div", { class: "gv-strip" }, app.controls.element, app.derivation.element);
  const room = el("div", { class: "gv-room" }, app.alert.element, app.pane);
  app.view = el("div", { class: "gv" }, room, strip, app.panels.list, app.panels.drawer, app.help.element, app.live);
  app.pane.addEventListener("click", (event) => clickGraph(app, actions, event.target));
  // A browser may show the focus frame of a focused element again after a key: not when the pointer brought the focus.
  app.pane.addEventListener("pointerdown", () => app.pane.classList.add("gv-pointed"));
  app.pane.addEventListener("focusout", () => app.pane.classList.remove("gv-pointed"));
  app.root.append(app.view);
  app.camera = createView(app.pane, app.scene.camera, () => coveredWidth(app));
}

/**
 * Same program: the numbers change and everything else stays. Another program: start afresh, but at the same place of
 * the same story, or where this program was left when another one came between.
 */
function load(app, payload) {
  const before = app.state;
  const same = before?.model.payload.program === payload.program;
  const model = buildModel(payload);
  if (before && !same) app.left.set(placeName(before.model.payload), before.k);
  const k = clamp(same ? before.k : placeOf(model, before, app.left), model.total);
  if (!same) pause(app);
  const fresh = { tab: before?.tab ?? "inspector", drawer: before?.drawer ?? false, selection: null };
  app.state = same ? { ...before, model, k } : { ...fresh, model, k, playing: false };
  if (same && !exists(model, before.selection)) app.state.selection = null;
  app.scene.load(model);
  app.controls.load(model);
  app.help.load(model);
  app.alert.show(payload.alert);
  const { width, height } = before?.model.payload.scene ?? {};
  const grown = width !== payload.scene.width || height !== payload.scene.height;
  app.camera.load(payload.scene);
  setText(app.title, payload.title);
  app.pane.setAttribute("aria-label", `Computational graph: ${payload.title}. Arrow keys step through it, ? lists all keys.`);
  app.scene.select(app.state.selection);
  app.view.dataset.size = sizeOf(app);
  render(app);
  if (!same) app.camera.fit(focusBox(app));
  else if (grown) app.camera.resize(focusBox(app));
}

function placeName({ program, origin }) {
  return `${program} ${origin}`;
}

function placeOf(model, before, left) {
  const { origin, k } = model.payload;
  const continued = before?.k > 0 && origin !== undefined && origin !== null && before.model.payload.origin === origin;
  return (continued && samePlace(model, before.model, before.k)) || (left.get(placeName(model.payload)) ?? k);
}

function exists(model, selection) {
  return !selection || (selection.kind === "edge" ? model.links : model.boxes).has(selection.id);
}

function clamp(k, total) {
  return Math.max(0, Math.min(total, Math.round(Number(k)) || 0));
}

/** Shows the state: graph, counter and sentence at once; formulas and panel, which are measured, once before the next paint. */
function render(app, follow = false) {
  const { state } = app;
  app.scene.show(state.k);
  app.controls.show(state);
  app.derivation.say(state);
  setText(app.live, stepAt(state.model, state.k)?.sentence ?? "");
  cancelAnimationFrame(app.frame);
  app.frame = requestAnimationFrame(() => {
    app.derivation.show(state);
    renderPanel(app);
    app.derivation.fit();
    if (follow) app.camera.follow(activeBoxes(app));
  });
}

function renderPanel(app) {
  app.panels.show(app.state);
  if (app.view.dataset.size !== "medium" || app.state.drawer) app.contents[app.state.tab].show(app.state);
}

function go(app, k) {
  const at = clamp(k, app.state.model.total);
  if (at === app.state.k) return false;
  app.state.k = at;
  render(app, true);
  return true;
}

function activeBoxes(app) {
  const { model, k } = app.state;
  const step = stepAt(model, k);
  if (!step) return [];
  const consumer = model.boxes.get(model.links.get(step.edge)?.target);
  return [boxOf(model, step.node), consumer].filter(Boolean);
}

function focusBox(app) {
  return activeBoxes(app)[0] ?? null;
}

function select(app, selection) {
  app.state.selection = selection;
  app.options.onSelect?.(selection);
  app.scene.select(selection);
  renderPanel(app);
  const box = selection?.kind === "node" ? app.state.model.boxes.get(selection.id) : null;
  if (box) app.camera.follow([box]);
}

function clickGraph(app, actions, target) {
  if (target.closest("button")) return;
  const opener = target.closest("[data-open]");
  const part = target.closest("[data-node], [data-edge]");
  if (opener) actions.open(opener.dataset.open);
  else if (!part) select(app, null);
  else {
    const kind = part.dataset.node === undefined ? "edge" : "node";
    select(app, { kind, id: part.dataset[kind] });
    openTab(app, app.state.tab === "chain" && app.state.model.chains.has(part.dataset.node) ? "chain" : "inspector");
  }
}

function openTab(app, tab) {
  const covers = !app.state.drawer && app.view.dataset.size === "medium";
  Object.assign(app.state, { tab, drawer: true });
  if (covers) app.camera.resize(focusBox(app));
  const { selection } = app.state;
  if (tab === "chain" && selection?.kind === "node") app.contents.chain.chooseLeaf(selection.id);
  renderPanel(app);
  const box = selection?.kind === "node" ? app.state.model.boxes.get(selection.id) : null;
  app.camera.follow(box ? [box] : activeBoxes(app));
}

function closeDrawer(app) {
  app.state.drawer = false;
  app.camera.resize(focusBox(app));
  app.panels.show(app.state);
  app.pane.focus({ preventScroll: true });
}

function play(app) {
  const next = () => shownFrom(app.state.model, app.state.k, 1);
  const tick = () => {
    if (next() === app.state.k) return pause(app);
    step(app, next(), true);
    app.timer = setTimeout(tick, (1000 * SECONDS_PER_STEP) / app.speed);
  };
  if (next() === app.state.k) step(app, 0, true);
  app.state.playing = true;
  tick();
  app.controls.show(app.state);
}

function pause(app) {
  clearTimeout(app.timer);
  if (!app.state?.playing) return;
  app.state.playing = false;
  app.controls.show(app.state);
}

/** A step that the user (or playing) asked for: reported through onStep. */
function step(app, k, playing = false) {
  if (!playing) pause(app);
  if (go(app, k)) app.options.onStep?.(app.state.k);
}

function createActions(app) {
  const last = () => app.state.model.total;
  return {
    go: (k) => step(app, k),
    first: () => step(app, 0),
    previous: () => step(app, shownFrom(app.state.model, app.state.k, -1)),
    next: () => step(app, shownFrom(app.state.model, app.state.k, 1)),
    last: () => step(app, last()),
    togglePlay: () => (app.state.playing ? pause(app) : play(app)),
    setSpeed: (speed) => (app.speed = speed),
    zoomIn: () => app.camera.zoom(ZOOM_STEP),
    zoomOut: () => app.camera.zoom(1 / ZOOM_STEP),
    fit: () => app.camera.fit(null, true),
    pan: (dx, dy) => app.camera.pan(dx, dy),
    select: (selection) => select(app, selection),
    selectBy: (offset) => selectBy(app, offset),
    selectEdge: () => selectEdge(app),
    inspect: () => inspect(app),
    openTab: (tab) => openTab(app, tab),
    clickTab: (tab) => (app.state.drawer && app.state.tab === tab && app.view.dataset.size === "medium" ? closeDrawer(app) : openTab(app, tab)),
    closeDrawer: () => closeDrawer(app),
    open: (id) => openNode(app, id),
    openEntry: (id, index) => app.options.onElement?.(id, index),
    savePicture: (picture) => app.options.onPicture?.(picture),
    fold: (id) => app.options.onFold?.(id),
    openOrFold: () => openOrFold(app),
    boxNext: () => (openTab(app, "chain"), app.contents.chain.nextFactor()),
    toggleHelp: () => toggleHelp(app),
    escape: () => escapeOnce(app),
  };
}

function selectBy(app, offset) {
  const { model, selection, k } = app.state;
  const ids = [...model.boxes.keys()];
  const current = selection?.kind === "edge" ? consumerOf(selection.id) : selection?.id ?? stepAt(model, k)?.node;
  const start = ids.indexOf(model.homes.get(current));
  const next = start < 0 ? (offset > 0 ? 0 : ids.length - 1) : (start + offset + ids.length) % ids.length;
  select(app, { kind: "node", id: ids[next] });
  setText(app.live, `Selected ${titleOf(model, ids[next])}`);
}

/** Cycles through the edges into the selected node. */
function selectEdge(app) {
  const { model, selection, k } = app.state;
  const node = selection?.kind === "edge" ? consumerOf(selection.id) : selection?.id ?? stepAt(model, k)?.node;
  const edges = (model.nodes.get(node)?.arguments ?? []).filter((id) => model.links.has(id));
  if (!edges.length) return false;
  const id = edges[(edges.indexOf(selection?.id) + 1) % edges.length];
  select(app, { kind: "edge", id });
  setText(app.live, `Selected the edge from ${titleOf(model, model.links.get(id).source)} to ${titleOf(model, node)}`);
  return true;
}

function inspect(app) {
  openTab(app, "inspector");
  app.panels.focus("inspector");
}

function openOrFold(app) {
  const { model, selection, k } = app.state;
  const id = selection?.kind === "node" ? selection.id : stepAt(model, k)?.node;
  const { openable, foldable } = folding(model, id);
  if (openable || opensToProducts(model, id)) openNode(app, id);
  else if (foldable) app.options.onFold?.(id);
  else return false;
  return true;
}

/** A fused operation or a group opens in place; an operation on windows shows one entry as its products. */
function openNode(app, id) {
  const { model } = app.state;
  if (!folding(model, id).openable && opensToProducts(model, id)) app.options.onElement?.(id, null);
  else app.options.onOpen?.(id);
}

function toggleHelp(app) {
  const { element } = app.help;
  element.hidden = !element.hidden;
  (element.hidden ? app.pane : element).focus({ preventScroll: true });
}

/** One layer per key press: help, drawer, selection. */
function escapeOnce(app) {
  if (!app.help.element.hidden) toggleHelp(app);
  else if (app.state.drawer && app.view.dataset.size === "medium") closeDrawer(app);
  else if (app.state.selection) {
    select(app, null);
    app.pane.focus({ preventScroll: true });
  } else return false;
  return true;
}

function sizeOf(app) {
  const width = app.view.clientWidth;
  if (width >= WIDE) return "wide";
  return width < NARROW ? "narrow" : "medium";
}

function coveredWidth(app) {
  return app.view.dataset.size === "medium" && app.state?.drawer ? app.panels.drawer.offsetWidth : 0;
}

function resize(app) {
  app.view.dataset.size = sizeOf(app);
  app.camera.resize(focusBox(app));
  app.derivation.fit();
  renderPanel(app);
}
