"""The settings of a page: what a person chose, before that what the address says, else the usual ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from typing import Any, TypeVar

import streamlit as st

from gradviz.app.program import LINK_LIMIT
from gradviz.demos.live.base import BaseSettings

Choices = Iterable[Any] | Callable[[str], Any]  # all there are, or what reads one and raises ValueError
S = TypeVar("S", bound=BaseSettings)


def remember(key: str, default: Any) -> str:
    """The key of a widget whose value outlives the widget, as when its page is left; `default` at first."""
    state = st.session_state
    kept = state.setdefault("kept", {})
    if key in state:
        kept[key] = state[key]
    state[key] = kept.setdefault(key, default)
    return key


def settings(page: str, usual: S, choices: Mapping[str, Choices]) -> S:
    """What was chosen on this page, where the setting `name` has the key "page.name", for a widget.

    At first that is what the address names of `choices` and as `random_state`, and otherwise `usual`.
    """
    named = read(st.query_params, {**choices, "random_state": _random_state})
    names = [field.name for field in fields(usual)]
    keys = {name: remember(f"{page}.{name}", named.get(name, getattr(usual, name))) for name in names}
    return type(usual)(**{name: st.session_state[key] for name, key in keys.items()})


def read(address: Mapping[str, str], choices: Mapping[str, Choices]) -> dict[str, Any]:
    """What an address names, as far as it is among the choices; whatever else it says is passed over."""
    found = {}
    for name in choices.keys() & address.keys():
        text, known = address[name], choices[name]
        try:
            if len(text) <= LINK_LIMIT:
                found[name] = (
                    known(text) if callable(known) else {_text(choice): choice for choice in known}[text]
                )
        except (ValueError, KeyError):
            continue
    return found


def written(chosen: BaseSettings, usual: BaseSettings) -> dict[str, str]:
    """Settings as an address has them, by name: empty where they are the usual ones, and all where one is too long, since
    the others alone would say something else."""
    texts, ordinary = ({f.name: _text(getattr(one, f.name)) for f in fields(one)} for one in (chosen, usual))
    fits = all(len(text) <= LINK_LIMIT for text in texts.values())
    return {name: text if fits and text != ordinary[name] else "" for name, text in texts.items()}


def _text(value: Any) -> str:
    if isinstance(value, tuple):  # points
        return ";".join(",".join(map(_text, point)) for point in value)
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _random_state(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise ValueError(text)
    return int(text)
