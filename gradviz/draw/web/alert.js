/** What does not work, told over the graph of what does. */

import { el } from "./dom.js";

const PARTS = { message: "p", excerpt: "pre", hint: "p", shown: "p" };

/** Creates the banner; `show` takes { message, excerpt, hint, shown }, each a text or nothing, or null to hide it. */
export function createAlert() {
  const element = el("div", { class: "gv-alert", role: "alert", hidden: true });
  return { element, show: (alert) => show(element, alert) };
}

function show(element, alert) {
  element.hidden = !alert;
  const told = Object.entries(PARTS).filter(([name]) => alert?.[name]);
  element.replaceChildren(...told.map(([name, tag]) => el(tag, { class: `gv-alert-${name}` }, alert[name])));
}
