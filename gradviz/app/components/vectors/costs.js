/** What the chain costs with every Jacobian written out, beside the vector–Jacobian products that are really used. */

import { button, el } from "./dom.js";

const HEAD = ["entries", "multiplications"];

/** `show(costs)` with costs = {now, typed, sizes, wanted, problem}; each of now and typed = {names, rows, total, largest, times}. */
export function createCosts(send) {
  const form = el("form", { class: "lg-bar lg-wanted" });
  const tables = el("div", { class: "lg-tables" });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const sizes = {};
    for (const field of form.querySelectorAll("input")) sizes[field.name] = field.valueAsNumber;
    send({ kind: "sizes", sizes });
  });
  return {
    element: el("section", { class: "lg-costs" }, el("h3", {}, "Why the Jacobians are never written out"), form, tables),
    show: (costs) => {
      fields(form, costs, send);
      const now = table(`these sizes${letters(costs.sizes)}`, costs.now);
      const typed = costs.typed && table(`sizes you type${letters(costs.wanted)}`, costs.typed);
      tables.replaceChildren(...[now, typed].filter(Boolean));
    },
  };
}

function letters(sizes) {
  const text = Object.entries(sizes).map(([letter, size]) => `${letter} = ${size}`).join(", ");
  return text ? `: ${text}` : "";
}

function fields(form, { sizes, wanted, problem }, send) {
  form.hidden = !Object.keys(sizes).length;
  const written = JSON.stringify(wanted);
  if (form.dataset.written !== written) {
    form.dataset.written = written;
    const inputs = Object.entries(wanted).map(([letter, size]) =>
      el("label", {}, `${letter} `, el("input", { class: "lg-field", type: "number", name: letter, value: size, min: 1, max: 1000000, step: 1, required: true })));
    const large = button({ class: "gv-action" }, () => send({ kind: "sizes", sizes: Object.fromEntries(Object.keys(sizes).map((letter) => [letter, 1000])) }), "1000 × 1000 layers");
    form.replaceChildren(...inputs, el("button", { class: "gv-action", type: "submit" }, "Count"), large, el("span", { class: "lg-unread", role: "alert" }));
  }
  form.querySelector('[role="alert"]').textContent = problem ? `⚠ ${problem}` : "";
}

function table(caption, { names, rows, total, largest, times }) {
  const line = (name, cells, tag = "td") => el("tr", {}, el("th", { scope: "row" }, name), ...cells.map((text) => el(tag, {}, text)));
  return el("figure", { class: "lg-table" },
    el("table", {},
      el("caption", {}, caption),
      el("thead", {},
        el("tr", {}, el("td", {}), el("th", { colspan: 2, scope: "colgroup" }, "Jacobian written out"), el("th", { colspan: 2, scope: "colgroup" }, "vector–Jacobian product")),
        el("tr", {}, el("td", {}), ...[...HEAD, ...HEAD].map((text) => el("th", { scope: "col" }, text)))),
      el("tbody", {}, ...names.map((name, i) => line(name, rows[i]))),
      el("tfoot", {}, line("together", total))),
    el("figcaption", {}, `The largest Jacobian has ${largest[0]} entries, the largest vector ${largest[1]}; in all, ${times} times as many.`));
}
