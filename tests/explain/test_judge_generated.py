"""500 generated answers: equivalents by algebraic rewriting, and wrong ones with a slip put in on purpose."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.graph import Graph
from tests.engine.programs import generate
from tests.explain.derivations import Unwritable, Writer

BLOCKS, PER_BLOCK = 25, 20


@dataclass
class Exercise:
    """A generated program and one of its nodes, with the program run at a few inputs of the test's own."""

    text: str
    inputs: dict[str, Any]
    wrt: int
    rng: np.random.Generator
    graph: Graph = field(init=False)
    runs: list[gv.Run] = field(init=False)

    def __post_init__(self) -> None:
        self.graph = gv.parse(self.text)
        name = self.name
        self.runs = [gv.explore(self.graph, self.inputs, wrt=(name,))]
        for _ in range(4):
            moved = {k: v * self.rng.uniform(0.9, 1.1, np.shape(v)) for k, v in self.inputs.items()}
            self.runs.append(gv.explore(self.graph, moved, wrt=(name,)))

    @property
    def name(self) -> str:
        return self.graph.nodes[self.wrt].id

    @property
    def truth(self) -> list[Any]:
        return [run.grad(self.name) for run in self.runs]

    def writer(self, *, plain: bool = False) -> Writer:
        return Writer(self.graph, list(self.runs[0].tape.shapes), self.rng, plain=plain)

    def values(self, answer: str) -> list[Any]:
        """An answer at the test's own inputs."""
        names = [name for name in self.graph.index if name.isidentifier()]
        graph = gv.parse(answer, names=names)
        return [
            gv.explore(
                graph, {n: run.value(n) for n in graph.inputs if n not in graph.defaults}, wrt=()
            ).value()
            for run in self.runs
        ]

    def judged(self, answer: str) -> gv.Verdict:
        return gv.judge(self.text, self.name, answer, self.inputs)


def exercises(block: int) -> Iterator[Exercise]:
    """Programs with a node whose gradient is finite, not 0 and not the same everywhere, for ever."""
    number = 10_000 * block
    while True:
        number += 1
        program = generate(number)
        rng = np.random.default_rng([7, number])
        graph = gv.parse(program.text)
        named = [i for i, node in enumerate(graph.nodes) if node.value is None and node.id.isidentifier()]
        wrt = named[rng.integers(len(named))]
        if wrt == graph.output:
            continue
        exercise = Exercise(program.text, program.inputs, wrt, rng)
        telling = all(np.isfinite(truth).all() and np.any(np.abs(truth) > 1e-6) for truth in exercise.truth)
        if telling and not same(exercise.truth[1:], exercise.truth[:1] * 4):
            yield exercise


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_generated_answer_is_decided(block: int) -> None:
    decided = 0
    for turn, exercise in enumerate(exercises(block)):
        try:
            answer = exercise.writer().gradient(exercise.wrt)
            assert same(exercise.values(answer), exercise.truth), "the writer is wrong"
            verdict = exercise.judged(answer)
            assert verdict.ok, f"{exercise.text}\n{exercise.inputs}\n∂/∂{exercise.name}: {answer}\n{verdict}"
            decided += 1
            slip = SLIPS[turn % len(SLIPS)]
            for answer, kinds in slip(exercise):
                verdict = exercise.judged(answer)
                assert verdict.kind in kinds, (
                    f"{kinds}\n{exercise.text}\n{exercise.inputs}\n∂/∂{exercise.name}: {answer}\n{verdict}"
                )
                decided += 1
        except Unwritable:
            continue
        if decided >= PER_BLOCK:
            return


def same(left: list[Any], right: list[Any]) -> bool:
    return all(
        np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-7, atol=1e-9)
        for a, b in zip(left, right, strict=True)
    )


Slips = Iterator[tuple[str, set[str]]]


def scaled(exercise: Exercise) -> Slips:
    """A lost or doubled constant."""
    text = exercise.writer().gradient(exercise.wrt)
    yield f"{exercise.rng.choice(['2', '0.5', '3', '-2', '1/3'])}*{text}", {"factor", "paths"}


def flipped(exercise: Exercise) -> Slips:
    """A lost minus."""
    yield f"-{exercise.writer().gradient(exercise.wrt)}", {"sign"}


def transposed(exercise: Exercise) -> Slips:
    """A matrix the wrong way round."""
    first = exercise.truth[0]
    if np.ndim(first) == 2 and not (first.shape[0] == first.shape[1] and np.allclose(first, first.T)):
        yield (
            f"{exercise.writer().gradient(exercise.wrt)}.T",
            {"transposed" if min(first.shape) > 1 else "shape", "transposed"},
        )


def frozen(exercise: Exercise) -> Slips:
    """The value at the current inputs in place of the formula."""
    yield repr(np.asarray(exercise.truth[0]).tolist()), {"only here"}


def one_path_lost(exercise: Exercise) -> Slips:
    """An edge that is forgotten where a node is used twice."""
    writer = exercise.writer()
    above = writer.between(exercise.wrt, exercise.graph.output)
    for arg in sorted(above):
        uses = [(i, slot) for i, slot in exercise.graph.consumers[arg] if i in above]
        uses = [edge for edge in uses if not exercise.graph.nodes[edge[0]].op.rule(edge[1]).is_zero]  # type: ignore[union-attr]
        if len(uses) > 1:
            lost = uses[exercise.rng.integers(len(uses))]
            text = writer.gradient(exercise.wrt, cut={lost})
            if tells(exercise, text):
                yield text, {"paths"}
            return


def one_factor_lost(exercise: Exercise) -> Slips:
    """A local derivative left out."""
    writer = exercise.writer()
    above = writer.between(exercise.wrt, exercise.graph.output)
    shapes = writer.shapes
    edges = [
        (i, slot)
        for i in sorted(above)
        for slot, arg in enumerate(exercise.graph.nodes[i].args)
        if arg in above and shapes[arg] == shapes[i] and exercise.graph.nodes[i].op.elementwise  # type: ignore[union-attr]
    ]
    exercise.rng.shuffle(edges)
    for edge in edges:
        text = writer.gradient(exercise.wrt, passed={tuple(edge)})
        if tells(exercise, text) and not proportional(exercise.values(text), exercise.truth):
            yield text, {"upstream"}
            return


def upstream_lost(exercise: Exercise) -> Slips:
    """The chain broken off before the output."""
    writer = exercise.writer()
    above = sorted(
        writer.between(exercise.wrt, exercise.graph.output) - {exercise.wrt, exercise.graph.output}
    )
    if above:
        end = above[exercise.rng.integers(len(above))]
        text = writer.gradient(exercise.wrt, end=end)
        if tells(exercise, text) and not proportional(exercise.values(text), exercise.truth):
            yield text, {"upstream", "paths"}  # both when what is lost above was a factor of 1


def tells(exercise: Exercise, text: str) -> bool:
    """Whether a slip changes the result and leaves something of it."""
    values = exercise.values(text)
    return not same(values, exercise.truth) and all(np.any(np.abs(value) > 1e-6) for value in values)


def proportional(values: list[Any], truth: list[Any]) -> bool:
    """Whether one constant factor explains the difference."""
    a = np.concatenate([np.ravel(v) for v in values])
    b = np.concatenate([np.ravel(t) for t in truth])
    return bool(np.allclose(a * (b @ b), b * (a @ b), rtol=1e-6, atol=1e-9))


SLIPS: list[Callable[[Exercise], Slips]] = [
    scaled,
    flipped,
    transposed,
    frozen,
    one_path_lost,
    one_factor_lost,
    upstream_lost,
]
