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
from gradviz.explain.check import Kink, kink_at
from gradviz.explain.compared import Comparison, compared
from gradviz.explain.forward import DualRun, push_forward
from gradviz.explain.methods import Passes, passes
from gradviz.explain.notation import Notation
from gradviz.explain.numbers import NOT_YET, brief, plain, shape_text
from gradviz.explain.patience import LONGEST
from gradviz.explain.symbolic import Depth, Symbolic, swelling, symbolic_derivative
from gradviz.explain.trace import Run, explore
from gradviz.explain.vectors import curves_view

FLOOR = 1e-17  # where an error of 0 is drawn on a logarithmic axis
DEPTHS = 8
BEFORE_A_BAR = 0.4  # seconds of SymPy before it is said that it works
KEPT = 64
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


@st.cache_data(max_entries=64, show_spinner=False)
def kink(case: Case) -> Kink | None:
    """The kink at which the chosen entry stands."""
    return kink_at(case.text, case.name, case.entry, case.inputs, APP)


class Waiting:
    """A progress bar and a button to stop, while SymPy works longer than half a second.

    Whatever is clicked meanwhile, Streamlit ends the work by an exception out of the bar and begins the page again.
    """

    def __init__(self, key: str, words: str) -> None:
        self.key, self.words = key, words
        self.place = st.empty()
        self.bar: Any = None

    def watch(self, seconds: float) -> None:
        """Say how long it takes."""
        part, text = min(seconds / LONGEST, 1.0), f"{self.words}: {seconds:.1f} s of at most {LONGEST:.0f} s"
        if self.bar is not None:
            self.bar.progress(part, text)
        elif seconds > BEFORE_A_BAR:
            with self.place.container(horizontal=True, vertical_alignment="bottom"):
                self.bar = st.progress(part, text)
                st.button("Stop", key=f"methods.stop {self.key}", on_click=self._stop)

    def _stop(self) -> None:
        _kept()[self.key] = StoppedError("SymPy was stopped")

    def __enter__(self) -> Waiting:
        return self

    def __exit__(self, *_: object) -> None:
        self.place.empty()


class StoppedError(GradvizError):
    """Somebody stopped SymPy."""


def _kept() -> dict[str, Any]:
    """What SymPy found in this session; the oldest is forgotten."""
    found: dict[str, Any] = st.session_state.setdefault("methods.sympy", {})
    while len(found) > KEPT:
        del found[next(iter(found))]
    return found


def program_key(text: str, name: str) -> str:
    """Under which SymPy's derivative of a program is kept."""
    return f"{name}\n{text}"


def function_key(text: str) -> str:
    """Under which it is kept that a composed function is done with."""
    return f"all {text}"


def offer_to_go_on(key: str) -> None:
    """A button where SymPy was stopped."""
    if isinstance(_kept().get(key), StoppedError):
        st.button("Let SymPy go on", key=f"methods.go_on {key}", on_click=_kept().pop, args=(key,))


def symbolic(text: str, name: str) -> Symbolic | GradvizError:
    """SymPy's derivative, or why there is none."""
    key = program_key(text, name)
    if key not in _kept():
        with Waiting(key, "SymPy differentiates the program") as waiting:
            try:
                _kept()[key] = symbolic_derivative(text, name, limits=APP, watch=waiting.watch)
            except GradvizError as error:
                _kept()[key] = error
    return _kept()[key]  # type: ignore[no-any-return]


def depths_of(text: str) -> list[Depth]:
    """A function composed with itself, depth by depth, until SymPy's expression is too large or somebody stops it."""
    rows: list[Depth] = _kept().setdefault(f"rows {text}", [])
    if function_key(text) in _kept():
        return rows
    rows.clear()
    with Waiting(function_key(text), "SymPy differentiates the function composed with itself") as waiting:
        begun = monotonic()
        for row in swelling(text, DEPTHS, APP, lambda _: waiting.watch(monotonic() - begun)):
            rows.append(row)
    _kept()[function_key(text)] = True
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


def comparison(case: Case) -> Comparison:
    """The three answers."""
    found = symbolic(case.text, case.name)
    return _compared(case, found.message if isinstance(found, GradvizError) else "", found)


@st.cache_data(max_entries=64, show_spinner=False)
def _compared(case: Case, refused: str, _found: Symbolic | GradvizError) -> Comparison:
    return compared(case.text, case.name, case.entry, case.inputs, _found, APP)


def entries(opened: Opened) -> int:
    """How many numbers the inputs hold."""
    return sum(int(np.size(value)) for value in opened.values.values())


def curve_panels(found: list[Json], at: int, *, kink: bool = False) -> list[Json]:
    """The error curves with their optima and the chosen step, and the numbers at both; at a kink no step is best."""
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
        if np.isfinite(curve["optimum"]["error"]) and not kink
    ]
    best = "no h is best at a kink" if kink else "○ best h, lucky cancellations apart"
    chart = {
        "kind": "lines", "id": "curves", "title": "Error against the step h, both axes logarithmic", "width": 6,
        "rows": 5, "note": f"{best}; 0 is drawn at 1e−17", "series": series,
        "log": True, "log_x": True, "values": False, "x_label": "h", "y_label": "relative error", "points": points,
        "y_range": (FLOOR, None), "marks": [{"x": step, "label": "your h"}],
    }  # fmt: skip
    numbers = [
        [
            _named(curve),
            _shown(curve["slopes"][at], 8),
            _shown(curve["errors"][at], 2),
            *(NOT_YET if kink else plain(curve["optimum"][fact], 2) for fact in ("step", "error")),
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
         "series": [{"label": label, "x": x, "y": y, "marker": True} for label, y in lines.items()], "log": True, "values": False,
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
