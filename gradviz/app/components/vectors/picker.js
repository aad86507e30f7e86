/** The graph with its values: a click on a node makes it the one that is differentiated, or the one it is done by. */

import { createZoom } from "./controls.js";
import { button, el, svg } from "./dom.js";
import { buildModel } from "./model.js";
import { createScene } from "./scene.js";
import { createView } from "./view.js";

const SMALLEST_TEXT = 13; // px
const ROLES = { of: "derivative of", wrt: "with respect to" };

/** `pick({of, wrt})` is called after a click with both nodes, since two quick clicks may arrive as one; `show(graph, {of, wrt, edges})` marks the nodes and the way between them.
 *  The first click picks `first`, "of" or "wrt". */
export function createPicker(pick, first = "of") {
  const scene = createScene();
  const marks = svg("g", { class: "jv-marks" });
  scene.camera.append(marks);
  const pane = el("div", { class: "gv-graph jv-graph", tabindex: 0, role: "application", "aria-label": "Computational graph: click a node to pick it" }, scene.element);
  const picker = { role: "of", chips: {}, model: null };
  const chips = el("div", { class: "jv-chips", role: "radiogroup", "aria-label": "What the next click picks" });
  for (const [role, words] of Object.entries(ROLES)) {
    const name = el("b", { class: "jv-node" });
    const chip = button({ class: `gv-chip jv-${role}`, role: "radio" }, () => arm(picker, role), words, " ", name);
    picker.chips[role] = { chip, name };
    chips.append(chip);
  }
  arm(picker, first);
  const camera = createView(pane, scene.camera, () => 0, SMALLEST_TEXT);
  pane.append(createZoom({ zoomIn: () => camera.zoom(1.25), zoomOut: () => camera.zoom(0.8), fit: () => camera.fit(null, true) }));
  pane.addEventListener("click", (event) => {
    const id = event.target.closest("[data-node]")?.dataset.node;
    if (!id) return;
    const { role } = picker;
    arm(picker, role === "of" ? "wrt" : "of");
    picker.chosen = { ...picker.chosen, [role]: id };
    pick({ of: picker.chosen.of, wrt: picker.chosen.wrt });
  });
  const resizing = new ResizeObserver(() => picker.model && camera.fit(middle(picker)));
  resizing.observe(pane);
  return {
    element: el("section", { class: "jv-picker" }, chips, pane),
    show: (graph, chosen) => {
      const same = picker.model?.payload.program === graph.program;
      Object.assign(picker, { model: buildModel(graph), chosen });
      scene.load(picker.model);
      scene.show(0);
      camera.load(graph.scene);
      if (!same) camera.fit(middle(picker));
      else camera.follow([boxOf(picker, "wrt"), boxOf(picker, "of")].filter(Boolean));
      for (const role of Object.keys(ROLES)) picker.chips[role].name.replaceChildren(...nameOf(boxOf(picker, role), chosen[role]));
      for (const line of scene.element.querySelectorAll(".gv-edge")) line.classList.toggle("jv-path", chosen.edges.includes(line.dataset.edge));
      marks.replaceChildren(...Object.keys(ROLES).flatMap((role) => mark(boxOf(picker, role), role, chosen.of === chosen.wrt)));
    },
    destroy: () => {
      resizing.disconnect();
      camera.destroy();
    },
  };
}

function arm(picker, role) {
  picker.role = role;
  for (const [name, { chip }] of Object.entries(picker.chips)) chip.setAttribute("aria-checked", String(name === role));
}

function boxOf({ model, chosen }, role) {
  return model.boxes.get(chosen[role]);
}

/** Between the two nodes: what is in view when the graph is larger than its pane. */
function middle(picker) {
  const boxes = [boxOf(picker, "of"), boxOf(picker, "wrt")].filter(Boolean);
  return boxes.length ? { x: (boxes[0].x + boxes.at(-1).x) / 2, y: (boxes[0].y + boxes.at(-1).y) / 2 } : null;
}

function nameOf(box, id) {
  if (!box?.name) return [id];
  return box.name.sub ? [box.name.base, el("sub", {}, box.name.sub)] : [box.name.base];
}

/** A ring around the node (dashed for the one it is done by) and a word under it. */
function mark(box, role, both) {
  if (!box) return [];
  const out = both && role === "wrt" ? 8 : 3.5;
  const ring = svg("rect", {
    class: `jv-ring jv-${role}`, x: box.x - box.width / 2 - out, y: box.y - box.height / 2 - out,
    width: box.width + 2 * out, height: box.height + 2 * out, rx: 12,
  });
  if (both && role === "wrt") return [ring];
  const word = both ? "of and by" : role === "of" ? "of" : "by";
  return [ring, svg("text", { class: "jv-word", x: box.x, y: box.y + box.height / 2 + 20 }, word)];
}
