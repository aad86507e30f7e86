"""Writing into the page's address, for a reload or whoever gets the link."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import streamlit as st

REMEMBER = """
/** Writes into the address without adding to the browser's history, so that Back leaves the page as ever. */
function remember(entries) {
  const url = new URL(window.location.href);
  for (const [name, value] of Object.entries(entries)) {
    if (value === '') url.searchParams.delete(name);
    else url.searchParams.set(name, String(value));
  }
  window.history.replaceState(window.history.state, '', url);
}
"""


@cache
def _component() -> Callable[..., Any]:
    connect = "export default function ({ data }) { remember(data); }"
    return st.components.v2.component("gradviz_address", html="<span></span>", js=f"{REMEMBER}\n{connect}")


def address(entries: Mapping[str, str]) -> None:
    """Have these entries in the address, and none of a name whose text is empty. `st.query_params` would do so too,
    but as one more place to go back to."""
    _component()(key="address", data=dict(entries))
