"""Fields for the inputs of a program: a slider with a number field for a scalar, a grid for a vector or matrix."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import streamlit as st

from gradviz.engine.graph import shape_of
from gradviz.engine.numeric import Array
from gradviz.explain.numbers import shape_text
from gradviz.explain.typeset import label

GRID_LIMIT = 400  # entries shown in a grid
_LARGEST = 1e307  # so that the distance between a slider's ends is a finite number

Range = tuple[float, float]
Change = Callable[[str, Any], None]


def input_fields(values: Mapping[str, Array], ranges: Mapping[str, Range], change: Change) -> None:
    """Draw a field for every input; `change(name, value)` is called when a person sets one."""
    for name, value in values.items():
        shape = shape_of(value)
        if not shape:
            _scalar(name, float(value), ranges[name], change)
        elif len(shape) <= 2 and np.size(value) <= GRID_LIMIT:
            _grid(name, value, change)
        else:
            st.caption(f"{label(name)}: {shape_text(shape)}, set in the program")


def _scalar(name: str, value: float, limits: Range, change: Change) -> None:
    low, high = min(limits[0], value), max(limits[1], value)
    slide, number = f"slide {name}", f"number {name}"
    st.session_state[slide], st.session_state[number] = value, value

    def follow(key: str) -> None:
        if st.session_state[key] is not None:
            change(name, st.session_state[key])

    left, right = st.columns([3, 2], vertical_alignment="bottom")
    left.slider(
        str(label(name)),
        low,
        high,
        step=_step(high - low),
        format=_format(value, "%0.2f"),
        key=slide,
        on_change=follow,
        args=(slide,),
    )
    right.number_input(
        f"value of {name}",
        value=None,  # so that an emptied field is None and not 0
        step=_step(high - low),
        format=_format(value, "%g"),
        key=number,
        on_change=follow,
        args=(number,),
        label_visibility="collapsed",
    )


def _format(value: float, usual: str) -> str:
    """How a field writes a number: 1e+12 instead of more zeros than it has room for."""
    return usual if value == 0 or 1e-4 <= abs(value) < 1e6 else "%e"


def _step(reach: float) -> float:
    """A round step that divides a range into 20 to 200 parts."""
    return float(10.0 ** np.floor(np.log10(min(max(reach, 1e-9), _LARGEST) / 20)))


def scalar_ranges(values: Mapping[str, Array], given: Mapping[str, Range]) -> dict[str, Range]:
    """Slider limits of every scalar: those a person or a demo gave, else around the value."""
    found = {}
    for name, value in values.items():
        if not shape_of(value):
            size = float(np.ceil(abs(value))) if abs(value) < 1e6 else abs(float(value))
            reach = min(max(5.0, 2 * size), _LARGEST)
            found[name] = given.get(name, (-reach, reach))
    return found


def range_editor(ranges: Mapping[str, Range], change: Callable[[str, Range], None]) -> None:
    """Fields for the limits of one slider at a time."""
    name = st.selectbox("Slider range of", list(ranges), format_func=lambda name: str(label(name)))
    if name is None:
        return
    keys = f"low {name}", f"high {name}"
    st.session_state[keys[0]], st.session_state[keys[1]] = ranges[name]

    def follow() -> None:
        low, high = (st.session_state[key] for key in keys)
        if low is not None and high is not None and low < high:
            change(name, (float(low), float(high)))

    for column, key, words in zip(st.columns(2), keys, ("from", "to"), strict=True):
        column.number_input(words, value=None, format="%g", key=key, on_change=follow)


def _grid(name: str, value: Array, change: Change) -> None:
    import pandas as pd

    st.caption(f"{label(name)}: {shape_text(shape_of(value))}")
    table = pd.DataFrame(np.atleast_2d(value))
    table.columns = [str(i + 1) for i in range(table.shape[1])]
    key = f"grid {name} {shape_of(value)} {hash(np.asarray(value).tobytes())}"

    def follow() -> None:
        edited = np.array(np.atleast_2d(value))
        for row, cells in st.session_state[key]["edited_rows"].items():
            for column, entry in cells.items():
                if entry is not None:
                    edited[int(row), int(column) - 1] = entry
        change(name, edited.reshape(shape_of(value)).tolist())

    st.data_editor(table, hide_index=True, key=key, num_rows="fixed", on_change=follow)
