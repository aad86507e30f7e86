"""micrograd's scalar on gradviz's operations: an eager value that remembers how it was made.

The interface and the accumulation of gradients are those of Andrej Karpathy's micrograd, so that its
tutorials run unchanged; the mathematics comes from the operation table.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from gradviz.engine.build import Builder, Constant
from gradviz.engine.graph import Graph
from gradviz.engine.op import TABLE, Op

_SYMBOLS = {"add": "+", "mul": "*", "pow": "**", "relu": "ReLU"}


class Value:
    """A number with `.data`, `.grad` and `.backward()`; gradients accumulate until they are set to 0."""

    __slots__ = ("_op", "args", "data", "grad", "label", "op")

    def __init__(
        self, data: float, _children: tuple[Value | float, ...] = (), _op: str = "", label: str = ""
    ) -> None:
        self.data = data
        self.grad: float = 0
        self.label = label
        self.op: Op | None = None
        self.args = _children
        self._op = _op

    @property
    def _prev(self) -> set[Value]:
        return {arg for arg in self.args if isinstance(arg, Value)}

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    def relu(self) -> Value:
        """max(0, self)."""
        return _apply(TABLE["relu"], self)

    def tanh(self) -> Value:
        """The hyperbolic tangent."""
        return _apply(TABLE["tanh"], self)

    def exp(self) -> Value:
        """e to the power self."""
        return _apply(TABLE["exp"], self)

    def log(self) -> Value:
        """The natural logarithm."""
        return _apply(TABLE["log"], self)

    def sigmoid(self) -> Value:
        """1/(1 + e^-self)."""
        return _apply(TABLE["sigmoid"], self)

    def backward(self) -> None:
        """Set this value's gradient to 1 and add to the gradient of everything it was made from."""
        self.grad = 1
        for value in reversed(_ordered(self)):
            if value.op is None:
                continue
            saved = [*_numbers(value.args), value.data]  # the output is last: a wire calls it source -1
            for arg, wire in zip(value.args, value.op.wires, strict=True):
                if isinstance(arg, Value) and wire is not None:
                    reads = [saved[source] for source in wire.sources]
                    arg.grad += wire.vjp(value.grad, *reads)

    def graph(self) -> Graph:
        """This computation as a Graph; leaves are called by their label, or v1, v2, … in order of use."""
        builder = Builder()
        position: dict[int, int] = {}
        ordered = _ordered(self)
        labels = {value.label for value in ordered}
        unnamed = (f"v{i}" for i in count(1) if f"v{i}" not in labels)
        taken: set[str] = set()
        for value in ordered:
            label = "" if value.label in taken else value.label  # a label names the first value that has it
            taken.add(label)
            if value.op is None:
                position[id(value)] = builder.input(label or next(unnamed), float(value.data))
            else:
                operands = [
                    position[id(arg)] if isinstance(arg, Value) else Constant(float(arg))
                    for arg in value.args
                ]
                node = builder.apply(value.op, operands)
                if label:
                    builder.rename(node, label)
                position[id(value)] = node
        return builder.finish(position[id(self)])

    __add__: Callable[[Value, Any], Value]
    __radd__: Callable[[Value, Any], Value]
    __sub__: Callable[[Value, Any], Value]
    __rsub__: Callable[[Value, Any], Value]
    __mul__: Callable[[Value, Any], Value]
    __rmul__: Callable[[Value, Any], Value]
    __truediv__: Callable[[Value, Any], Value]
    __rtruediv__: Callable[[Value, Any], Value]
    __pow__: Callable[[Value, Any], Value]
    __neg__: Callable[[Value], Value]


def _numbers(args: tuple[Value | float, ...]) -> list[float]:
    return [float(arg.data if isinstance(arg, Value) else arg) for arg in args]


def _apply(op: Op, *args: Value | float) -> Value:
    value = Value(op.forward(*_numbers(args)), args, _SYMBOLS.get(op.name, op.symbol))
    value.op = op
    return value


def _ordered(root: Value) -> list[Value]:
    """Every value that `root` was made from, each after its arguments (depth first, without recursion)."""
    ordered: dict[Value, None] = {}
    entered: set[Value] = set()
    stack = [root]
    while stack:
        value = stack[-1]
        if value in entered:  # met again: by now its arguments are in order
            ordered[stack.pop()] = None
        else:
            entered.add(value)
            stack += [arg for arg in reversed(value.args) if isinstance(arg, Value) and arg not in entered]
    return list(ordered)


def _method(op: Op, *, swapped: bool = False) -> Callable[..., Value]:
    if swapped:
        return lambda self, other: _apply(op, other, self)
    return lambda *args: _apply(op, *args)


for _name in ("add", "sub", "mul"):
    setattr(Value, f"__{_name}__", _method(TABLE[_name]))
    setattr(Value, f"__r{_name}__", _method(TABLE[_name], swapped=True))
Value.__truediv__ = _method(TABLE["div"])
Value.__rtruediv__ = _method(TABLE["div"], swapped=True)
Value.__pow__ = _method(TABLE["pow"])
Value.__neg__ = _method(TABLE["neg"])
