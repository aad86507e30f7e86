"""Whatever is typed, and whatever values meet it: a run or a GradvizError, and soon."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.limits import APP
from tests.engine.test_parse_hostile import mutated, random_call, random_text

VALUES = [1.0, 0.0, -1.0, 2.0, 0.5, 1e300, -1e-300, [1.0, 2.0], [1.0, -2.0, 0.0], [[1.0, 2.0], [3.0, 4.0]]]
VALUES += [np.ones((2, 3)), np.zeros((1, 2, 4, 4)), np.float32([1.0, 2.0]), float("nan"), float("inf")]


def outcome(text: str, rng: random.Random) -> str:
    """Name of the error, or "run"; any other exception escapes."""
    try:
        graph = gv.parse(text, limits=APP)
        inputs = {name: rng.choice(VALUES) for name in graph.inputs if name not in graph.defaults}
        run = gv.explore(graph, inputs, wrt=(), limits=APP)
        if np.ndim(run.value()):
            run = gv.explore(graph, inputs, seed=np.ones(np.shape(run.value())), limits=APP)
        else:
            run = gv.explore(text, inputs, limits=APP)
    except gv.GradvizError as error:
        raised = error
    else:
        for name, gradient in run.grads.items():
            assert np.shape(gradient) == run.shape(name)
        for step in run.steps[-2:]:
            assert step.sentence
        return "run"
    assert 0 < len(str(raised)) <= 500
    return type(raised).__name__


@pytest.mark.parametrize(
    ("make", "count", "runs"), [(random_text, 2_000, 8), (random_call, 2_000, 40), (mutated, 400, 8)]
)
@pytest.mark.parametrize("part", range(5))
def test_random_texts_give_a_run_or_our_error(
    make: Callable[[random.Random], str], count: int, runs: int, part: int
) -> None:
    rng = random.Random(31 + part)
    outcomes = Counter(outcome(make(rng), rng) for _ in range(count))
    assert outcomes["run"] >= runs  # so that the engine is reached as well
    assert outcomes["ParseError"] >= runs
