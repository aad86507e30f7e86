"""Checks a learner can run: gradients against finite differences, kinks by their one-sided slopes, shapes without values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import index

import numpy as np

from gradviz.engine.build import as_value
from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.limits import DEFAULT, SHAPES_ONLY, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.parse import parse
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape, complete_inputs
from gradviz.errors import GradvizError, ShapeError, UnknownNameError
from gradviz.explain import numbers
from gradviz.explain.slopes import InputCheck, Slopes


@dataclass(frozen=True)
class GradientCheck:
    """The verdict on all inputs; `ok` when none fails: a kink is not a failure, and neither is "unclear", where
    the rounding of the output hides its slope at every step."""

    inputs: tuple[InputCheck, ...]
    summed: str = ""  # what was done to an output that is no scalar

    @property
    def ok(self) -> bool:
        """Whether every gradient agrees wherever it exists."""
        return all(check.status != "fail" for check in self.inputs)

    def __getitem__(self, name: str) -> InputCheck:
        for check in self.inputs:
            if check.name == name:
                return check
        raise UnknownNameError(
            f"{name!r} was not checked", hint=f"checked: {', '.join(c.name for c in self.inputs)}"
        )

    def __str__(self) -> str:
        return "\n".join(map(str, self.inputs))


def check_gradients(
    source: Source,
    inputs: Mapping[str, Array] | None = None,
    *,
    seed: Array = None,
    limits: Limits = DEFAULT,
    **named: Array,
) -> GradientCheck:
    """Compare the backward pass with finite differences for every entry of every input.

    A non-scalar output without a seed is checked with a seed of ones. A point at which the one-sided slopes
    differ, however small the step, is reported as a kink with both slopes, or as a jump with its size.
    """
    graph = as_graph(source, limits)
    values = complete_inputs(graph, inputs, named)
    tape = Tape(graph, {name: shape_of(value) for name, value in values.items()}, None, limits)
    shape = tape.shapes[graph.output]
    summed = ""
    if shape and seed is None:
        summed = f"checked is the sum of all entries of the output ({numbers.shape_text(shape)})"
    seed = (np.ones(shape) if shape else 1.0) if seed is None else as_value(seed)
    registers = tape.run(values, seed)
    slopes = Slopes(graph, values, seed, limits)
    verdicts = []
    for name in graph.inputs:
        gradient = np.asarray(tape.gradient(registers, graph.index[name]))
        checks = [slopes.check(name, entry, float(gradient[entry])) for entry in np.ndindex(gradient.shape)]
        rank = {"pass": 0, "unclear": 1, "kink": 2, "fail": 3}
        if checks:
            worst = max(checks, key=lambda c: (rank[c.status], c.error if c.error == c.error else np.inf))
            verdicts.append(replace(worst, entries=len(checks)))
    return GradientCheck(tuple(verdicts), summed)


@dataclass(frozen=True)
class Kink:
    """A place without a derivative: the operations that make it, the slopes on both sides, and the one that the
    backward pass takes."""

    operations: tuple[str, ...]
    left: float
    right: float
    taken: float

    def __str__(self) -> str:
        left, right, taken = map(numbers.plain, (self.left, self.right, self.taken))
        return (
            f"{' and '.join(self.operations)} {'is' if len(self.operations) == 1 else 'are'} exactly at a kink: slope "
            f"{left} from the left, {right} from the right; backward takes {taken}, by convention"
        )

    @property
    def central(self) -> str:
        """What a central difference finds here, in words."""
        middle = (self.left + self.right) / 2
        left, right, mean, taken = map(numbers.plain, (self.left, self.right, middle, self.taken))
        second = f"− {numbers.plain(-self.right)}" if self.right < 0 else f"+ {right}"
        agreed = (
            ": they agree by symmetry, not by accuracy" if np.isclose(middle, self.taken, rtol=1e-4) else ""
        )
        return (
            f"a central difference averages the slopes on both sides of the kink, ({left} {second})/2 = {mean}, and "
            f"backward takes {taken} by convention{agreed}; there is no derivative here"
        )


def kink_at(
    source: Source,
    name: str,
    entry: Sequence[int] = (),
    inputs: Mapping[str, Array] | None = None,
    limits: Limits = DEFAULT,
) -> Kink | None:
    """The kink of the output, summed where it is an array, at which one entry of an input stands."""
    from gradviz.explain.trace import explore

    graph = as_graph(source, limits)
    values = complete_inputs(graph, inputs)
    shape = graph.infer_shapes({key: shape_of(value) for key, value in values.items()}, limits)[graph.output]
    seed = np.ones(shape) if shape else 1.0
    run = explore(graph, values, wrt=(name,), seed=seed, limits=limits)
    if not run.kinks:
        return None
    leaf, at = graph[name].id, tuple(entry)
    gradient = float(run.grad(leaf)[at])
    found = Slopes(graph, values, seed, limits).check(leaf, at, gradient)
    if found.status != "kink" or not np.isfinite([found.left, found.right]).all():
        return None
    operations = dict.fromkeys(node.op.name for node in map(graph.__getitem__, run.kinks) if node.op)
    left, right = (float(f"{slope:.5g}") for slope in (found.left, found.right))
    return Kink(tuple(operations), left, right, gradient)


def at_kink(tape: Tape, registers: list[Array], position: int) -> bool:
    """Whether an operation is evaluated exactly at one of its declared kinks."""
    node = tape.graph.nodes[position]
    assert node.op is not None
    distance = parse(node.op.kink)
    given = dict(zip(node.op.args, (registers[arg] for arg in node.args), strict=False))
    given |= {**node.op.options, **node.options}
    inputs = {name: as_value(given[name]) for name in distance.inputs}
    ruler = Tape(distance, {name: shape_of(value) for name, value in inputs.items()}, ())
    return bool(np.any(np.asarray(ruler.run(inputs)[distance.output]) == 0))


@dataclass(frozen=True)
class LedgerRow:
    """One operation of a shape ledger: argument shapes in, result shape out."""

    node: str
    operation: str
    arguments: tuple[tuple[str, Shape], ...]
    shape: Shape

    def __str__(self) -> str:
        arguments = ", ".join(f"{name} {shape}" for name, shape in self.arguments)
        return f"{self.node}: {self.operation}({arguments}) -> {self.shape}"


@dataclass(frozen=True)
class ShapeLedger:
    """The shapes of a whole program: operation by operation, and the chain of every input as factors that fit."""

    rows: tuple[LedgerRow, ...]
    shapes: Mapping[str, Shape]
    graph: Graph

    @cached_property
    def chains(self) -> Mapping[str, str]:
        """For every input its chain in denominator layout: `(P×N)(N×M) = P×M ✓`, a line for each path."""
        from gradviz.explain.ledger import Ledger

        given = {name: self.shapes[name] for name in self.graph.inputs}
        tapes = ((name, Tape(self.graph, given, (name,), SHAPES_ONLY)) for name in self.graph.inputs)
        return {name: str(Ledger(tape, name)) for name, tape in tapes}

    def __str__(self) -> str:
        chains = (
            f"∂{self.graph.nodes[self.graph.output].id}/∂{name}: {text}" for name, text in self.chains.items()
        )
        return "\n".join([*map(str, self.rows), *chains])


def check_shapes(
    source: Source, shapes: Mapping[str, Iterable[int]] | None = None, limits: Limits = DEFAULT
) -> ShapeLedger:
    """The shape of every node from those of the inputs, without values.

    Inputs not mentioned have the shape of their declared value, else (). Raises ShapeError at the operator
    whose arguments do not fit, and UnknownNameError for a name that is no input.
    """
    graph = as_graph(source, limits)
    found = graph.infer_shapes(input_shapes(graph, shapes), limits)
    rows = tuple(_row(graph, i, found) for i in graph.operations)
    return ShapeLedger(rows, {node.id: shape for node, shape in zip(graph.nodes, found, strict=True)}, graph)


def input_shapes(graph: Graph, shapes: Mapping[str, Iterable[int]] | None) -> dict[str, Shape]:
    """A shape for every input: the given one, else that of its declared value, else (). Raises UnknownNameError for
    a name that is no input."""
    if shapes is not None and not isinstance(shapes, Mapping):
        raise GradvizError("shapes are given by name", got=repr(shapes), expected='such as {"x": (2, 3)}')
    found = {name: shape_of(graph.defaults.get(name, 0.0)) for name in graph.inputs}
    for name, shape in (shapes or {}).items():
        complete_inputs(graph, {name: 0.0, **dict.fromkeys(graph.inputs, 0.0)})
        found[graph[name].id] = _sizes(name, shape)
    return found


def _sizes(name: str, shape: Iterable[int]) -> Shape:
    try:
        sizes = tuple(map(index, shape))
    except TypeError:
        sizes = (-1,)
    if any(size < 0 for size in sizes):
        raise ShapeError(
            f"this is no shape for {name}", got=repr(shape), expected="a tuple of sizes, as in (3, 4)"
        )
    return sizes


def _row(graph: Graph, position: int, shapes: tuple[Shape, ...]) -> LedgerRow:
    node = graph.nodes[position]
    assert node.op is not None
    arguments = tuple((graph.describe(arg), shapes[arg]) for arg in node.args)
    return LedgerRow(node.id, node.op.name, arguments, shapes[position])
