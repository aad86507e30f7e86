"""Expressions written in Python: leaves, operators and `ops.<name>(…)` that build a graph without a text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count
from operator import attrgetter, index
from typing import Any

import numpy as np

from gradviz.engine.build import Builder, Constant, Operand, as_value
from gradviz.engine.graph import Graph
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import TABLE, Op
from gradviz.errors import GradvizError

_serial = count()
_age = attrgetter("age")
_NO_OPTIONS: Mapping[str, Any] = {}
_line: ContextVar[str] = ContextVar("line", default="")


@contextmanager
def writing(line: str) -> Iterator[None]:
    """Operations written inside belong to this line, as those of one line of a text do: they fold into one box."""
    before = _line.set(line)
    try:
        yield
    finally:
        _line.reset(before)


class Expr:
    """A node of an expression being written; `explore`, `value_and_grad` and the rest take it as a source.

    The arguments of an expression are older than itself, so sorting by age is a topological order.
    """

    __slots__ = ("age", "args", "default", "line", "name", "op", "options")
    __array_priority__ = 1000  # NumPy arrays on the left hand the operator over to us

    def __init__(
        self,
        op: Op | None,
        args: tuple[Any, ...] = (),
        options: Mapping[str, Any] = _NO_OPTIONS,
        name: str = "",
        default: Array = None,
    ) -> None:
        self.op = op
        self.args = args
        self.options = options
        self.name = name
        self.default = default
        self.line = _line.get()
        self.age = next(_serial)

    def named(self, name: str) -> Expr:
        """The same expression, shown and looked up under this name."""
        self.name = name
        return self

    @property
    def T(self) -> Expr:  # noqa: N802 - NumPy's and PyTorch's name
        """The transpose."""
        return Expr(TABLE["transpose"], (self,))

    def __getitem__(self, key: Any) -> Expr:
        parts = key if isinstance(key, tuple) else (key,)
        try:
            whole = tuple(part if isinstance(part, slice) else index(part) for part in parts)
        except TypeError:
            raise GradvizError(
                "an index is made of whole numbers and slices", got=repr(key), expected="x[0] or x[1:3]"
            ) from None
        return Expr(TABLE["index"], (self,), {"key": whole})

    # Without it Python would index for ever: its own `sum` and `max` are `ops.sum` and `ops.max` here.
    __iter__ = None

    def __bool__(self) -> bool:
        raise GradvizError(
            "an expression has no truth value before it is computed",
            hint="choose with ops.where(condition, x, y), ops.maximum(x, y)…",
        )

    def __repr__(self) -> str:
        return f"<Expr {self.name or (self.op.name if self.op else 'leaf')}>"

    __add__: Callable[[Expr, Any], Expr]
    __sub__: Callable[[Expr, Any], Expr]
    __mul__: Callable[[Expr, Any], Expr]
    __truediv__: Callable[[Expr, Any], Expr]
    __pow__: Callable[[Expr, Any], Expr]
    __matmul__: Callable[[Expr, Any], Expr]
    __radd__: Callable[[Expr, Any], Expr]
    __rsub__: Callable[[Expr, Any], Expr]
    __rmul__: Callable[[Expr, Any], Expr]
    __rtruediv__: Callable[[Expr, Any], Expr]
    __rpow__: Callable[[Expr, Any], Expr]
    __rmatmul__: Callable[[Expr, Any], Expr]
    __neg__: Callable[[Expr], Expr]
    __abs__: Callable[[Expr], Expr]
    __lt__: Callable[[Expr, Any], Expr]
    __le__: Callable[[Expr, Any], Expr]
    __gt__: Callable[[Expr, Any], Expr]
    __ge__: Callable[[Expr, Any], Expr]


OPERATORS = {
    "__add__": "add",
    "__sub__": "sub",
    "__mul__": "mul",
    "__truediv__": "div",
    "__pow__": "pow",
    "__matmul__": "matmul",
    "__lt__": "less",
    "__le__": "less_equal",
    "__gt__": "greater",
    "__ge__": "greater_equal",
}
_UNARY = {"__neg__": "neg", "__abs__": "abs"}


def _overload(op: Op, *, swapped: bool = False) -> Callable[..., Expr]:
    if swapped:
        return lambda self, other: Expr(op, (other, self))
    if len(op.args) == 1:
        return lambda self: Expr(op, (self,))
    return lambda self, other: Expr(op, (self, other))


for _method, _name in (OPERATORS | _UNARY).items():
    setattr(Expr, _method, _overload(TABLE[_name]))
for _method, _name in list(OPERATORS.items())[:6]:
    setattr(Expr, f"__r{_method[2:]}", _overload(TABLE[_name], swapped=True))


class Operations:
    """`ops.sigmoid(x)` for every operation of the table."""

    def __getattr__(self, name: str) -> Callable[..., Expr]:
        if name not in TABLE:
            raise AttributeError(f"no operation is called {name!r}")
        call = _calling(TABLE[name])
        setattr(self, name, call)  # found directly from now on
        return call

    def __dir__(self) -> list[str]:
        return sorted(TABLE)


def _calling(op: Op) -> Callable[..., Expr]:
    count = len(op.args)

    def call(*args: Any, **keywords: Any) -> Expr:
        if not keywords and len(args) == count and not op.optional:
            return Expr(op, args)
        return Expr(op, *_bound(op, args, keywords))

    call.__name__, call.__doc__ = op.name, op.why
    return call


def _bound(
    op: Op, args: tuple[Any, ...], keywords: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments and options of a call; raises GradvizError with the signature for a wrong one."""
    wrong = GradvizError(f"{op.name} is called with the wrong arguments", expected=op.signature)
    if op.variadic:
        if not args or not keywords.keys() <= op.options.keys():
            raise wrong
        return args, dict(keywords)
    names = [*op.args, *op.options]
    given = dict(zip(names, args, strict=False))
    if len(args) > len(names) or not keywords.keys() <= set(names) - given.keys():
        raise wrong
    given |= keywords
    tensors = [given.pop(name, None) for name in op.args]
    while tensors and tensors[-1] is None:
        tensors.pop()
    if len(tensors) < len(op.args) - op.optional or any(tensor is None for tensor in tensors):
        raise wrong
    return tuple(tensors), given


ops = Operations()


def variable(name: str, value: Array = None, *, shape: Shape | None = None) -> Expr:
    """A leaf called `name`, with a default value, or with a shape whose value is given later."""
    if not name.isidentifier():
        raise GradvizError(f"{name!r} is not a name", expected="letters, digits and underscores")
    if value is None and shape is not None:
        value = np.zeros(shape)
    return Expr(None, name=name, default=None if value is None else as_value(value))


def _free(name: str, taken: set[str]) -> str:
    """The name, with a number behind it where it is taken; noted as taken itself."""
    free = next(one for k in count(1) if (one := name if k == 1 else f"{name}{k}") not in taken)
    taken.add(free)
    return free


def graph_of(root: Expr) -> Graph:
    """The graph whose output is this expression."""
    reachable = {root}
    stack = [root]
    while stack:
        for arg in stack.pop().args:
            if type(arg) is Expr and arg not in reachable:
                reachable.add(arg)
                stack.append(arg)
    builder = Builder()
    position: dict[Expr, int] = {}
    taken: set[str] = set()
    for expr in sorted(reachable, key=_age):
        op, name = expr.op, expr.name
        if name:
            if name in taken:
                raise GradvizError(
                    f"two different nodes are called {name!r}", hint="give one of them another name"
                )
            taken.add(name)
        if op is None:
            position[expr] = builder.input(name, expr.default)
            continue
        operands: list[Operand] = []
        for arg in expr.args:
            operands.append(position[arg] if type(arg) is Expr else Constant(as_value(arg)))
        node = position[expr] = builder.apply(op, operands, expr.options)
        if name or expr.line:
            builder.rename(node, name or _free(f"{expr.line}.{op.name}", taken), expr.line or name)
    return builder.finish(position[root])
