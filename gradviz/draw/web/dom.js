/** Small builders for HTML and SVG elements. Every string ends up as a text node or an attribute value, never as markup. */

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/** One HTML element: `el("p", { class: "note" }, "text", child)`. */
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** One SVG element. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG_NAMESPACE, tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      element.setAttribute(name, value === true ? "" : String(value));
    }
  }
  element.append(...children.filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

/** A push button that never submits a form. */
export function button(attributes, onClick, ...children) {
  const element = el("button", { type: "button", ...attributes }, ...children);
  element.addEventListener("click", onClick);
  return element;
}

const ICONS = {
  first: "M5 4v12M16 4l-8 6 8 6z",
  previous: "M14 4l-8 6 8 6z",
  play: "M6 3.5l10 6.5-10 6.5z",
  pause: "M5.5 4h3v12h-3zM11.5 4h3v12h-3z",
  next: "M6 4l8 6-8 6z",
  last: "M15 4v12M4 4l8 6-8 6z",
  minus: "M4.5 10h11",
  plus: "M4.5 10h11M10 4.5v11",
  fit: "M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4",
  close: "M5 5l10 10M15 5L5 15",
};

/** A 20 × 20 icon in the current colour. */
export function icon(name) {
  return svg("svg", { class: "gv-icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: ICONS[name] }));
}

/** Sets a text only when it differs, so that unchanged nodes cause no layout. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
