"""The step-through view as a Streamlit component: it gets the story once and steps without the server."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from gradviz.app.components.mounted import mounted
from gradviz.draw import web

_CONNECT = """
/** Writes into the address without adding to the browser's history, so that Back leaves the page as ever. */
function remember(entries) {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries(entries)) {
    if (value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, String(value));
  }
  window.history.replaceState(window.history.state, '', url);
}

function connect(view, data, setTriggerValue) {
  remember(view.origin === data.origin ? { p: data.link } : { p: data.link, k: data.k });
  view.origin = data.origin;
  view.hooks.onStep ??= (k) => {
    clearTimeout(view.timer);
    view.timer = setTimeout(remember, 250, { k });
  };
  view.hooks.onOpen = (id) => setTriggerValue('open', id);
  view.hooks.onFold = (id) => setTriggerValue('fold', id);
  view.hooks.onElement = (node, index) => setTriggerValue('element', { node, index });
}
"""


@cache
def _component() -> Callable[..., Any]:
    style = f"{web.style()}\n.gradviz-stepper {{ --gv-caption-inset: 56px; }}"  # beside the button that opens the rail
    return mounted("stepper", web.script(), style, _CONNECT)


def _ignore() -> None:
    """Nothing happens on this event."""


def stepper(
    story: dict[str, Any],
    *,
    key: str,
    on_open: Callable[[], None] = _ignore,
    on_fold: Callable[[], None] = _ignore,
    on_element: Callable[[], None] | None = None,
) -> None:
    """Show what `gradviz.draw.story.payload` made. After a click on open or fold the callback is called, and
    `st.session_state[key].open` or `.fold` holds the node's id. With `on_element` single entries can be opened:
    `.element` holds the node and the index asked for, which may be null."""
    _component()(
        key=key,
        data={**story, "elements": on_element is not None},
        on_open_change=on_open,
        on_fold_change=on_fold,
        on_element_change=on_element or _ignore,
    )
