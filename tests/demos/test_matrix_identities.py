"""The matrix identities: each formula against the gradient, with shapes in which nothing passes by luck."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from latex2mathml.converter import convert

import gradviz as gv
from gradviz.demos import demos
from gradviz.demos.matrix_identities import DEMOS, Identity

EVERY = pytest.mark.parametrize("identity", DEMOS, ids=lambda identity: identity.name)


def formula_value(identity: Identity, run: gv.Run) -> np.ndarray:
    graph = gv.parse(identity.formula, names=run.graph.index)
    return gv.explore(graph, {name: run.value(name) for name in graph.inputs}, wrt=()).value()


def test_there_are_enough_of_them() -> None:
    assert len(DEMOS) >= 20
    assert len({identity.latex for identity in DEMOS}) == len(DEMOS)
    assert [demo for demo in demos().values() if demo.group] == DEMOS
    assert list(demos().values())[-len(DEMOS) :] == DEMOS, "after the lecture's own"


@EVERY
def test_the_formula_is_the_derivative(identity: Identity) -> None:
    (wrt,) = identity.wrt or ()
    run = gv.explore(identity.text)
    exact = gv.jacobian(identity.text, wrt, identity.of).array if identity.of else run.grad(wrt)
    np.testing.assert_allclose(formula_value(identity, run), exact, rtol=1e-11, atol=1e-12)


@EVERY
def test_the_formula_agrees_with_finite_differences(identity: Identity) -> None:
    """Without the engine's own rules: the columns are differences of outputs."""
    (wrt,) = identity.wrt or ()
    graph = gv.parse(identity.text)
    run = gv.explore(graph)
    point, h = run.value(wrt), 1e-5

    def output(shift: np.ndarray) -> np.ndarray:
        return gv.explore(graph, {wrt: point + shift}, wrt=()).value(identity.of or None)

    rows = []
    for entry in np.ndindex(point.shape):
        step = np.zeros(point.shape)
        step[entry] = h
        rows.append((output(step) - output(-step)) / (2 * h))
    found = formula_value(identity, run)
    np.testing.assert_allclose(found, np.reshape(rows, found.shape), rtol=1e-7, atol=1e-8)


@EVERY
def test_the_judge_agrees(identity: Identity) -> None:
    (wrt,) = identity.wrt or ()
    verdict = gv.judge(identity.text, wrt, identity.formula, of=identity.of or None)
    assert verdict.ok, str(verdict)


@EVERY
def test_no_wrong_transposition_passes(identity: Identity) -> None:
    (wrt,) = identity.wrt or ()
    for wrong in transpositions(identity):
        assert not gv.judge(identity.text, wrt, wrong, of=identity.of or None).ok, wrong


def transpositions(identity: Identity) -> list[str]:
    """The formula with one matrix transposed that was not, or the other way round."""
    matrices = "|".join(name for name, shape in identity.shapes.items() if len(shape) == 2)
    if not matrices:
        return []
    factor = re.compile(rf"(inv\((?:{matrices})\)|\b(?:{matrices})\b)(\.T)?")
    return [
        identity.formula[: match.start()]
        + (match[1] if match[2] else f"{match[1]}.T")
        + identity.formula[match.end() :]
        for match in factor.finditer(identity.formula)
    ]


def test_transpositions_are_tried() -> None:
    assert sum(len(transpositions(identity)) for identity in DEMOS) > 30


@EVERY
def test_no_square_matrix_is_symmetric(identity: Identity) -> None:
    for name, shape in identity.shapes.items():
        value = gv.explore(identity.text).value(name)
        assert len(shape) != 2 or shape[0] != shape[1] or not np.allclose(value, value.T)


@EVERY
def test_the_statement_can_be_typeset(identity: Identity) -> None:
    assert "<math" in convert(identity.latex)
    assert " = " in identity.latex
    assert identity.title.startswith("∂ ")
    assert len(identity.wrt or ()) == 1
    assert rf"\partial {identity.wrt[0]}}}" in identity.latex  # type: ignore[index]


def test_a_wrong_identity_would_be_found() -> None:
    (quadratic,) = (identity for identity in DEMOS if identity.name == "quadratic_form")
    wrong = replace(quadratic, formula="2*A @ x")
    run = gv.explore(wrong.text)
    assert not np.allclose(formula_value(wrong, run), run.grad("x"))
