"""The program editor as a Streamlit component: errors appear under the characters they blame."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import streamlit as st

from gradviz.errors import GradvizError


@cache
def _component() -> Callable[..., Any]:
    here = files(__package__)
    return st.components.v2.component(
        "gradviz_editor",
        html='<div class="gradviz-editor"></div>',
        css=here.joinpath("editor.css").read_text(encoding="utf-8"),
        js=here.joinpath("editor.js").read_text(encoding="utf-8"),
    )


def editor(
    text: str,
    version: int,
    error: GradvizError | None,
    *,
    key: str,
    on_edit: Callable[[], None],
    label: str = "Program",
    rows: int = 9,
    explains: bool = True,
    on_enter: Callable[[], None] | None = None,
) -> None:
    """Show the text. After an edit, `on_edit` is called and `st.session_state[key].edit` holds the new text.

    A new `version` replaces what is in the field. The error is marked in the text and, with `explains`, told under
    it. With `on_enter` the Enter key hands the text in: `.enter` holds it;
    Shift + Enter begins a new line.
    """
    data = {"text": text, "version": version, "error": _as_data(error, text), "label": label, "rows": rows}
    _component()(
        key=key,
        data={**data, "enters": on_enter is not None, "explains": explains},
        on_edit_change=on_edit,
        on_enter_change=on_enter or (lambda: None),
    )


def _as_data(error: GradvizError | None, text: str) -> dict[str, Any] | None:
    if error is None:
        return None
    start, end = (_utf16(text, at) for at in error.span) if error.span else (None, None)
    return {"text": text, "start": start, "end": end, **told(error)}


def told(error: GradvizError) -> dict[str, str]:
    """An error in words for the browser: its message, the line with carets under what it blames, and a hint."""
    facts = [f"{name} {value}" for name, value in (("got", error.got), ("expected", error.expected)) if value]
    return {
        "message": (f"Line {error.line}: " if error.line else "") + error.message[:300],
        "excerpt": error.excerpt(),
        "hint": "; ".join([*([error.hint] if error.hint else []), *facts])[:200],
    }


def _utf16(text: str, at: int) -> int:
    """A place in the text as JavaScript counts it: a character outside the basic plane counts twice."""
    return len(text[:at].encode("utf-16-le")) // 2
