"""The step-through view in one HTML file: no network, a strict content security policy, from disk or in an iframe.

In an iframe, as in a reveal.js deck, it takes keys only while it has the focus; Escape gives the focus back.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from json import dumps
from typing import Any

from gradviz.draw import web
from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import clean
from gradviz.draw.export.options import shows
from gradviz.draw.export.page import heading
from gradviz.draw.scene import selected
from gradviz.draw.story import payload

SUFFIX = ".html"
MANY = True
FROM_START = True
OUTLINED = False
USUAL: dict[str, Any] = {"title": True}

_START = """
const root = document.getElementById("view");
const story = JSON.parse(document.getElementById("story").textContent);
const options = document.documentElement.dataset.theme ? { theme: document.documentElement.dataset.theme } : {};
gradviz.mount(root, story, options);
if (window.parent !== window) {
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || event.defaultPrevented) return;
    document.activeElement?.blur();
    window.parent.focus();
  });
}
"""
_PAGE_STYLE = """
html, body { margin: 0; height: 100%; }
body { background: #FFFFFF; }
html[data-theme="dark"] body { background: #181715; }
#view { height: 100%; }
"""


def render(deck: Deck) -> bytes:
    """The stepper over the whole run; it starts at the only step asked for, or at the first of several."""
    stage, options = deck.stage, deck.options
    title = clean(heading(stage, options), 200)
    told = _trimmed(payload(stage, deck.steps[0]), deck) | {"title": title}
    style, script = web.style() + _PAGE_STYLE, f"{web.script()}{_START}"
    policy = (
        f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
        "base-uri 'none'; form-action 'none'"
    )
    theme = f' data-theme="{"dark" if options.theme == "dark" else "light"}"'
    return f"""<!DOCTYPE html>
<html lang="en"{theme}>
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(title or "Computational graph")}</title>
<style>{style}</style>
</head>
<body>
<div id="view" class="gradviz-root"></div>
<script type="application/json" id="story">{_embedded(told)}</script>
<script>{script}</script>
</body>
</html>
""".encode("utf-8", "replace")


def _trimmed(told: dict[str, Any], deck: Deck) -> dict[str, Any]:
    """The story as far as it is asked for."""
    options, end = deck.options, deck.steps[-1] if len(deck.steps) > 1 else len(deck.stage.run.steps)
    hidden = [kind for kind in ("value", "gradient") if not getattr(options, f"{kind}s")]
    hidden += [] if options.gradients else ["contribution"]
    if options.nodes:
        shown = selected(deck.stage.scene(), options.nodes)
        for part, kept in (("boxes", shown.boxes), ("edges", shown.lines)):
            ids = {one.id for one in kept}
            told["scene"][part] = [one for one in told["scene"][part] if one["id"] in ids]
        for k, step in enumerate(told["steps"], 1):
            step["hidden"] = not shows(deck.stage, k, options)
    told["steps"] = told["steps"][:end]
    if options.derivation is False:
        told["steps"] = [step | {"stages": []} for step in told["steps"]]
    told["timeline"] = {
        slot: [entry for entry in entries if entry[0] <= end]
        for slot, entries in told["timeline"].items()
        if slot.partition(":")[0] not in hidden
    }
    # Opening and folding draw the graph anew, which needs gradviz itself.
    for node in told["nodes"].values():
        node["openable"] = node["foldable"] = False
    for box in told["scene"]["boxes"]:
        box["fused"] = box["group"] = False
    for edge in told["edges"].values():
        if edge["step"] is not None and edge["step"] >= end:
            edge["step"] = None
    return told


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _embedded(data: dict[str, Any]) -> str:
    """JSON that cannot end the element it stands in."""
    text = dumps(data, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
