"""A button that saves what a live view shows as a picture for slides, drawn at the click."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from gradviz.draw.plots import picture_png, picture_svg
from gradviz.draw.plots.palette import THEMES

Picture = Callable[[], Mapping[str, Any]]


def save_picture(picture: Picture, name: str) -> None:
    """Offer `picture()`, the panels of the moment in which it is called, as `name`.svg and `name`.png."""
    with st.popover("Save picture", key=f"{name}.save"):
        picture_buttons(picture, name)


def picture_buttons(picture: Picture, name: str) -> None:
    """The choice of a theme, and a button for each format."""
    names = {theme: theme.capitalize() for theme in THEMES}
    theme = st.segmented_control(
        "Theme",
        list(names),
        default="light",
        format_func=names.__getitem__,
        key=f"{name}.save.theme",
        required=True,
    )
    draw = {"svg": partial(_svg, picture, theme), "png": partial(_png, picture, theme)}
    for suffix, make in draw.items():
        st.download_button(
            f"Download {suffix.upper()}",
            make,
            f"{name}.{suffix}",
            on_click="ignore",
            icon=":material/download:",
            key=f"{name}.save.{suffix}",
        )


def _svg(picture: Picture, theme: str) -> bytes:
    return picture_svg(picture(), theme=theme).encode()


def _png(picture: Picture, theme: str) -> bytes:
    return picture_png(picture(), theme=theme)
