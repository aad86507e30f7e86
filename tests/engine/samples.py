"""Inputs on which every operation of the table is tested, and its rules applied by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

from gradviz.engine.op import TABLE, Op, Sample
from gradviz.engine.ops import activation  # noqa: F401 - importing the package fills the table

_BROADCASTING: dict[int, list[tuple[tuple[int, ...], ...]]] = {
    1: [((),), ((3,),), ((2, 3),), ((2, 3, 4),)],
    2: [
        ((), ()),
        ((3,), ()),
        ((), (3,)),
        ((3,), (3,)),
        ((2, 3), (3,)),
        ((2, 1), (1, 3)),
        ((3, 1), (2, 3, 4)),
        ((2, 3, 4), (1,)),
    ],
    3: [((), (), ()), ((3,), (), ()), ((3,), (2, 3), ()), ((2, 1), (1, 3), (4, 1, 1)), ((), (2,), (3, 1))],
}


@dataclass(frozen=True)
class Case:
    """One operation with concrete arguments, options and an upstream gradient."""

    op: Op
    args: tuple[Any, ...]
    options: Mapping[str, Any]
    g: Any

    def __str__(self) -> str:
        return f"{self.op.name}-{'-'.join(str(np.shape(arg)) for arg in self.args)}-{dict(self.options)}"

    @property
    def shapes(self) -> tuple[tuple[int, ...], ...]:
        return tuple(np.shape(arg) for arg in self.args)

    def forward(self, *args: Any) -> Any:
        with np.errstate(all="ignore"):
            return self.op.forward(*(args or self.args), **self.options)

    def contribution(self, slot: int) -> Any:
        """What the rule of one argument gives, summed down to the argument's shape."""
        return unbroadcast(apply_rule(self, slot), self.shapes[slot])


def apply_rule(case: Case, slot: int) -> Any:
    """The vjp with everything it reads, before un-broadcasting."""
    rule = case.op.rule(slot)
    readable = _readable(case, slot)
    with np.errstate(all="ignore"):
        return rule.vjp(**{name: readable[name] for name in rule.reads})


def local_derivative(case: Case, slot: int, reads: Sequence[str]) -> Any:
    """The declared local derivative at the case's arguments."""
    readable = _readable(case, slot)
    return case.op.rule(slot).local_derivative(**{name: readable[name] for name in reads})


def _readable(case: Case, slot: int) -> dict[str, Any]:
    op = case.op
    found: dict[str, Any] = {"g": case.g, "out": case.forward(), "index": slot, "shapes": case.shapes}
    found |= {**op.options, **case.options}
    if not op.variadic:
        found |= dict.fromkeys(op.args) | dict(zip(op.args, case.args, strict=False))
        found |= {f"{name}_shape": shape for name, shape in zip(op.args, case.shapes, strict=False)}
    return found


def unbroadcast(contribution: Any, shape: tuple[int, ...]) -> Any:
    extra = np.ndim(contribution) - len(shape)
    axes = [i + extra for i, size in enumerate(shape) if size == 1]
    return np.sum(contribution, axis=(*range(extra), *axes), keepdims=True).reshape(shape)


def samples_of(op: Op) -> list[Sample]:
    """The declared samples; an elementwise operation gets every kind of broadcasting on top."""
    broadcasting = _BROADCASTING[len(op.args)] if op.elementwise else []
    return [*map(Sample, broadcasting), *op.samples]


def cases_of(op: Op, dtype: type = np.float64) -> list[Case]:
    """The operation's samples filled at random, inside the domains, the same in every run."""
    cases = []
    for number, sample in enumerate(samples_of(op)):
        rng = np.random.default_rng(crc32(f"{op.name} {number}".encode()))
        args = tuple(_fill(op, slot, arg, rng, dtype) for slot, arg in enumerate(sample.args))
        with np.errstate(all="ignore"):
            shape = np.shape(op.forward(*args, **sample.options))
        g: Any = rng.uniform(0.5, 1.5, shape).astype(dtype)
        cases.append(Case(op, args, sample.options, g if shape else float(g)))
    return cases


def _fill(op: Op, slot: int, arg: Any, rng: np.random.Generator, dtype: type) -> Any:
    if isinstance(arg, tuple):
        arg = rng.uniform(*op.domain.get(op.argument(slot), (-2.0, 2.0)), arg)
    return np.asarray(arg, dtype=dtype) if np.shape(arg) else float(arg)


CASES = [case for op in TABLE.values() for case in cases_of(op)]
