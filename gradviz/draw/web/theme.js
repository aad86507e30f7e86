/** Light or dark: what the caller says, else the page's own background, else the system's preference. */

/** Sets data-theme on the view now and whenever the page changes; returns a function that stops. */
export function watchTheme(root, view, wanted) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const theme = wanted ?? root.dataset.theme ?? fromPage(root) ?? (system.matches ? "dark" : "light");
    if (view.dataset.theme !== theme) view.dataset.theme = theme; // whoever watches it hears of changes only
  };
  const observer = new MutationObserver(apply);
  observer.observe(root, { attributes: true, attributeFilter: ["data-theme"] });
  system.addEventListener("change", apply);
  apply();
  return { apply, stop: () => (observer.disconnect(), system.removeEventListener("change", apply)) };
}

const known = new Map(); // asking a canvas about a colour takes a while

/** Streamlit hands its colours down as custom properties. */
function fromPage(root) {
  const color = getComputedStyle(root).getPropertyValue("--st-background-color").trim();
  if (!color) return null;
  if (!known.has(color)) known.set(color, isDark(color) ? "dark" : "light");
  return known.get(color);
}

function isDark(color) {
  const probe = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  probe.fillStyle = color;
  probe.fillRect(0, 0, 1, 1);
  const [red, green, blue] = probe.getImageData(0, 0, 1, 1).data;
  return 0.299 * red + 0.587 * green + 0.114 * blue < 128;
}
