"""The compiled tape without a watcher: values and gradients as fast as the tape runs, at one point or at many."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.build import as_value
from gradviz.engine.edges import wanted_names
from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape, complete_inputs
from gradviz.errors import ShapeError

Arrays = dict[str, Any]


def value_and_grad(
    source: Source, wrt: Iterable[str] | None = None, seed: Array = None, limits: Limits = DEFAULT
) -> Callable[..., tuple[Any, Arrays]]:
    """A function of the inputs, by keyword, that returns the output and the gradients of `wrt` by name.

    The tape is compiled once per combination of input shapes and then replayed.
    """
    graph = as_graph(source, limits)
    wanted = wanted_names(graph, wrt)
    positions = {name: graph.position(name) for name in wanted}
    tapes: dict[tuple[Shape, ...], Tape] = {}
    start = None if seed is None else as_value(seed)

    def evaluate(**inputs: Array) -> tuple[Any, Arrays]:
        values = complete_inputs(graph, inputs)
        shapes = tuple(shape_of(values[name]) for name in graph.inputs)
        tape = tapes.get(shapes)
        if tape is None:
            tape = tapes[shapes] = Tape(graph, dict(zip(graph.inputs, shapes, strict=True)), wanted, limits)
        registers = tape.run(values, start)
        gradients = {name: tape.gradient(registers, position) for name, position in positions.items()}
        return registers[graph.output], gradients

    return evaluate


def sweep(
    source: Source,
    points: Mapping[str, Array],
    inputs: Mapping[str, Array] | None = None,
    limits: Limits = DEFAULT,
    wrt: Iterable[str] | None = None,
) -> tuple[Any, Arrays]:
    """Outputs and gradients of `wrt`, every input if left out, at many points: `points` maps inputs to arrays whose
    leading axis counts the points. Returns arrays with that same leading axis.

    A graph of elementwise operations alone runs once on all points together; any other runs its tape point
    by point. Raises ShapeError when the leading axes differ or the output is not a scalar, and LimitError when the
    points have too many entries together.
    """
    graph = as_graph(source, limits)
    wanted = wanted_names(graph, wrt)
    columns = {name: np.asarray(as_value(array), dtype=np.float64) for name, array in points.items()}
    counts = {name: len(column) for name, column in columns.items() if column.ndim}
    if len(counts) < len(columns) or len(set(counts.values())) != 1 or 0 in counts.values():
        raise ShapeError(
            "the swept inputs need one common leading axis with at least one point",
            got=", ".join(f"{name} {column.shape}" for name, column in columns.items()) or "nothing to sweep",
            expected="arrays whose first axis counts the points",
        )
    count = next(iter(counts.values()))
    fixed = complete_inputs(
        graph, {**(inputs or {}), **{name: column[0] for name, column in columns.items()}}
    )
    columns = {graph[name].id: column for name, column in columns.items()}
    shapes = [shape_of(fixed[name]) for name in graph.inputs]
    tape = Tape(graph, dict(zip(graph.inputs, shapes, strict=True)), wanted, limits)
    if tape.shapes[graph.output] != ():
        raise ShapeError("a sweep needs a scalar output", hint="reduce it with sum(…)")
    if all(graph.nodes[i].op.elementwise for i in graph.operations):  # type: ignore[union-attr]
        limits.check_swept(count, sum(map(prod, tape.shapes)))
        return _all_at_once(graph, tape, columns, fixed, count, wanted)
    limits.check_swept(count, sum(prod(tape.shapes[graph.position(name)]) for name in wanted))
    return _one_by_one(graph, tape, columns, fixed, count, wanted)


def _all_at_once(
    graph: Graph, tape: Tape, columns: Arrays, fixed: Mapping[str, Array], count: int, wanted: tuple[str, ...]
) -> tuple[Any, Arrays]:
    """Give every input the points as its first axis, padded to one rank so that broadcasting lines up."""
    rank = max(map(len, tape.shapes))
    values = {}
    for name in graph.inputs:
        shape = shape_of(fixed[name])
        column = columns.get(name, np.broadcast_to(fixed[name], (count, *shape)))
        values[name] = column.reshape((count,) + (1,) * (rank - len(shape)) + shape)
    # The points multiply the work, not the program's own size: the limits were checked for one point.
    free = Limits(elements=10**12, rank=64, work=10**18)
    wide = Tape(graph, {name: value.shape for name, value in values.items()}, wanted, free)
    seed = np.ones(wide.shapes[graph.output])
    registers = wide.run(values, seed)
    gradients = {
        name: np.reshape(wide.gradient(registers, position), (count, *tape.shapes[position]))
        for name in wanted
        for position in [graph.position(name)]
    }
    output = np.broadcast_to(np.asarray(registers[graph.output]).reshape(-1), (count,))
    return output, gradients


def _one_by_one(
    graph: Graph, tape: Tape, columns: Arrays, fixed: Mapping[str, Array], count: int, wanted: tuple[str, ...]
) -> tuple[Any, Arrays]:
    outputs = np.empty(count)
    gradients = {name: np.empty((count, *tape.shapes[graph.position(name)])) for name in wanted}
    for i in range(count):
        point = {**fixed, **{name: as_value(column[i]) for name, column in columns.items()}}
        registers = tape.run(point)
        outputs[i] = registers[graph.output]
        for name, rows in gradients.items():
            rows[i] = tape.gradient(registers, graph.position(name))
    return outputs, gradients
