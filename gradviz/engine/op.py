"""What an operation is, and the table of all of them.

One declaration holds everything gradviz knows about an operation: how to compute it, how a gradient passes
through it to each argument, the shapes it takes, how it is written and why its derivative is what it is.
Overloads, parser names, checks and drawings all read this table.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import zip_longest
from math import prod
from typing import Any, Literal, NamedTuple

from gradviz.engine.links import LinkRule, Links, aligned, kept
from gradviz.engine.local import MENTIONED, compiled
from gradviz.engine.numeric import Array, Shape
from gradviz.errors import ShapeError

# What the Jacobian of an operation looks like, whatever the values: `explain/structure.py` draws the consequences.
Structure = Literal[
    "elementwise",  # an output entry reads one entry of the argument, the one broadcast to its place
    "reduction",  # an entry of the argument reaches one output entry
    "permutation",  # the entries change places
    "selection",  # an output entry is a copy of one entry, or of none
    "matmul",  # a matrix, repeated along the linked axes
    "windowed",  # an output entry reads the entries of its window
    "block diagonal",  # everything reaches everything, within equal indices on the linked axes
    "dense",
    "zero",
]
# How a vjp takes many upstream gradients in one call: on further leading axes, or as more samples on the first axis,
# with whatever else it reads repeated.
Many = Literal["leading", "samples"]
# A local Jacobian in LaTeX, in denominator and in numerator layout, and then in words what its letters stand for.
Matrix = tuple[str, ...]

# How tightly a formula binds: an operand that binds more loosely than its place asks for gets parentheses.
LOOSE, SUM, PRODUCT, UNARY, POWER, ATOM = range(6)


@dataclass(frozen=True, eq=False)
class Rule:
    """How the upstream gradient reaches one argument.

    `vjp` is the vector-Jacobian product. Its parameter names say what it reads: `g` the upstream gradient,
    `out` the output, an argument by its name, `<argument>_shape`, or an option; for a variadic
    operation also `index`, the argument slot, and `shapes`, those of all arguments. What a rule reads is what
    the forward pass must save. `local` is, for an elementwise operation, the local derivative in gradviz's
    own language; the vjp is then the upstream gradient times it.
    """

    latex: str
    structure: Structure
    local: str = ""
    function: Callable[..., Array] | None = None
    links: LinkRule | None = None  # where it differs from what `structure` implies
    many: Many | None = None
    jacobian: Matrix | Callable[..., Matrix] | None = None  # may depend on shapes and options

    @cached_property
    def vjp(self) -> Callable[..., Array]:
        """Upstream gradient and what the rule reads -> contribution to the argument."""
        return self.function or compiled(self.local, times_upstream=True)

    @cached_property
    def local_derivative(self) -> Callable[..., Array]:
        """What the rule reads, without `g` -> the elementwise local derivative."""
        return compiled(self.local, times_upstream=False)

    @cached_property
    def reads(self) -> tuple[str, ...]:
        """Parameter names of the vjp, in order; the upstream gradient `g` comes first."""
        names = tuple(inspect.signature(self.vjp).parameters)
        if names[:1] != ("g",):
            raise TypeError(f"a vjp reads the upstream gradient g first, not {names}")
        return names

    @property
    def is_zero(self) -> bool:
        """Whether no gradient ever passes (comparisons, masks)."""
        return self.structure == "zero"


OUTPUT = -1  # the source of a wire that is no argument slot


class Wire(NamedTuple):
    """How one argument slot gets its gradient: `vjp(g, *sources)`, where a source is an argument slot or OUTPUT.

    `direct` is False when the rule also reads something static (a shape, an option), which the tape must bind.
    """

    vjp: Callable[..., Array]
    direct: bool
    sources: tuple[int, ...] = ()


@dataclass(frozen=True)
class Sample:
    """Inputs on which every test of an operation runs: shapes to be filled at random, or given arrays."""

    args: tuple[Shape | Array, ...]
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Op:
    """One operation of the table.

    `latex` is a template: `@x` stands for the argument x, `@(x)` adds parentheses where x binds more loosely
    than `precedence`, `@[x]` also where it binds as loosely (a base, what follows a minus). `kink` is a text
    whose zeros are the points without a derivative. `expand` gives the program of primitives that a fused
    operation stands for; it may depend on shapes and options. `element(index, near, *shapes, **options)` gives the
    program of one output entry over indexed arguments, in detail around the entry `near` of the first one.
    `domain` bounds the random sample values of an argument, so that log never sees a negative number.
    """

    name: str
    args: tuple[str, ...]
    options: Mapping[str, Any]
    forward: Callable[..., Array]
    rules: Mapping[str, Rule]
    shape: Callable[..., Shape]
    latex: str
    symbol: str
    why: str
    convention: str = ""
    precedence: int = ATOM
    kink: str = ""
    expand: str | Callable[..., str] = ""
    element: Callable[..., str] | None = None
    domain: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    samples: Sequence[Sample] = ()
    work: Callable[..., int] | None = None
    elementwise: bool = False
    variadic: bool = False
    averaged: bool = False  # divided by the first axis of its first argument when that has two or more axes
    optional: int = 0  # how many trailing arguments may be left out
    family: str = ""  # the file it is declared in

    def __repr__(self) -> str:
        return f"<operation {self.signature}>"

    @cached_property
    def signature(self) -> str:
        """The call as one writes it, e.g. `sum(x, axis=None, keepdims=False)`."""
        required = len(self.args) - self.optional
        tensors = [name if i < required else f"{name}=None" for i, name in enumerate(self.args)]
        if self.variadic:
            tensors = [f"*{self.args[0]}"]
        options = [
            name if default is inspect.Parameter.empty else f"{name}={_plain(default)}"
            for name, default in self.options.items()
        ]
        return f"{self.name}({', '.join(tensors + options)})"

    def template(self, given: int) -> str:
        """`latex` for a call with this many arguments: one left out goes with the plus or comma before it."""
        left_out = "|".join(self.args[given:]) if self.optional else ""
        return re.sub(rf"\s*[+,]\s*@[(\[]?(?:{left_out})\b[)\]]?", "", self.latex) if left_out else self.latex

    def argument(self, index: int) -> str:
        """The declared name of the argument in this slot."""
        return self.args[0] if self.variadic else self.args[index]

    @cached_property
    def wires(self) -> tuple[Wire | None, ...]:
        """How each declared argument gets its gradient; None where no gradient ever passes."""
        known = {"out": OUTPUT} | {name: slot for slot, name in enumerate(self.args)}
        rules = [self.rules[name] for name in self.args]
        return tuple(None if rule.is_zero else _wire(rule, known, self) for rule in rules)

    def rule(self, index: int) -> Rule:
        """The rule that carries a gradient to the argument in this slot."""
        return self.rules[self.argument(index)]

    def values_read(self, index: int) -> tuple[str, ...]:
        """The arguments, and `out`, whose values the derivative by this slot depends on; none where it is constant."""
        rule = self.rule(index)
        names = rule.local_derivative.__code__.co_varnames if rule.local else rule.reads[1:]
        return () if self.variadic else tuple(name for name in names if name in (*self.args, "out"))

    def links(self, index: int, shapes: Sequence[Shape], out: Shape, options: Mapping[str, Any]) -> Links:
        """The axes of this slot that the operation does not mix, as (axis of the argument, axis of the output)."""
        rule, shape = self.rule(index), shapes[index]
        if rule.links is not None:
            return rule.links(shapes, out, self._complete(options))
        if rule.structure == "elementwise":
            return aligned(shape, out)
        return kept(shape, out, self._complete(options)) if rule.structure == "reduction" else ()

    def output_shape(self, shapes: Sequence[Shape], options: Mapping[str, Any]) -> Shape:
        """Shape of the result; raises ShapeError naming the shapes that do not fit."""
        return self.shape(*shapes, **self._complete(options))

    def cost(self, shapes: Sequence[Shape], out: Shape, options: Mapping[str, Any]) -> int:
        """Multiply-adds of one forward pass, roughly; one per entry touched unless declared otherwise."""
        if self.work is not None:
            return self.work(*shapes, **self._complete(options))
        return prod(out) + sum(prod(shape) for shape in shapes)

    def expansion(self, shapes: Sequence[Shape], options: Mapping[str, Any]) -> str:
        """The program of primitives, in the operation's argument names; empty when it is a primitive."""
        return (
            self.expand if isinstance(self.expand, str) else self.expand(*shapes, **self._complete(options))
        )

    def _complete(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        return {**self.options, **options} if self.options else options

    @property
    def fused(self) -> bool:
        """Whether the operation can be opened into primitives."""
        return bool(self.expand)


def _wire(rule: Rule, known: Mapping[str, int], op: Op) -> Wire:
    reads = rule.reads[1:]
    if op.variadic or not op.elementwise or not known.keys() >= set(reads):
        return Wire(rule.vjp, direct=False)
    return Wire(rule.vjp, True, tuple(known[read] for read in reads))


TABLE: dict[str, Op] = {}


def elementwise(
    *,
    local: Mapping[str, str],
    latex: str,
    symbol: str,
    why: str,
    options: Mapping[str, float] | None = None,
    **rest: Any,
) -> Callable[[Callable[..., Array]], Op]:
    """Declare an operation that acts on each entry alone; arguments broadcast.

    `local` maps each argument to its local derivative in gradviz's own language. From it follow the vjp, the
    forward-mode rule (for a diagonal Jacobian they are the same product), the LaTeX and the code shown. The
    text "0" declares that no gradient passes.
    """

    def declare(forward: Callable[..., Array]) -> Op:
        rules = {
            name: Rule(latex="", structure="zero" if text == "0" else "elementwise", local=text)
            for name, text in local.items()
        }
        return _register(
            forward,
            args=tuple(local),
            options=options or {},
            rules=rules,
            shape=_elementwise_shape,
            latex=latex,
            symbol=symbol,
            why=why,
            elementwise=True,
            **rest,
        )

    return declare


def operation(
    *,
    vjp: Mapping[str, Callable[..., Array]],
    vjp_latex: Mapping[str, str],
    structure: Structure | Mapping[str, Structure],
    links: Mapping[str, LinkRule] | None = None,
    many: Mapping[str, Many] | None = None,
    jacobian: Mapping[str, Matrix | Callable[..., Matrix]] | None = None,
    shape: Callable[..., Shape],
    latex: str,
    symbol: str,
    why: str,
    **rest: Any,
) -> Callable[[Callable[..., Array]], Op]:
    """Declare any other operation. The forward function's own signature is the operation's signature:
    parameters annotated `Array` are tensors, all others are options."""

    def declare(forward: Callable[..., Array]) -> Op:
        parameters = inspect.signature(forward).parameters.values()
        tensors = [p for p in parameters if str(p.annotation).startswith("Array")]
        rules = {
            name: Rule(
                latex=vjp_latex[name],
                structure=structure if isinstance(structure, str) else structure[name],
                function=function,
                links=(links or {}).get(name),
                many=(many or {}).get(name),
                jacobian=(jacobian or {}).get(name),
            )
            for name, function in vjp.items()
        }
        return _register(
            forward,
            args=tuple(p.name for p in tensors),
            options={p.name: p.default for p in parameters if p not in tensors},
            rules=rules,
            shape=shape,
            latex=latex,
            symbol=symbol,
            why=why,
            variadic=any(p.kind is p.VAR_POSITIONAL for p in tensors),
            optional=sum(p.default is None for p in tensors),
            **rest,
        )

    return declare


def _register(forward: Callable[..., Array], **fields: Any) -> Op:
    name = fields.pop("name", forward.__name__.rstrip("_"))
    family = forward.__module__.rpartition(".")[2]
    op = Op(name=name, forward=forward, family=family, **fields)
    if name in TABLE:
        raise ValueError(f"two operations are called {name}")
    TABLE[name] = op
    MENTIONED[name] = forward
    return op


def broadcast_shapes(*shapes: Shape) -> Shape:
    """NumPy's broadcast shape; raises ShapeError naming the axes that differ."""
    result = []
    for sizes in zip_longest(*(reversed(shape) for shape in shapes), fillvalue=1):
        wide = {size for size in sizes if size != 1}
        if len(wide) > 1:
            raise ShapeError(
                f"sizes {' and '.join(map(str, sorted(wide)))} do not broadcast",
                expected="equal sizes, or 1, on every axis counted from the right",
            )
        result.append(wide.pop() if wide else 1)
    return tuple(reversed(result))


def _elementwise_shape(*shapes: Shape, **_options: Any) -> Shape:
    return broadcast_shapes(*shapes) if any(shapes) else ()


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else str(value)
