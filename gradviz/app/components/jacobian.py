"""One Jacobian as a Streamlit component: the graph on which its two nodes are picked, the matrix, and its formulas."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import streamlit as st

from gradviz.app.components.mounted import mounted
from gradviz.draw import web
from gradviz.draw.slots import edge_id
from gradviz.draw.stage import Stage
from gradviz.explain.entrywise import matrix_formula
from gradviz.explain.pairs import way_between
from gradviz.explain.typeset import number

Json = dict[str, Any]

_CONNECT = """
function connect(view, data, setTriggerValue) {
  view.hooks.send = (event) => setTriggerValue('event', event);
}
"""


@cache
def component(entry: str) -> Callable[..., Any]:
    """The browser view whose module in `vectors/` is called `entry`."""
    here = files(__package__)
    folder = here / "vectors"
    style = f"{web.style()}\n{(folder / 'vectors.css').read_text(encoding='utf-8')}"
    return mounted(entry, web.join(entry, folder, here / "panels"), style, _CONNECT)


def jacobian(
    view: Mapping[str, Any],
    stage: Stage,
    of: str,
    wrt: str,
    *,
    key: str,
    on_pick: Callable[[str, str], None],
) -> None:
    """Show what `gradviz.explain.vectors.jacobian_view` made beside the graph; `on_pick(role, node)` is called for
    both nodes, "of" and "wrt", when one is picked there."""

    component("jacobian")(
        key=key,
        data={**drawn(stage, of, wrt), "view": _packed(view)},
        on_event_change=lambda: take_pick(st.session_state[key].event, on_pick),
    )


def take_pick(event: Any, on_pick: Callable[[str, str], None]) -> None:
    """The two nodes that are picked on the graph."""
    if isinstance(event, dict):
        for role in ("of", "wrt"):
            if isinstance(event.get(role), str):
                on_pick(role, event[role])


def drawn(stage: Stage, of: str, wrt: str) -> Json:
    """The graph with the two nodes and the way between them."""
    way = way_between(stage.graph, wrt, of)
    edges = [edge_id(edge) for edge in way.edges]
    return {"graph": _graph(stage), "of": of, "wrt": wrt, "edges": edges, "paths": way.paths}


def _graph(stage: Stage) -> Json:
    """The drawing with every value in it, as the browser's scene reads it."""
    values = {
        slot: [(0, *entries[-1][1:])] for slot, entries in stage.timeline.items() if slot.startswith("value:")
    }
    return {
        "program": stage.identity,
        "scene": stage.picture(),
        "timeline": values,
        "steps": [],
        "nodes": {},
        "edges": {},
        "chains": {},
    }


def _packed(view: Mapping[str, Any]) -> Json:
    """The numbers as bytes; of a matrix that is too large those of its blocks, and which of them are 0 here."""
    packed = {name: value for name, value in view.items() if name not in ("matrix", "pattern", "blocks")}
    matrix, pattern = view["matrix"], view["pattern"]
    if view["written"]:
        packed["numbers"] = matrix_formula([[number(value) for value in row] for row in matrix]).mathml
    if matrix is None:
        matrix = np.asarray(view["blocks"]["values"])
        pattern = matrix != 0
        packed |= {name: view["blocks"][name] for name in ("seen", "total")}
    return packed | {
        "cells": base64.b64encode(np.asarray(matrix, dtype="<f8").tobytes()).decode("ascii"),
        "pattern": base64.b64encode(np.asarray(pattern, dtype=np.uint8).tobytes()).decode("ascii"),
    }
