/** The three tabs and their panels: a column when there is room, a drawer over the graph when there is not. */

import { button, el, icon } from "./dom.js";

const NAMES = { inspector: "Inspector", chain: "Chain rule", steps: "Steps" };

/** Creates tabs for { inspector, chain, steps }, each with `.element`. */
export function createPanels(contents, actions) {
  const tabs = {};
  const panels = {};
  for (const [name, label] of Object.entries(NAMES)) {
    tabs[name] = button({ class: "gv-tab", role: "tab", title: `${label} (${Object.keys(tabs).length + 1})` }, () => actions.clickTab(name), label);
    panels[name] = el("div", { class: "gv-panel", role: "tabpanel", "aria-label": label, tabindex: -1 }, contents[name].element);
  }
  const shut = button({ class: "gv-control gv-close", "aria-label": "Close the panel (Esc)" }, actions.closeDrawer, icon("close"));
  const list = el("div", { class: "gv-tabs", role: "tablist", "aria-label": "Panels" }, ...Object.values(tabs));
  const drawer = el("div", { class: "gv-drawer" }, shut, ...Object.values(panels));
  const show = ({ tab, drawer: open }) => {
    for (const name of Object.keys(NAMES)) {
      tabs[name].setAttribute("aria-selected", String(name === tab));
      panels[name].hidden = name !== tab;
    }
    drawer.classList.toggle("gv-open", open);
  };
  return { list, drawer, show, focus: (name) => panels[name].focus({ preventScroll: true }) };
}
