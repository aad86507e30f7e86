"""Forward mode with dual numbers: every node carries its value and how fast that changes, its tangent.

One pass answers for one direction of the inputs, from the inputs to the output. The rules are those of the
backward pass, applied from the other side: what is multiplied along an edge is the same Jacobian.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from gradviz.engine.build import as_value
from gradviz.engine.graph import Edge, shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array
from gradviz.engine.op import POWER
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape, complete_inputs
from gradviz.errors import ShapeError
from gradviz.explain import numbers
from gradviz.explain.derivation import Stage, local_formula
from gradviz.explain.notation import Notation
from gradviz.explain.place import FloatArray, place_of, values_at
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula, sequence


@dataclass(frozen=True, eq=False)
class Push:
    """What one argument's tangent contributes along its edge."""

    edge: Edge
    place: tuple[int, int]  # consumer position, argument slot
    local: FloatArray | None  # the local derivative where it is an array to multiply by
    change: FloatArray  # the argument's tangent
    contribution: FloatArray


@dataclass(frozen=True, eq=False)
class DualStep:
    """One step of forward mode: an input gets its direction, or an operation its value and tangent at once."""

    run: DualRun
    kind: Literal["seed", "forward"]
    node: str
    value: FloatArray
    tangent: FloatArray
    pushes: tuple[Push, ...] = ()

    @property
    def sentence(self) -> str:
        """What happens, in one plain sentence."""
        notation = self.run.notation
        here, value, tangent = notation.text(self.run.run.graph.position(self.node)), *self._shown
        if self.kind == "seed":
            moves = f"moves at the rate {tangent}" if np.any(self.tangent) else "stands still"
            return f"{here} = {value} {moves}."
        if not self.pushes:
            return f"{here} = {value} does not depend on what moves: its rate is 0."
        sources = " plus ".join(self._spoken(push) for push in self.pushes)
        return f"{here} = {value} moves at the rate {tangent}: {sources}."

    @property
    def _shown(self) -> tuple[str, str]:
        digits = self.run.notation.digits
        return numbers.described(self.value, digits), numbers.described(self.tangent, digits)

    def _spoken(self, push: Push) -> str:
        notation = self.run.notation
        argument = notation.text(self.run.run.graph.nodes[push.place[0]].args[push.place[1]])
        change = numbers.described(push.change, notation.digits)
        if push.local is None:
            return f"the rate of {argument}, {change}, pushed through"
        return f"local derivative {numbers.described(push.local, notation.digits)} times the rate of {argument}, {change}"

    @property
    def stages(self) -> list[Stage]:
        """The tangent in LaTeX, from the rule to the number."""
        notation = self.run.notation
        position = self.run.run.graph.position(self.node)
        result = Formula("= @x", {"x": notation.number(self.tangent)})
        left = dotted(notation.formula(position))
        if not self.pushes:
            return [Stage("number", Formula(r"@a = @b", {"a": left, "b": notation.number(self.tangent)}))]
        args = self.run.run.graph.nodes[position].args
        symbols = [
            self._product(
                push, notation.local(push.place), dotted(notation.formula(args[push.edge.argument]))
            )
            for push in self.pushes
        ]
        found = [Stage("rule", Formula("@a = @b", {"a": left, "b": _total(symbols)}))]
        if all(push.local is not None for push in self.pushes):
            local = [
                self._product(
                    push, local_formula(self.run.run, push.place, notation), notation.number(push.change)
                )
                for push in self.pushes
            ]
            found.append(Stage("local", Formula("= @x", {"x": _total(local)})))
        return [*found, Stage("number", result)]

    def _product(self, push: Push, local: Formula, change: Formula) -> Formula:
        """Entry by entry for an array, an inner product where a scalar comes of one."""
        if push.local is None or np.ndim(push.change) == 0 == np.ndim(self.value):
            return sequence([local, change])
        if np.ndim(self.value):
            return sequence([local, change], r" \odot ")
        return Formula(r"{@[a]}^{\top} @[b]", {"a": local, "b": change}, POWER)


def dotted(symbol: Formula) -> Formula:
    """The tangent of a node, written with a dot."""
    return Formula(r"\dot{@x}", {"x": symbol})


def _total(terms: list[Formula]) -> Formula:
    slots = {f"t{i}": term for i, term in enumerate(terms)}
    return Formula(" + ".join(f"@{key}" for key in slots), slots)


class DualRun:
    """One pass of forward mode along a direction of the inputs."""

    def __init__(self, run: Run, direction: Mapping[int, FloatArray]) -> None:
        self.run = run
        self.direction = direction
        self.notation = Notation(run.graph)

    @cached_property
    def steps(self) -> list[DualStep]:
        """Every input with its direction, then every operation in order."""
        return [*self._seeds(), *self._operations()]

    @cached_property
    def tangents(self) -> dict[str, FloatArray]:
        """How fast every node changes."""
        return {step.node: step.tangent for step in self.steps}

    @property
    def tangent(self) -> FloatArray:
        """How fast the output changes: its derivative along the direction."""
        return self.tangents[self.run.graph.nodes[self.run.graph.output].id]

    def _seeds(self) -> Iterator[DualStep]:
        graph = self.run.graph
        for name, position in graph.leaves.items():
            still = np.zeros(self.run.tape.shapes[position])
            yield DualStep(self, "seed", name, self.run.value(name), self.direction.get(position, still))

    def _operations(self) -> Iterator[DualStep]:
        graph, tape, registers = self.run.graph, self.run.tape, self.run.registers
        moving = dict(self.direction)
        for position in graph.operations:
            node, pushes = graph.nodes[position], []
            for slot, arg in enumerate(node.args):
                assert node.op is not None
                if arg not in moving or node.op.rule(slot).is_zero:
                    continue
                place = (position, slot)
                pushed = place_of(graph, tape.shapes, place).push(
                    values_at(graph, registers, place),
                    [registers[i] for i in node.args],
                    np.asarray(moving[arg])[None],
                )[0]
                local = tape.local_derivative(place, registers) if tape.has_local_derivative(place) else None
                pushes.append(Push(Edge(node.id, slot), place, local, moving[arg], pushed))
            total = sum((push.contribution for push in pushes), np.zeros(tape.shapes[position]))
            if pushes:
                moving[position] = total
            yield DualStep(self, "forward", node.id, self.run.value(node.id), total, tuple(pushes))


def push_forward(
    source: Source,
    direction: Mapping[str, Array],
    inputs: Mapping[str, Array] | None = None,
    limits: Limits = DEFAULT,
    **named: Array,
) -> DualRun:
    """One pass along `direction`, which says how fast each input moves; inputs not mentioned stand still.

    Raises ShapeError for a direction that has not its input's shape.
    """
    graph = as_graph(source, limits)
    values = complete_inputs(graph, {**(inputs or {}), **named})
    tape = Tape(graph, {name: shape_of(value) for name, value in values.items()}, (), limits)
    run = Run(tape, tape.run(values), [])
    rates: dict[int, FloatArray] = {}
    for name, rate in direction.items():
        position, given = graph.position(name), np.asarray(as_value(rate))
        if given.shape != tape.shapes[position]:
            raise ShapeError(
                f"the direction of {name} must have its shape",
                got=str(given.shape),
                expected=str(tape.shapes[position]),
            )
        rates[position] = given
    return DualRun(run, rates)


@dataclass(frozen=True)
class ForwardGradients:
    """Derivatives of the output by every entry of the inputs, and how many passes they took."""

    values: dict[str, Any]  # axes of the input, then of the output
    passes: int


def forward_gradients(
    source: Source,
    inputs: Mapping[str, Array] | None = None,
    wrt: Iterable[str] | None = None,
    limits: Limits = DEFAULT,
    **named: Array,
) -> ForwardGradients:
    """All derivatives by forward mode: one pass for every entry of every input."""
    graph = as_graph(source, limits)
    values = complete_inputs(graph, {**(inputs or {}), **named})
    found, passes = {}, 0
    for name in graph.inputs if wrt is None else wrt:
        shape = shape_of(values[graph.nodes[graph.position(name)].id])
        rows = []
        for entry in np.ndindex(shape):
            unit = np.zeros(shape)
            unit[entry] = 1.0
            rows.append(push_forward(graph, {name: unit}, values, limits).tangent)
            passes += 1
        found[name] = np.reshape(rows, shape + np.shape(rows[0]))[()] if rows else np.zeros(shape)
    return ForwardGradients(found, passes)
