"""One derivative found in the three ways, with the error of each."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gradviz.engine.graph import shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import complete_inputs
from gradviz.errors import GradvizError
from gradviz.explain.forward import push_forward
from gradviz.explain.methods import error_curve
from gradviz.explain.numbers import plain
from gradviz.explain.symbolic import Symbolic, symbolic_derivative

_AGREE = 1e-6  # relative; automatic and symbolic derivatives differ by more only where there is no derivative


@dataclass(frozen=True)
class Answer:
    """What one way of differentiating answers; `value` and `error` are None where it is `refused`, in words."""

    method: str
    how: str
    value: float | None
    error: float | None
    refused: str = ""


@dataclass(frozen=True)
class Comparison:
    """The answers and, in words, what their errors are measured against."""

    answers: tuple[Answer, ...]
    against: str

    @property
    def difference(self) -> float:
        """By how much forward and reverse mode differ; 0 where they are the same infinity."""
        forward, reverse = (answer.value for answer in self.answers[2:])
        assert forward is not None
        assert reverse is not None
        return 0.0 if forward == reverse else abs(forward - reverse)


def compared(
    source: Source,
    name: str,
    entry: Sequence[int] = (),
    inputs: Mapping[str, Array] | None = None,
    symbolic: Symbolic | GradvizError | None = None,
    limits: Limits = DEFAULT,
) -> Comparison:
    """The derivative of the output, summed where it is an array, by one entry of an input: numerical, symbolic, by
    forward and by reverse mode.

    Errors are relative where the derivative is not 0. `symbolic` is SymPy's answer where it is there already. Where the
    program itself has no finite real value, SymPy is not asked: it may differentiate over the complex numbers.
    """
    graph = as_graph(source, limits)
    values = complete_inputs(graph, inputs or {})
    curve = error_curve(graph, name, entry, values, method="central", limits=limits)
    direction = np.zeros(shape_of(values[graph.nodes[graph.position(name)].id]))
    direction[tuple(entry)] = 1.0
    pushed = push_forward(graph, {name: direction}, values, limits)
    forward = float(np.sum(pushed.tangent))
    written, refused = math.nan, "the program has no finite real value here"
    if np.all(np.isfinite(pushed.run.value())):
        written, refused = _symbolic(graph, name, values, symbolic, limits)
    kink = not math.isnan(written) and abs(written - curve.exact) > _AGREE * max(1.0, abs(written))
    usable = not refused and not kink
    best = written if usable else curve.exact

    def answer(method: str, how: str, value: float) -> Answer:
        return Answer(method, how, value, abs(value - best) / (abs(best) or 1.0))

    answers = (
        answer(
            f"numerical, h = {plain(curve.optimum[0], 2)}",
            "central difference with the best h of its curve",
            curve.slopes[curve.best],
        ),
        Answer("symbolic", "SymPy", None, None, refused) if refused else answer("symbolic", "SymPy", written),
        answer("forward mode", "dual numbers", forward),
        answer("reverse mode", "backward pass", curve.exact),
    )
    return Comparison(answers, _against(usable, kink))


def _against(usable: bool, kink: bool) -> str:
    if usable:
        return "SymPy at 30 digits"
    if kink:
        return "reverse mode; SymPy takes another slope at the kink the input stands on"
    return "reverse mode"


def _symbolic(
    source: Source,
    name: str,
    values: Mapping[str, Array],
    known: Symbolic | GradvizError | None,
    limits: Limits,
) -> tuple[float, str]:
    """SymPy's value, or why there is none."""
    try:
        found = symbolic_derivative(source, name, limits=limits) if known is None else known
        if isinstance(found, GradvizError):
            raise found
        value = found.at({key: float(np.asarray(number)) for key, number in values.items()})
    except GradvizError as error:
        return math.nan, error.message
    return value, "" if math.isfinite(value) else "SymPy's formula has no finite real value here"
