/** MathML strings from the payload, rebuilt element by element from an allow-list (MathML Core). */

import { el } from "./dom.js";

const MATHML_NAMESPACE = "http://www.w3.org/1998/Math/MathML";
const LONGEST = 200_000;

const TOKENS = new Set(["mi", "mn", "mo", "ms", "mtext"]);
const ELEMENTS = new Set([
  ...TOKENS, "math", "mfrac", "mmultiscripts", "mover", "mpadded", "mphantom", "mprescripts", "mroot", "mrow",
  "mspace", "msqrt", "mstyle", "msub", "msubsup", "msup", "mtable", "mtd", "mtr", "munder", "munderover",
]);
const ATTRIBUTES = new Set([
  "accent", "accentunder", "columnspan", "depth", "display", "displaystyle", "fence", "form", "height", "largeop",
  "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits", "rowspan", "rspace", "scriptlevel",
  "separator", "stretchy", "symmetric", "voffset", "width",
]);
const CLASSES = new Set(["boxed", "value", "gradient"]);

const typeset = new Map();

/** A fresh <math> element; a string that is no MathML is shown as the plain text it is. */
export function mathNode(markup) {
  if (!typeset.has(markup)) typeset.set(markup, build(String(markup)));
  return typeset.get(markup).cloneNode(true);
}

/** The sign of membership, as a part of an equation. */
export const IN = '<math><mo>∈</mo></math>';

/** Several formulas as one, so that they share a baseline: `equation(a, "=", b)`. */
export function equation(...parts) {
  const math = inLine(document.createElementNS(MATHML_NAMESPACE, "math"));
  for (const part of parts) math.append(part === "=" ? token("mo", "=") : inner(mathNode(part)));
  return math;
}

function inner(node) {
  if (node.localName !== "math") return token("mtext", node.textContent);
  const row = document.createElementNS(MATHML_NAMESPACE, "mrow");
  row.append(...node.childNodes);
  return row;
}

/** An invisible fraction without width: formulas beside it get the same height and baseline. */
export function strut() {
  return mathNode('<math><mpadded width="0"><mphantom><mfrac><mi>∂ŷ</mi><msub><mi>∂w</mi><mn>1</mn></msub></mfrac></mphantom></mpadded></math>');
}

function token(name, text) {
  const element = document.createElementNS(MATHML_NAMESPACE, name);
  element.textContent = text;
  return element;
}

function build(markup) {
  const root = parse(markup);
  if (!root) return el("span", { class: "gv-plain" }, markup);
  const math = copy(root);
  return inLine(math);
}

/** Within a line of text, with fractions at full size. */
function inLine(math) {
  math.setAttribute("display", "inline");
  math.setAttribute("displaystyle", "true");
  return math;
}

function parse(markup) {
  // No document type: entities are never declared, so none can be expanded.
  if (markup.length > LONGEST || markup.includes("<!") || !/^\s*<math[\s>]/.test(markup)) return null;
  const parsed = new DOMParser().parseFromString(markup, "application/xml");
  const broken = parsed.getElementsByTagName("parsererror").length > 0;
  return !broken && isMath(parsed.documentElement) ? parsed.documentElement : null;
}

function isMath(element) {
  const known = element.namespaceURI === MATHML_NAMESPACE || element.namespaceURI === null;
  return known && ELEMENTS.has(element.localName);
}

function copy(source) {
  const target = document.createElementNS(MATHML_NAMESPACE, source.localName);
  for (const { name, value } of source.attributes) {
    if (ATTRIBUTES.has(name) || (name === "class" && CLASSES.has(value))) target.setAttribute(name, value);
  }
  for (const child of source.childNodes) {
    if (child.nodeType === Node.TEXT_NODE) copyText(child.data, source, target);
    else if (child.nodeType === Node.ELEMENT_NODE && isMath(child)) target.append(copy(child));
  }
  return target;
}

function copyText(text, source, target) {
  if (TOKENS.has(source.localName)) target.append(text);
  else if (text.trim()) target.append(token("mtext", text.trim()));
}
