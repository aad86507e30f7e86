"""The browser views of `gradviz.draw.web` as Streamlit components: mounted once, then handed what is new."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

# Streamlit calls the default export again on every change of the data, without clean-up: mount once, then update.
_ADAPTER = """
const views = new WeakMap();

%(connect)s

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector('.%(name)s');
  const view = views.get(root) ?? { hooks: {} };
  connect(view, data, setTriggerValue);
  if (view.mounted) view.mounted.update(data);
  else view.mounted = gradviz.mount(root, data, view.hooks);
  views.set(root, view);
  return () => { view.mounted.destroy(); views.delete(root); };
}
"""


def mounted(name: str, script: str, style: str, connect: str) -> Callable[..., Any]:
    """The component of a script that defines `gradviz.mount`; called with `key` and `data` it is drawn on the page.

    `connect` is the JavaScript function of that name: connect(view, data, setTriggerValue) sets `view.hooks`, the
    options of the view, before each time that it gets data.
    """
    return st.components.v2.component(
        f"gradviz_{name}",
        html=f'<div class="gradviz-{name}"></div>',
        css=style,
        js=f"{script}\n{_ADAPTER % {'connect': connect.strip(), 'name': f'gradviz-{name}'}}",
    )
