/** Pan, zoom, fit and follow: where the camera of the graph pane stands. */

const SMALLEST_TEXT = 12.01; // px, and never less by rounding
const LARGEST_SCALE = 1.6;
const LARGEST_ZOOM = 6;
const PADDING = { top: 40, right: 20, bottom: 32, left: 20 };
const NEAR_EDGE = 36;
const GLIDE = 240;

/** A camera for `pane`; `cover()` is the width in px of what lies over the pane's right side; text stays `smallest` px at least. */
export function createView(pane, camera, cover, smallest = SMALLEST_TEXT) {
  const view = { pane, camera, cover, smallest, x: 0, y: 0, scale: 1, scene: null, fitted: true, whole: false, frame: 0 };
  const wheel = (event) => onWheel(view, event);
  pane.addEventListener("wheel", wheel, { passive: false });
  watchPointers(view);
  return {
    load: (scene) => (view.scene = scene),
    fit: (focus, whole = false) => fit(view, focus, whole),
    zoom: (factor) => zoom(view, factor, view.pane.clientWidth / 2, view.pane.clientHeight / 2),
    pan: (dx, dy) => move(view, view.x + dx, view.y + dy),
    follow: (boxes) => follow(view, boxes),
    resize: (focus) => (view.fitted ? fit(view, focus, view.whole) : apply(view)),
    destroy: () => cancelAnimationFrame(view.frame),
  };
}

function free(view) {
  return { width: view.pane.clientWidth - view.cover(), height: view.pane.clientHeight };
}

/** The whole graph when it is asked for or its text stays readable, otherwise the readable scale around `focus`. */
function fit(view, focus, whole) {
  const { width, height } = free(view);
  if (width <= 0 || height <= 0) return;
  const { scene } = view;
  const across = (width - PADDING.left - PADDING.right) / scene.width;
  const down = (height - PADDING.top - PADDING.bottom) / scene.height;
  const readable = view.smallest / scene.font;
  view.scale = Math.max(whole ? 0 : readable, Math.min(across, down, LARGEST_SCALE));
  const at = focus ?? { x: 0, y: scene.height / 2 };
  const x = centred(width, PADDING.left, PADDING.right, scene.width * view.scale, at.x * view.scale);
  const y = centred(height, PADDING.top, PADDING.bottom, scene.height * view.scale, at.y * view.scale);
  move(view, x, y);
  Object.assign(view, { fitted: true, whole });
}

/** Offset along one axis: in the middle when it fits, else around `focus` without showing emptiness beyond the graph. */
function centred(room, before, after, size, focus) {
  if (size <= room - before - after) return before + (room - before - after - size) / 2;
  return Math.min(before, Math.max(room - after - size, room / 2 - focus));
}

function move(view, x, y) {
  cancelAnimationFrame(view.frame);
  view.x = x;
  view.y = y;
  view.fitted = false;
  apply(view);
}

function apply(view) {
  view.camera.setAttribute("transform", `translate(${view.x.toFixed(2)} ${view.y.toFixed(2)}) scale(${view.scale.toFixed(4)})`);
}

/** Zooms while the point (px, py) of the pane stays where it is. */
function zoom(view, factor, px, py) {
  const { width, height } = free(view);
  const whole = Math.min(width / view.scene.width, height / view.scene.height) * 0.9;
  const smallest = Math.min(whole, view.smallest / view.scene.font, view.scale);
  const scale = Math.min(LARGEST_ZOOM, Math.max(smallest, view.scale * factor));
  const ratio = scale / view.scale;
  view.scale = scale;
  const x = px - (px - view.x) * ratio;
  const y = py - (py - view.y) * ratio;
  move(view, factor < 1 ? settled(width, view.scene.width * scale, x) : x, factor < 1 ? settled(height, view.scene.height * scale, y) : y);
}

/** Zooming out ends with the graph in the middle. */
function settled(room, size, offset) {
  return size <= room ? (room - size) / 2 : offset;
}

/** Glides to the boxes only when they are not in view: to all of them where the pane has the room, else to the first. */
function follow(view, boxes) {
  if (!boxes.length) return;
  const { width, height } = free(view);
  const all = hull(boxes);
  const fits = (all.right - all.left) * view.scale <= width - 2 * NEAR_EDGE && (all.bottom - all.top) * view.scale <= height - 2 * NEAR_EDGE;
  const { left, right, top, bottom } = fits ? all : hull(boxes.slice(0, 1));
  const inside =
    left * view.scale + view.x >= NEAR_EDGE && right * view.scale + view.x <= width - NEAR_EDGE &&
    top * view.scale + view.y >= NEAR_EDGE && bottom * view.scale + view.y <= height - NEAR_EDGE;
  if (inside) return;
  const { scene, fitted } = view;
  const focusX = ((left + right) / 2) * view.scale;
  const focusY = ((top + bottom) / 2) * view.scale;
  const x = centred(width, PADDING.left, PADDING.right, scene.width * view.scale, focusX);
  const y = centred(height, PADDING.top, PADDING.bottom, scene.height * view.scale, focusY);
  glide(view, x, y, fitted);
}

function hull(boxes) {
  const room = 24;
  return {
    left: Math.min(...boxes.map((box) => box.x - box.width / 2)) - room,
    right: Math.max(...boxes.map((box) => box.x + box.width / 2)) + room,
    top: Math.min(...boxes.map((box) => box.y - box.height / 2)) - room,
    bottom: Math.max(...boxes.map((box) => box.y + box.height / 2)) + room,
  };
}

function glide(view, x, y, fitted) {
  const from = { x: view.x, y: view.y };
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const begin = performance.now();
  const tick = (now) => {
    const share = still ? 1 : Math.min(1, Math.max(0, now - begin) / GLIDE);
    const eased = 1 - (1 - share) ** 3;
    move(view, from.x + (x - from.x) * eased, from.y + (y - from.y) * eased);
    view.fitted = fitted;
    if (share < 1) view.frame = requestAnimationFrame(tick);
  };
  cancelAnimationFrame(view.frame);
  view.frame = requestAnimationFrame(tick);
}

/** The page keeps its scrolling: the wheel zooms only with Ctrl (or a pinch) or while the pane has the focus. */
function onWheel(view, event) {
  if (!event.ctrlKey && !view.pane.matches(":focus")) return;
  event.preventDefault();
  const bounds = view.pane.getBoundingClientRect();
  const speed = event.deltaMode === 1 ? 0.05 : 0.0018;
  zoom(view, Math.exp(-event.deltaY * speed * (event.ctrlKey ? 3 : 1)), event.clientX - bounds.left, event.clientY - bounds.top);
}

/** One pointer drags, two pointers pinch. A drag of a few px is still a click. */
function watchPointers(view) {
  const { pane } = view;
  const pointers = new Map();
  let travelled = 0;
  const release = (event) => pointers.delete(event.pointerId);
  pane.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.target.closest("button")) return;
    if (!pointers.size) travelled = 0;
    pointers.set(event.pointerId, event);
  });
  pane.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    travelled += Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY);
    if (travelled > 4 && !pane.hasPointerCapture(event.pointerId)) pane.setPointerCapture(event.pointerId);
    if (travelled > 4) drag(view, [...pointers.values()], before, event);
    pointers.set(event.pointerId, event);
  });
  for (const name of ["pointerup", "pointercancel", "lostpointercapture"]) pane.addEventListener(name, release);
  pane.addEventListener("click", (event) => travelled > 4 && event.stopPropagation(), { capture: true });
}

function drag(view, pointers, before, event) {
  if (pointers.length === 1) {
    move(view, view.x + event.clientX - before.clientX, view.y + event.clientY - before.clientY);
    return;
  }
  const other = pointers.find((pointer) => pointer.pointerId !== event.pointerId);
  const distance = (pointer) => Math.hypot(pointer.clientX - other.clientX, pointer.clientY - other.clientY) || 1;
  const bounds = view.pane.getBoundingClientRect();
  zoom(view, distance(event) / distance(before), (event.clientX + other.clientX) / 2 - bounds.left, (event.clientY + other.clientY) / 2 - bounds.top);
}
