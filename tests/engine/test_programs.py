"""Whole programs: generated ones against PyTorch or finite differences, and what every run must satisfy."""

from __future__ import annotations

import os
from collections import Counter

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.op import TABLE
from tests.conftest import require
from tests.engine.programs import UNUSED, Program, evaluate, generate

FULL = bool(os.environ.get("GRADVIZ_REQUIRE_ALL"))
BLOCK = 100  # programs per test
AGAINST_PYTORCH = 2_000 if FULL else 500
AGAINST_DIFFERENCES = 300 if FULL else 60


@pytest.mark.parametrize("start", range(0, AGAINST_PYTORCH, BLOCK))
def test_values_and_gradients_agree_with_pytorch(start: int) -> None:
    torch = require("torch")
    from tests.engine.oracle_torch import ORACLE

    def tensor(value: object) -> object:
        return torch.tensor(value, dtype=torch.float64)

    for number in range(start, start + BLOCK):
        program = generate(number)
        leaves = {name: tensor(value).requires_grad_() for name, value in program.inputs.items()}
        expected = evaluate(program, leaves, ORACLE, tensor)
        if expected.requires_grad:
            expected.backward()
        run = gv.explore(program.text, program.inputs)
        np.testing.assert_allclose(run.value(), expected.item(), rtol=1e-9, atol=1e-12, err_msg=program.text)
        for name, leaf in leaves.items():
            gradient = torch.zeros_like(leaf) if leaf.grad is None else leaf.grad
            scale = max(1.0, float(gradient.abs().max()))
            np.testing.assert_allclose(
                run.grad(name),
                gradient.numpy(),
                rtol=1e-9,
                atol=1e-11 * scale,
                err_msg=f"{name} in\n{program.text}",
            )


@pytest.mark.parametrize("start", range(0, AGAINST_DIFFERENCES, 20))
def test_gradients_agree_with_finite_differences(start: int) -> None:
    for number in range(start, start + 20):
        program = generate(number)
        verdict = gv.check_gradients(program.text, program.inputs)
        assert verdict.ok, f"{program.text}\n{verdict}"
        assert [check.name for check in verdict.inputs if check.status != "pass"] == []


def test_the_programs_use_the_whole_table() -> None:
    used: Counter[str] = Counter()
    reused = 0
    for number in range(600):
        graph = gv.parse(generate(number).text)
        used.update(graph.nodes[i].op.name for i in graph.operations)  # type: ignore[union-attr]
        reused += any(len(users) > 1 for users in graph.consumers)
    # Random numbers are no classes: the operation's own samples test it.
    assert TABLE.keys() - used.keys() <= UNUSED | {"cross_entropy"}
    assert reused > 300


@pytest.mark.parametrize("number", range(40))
def test_two_runs_are_bit_identical(number: int) -> None:
    program = generate(number)
    first, second = (_bits(program) for _ in range(2))
    assert first == second


def _bits(program: Program) -> list[bytes]:
    run = gv.explore(program.text, program.inputs)
    steps = [np.asarray(step.after).tobytes() for step in run.steps]
    return [*steps, *(np.asarray(gradient).tobytes() for gradient in run.grads.values())]


@pytest.mark.parametrize("number", range(60))
def test_a_replayed_tape_gives_the_very_same(number: int) -> None:
    program = generate(number)
    run = gv.explore(program.text, program.inputs)
    value, gradients = gv.value_and_grad(program.text)(**program.inputs)
    assert np.array_equal(value, run.value())
    assert gradients.keys() == run.grads.keys()
    for name, gradient in gradients.items():
        assert np.array_equal(gradient, run.grad(name))
        assert np.shape(gradient) == np.shape(program.inputs[name])
