"""Generated programs: random but well-behaved texts over the whole operation table, with an independent meaning.

A program grows line by line. An operation is tried on values that exist already and kept when its result is
tame: finite, moderate, away from poles and kinks. The text and `evaluate`, which gives the program its meaning
in another library, come from the same tree, so that the parser is compared along with the engine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradviz.engine.op import TABLE, Op
from gradviz.engine.ops import activation  # noqa: F401 - importing the package fills the table
from gradviz.errors import GradvizError

Shape = tuple[int, ...]

SHAPES: list[Shape] = [(), (), (), (3,), (3,), (2, 3), (3, 2), (3, 3), (2, 1), (2, 2, 3)]
LARGEST = 8.0
FROM_POLE, FROM_KINK = 0.15, 1e-3
# Close to singular on random matrices, or for images; the operations' own samples test them.
UNUSED = {"det", "inv", "logdet", "solve"} | {
    name for name, op in TABLE.items() if op.family in ("conv", "norm", "padding", "pool", "resample")
}
_CANDIDATES = [op for name, op in TABLE.items() if name not in UNUSED]
CANDIDATES = [*_CANDIDATES, *(op for op in _CANDIDATES if op.family == "arithmetic")]
INFIX = {
    "less": ("<", 1),
    "less_equal": ("<=", 1),
    "greater": (">", 1),
    "greater_equal": (">=", 1),
    "add": ("+", 2),
    "sub": ("-", 2),
    "mul": ("*", 3),
    "div": ("/", 3),
    "matmul": ("@", 3),
    "pow": ("**", 5),
}
SIGN, POSTFIX = 4, 6


@dataclass(frozen=True)
class Term:
    """A name, a literal, or an operation on terms; `value` is what it is at the program's inputs."""

    value: Any
    name: str = ""
    op: Op | None = None
    args: tuple[Term, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def shape(self) -> Shape:
        return np.shape(self.value)


@dataclass(frozen=True)
class Program:
    """A text, values for its inputs, and its lines as terms; the last line is the output, a scalar."""

    text: str
    inputs: dict[str, Any]
    lines: dict[str, Term]


def generate(number: int) -> Program:
    """The program with this number, the same on every machine; every third one has only scalars."""
    rng = np.random.default_rng(number)
    shapes = [() if number % 3 == 0 else SHAPES[rng.integers(len(SHAPES))] for _ in range(rng.integers(2, 5))]
    known = [Term(_value(rng, shape), f"x{i}") for i, shape in enumerate(shapes)]
    lines: dict[str, Term] = {}
    for i in range(rng.integers(2, 6)):
        lines[f"a{i}"] = term = _grown(rng, known)
        known.append(Term(term.value, f"a{i}"))
    lines["f"] = _scalar(lines, rng)
    text = "\n".join(f"{name} = {_written(term)}" for name, term in lines.items())
    inputs = {term.name: term.value for term in known if term.name.startswith("x") and term.name in text}
    return Program(text, inputs, lines)


def evaluate(
    program: Program,
    inputs: Mapping[str, Any],
    table: Mapping[str, Callable[..., Any]],
    constant: Callable[..., Any],
) -> Any:
    """The output in another library, with that library's operations and inputs."""
    values = dict(inputs)

    def of(term: Term) -> Any:
        if term.op is None:
            return values[term.name] if term.name else constant(term.value)
        return table[term.op.name](*map(of, term.args), **term.options)

    for name, term in program.lines.items():
        values[name] = of(term)
    return values["f"]


def _value(rng: np.random.Generator, shape: Shape) -> Any:
    value = np.round(rng.uniform(0.3, 1.8, shape) * rng.choice([-1, 1], shape), 3)
    return value if shape else float(value)


def _grown(rng: np.random.Generator, known: list[Term]) -> Term:
    """One to four operations on known terms, each on the result of the one before."""
    term = known[rng.integers(len(known))]
    for _ in range(rng.integers(1, 5)):
        term = _applied(rng, term, known)
    return term


def _scalar(lines: Mapping[str, Term], rng: np.random.Generator) -> Term:
    """Every line, weighted and summed, so that the gradient of each is needed."""
    total: Term | None = None
    for name, line in lines.items():
        weighted = _make(
            TABLE["mul"], (Term(line.value, name), Term(round(float(rng.uniform(0.5, 1.5)), 2))), {}
        )
        part = _make(TABLE["sum"], (weighted,), {}) if line.shape else weighted
        total = part if total is None else _make(TABLE["add"], (total, part), {})
    assert total is not None
    return total


def _applied(rng: np.random.Generator, term: Term, known: list[Term]) -> Term:
    """A random operation that takes `term` and gives a tame value; the term halved when none is found."""
    for _ in range(30):
        op = CANDIDATES[rng.integers(len(CANDIDATES))]
        args = [term, *(_operand(rng, known) for _ in range(1 if op.variadic else len(op.args) - 1))]
        order = rng.permutation(len(args))
        try:
            made = _make(op, tuple(args[i] for i in order), _options(op, rng))
        except (GradvizError, ArithmeticError, ValueError):
            continue
        if _tame(made):
            return made
    return _make(TABLE["mul"], (term, Term(0.5)), {})


def _operand(rng: np.random.Generator, known: list[Term]) -> Term:
    if rng.random() < 0.25:
        return Term(float(rng.choice([1.0, 2.0, 0.5, 3.0])))
    return known[rng.integers(len(known))]


def _options(op: Op, rng: np.random.Generator) -> Mapping[str, Any]:
    if op.name == "reshape":
        return {"shape": (-1,)}
    return op.samples[rng.integers(len(op.samples))].options if op.samples else {}


def _make(op: Op, args: tuple[Term, ...], options: Mapping[str, Any]) -> Term:
    op.output_shape([arg.shape for arg in args], options)
    with np.errstate(all="ignore"):
        return Term(op.forward(*(arg.value for arg in args), **options), "", op, args, options)


def _tame(term: Term) -> bool:
    value = np.asarray(term.value)
    if not value.size or not np.isfinite(value).all() or np.abs(value).max() > LARGEST:
        return False
    args = [np.asarray(arg.value) for arg in term.args]
    assert term.op is not None
    match term.op.name:
        case "log" | "sqrt":
            return bool((args[0] > FROM_POLE).all())
        case "reciprocal" | "norm2":
            return bool((np.abs(args[0]) > FROM_POLE).all())
        case "div":
            return bool((np.abs(args[1]) > FROM_POLE).all())
        case "xlogy":
            return bool((args[1] > FROM_POLE).all())
        case "pow":
            return bool((args[0] > FROM_POLE).all())
        case "tan":
            return bool((np.abs(args[0]) < 1.2).all())
        case "huber":
            return bool((np.abs(np.abs(args[0] - args[1]) - 1) > FROM_KINK).all())
        case "max" | "min":
            return bool((np.diff(np.sort(args[0], axis=None)) > FROM_KINK).all())
    if not term.op.kink:
        return True
    return bool((np.abs(args[0] - (args[1] if len(args) == 2 else 0)) > FROM_KINK).all())


def _written(term: Term, binds: int = 0) -> str:
    """The text of a term, with no more brackets than it needs where operators stand side by side."""
    if term.op is None:
        return term.name or f"{term.value:g}"
    name = term.op.name
    if name in INFIX:
        symbol, strength = INFIX[name]
        left, right = (POSTFIX, SIGN) if name == "pow" else (strength, strength + 1)
        left += strength == 1  # comparisons do not chain
        text = f"{_written(term.args[0], left)} {symbol} {_written(term.args[1], right)}"
        return f"({text})" if strength < binds else text
    if name == "neg":
        return f"(-{_written(term.args[0], SIGN)})" if binds > SIGN else f"-{_written(term.args[0], SIGN)}"
    if name == "index":
        return f"{_written(term.args[0], POSTFIX)}[{', '.join(map(_key, term.options['key']))}]"
    words = [_written(arg) for arg in term.args]
    return f"{name}({', '.join(words + [f'{key}={value}' for key, value in term.options.items()])})"


def _key(one: int | slice) -> str:
    if isinstance(one, int):
        return str(one)
    start, stop, step = ("" if part is None else str(part) for part in (one.start, one.stop, one.step))
    return f"{start}:{stop}:{step}" if step else f"{start}:{stop}"
