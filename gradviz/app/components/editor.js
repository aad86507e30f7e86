/** A program editor: a text area whose mirror underlines the characters an error blames. */

const DELAY = 500; // ms without a key press before the program is read

function build(root) {
  root.replaceChildren();
  const mirror = document.createElement("pre");
  mirror.className = "mirror";
  mirror.setAttribute("aria-hidden", "true");
  const area = document.createElement("textarea");
  area.spellcheck = false;
  area.setAttribute("autocapitalize", "off");
  const box = document.createElement("div");
  box.className = "box";
  box.append(mirror, area);
  const message = document.createElement("div");
  message.className = "message";
  message.setAttribute("role", "alert");
  root.append(box, message);
  return { box, mirror, area, message, version: null, timer: 0, sent: null };
}

/** The text again, with the blamed characters in a <mark>; as text nodes only. */
function underline(editor, error) {
  const text = editor.area.value;
  editor.mirror.replaceChildren();
  if (error && error.start !== null && error.text === text) {
    const end = Math.max(error.end, error.start + 1);
    const mark = document.createElement("mark");
    mark.textContent = text.slice(error.start, end) || " ";
    editor.mirror.append(text.slice(0, error.start), mark, text.slice(end));
  } else {
    editor.mirror.append(text);
  }
  editor.mirror.append("\n");
  editor.area.setAttribute("aria-invalid", String(Boolean(error)));
}

function explain(editor, error) {
  editor.message.replaceChildren();
  if (!error) return;
  for (const [name, text] of [["what", error.message], ["where", error.excerpt], ["hint", error.hint]]) {
    if (!text) continue;
    const part = document.createElement(name === "where" ? "pre" : "p");
    part.className = name;
    part.textContent = text;
    editor.message.append(part);
  }
}

const editors = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".gradviz-editor");
  let editor = editors.get(root);
  if (!editor) {
    editor = build(root);
    editors.set(root, editor);
  }
  // A version says that somebody else (a demo, a link, a file) changed the text; typing is never overwritten.
  if (editor.version !== data.version) {
    editor.version = data.version;
    editor.area.value = data.text;
    editor.sent = data.text;
  }
  if (editor.rows !== data.rows) editor.box.style.height = `${(editor.rows = data.rows) * 1.27 + 2}rem`;
  editor.area.setAttribute("aria-label", data.label);
  const send = () => {
    clearTimeout(editor.timer);
    if (editor.area.value === editor.sent) return;
    editor.sent = editor.area.value;
    setTriggerValue("edit", editor.area.value);
  };
  editor.area.oninput = () => {
    underline(editor, null);
    clearTimeout(editor.timer);
    editor.timer = setTimeout(send, DELAY);
  };
  editor.area.onblur = send;
  editor.area.onkeydown = (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    if (data.enters && !event.shiftKey) {
      event.preventDefault();
      clearTimeout(editor.timer);
      editor.sent = editor.area.value;
      setTriggerValue("enter", editor.area.value);
    } else if (event.ctrlKey || event.metaKey) send();
  };
  editor.area.onscroll = () => {
    editor.mirror.scrollTop = editor.area.scrollTop;
    editor.mirror.scrollLeft = editor.area.scrollLeft;
  };
  underline(editor, data.error);
  explain(editor, data.explains ? data.error : null);
}
