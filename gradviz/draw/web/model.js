/** The payload indexed for stepping: everything a step needs is a look-up. */

/** Shown where nothing has been computed yet. */
export const DASH = "—";

const NOTHING = Object.freeze({ k: 0, text: "", exact: "" });

/** Maps instead of plain objects, so that an id such as "constructor" is an ordinary key. */
export function buildModel(payload) {
  const total = payload.steps.length;
  const model = {
    payload,
    total,
    steps: payload.steps,
    boxes: new Map(payload.scene.boxes.map((box) => [box.id, box])),
    links: new Map(payload.scene.edges.map((edge) => [edge.id, edge])),
    nodes: new Map(Object.entries(payload.nodes)),
    edges: new Map(Object.entries(payload.edges)),
    chains: new Map(Object.entries(payload.chains)),
    slots: new Map(),
    changes: emptyLists(total + 1),
    arrivals: emptyLists(total + 1),
    computedAt: new Map(),
    homes: new Map(),
  };
  for (const { id, members } of payload.scene.boxes) for (const node of [id, ...(members ?? [])]) model.homes.set(node, id);
  for (const [slot, entries] of Object.entries(payload.timeline)) addSlot(model, slot, entries);
  const forward = new Map();
  model.steps.forEach((step, index) => step.kind === "forward" && forward.set(step.node, index + 1));
  const arrival = (node) => firstFilled(model.slots.get(`value:${node}`)) ?? forward.get(node) ?? 0;
  for (const id of model.nodes.keys()) model.computedAt.set(id, arrival(id));
  for (const { id, shows } of model.boxes.values()) {
    const k = arrival(shows ?? id);
    model.computedAt.set(id, k);
    model.arrivals[k]?.push(id);
  }
  return model;
}

function emptyLists(count) {
  return Array.from({ length: count }, () => []);
}

function addSlot(model, slot, entries) {
  const history = entries.map(([k, text, exact]) => ({ k, text, exact })).sort((a, b) => a.k - b.k);
  model.slots.set(slot, history);
  for (const entry of history) model.changes[entry.k]?.push(slot);
}

function firstFilled(history) {
  return history?.find((entry) => entry.text !== DASH && entry.text !== "")?.k;
}

/** What a slot shows after k steps: its last entry that is not later than k. */
export function slotAt(model, slot, k) {
  const history = model.slots.get(slot);
  if (!history) return NOTHING;
  for (let index = history.length - 1; index >= 0; index -= 1) {
    if (history[index].k <= k) return history[index];
  }
  return NOTHING;
}

/** Whether a slot has reached its last text: a gradient is complete when its last contribution has come in. */
export function settled(model, slot, k) {
  const history = model.slots.get(slot);
  return Boolean(history?.length) && history[history.length - 1].k <= k && firstFilled(history) !== undefined;
}

/** The box in which a node is drawn: its own, or that of the group it is folded into. */
export function boxOf(model, node) {
  return model.boxes.get(model.homes.get(node));
}

/** The step that was just done, or null before the first one. */
export function stepAt(model, k) {
  return k > 0 ? model.steps[k - 1] : null;
}

/** The nearest k in the direction of `offset` (1 or -1) whose step shows something; k itself when there is none. */
export function shownFrom(model, k, offset) {
  for (let at = k + offset; at >= 0 && at <= model.total; at += offset) {
    if (!stepAt(model, at)?.hidden) return at;
  }
  return k;
}

/** Where another structure of the same story stands as `before` does at k > 0: at the same step, else as far into the same phase. */
export function samePlace(model, before, k) {
  const old = stepAt(before, k);
  const first = (fits) => model.steps.findIndex(fits) + 1;
  const alike = ({ kind, node }) => kind === old.kind && node === old.node;
  const last = model.steps.slice(0, k).map(({ kind }) => kind).lastIndexOf(old.kind) + 1;
  return first((step) => alike(step) && (step.edge ?? null) === (old.edge ?? null)) || first(alike) || last;
}

/** Node id of an edge's consumer: edge ids are "<consumer>:<argument index>". */
export function consumerOf(edgeId) {
  return edgeId.slice(0, edgeId.lastIndexOf(":"));
}

/** Runs of equal step kinds, in order: [{ kind, count }]. */
export function phases(model) {
  const runs = [];
  for (const { kind } of model.steps) {
    if (runs.length && runs[runs.length - 1].kind === kind) runs[runs.length - 1].count += 1;
    else runs.push({ kind, count: 1 });
  }
  return runs;
}

/** A name for a person: the title of the node or of the group, or its id. */
export function titleOf(model, id) {
  return model.nodes.get(id)?.title || model.boxes.get(id)?.title || id;
}

/** A contribution has the shape of the argument that it flows to. */
export function shapeOfSource(model, edgeId) {
  return model.nodes.get(model.links.get(edgeId)?.source)?.shape ?? "";
}

/** Whether one entry of a node is a sum of products, or a choice, that can be opened. */
export function opensToProducts(model, id) {
  return Boolean(model.payload.elements) && model.nodes.get(id)?.element === "products";
}

/** Whether a node can be opened (a fused operation, or a group that unfolds) and whether it can be folded away. */
export function folding(model, id) {
  const group = Boolean(model.boxes.get(id)?.group);
  const info = model.nodes.get(id);
  const inside = (model.homes.get(id) ?? id) !== id; // of a folded box
  return { openable: !inside && (group || Boolean(info?.openable)), foldable: !inside && !group && Boolean(info?.foldable) };
}
