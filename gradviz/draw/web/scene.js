/** The graph as SVG: built once per structure; a step only changes texts and classes of what differs. */

import { svg } from "./dom.js";
import { DASH, boxOf, opensToProducts, slotAt, stepAt } from "./model.js";
import { drawThumbnail } from "./thumbnail.js";
import { arrowHead, readPath, trimmed } from "./paths.js";

const ROLES = new Set(["input", "parameter", "operation", "output", "group"]);
const LINE_HEIGHT = 1.18;
const HEAD = 8;

/** Creates an empty scene; `load` fills it, `show` moves it to k, `select` marks a node or an edge. */
export function createScene() {
  const layers = Object.fromEntries(["edges", "marks", "nodes", "texts"].map((name) => [name, svg("g", { class: `gv-${name}` })]));
  const camera = svg("g", { class: "gv-camera" }, layers.edges, layers.marks, layers.nodes, layers.texts);
  const scene = { layers, camera, element: svg("svg", { class: "gv-svg" }, camera), drawn: null, model: null, k: 0 };
  return {
    element: scene.element,
    camera,
    load: (model) => load(scene, model),
    show: (k) => show(scene, k),
    select: (selection) => select(scene, selection),
  };
}

function load(scene, model) {
  const drawn = JSON.stringify(model.payload.scene);
  const known = drawn === scene.drawn;
  Object.assign(scene, { model, drawn, k: -1 });
  if (!known) draw(scene, model);
}

function draw(scene, model) {
  for (const layer of Object.values(scene.layers)) layer.replaceChildren();
  Object.assign(scene, { nodes: new Map(), lines: new Map(), slots: new Map(), active: [], fresh: [] });
  scene.element.style.setProperty("--font", `${model.payload.scene.font}px`);
  for (const edge of model.links.values()) drawEdge(scene, edge);
  for (const box of model.boxes.values()) drawBox(scene, box);
  scene.ring = svg("rect", { class: "gv-ring" });
  scene.selected = svg("rect", { class: "gv-selected" });
  scene.flow = svg("path", { class: "gv-flow" });
  scene.layers.marks.append(scene.flow, scene.selected, scene.ring);
}

function drawEdge(scene, edge) {
  const points = readPath(edge.path, scene.model.boxes.get(edge.source), scene.model.boxes.get(edge.target));
  const forward = trimmed(points, 0, HEAD);
  const shape = { forward, backward: trimmed(points, HEAD + 4, 0) };
  shape.forwardHead = arrowHead(points, false, HEAD);
  shape.backwardHead = arrowHead([...points].reverse(), true, HEAD + 4);
  const line = svg("path", { class: "gv-line", d: forward });
  const head = svg("path", { class: "gv-head", d: shape.forwardHead });
  const hit = svg("path", { class: "gv-reach", d: forward });
  const classes = edge.dashed ? "gv-edge gv-dashed" : "gv-edge";
  const group = svg("g", { class: classes, "data-edge": edge.id }, hit, line, head);
  scene.layers.edges.append(group);
  scene.lines.set(edge.id, { group, line, head, shape });
  if (edge.label) drawSlot(scene, `contribution:${edge.id}`, "gv-contribution", edge.label, { "data-edge": edge.id });
}

function drawBox(scene, box) {
  const role = ROLES.has(box.role) ? box.role : "operation";
  const leaf = role === "input" || role === "parameter";
  const radius = leaf ? box.height / 2 : 10;
  const group = svg("g", { class: `gv-node gv-${role}`, "data-node": box.id }, rect(box, 0, radius, "gv-core"));
  if (role === "output") group.append(rect(box, -3, radius - 3, "gv-inner"));
  if (box.symbol) group.append(drawSymbol(box));
  if (box.name) group.append(drawName(box, leaf));
  if (box.fused || box.group || opensToProducts(scene.model, box.id)) group.append(drawOpener(box));
  if (box.flag) group.append(drawFlag(box));
  scene.layers.nodes.append(group);
  scene.nodes.set(box.id, group);
  const shown = box.shows ?? box.id;
  const data = { "data-node": box.id };
  if (box.value) drawSlot(scene, `value:${shown}`, "gv-value", box.value, data, box.value_picture);
  if (box.gradient) drawSlot(scene, `gradient:${shown}`, "gv-gradient", box.gradient, data, box.gradient_picture);
}

function rect(box, outset, radius, name) {
  return place(svg("rect", { class: name }), box, outset, radius);
}

function place(element, box, outset, radius) {
  const attributes = {
    x: box.x - box.width / 2 - outset, y: box.y - box.height / 2 - outset,
    width: box.width + 2 * outset, height: box.height + 2 * outset, rx: radius,
  };
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function drawSymbol(box) {
  const size = box.symbol.length > 2 ? "gv-symbol gv-word" : "gv-symbol";
  const y = box.name ? box.y - box.height * 0.21 : box.y;
  return svg("text", { class: size, x: box.x, y }, box.symbol);
}

/** In the middle of a leaf; under the symbol of an operation, where neither edges nor numbers pass. */
function drawName(box, leaf) {
  const y = leaf ? box.y : box.y + box.height * 0.24;
  const name = svg("text", { class: leaf ? "gv-name" : "gv-name gv-result", x: box.x, y }, svg("tspan", {}, box.name.base));
  if (box.name.sub) name.append(svg("tspan", { class: "gv-sub", dy: "0.3em" }, box.name.sub));
  return name;
}

/** The ⊕ in the corner of what can be opened: a fused operation or a group. */
function drawOpener(box) {
  const x = box.x + box.width / 2 - 1;
  const y = box.y - box.height / 2 + 1;
  const cross = svg("path", { d: `M${x - 4} ${y}h8M${x} ${y - 4}v8` });
  const hint = svg("title", {}, box.group ? "Unfold" : "Open");
  return svg("g", { class: "gv-opener", "data-open": box.id }, hint, svg("circle", { cx: x, cy: y, r: 7.5 }), cross);
}

/** A warning sign on the upper left corner, too small to reach the value above; it shows once the node is computed. */
function drawFlag(box) {
  const x = box.x - box.width / 2;
  const y = box.y - box.height / 2;
  const triangle = svg("path", { class: "gv-triangle", d: `M${x} ${y - 6}L${x + 6.5} ${y + 5}H${x - 6.5}Z` });
  const mark = svg("path", { class: "gv-mark", d: `M${x} ${y - 2.4}v3.6M${x} ${y + 3.1}v0.2` });
  return svg("g", { class: "gv-flag" }, svg("title", {}, `⚠ ${box.flag}`), triangle, mark);
}

function drawSlot(scene, slot, name, { x, y }, data, area = null) {
  if (!scene.model.slots.has(slot)) return;
  const text = svg("text", { x, y });
  const title = svg("title");
  const group = svg("g", { class: `gv-slot ${name}`, "data-slot": slot, ...data }, title, text);
  const rows = area && scene.model.payload.scene.thumbnails?.[slot];
  if (rows) group.append(drawThumbnail(rows, area, slot.startsWith("gradient")));
  scene.layers.texts.append(group);
  scene.slots.set(slot, { group, text, title, x });
}

function show(scene, k) {
  const { model } = scene;
  const everything = scene.k < 0;
  const low = everything ? 0 : Math.min(scene.k, k) + 1;
  const high = everything ? model.total : Math.max(scene.k, k);
  for (let at = low; at <= high; at += 1) {
    for (const slot of model.changes[at]) writeSlot(scene, slot, k);
    for (const id of model.arrivals[at]) markComputed(scene, id, k);
  }
  scene.k = k;
  markActive(scene, stepAt(model, k), k);
}

function writeSlot(scene, slot, k) {
  const drawn = scene.slots.get(slot);
  if (!drawn) return;
  const { text, exact } = slotAt(scene.model, slot, k);
  const empty = text === DASH || text === "";
  drawn.group.classList.toggle("gv-empty", empty);
  drawn.title.textContent = empty ? "not computed yet" : exact;
  const lines = text.split("\n");
  if (lines.length === 1) drawn.text.textContent = text;
  else drawn.text.replaceChildren(...lines.map((line, row) => svg("tspan", { x: drawn.x, dy: row ? `${LINE_HEIGHT}em` : 0 }, line)));
}

function markComputed(scene, id, k) {
  const computed = k >= scene.model.computedAt.get(id);
  scene.nodes.get(id).classList.toggle("gv-computed", computed);
  for (const edge of scene.model.nodes.get(id)?.arguments ?? []) {
    scene.lines.get(edge)?.group.classList.toggle("gv-computed", computed);
  }
}

function markActive(scene, step, k) {
  for (const element of scene.active) element.classList.remove("gv-active", "gv-forward", "gv-seed", "gv-backward");
  for (const slot of scene.fresh) slot.classList.remove("gv-fresh");
  if (scene.reversed) point(scene.reversed, false);
  scene.reversed = null;
  scene.active = [];
  scene.fresh = [];
  scene.element.classList.toggle("gv-resting", !step || !boxOf(scene.model, step.node));
  if (!step) return;
  activate(scene, scene.nodes.get(boxOf(scene.model, step.node)?.id), step.kind);
  if (step.kind === "forward") {
    for (const edge of scene.model.nodes.get(step.node)?.arguments ?? []) activate(scene, scene.lines.get(edge)?.group, "forward");
  }
  if (step.kind === "backward" && scene.lines.has(step.edge)) reverse(scene, step.edge);
  for (const slot of scene.model.changes[k]) freshen(scene, slot);
  markNode(scene, step);
}

function activate(scene, element, kind) {
  if (!element) return;
  element.classList.add("gv-active", `gv-${kind}`);
  scene.active.push(element);
}

/** In a backward step the edge is drawn from its consumer to its argument: the arrow head sits at the source. */
function reverse(scene, edgeId) {
  const line = scene.lines.get(edgeId);
  activate(scene, line.group, "backward");
  activate(scene, scene.nodes.get(scene.model.links.get(edgeId).target), "backward");
  point(line, true);
  scene.reversed = line;
  // A new element restarts the short motion along the edge.
  const flow = svg("path", { class: "gv-flow gv-moving", d: line.shape.backward });
  scene.flow.replaceWith(flow);
  scene.flow = flow;
}

function point({ line, head, shape }, backward) {
  line.setAttribute("d", backward ? shape.backward : shape.forward);
  head.setAttribute("d", backward ? shape.backwardHead : shape.forwardHead);
}

function freshen(scene, slot) {
  const group = scene.slots.get(slot)?.group;
  if (!group) return;
  group.classList.add("gv-fresh");
  scene.fresh.push(group);
}

/** A ring around the step's node. */
function markNode(scene, step) {
  const box = boxOf(scene.model, step.node);
  if (!box) return;
  place(scene.ring, box, 3.5, cornerOf(box) + 3.5);
  scene.ring.setAttribute("class", `gv-ring gv-${step.kind}`);
}

function cornerOf(box) {
  return box.role === "input" || box.role === "parameter" ? box.height / 2 : 10;
}

function select(scene, selection) {
  scene.chosen?.classList.remove("gv-chosen");
  scene.chosen = selection?.kind === "edge" ? scene.lines.get(selection.id)?.group : null;
  scene.chosen?.classList.add("gv-chosen");
  const box = selection?.kind === "node" ? scene.model.boxes.get(selection.id) : null;
  scene.selected.classList.toggle("gv-on", Boolean(box));
  if (box) place(scene.selected, box, 7, cornerOf(box) + 7);
}
