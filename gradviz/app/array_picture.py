"""'Save picture' in the inspector: the values and gradients of an array as the browser draws them, as a file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import streamlit as st

from gradviz.app.save_picture import picture_buttons

Json = Mapping[str, Any]


def take_picture() -> None:
    """After an event of the stepper: remember which array was asked for."""
    st.session_state.array_picture = st.session_state.stepper.picture


def array_picture(story: Json) -> None:
    """Offer the array that was asked for, if one was; `story` is what the stepper shows."""
    asked = st.session_state.pop("array_picture", None)
    if isinstance(asked, dict) and asked.get("node") in story["pictures"]:
        _offer(story, asked["node"], asked["frame"], asked["shown"])


@st.dialog("Save picture", icon=":material/image:")
def _offer(story: Json, node: str, frame: int, shown: Sequence[str]) -> None:
    panels = array_panels(story, node, frame, shown)
    picture_buttons(lambda: {"panels": panels}, node.replace("/", "_"))


def array_panels(story: Json, node: str, frame: int, shown: Sequence[str]) -> list[dict[str, Any]]:
    """A panel for each of value and gradient that is shown, side by side; `frame` counts the samples or rows."""
    pictures, name = story["pictures"][node], story["nodes"][node]["title"]
    return [
        _panel(pictures[which], f"{which} of {name}", frame, 12 // len(shown))
        for which in shown
        if which in pictures
    ]


def _panel(picture: Json, title: str, frame: int, width: int) -> dict[str, Any]:
    frames, _, rows, columns = shape = picture["shape"]
    levels = np.frombuffer(base64.b64decode(picture["data"]), np.uint8).reshape(shape)
    low, high = picture["low"], picture["high"]
    frame = min(frame, frames - 1)
    shares = levels[frame] / (254 if picture["signed"] else 255)
    if frames > 1:
        title += f", {'row' if picture['kind'] == 'images' else 'sample'} {frame}"
    return {
        "kind": "images",
        "title": title,
        "note": "; ".join(filter(None, (picture["statistics"], picture["left_out"]))),
        "images": list(low * (1 - shares) + high * shares),
        "palette": "signed" if picture["signed"] else "grey",
        "range": (low, high),
        "columns": picture["columns"] or None,
        "width": width,
        "rows": 5 if rows * 4 > columns else 3,
    }
