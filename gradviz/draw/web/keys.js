/** Keys, handled in the browser: inside the view, and on the page while nothing else there wants them. */

const INTERACTIVE = [
  "input", "textarea", "select", "button", "a[href]", "summary", "audio", "video", "iframe",
  "[contenteditable]:not([contenteditable=false])", "[role=slider]", "[role=textbox]", "[role=spinbutton]", "[role=combobox]",
  "[role=listbox]", "[role=option]", "[role=menu]", "[role=menuitem]", "[role=tab]", "[role=radio]", "[role=checkbox]", "[role=switch]",
  "[role=button]", "[role=grid]", "[role=dialog]",
].join(",");
const PAN = 60;

/** Listens until the returned function is called; with `only` nowhere but inside the view. */
export function listenKeys(root, actions, only) {
  const inside = (event) => handle(event, actions);
  const outside = (event) => {
    const path = event.composedPath();
    const dialog = [...document.querySelectorAll("[role=dialog]:not([hidden])")].find((one) => !root.contains(one));
    if (dialog) handOver(event, path, dialog);
    else if (!path.includes(root) && !path.some(isInteractive) && isInSight(root)) handle(event, actions);
  };
  root.addEventListener("keydown", inside);
  if (!only) document.addEventListener("keydown", outside);
  return () => {
    root.removeEventListener("keydown", inside);
    document.removeEventListener("keydown", outside);
  };
}

/** While a dialog of the page is open, keys are its own, also when what had the focus in it went away. */
function handOver(event, path, dialog) {
  if (path.includes(dialog) || path.some(isInteractive)) return;
  dialog.focus({ preventScroll: true });
  if (event.key === "Escape") dialog.dispatchEvent(new KeyboardEvent("keydown", { key: event.key, bubbles: true, cancelable: true }));
}

function isInteractive(target) {
  return target instanceof Element && target.matches(INTERACTIVE);
}

/** With several views on a page, keys pressed elsewhere go to the first one that is in sight. */
function isInSight(root) {
  const { top, bottom, width } = root.getBoundingClientRect();
  return root.isConnected && width > 0 && top < innerHeight * 0.6 && bottom > innerHeight * 0.4;
}

function handle(event, actions) {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const target = event.composedPath()[0];
  if (target instanceof Element && ownsKey(target, event.key)) return;
  const action = event.shiftKey ? shifted(event.key, actions) : plain(event.key, actions);
  if (action && action() !== false) event.preventDefault();
}

/** Keys that a control inside the view needs for itself. */
function ownsKey(target, key) {
  if (target.matches("canvas")) return key === "Enter" || key.startsWith("Arrow");
  if (target.matches("select, textarea, input:not([type=range])")) return true;
  if (target.matches("input[type=range]")) return /^(Arrow|Page|Home|End)/.test(key);
  return target.matches("button") && (key === " " || key === "Enter");
}

function shifted(key, actions) {
  const pans = {
    ArrowLeft: () => actions.pan(PAN, 0), ArrowRight: () => actions.pan(-PAN, 0),
    ArrowUp: () => actions.pan(0, PAN), ArrowDown: () => actions.pan(0, -PAN),
  };
  return pans[key] ?? (key === "?" || key === "+" ? plain(key, actions) : undefined);
}

function plain(key, actions) {
  const table = {
    ArrowRight: actions.next, ArrowLeft: actions.previous, Home: actions.first, End: actions.last, " ": actions.togglePlay,
    "+": actions.zoomIn, "=": actions.zoomIn, "-": actions.zoomOut, 0: actions.fit,
    n: () => actions.selectBy(1), p: () => actions.selectBy(-1), e: actions.selectEdge, Enter: actions.inspect,
    1: () => actions.openTab("inspector"), 2: () => actions.openTab("chain"), 3: () => actions.openTab("steps"),
    o: actions.openOrFold, b: actions.boxNext, "?": actions.toggleHelp, Escape: actions.escape,
  };
  return Object.hasOwn(table, key.toLowerCase()) ? table[key.toLowerCase()] : Object.hasOwn(table, key) ? table[key] : undefined;
}
