"""What the page on the three ways to differentiate works out once and keeps, and the panels it shows."""

from __future__ import annotations

import json
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
import streamlit as st

from gradviz.app.program import Opened
from gradviz.engine.limits import APP
from gradviz.engine.numeric import Array
from gradviz.errors import GradvizError
from gradviz.explain.compared import Comparison, compared
from gradviz.explain.forward import DualRun, push_forward
from gradviz.explain.methods import Passes, passes
from gradviz.explain.notation import Notation
from gradviz.explain.numbers import NOT_YET, brief, plain, shape_text
from gradviz.explain.symbolic import Depth, Symbolic, swelling, symbolic_derivative
from gradviz.explain.trace import Run, explore
from gradviz.explain.vectors import curves_view

FLOOR = 1e-17  # where an error of 0 is drawn on a logarithmic axis
DEPTHS = 8
# Seconds after which a function is composed no further: the next time takes several times as long.
PATIENCE = 1.5
NAMES = {"forward": "forward", "central": "central", "complex-step": "complex"}
Json = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A program with its values, as JSON, and the entry of an input it is differentiated by."""

    text: str
    values: str
    name: str
    entry: tuple[int, ...] = ()

    @classmethod
    def of(cls, opened: Opened, text: str, name: str, entry: tuple[int, ...]) -> Case:
        """The case of a program that runs."""
        values = {key: np.asarray(value).tolist() for key, value in opened.values.items()}
        return cls(text, json.dumps(values), name, entry)

    @property
    def inputs(self) -> dict[str, Array]:
        """The values as arrays, scalars as numbers."""
        return {key: np.asarray(value)[()] for key, value in json.loads(self.values).items()}


@st.cache_data(max_entries=64, show_spinner="Evaluating the program for many steps h")
def curves(case: Case) -> list[Json]:
    """Error against step, for every method in both precisions."""
    return curves_view(case.text, case.name, case.entry, case.inputs)


@st.cache_data(max_entries=64, show_spinner=False)
def passes_of(case: Case) -> tuple[Passes, ...]:
    """What each method costs for this program."""
    return passes(case.text, case.inputs)


@st.cache_resource(max_entries=64, show_spinner="SymPy differentiates the program")
def symbolic(text: str, name: str) -> Symbolic | GradvizError:
    """SymPy's derivative, or why there is none."""
    try:
        return symbolic_derivative(text, name, limits=APP)
    except GradvizError as error:
        return error


@st.cache_resource(max_entries=64, show_spinner="SymPy differentiates the function composed with itself")
def depths_of(text: str) -> list[Depth]:
    """A function composed with itself, as often as patience lasts."""
    begun, rows = monotonic(), []
    for row in swelling(text, DEPTHS, APP):
        rows.append(row)
        if monotonic() - begun > PATIENCE:
            break
    return rows


@st.cache_resource(max_entries=64, show_spinner=False)
def dual(case: Case) -> DualRun:
    """One pass of forward mode for the chosen entry."""
    direction = np.zeros(np.shape(case.inputs[case.name]))
    direction[case.entry] = 1.0
    return push_forward(case.text, {case.name: direction}, case.inputs, APP)


@st.cache_resource(max_entries=64, show_spinner=False)
def reverse(case: Case, output_shape: tuple[int, ...]) -> Run:
    """The backward pass of the output, of its sum where it is an array."""
    return explore(case.text, case.inputs, seed=np.ones(output_shape) if output_shape else None, limits=APP)


@st.cache_data(max_entries=64, show_spinner=False)
def comparison(case: Case) -> Comparison:
    """The three answers."""
    found = symbolic(case.text, case.name)
    return compared(case.text, case.name, case.entry, case.inputs, found, APP)


def entries(opened: Opened) -> int:
    """How many numbers the inputs hold."""
    return sum(int(np.size(value)) for value in opened.values.values())


def curve_panels(found: list[Json], at: int) -> list[Json]:
    """The error curves with their optima and the chosen step, and the numbers at both."""
    drawn = [curve for curve in found if "steps" in curve]
    step = drawn[0]["steps"][at]
    series = [
        {
            "label": _named(curve),
            "x": curve["steps"],
            "y": [np.nan if error is None else max(error, FLOOR) for error in curve["errors"]],
            "style": "solid" if curve["precision"] == "float64" else "dashed",
            "color": _color(curve),
        }
        for curve in drawn
    ]
    points = [
        {
            "x": curve["optimum"]["step"],
            "y": max(curve["optimum"]["error"], FLOOR),
            "label": f"h = {plain(curve['optimum']['step'], 2)}",
            "color": _color(curve),
        }
        for curve in drawn
        if np.isfinite(curve["optimum"]["error"])
    ]
    chart = {
        "kind": "lines", "id": "curves", "title": "Error against the step h, both axes logarithmic", "width": 6,
        "rows": 5, "note": "○ the best h of each curve; an error of 0 is drawn at 1e−17", "series": series,
        "log": True, "log_x": True, "values": False, "x_label": "h", "y_label": "relative error", "points": points,
        "y_range": (FLOOR, None), "marks": [{"x": step, "label": "your h"}],
    }  # fmt: skip
    numbers = [
        [
            _named(curve),
            _shown(curve["slopes"][at], 8),
            _shown(curve["errors"][at], 2),
            plain(curve["optimum"]["step"], 2),
            plain(curve["optimum"]["error"], 2),
        ]
        for curve in drawn
    ]
    advised = {(curve["method"], curve["precision"]): plain(curve["expected"], 2) for curve in drawn}
    theory = [
        [rule, *(advised[method, precision] for precision in ("float64", "float32"))]
        for method, rule in (("forward", "forward: √ε"), ("central", "central: ∛ε"))
    ]
    return [
        chart,
        {"kind": "table", "id": "numbers", "title": f"At your h = {plain(step, 2)}, and at the best h", "width": 6,
         "rows": 3, "columns": ["method", "quotient", "error", "best h", "its error"], "cells": numbers},
        {"kind": "table", "id": "theory", "title": "The best h in theory, ε the rounding unit", "width": 6, "rows": 2,
         "note": "complex step: any small h, for nothing is subtracted",
         "columns": ["method", "float64", "float32"], "cells": theory},
    ]  # fmt: skip


def _named(curve: Json) -> str:
    return f"{NAMES[curve['method']]} {curve['precision']}"


def _color(curve: Json) -> int:
    return list(NAMES).index(curve["method"])


def _shown(value: float | None, digits: int) -> str:
    return NOT_YET if value is None else plain(value, digits)


def depth_panels(rows: list[Depth], depth: int) -> list[Json]:
    """Size of the expressions against depth, beside the operations of a tape."""
    x = [row.depth for row in rows]
    lines = {
        "symbolic: nodes of the derivative": [row.derivative.nodes for row in rows],
        "automatic: operations, forward + backward": [row.automatic for row in rows],
    }
    note = "" if len(rows) == DEPTHS else f"no deeper than {len(rows)}: SymPy gets too large or too slow"
    return [
        {"kind": "lines", "id": "swelling", "title": "Size against depth", "width": 7, "rows": 4, "note": note,
         "series": [{"label": label, "x": x, "y": y, "marker": True} for label, y in lines.items()], "log": True,
         "x_label": "depth", "x_ticks": [{"x": value, "label": str(value)} for value in x],
         "marks": [{"x": depth, "label": f"depth {depth}"}]},
        {"kind": "table", "id": "sizes", "title": "Counted", "width": 5, "rows": 4, "highlight": depth - 1,
         "columns": ["depth", "f: nodes", "f′: nodes", "automatic"],
         "cells": [[row.depth, f"{row.value_nodes:,}", f"{row.derivative.nodes:,}", f"{row.automatic:,}"] for row in rows]},
    ]  # fmt: skip


def forward_panel(run: DualRun, at: int, wrt: str) -> Json:
    """Forward mode as a table that fills with the steps taken."""
    cells = [
        [run.notation.text(run.run.graph.position(step.node)), *_pair(step.value, step.tangent, i <= at)]
        for i, step in enumerate(run.steps)
    ]
    return {
        "kind": "table", "id": "forward", "title": "Forward mode: (value, dot)", "width": 12, "rows": 5,
        "note": f"dot: rate of change per unit of {wrt}",
        "columns": ["node", "value", "dot"], "cells": cells, "highlight": at,
    }  # fmt: skip


def _pair(value: Any, tangent: Any, known: bool) -> list[Any]:
    return [_cell(value), _cell(tangent)] if known else [NOT_YET, NOT_YET]


def reverse_panel(run: Run, at: int, notation: Notation) -> Json:
    """Reverse mode as a table that fills with the steps taken; the values are there from the forward pass."""
    steps = backward_steps(run)
    known = {step.node: step.after for step in steps[: at + 1]}
    order = list(dict.fromkeys(step.node for step in steps))
    cells = [
        [
            notation.text(run.graph.position(node)),
            _cell(run.value(node)),
            _cell(known[node]) if node in known else NOT_YET,
        ]
        for node in order
    ]
    return {
        "kind": "table", "id": "reverse", "title": "Reverse mode: gradients", "width": 12, "rows": 5,
        "note": f"gradient of {notation.text(run.graph.output)}, from the end back",
        "columns": ["node", "value", "gradient"], "cells": cells, "highlight": order.index(steps[at].node),
    }  # fmt: skip


def backward_steps(run: Run) -> list[Any]:
    """The seed and the backward steps of a run."""
    return [step for step in run.steps if step.kind != "forward"]


def _cell(value: Any) -> Any:
    if np.ndim(value) == 0:
        return float(value)
    return brief(value) if np.size(value) <= 3 else shape_text(np.shape(value))


def passes_panel(here: tuple[Passes, ...], typed: tuple[Passes, ...], sizes: tuple[str, str]) -> Json:
    """Passes for this program and for the sizes somebody typed."""
    cells = [
        [row.method, row.formula, f"{row.passes:,}", f"{other.passes:,}"]
        for row, other in zip(here, typed, strict=True)
    ]
    return {
        "kind": "table", "id": "passes", "title": "Passes for all N × M derivatives", "width": 12, "rows": 3,
        "columns": ["method", "", *sizes], "cells": cells,
    }  # fmt: skip
