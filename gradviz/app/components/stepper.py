"""The step-through view as a Streamlit component: it gets the story once and steps without the server."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from gradviz.app.components.address import REMEMBER
from gradviz.app.components.mounted import mounted
from gradviz.draw import web

_CONNECT = """
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
  view.hooks.onPicture = (picture) => setTriggerValue('picture', picture);
}
"""


@cache
def _component() -> Callable[..., Any]:
    style = f"{web.style()}\n.gradviz-stepper {{ --gv-caption-inset: 56px; }}"  # beside the button that opens the rail
    return mounted("stepper", web.script(), style, REMEMBER + _CONNECT)


def _ignore() -> None:
    """Nothing happens on this event."""


def stepper(
    story: dict[str, Any],
    *,
    key: str,
    on_open: Callable[[], None] = _ignore,
    on_fold: Callable[[], None] = _ignore,
    on_element: Callable[[], None] | None = None,
    on_picture: Callable[[], None] | None = None,
) -> None:
    """Show what `gradviz.draw.story.payload` made. After a click on open or fold the callback is called, and
    `st.session_state[key].open` or `.fold` holds the node's id. With `on_element` single entries can be opened:
    `.element` holds the node and the index asked for, which may be null. With `on_picture` the images of arrays can
    be saved: `.picture` holds the node, the frame, and which of value and gradient are shown."""
    _component()(
        key=key,
        data={**story, "elements": on_element is not None, "savable": on_picture is not None},
        on_open_change=on_open,
        on_fold_change=on_fold,
        on_element_change=on_element or _ignore,
        on_picture_change=on_picture or _ignore,
    )
