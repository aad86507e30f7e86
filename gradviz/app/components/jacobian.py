"""One Jacobian as a Streamlit component: the graph on which its two nodes are picked, the matrix, and its formulas."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import streamlit as st

from gradviz.draw import web
from gradviz.draw.slots import edge_id
from gradviz.draw.stage import Stage
from gradviz.explain.general import matrix_formula
from gradviz.explain.pairs import way_between
from gradviz.explain.typeset import number

LINE_SHOWN = 400  # entries of the one row of a matrix that is too large
Json = dict[str, Any]

_ADAPTER = """
const views = new WeakMap();

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector('.gradviz-vectors');
  let view = views.get(root);
  if (!view) {
    const hooks = {};
    view = { hooks, mounted: gradviz.mount(root, data, hooks) };
    views.set(root, view);
  } else {
    view.mounted.update(data);
  }
  view.hooks.send = (event) => setTriggerValue('event', event);
  return () => { view.mounted.destroy(); views.delete(root); };
}
"""


@cache
def component(entry: str) -> Callable[..., Any]:
    """The browser view whose module in `vectors/` is called `entry`."""
    here = files(__package__)
    folder = here / "vectors"
    styles = web.style(), (folder / "vectors.css").read_text(encoding="utf-8")
    return st.components.v2.component(
        f"gradviz_{entry}",
        html='<div class="gradviz-vectors"></div>',
        css="\n".join(styles),
        js=f"{web.join(entry, folder, here / 'panels')}\n{_ADAPTER}",
    )


def jacobian(
    view: Mapping[str, Any],
    stage: Stage,
    of: str,
    wrt: str,
    *,
    key: str,
    on_pick: Callable[[str, str], None],
) -> None:
    """Show what `gradviz.explain.vectors.jacobian_view` made beside the graph; `on_pick(role, node)` is called when a
    node is picked there as "of" or "wrt"."""

    component("jacobian")(
        key=key,
        data={**drawn(stage, of, wrt), "view": _packed(view)},
        on_event_change=lambda: take_pick(st.session_state[key].event, on_pick),
    )


def take_pick(event: Any, on_pick: Callable[[str, str], None]) -> None:
    """A node that was picked on the graph."""
    if isinstance(event, dict) and event.get("role") in ("of", "wrt") and isinstance(event.get("node"), str):
        on_pick(event["role"], event["node"])


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
    """The numbers as bytes; of a matrix that is not shown the beginning of its first row."""
    packed = {name: value for name, value in view.items() if name not in ("matrix", "pattern", "first_row")}
    matrix, pattern = view["matrix"], view["pattern"]
    if view["written"]:
        packed["numbers"] = matrix_formula([[number(value) for value in row] for row in matrix]).mathml
    if matrix is None:
        matrix = [view["first_row"][:LINE_SHOWN]]
        cut = len(view["first_row"]) > LINE_SHOWN
        packed |= {"rows": view["rows"][:1], "columns": view["columns"][:LINE_SHOWN], "cut": cut}
        pattern = np.ones((1, len(matrix[0])))
    return packed | {
        "cells": base64.b64encode(np.asarray(matrix, dtype="<f8").tobytes()).decode("ascii"),
        "pattern": base64.b64encode(np.asarray(pattern, dtype=np.uint8).tobytes()).decode("ascii"),
    }
