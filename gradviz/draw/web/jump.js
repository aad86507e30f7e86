/** The button that goes to the step in which an edge's contribution is computed. */

import { button } from "./dom.js";

/** Null for an edge that no backward step passes. */
export function jumpButton(step, actions) {
  if (step === null || step === undefined) return null;
  return button({ class: "gv-action" }, () => actions.go(step + 1), `Go to its step (${step + 1})`);
}
