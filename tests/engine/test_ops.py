"""Every operation of the table against PyTorch, finite differences and its own declarations."""

from __future__ import annotations

import ast
import inspect
import re

import numpy as np
import pytest

from gradviz.engine.op import TABLE, Op
from gradviz.engine.parse import parse
from gradviz.engine.tape import Tape
from tests.conftest import require
from tests.engine.samples import CASES, Case, apply_rule, cases_of, local_derivative

OPS = list(TABLE.values())

each_case = pytest.mark.parametrize("case", CASES, ids=str)
each_op = pytest.mark.parametrize("op", OPS, ids=lambda op: op.name)


@each_op
def test_pytorch_knows_every_operation(op: Op) -> None:
    require("torch")
    from tests.engine.oracle_torch import ORACLE

    assert op.name in ORACLE
    assert op.elementwise or op.samples


@each_case
def test_value_and_gradients_agree_with_pytorch(case: Case) -> None:
    torch = require("torch")
    from tests.engine.oracle_torch import ORACLE

    tensors = [torch.tensor(arg, dtype=torch.float64, requires_grad=True) for arg in case.args]
    expected = ORACLE[case.op.name](*tensors, **case.options)
    np.testing.assert_allclose(case.forward(), expected.detach().numpy(), rtol=1e-9, atol=1e-12)
    if expected.requires_grad:
        expected.backward(torch.tensor(case.g, dtype=torch.float64))
    for slot, tensor in enumerate(tensors):
        gradient = 0.0 if tensor.grad is None else tensor.grad.numpy()
        np.testing.assert_allclose(case.contribution(slot), gradient, rtol=1e-9, atol=1e-12)


@each_case
def test_gradients_agree_with_finite_differences(case: Case) -> None:
    for slot in range(len(case.args)):
        if case.op.rule(slot).is_zero:
            continue
        found = case.contribution(slot)
        for place in np.ndindex(case.shapes[slot]):
            ahead, behind = (_weighted(case, slot, place, step) for step in (1e-6, -1e-6))
            assert found[place] == pytest.approx((ahead - behind) / 2e-6, rel=1e-6, abs=1e-8)


def _weighted(case: Case, slot: int, place: tuple[int, ...], step: float) -> float:
    """The upstream-weighted sum of the output with one entry of one argument moved."""
    moved = np.array(case.args[slot])
    moved[place] += step
    args = [*case.args[:slot], moved if moved.shape else float(moved), *case.args[slot + 1 :]]
    return float(np.sum(case.g * case.forward(*args)))


@each_case
def test_a_gradient_has_the_shape_of_its_argument(case: Case) -> None:
    for slot, shape in enumerate(case.shapes):
        if not case.op.rule(slot).is_zero:
            assert np.shape(case.contribution(slot)) == shape
            # The engine only ever sums: what a rule gives must not be smaller than its argument.
            assert np.broadcast_shapes(np.shape(apply_rule(case, slot)), shape) == np.shape(
                apply_rule(case, slot)
            )


@each_case
def test_shape_rule_tells_the_real_shape(case: Case) -> None:
    assert case.op.output_shape(case.shapes, {**case.op.options, **case.options}) == np.shape(case.forward())


@pytest.mark.parametrize("case", [case for case in CASES if case.op.elementwise], ids=str)
def test_local_derivative_is_the_rule_for_an_upstream_gradient_of_one(case: Case) -> None:
    one = np.ones_like(case.g) if np.shape(case.g) else 1.0
    for slot in range(len(case.args)):
        reads = inspect.signature(case.op.rule(slot).local_derivative).parameters
        local = local_derivative(case, slot, list(reads))
        assert np.asarray(local).dtype != bool
        rule = apply_rule(Case(case.op, case.args, case.options, one), slot)
        np.testing.assert_array_equal(np.broadcast_to(local, np.shape(rule)), rule)


@pytest.mark.parametrize(
    "case", [case for case in CASES if case.op.elementwise and not any(case.shapes)], ids=str
)
def test_floats_and_arrays_give_the_same(case: Case) -> None:
    assert type(case.forward()) is float
    wide = Case(case.op, tuple(np.array([arg]) for arg in case.args), case.options, np.array([case.g]))
    np.testing.assert_allclose(wide.forward(), [case.forward()], rtol=1e-14)
    scalar = Case(case.op, tuple(map(np.float64, case.args)), case.options, np.float64(case.g))
    assert isinstance(scalar.forward(), np.float64)  # never a 0-d array
    for slot in range(len(case.args)):
        assert type(apply_rule(case, slot)) is float
        np.testing.assert_allclose(apply_rule(wide, slot), [apply_rule(case, slot)], rtol=1e-14)


@each_op
def test_float32_stays_float32(op: Op) -> None:
    for case in cases_of(op, np.float32):
        if not any(case.shapes):
            continue
        out = case.forward()
        assert out.dtype == np.float32
        upstream = np.asarray(case.g, np.float32)[()]
        for slot in range(len(case.args)):
            if case.shapes[slot] and not op.rule(slot).is_zero:
                gradient = apply_rule(Case(op, case.args, case.options, upstream), slot)
                assert gradient.dtype == np.float32


@each_op
def test_declaration_is_complete(op: Op) -> None:
    assert op.why.endswith(".")
    assert op.symbol
    assert op.latex
    assert not op.kink or op.convention
    assert set(op.rules) == set(op.args)
    places = set(re.findall(r"@[(\[]?(\w+)", op.latex))
    assert places <= {*op.args, *op.options}
    readable = {"g", "out", *op.args, *(f"{name}_shape" for name in op.args), *op.options}
    readable |= {"index", "shapes"} if op.variadic else set()
    for rule in op.rules.values():
        assert set(rule.reads) <= readable
        assert bool(rule.local) == op.elementwise
        assert bool(rule.latex) != op.elementwise
        assert set(re.findall(r"@[(\[]?(\w+)", rule.latex)) <= {"g", "out", *op.args}


@each_op
def test_scripts_never_land_on_scripts(op: Op) -> None:
    for latex in [op.latex, *(rule.latex for rule in op.rules.values())]:
        assert not re.search(r"@\(\w+\)}?\^|@\w+}?\^|@[(\[]?\w+[)\]]?_", latex)


def test_an_argument_left_out_is_left_out_of_the_formula() -> None:
    linear = TABLE["linear"]
    assert linear.template(3) == linear.latex
    assert linear.template(2) == r"@[x]\,{@[w]}^{\top}"


def test_no_two_explanations_are_alike() -> None:
    assert len({op.why for op in OPS}) == len(OPS)


@pytest.mark.parametrize("case", [case for case in CASES if case.op.fused], ids=str)
def test_expansion_mentions_only_arguments_and_operations(case: Case) -> None:
    program = case.op.expansion(case.shapes, {**case.op.options, **case.options})
    known = {*case.op.args, *TABLE, "linspace"}
    for statement in ast.parse(program).body:
        names = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)}
        if isinstance(statement, ast.Assign):
            assigned = {target.id for target in statement.targets if isinstance(target, ast.Name)}
            assert not assigned & known
            known |= assigned
        assert names <= known
        assert case.op.name not in names


@pytest.mark.parametrize("case", [case for case in CASES if case.op.fused], ids=str)
def test_fused_and_expanded_agree(case: Case) -> None:
    program = case.op.expansion(case.shapes, {**case.op.options, **case.options})
    names = case.op.args[: len(case.args)]
    graph = parse(program, names=names)
    tape = Tape(graph, {name: case.shapes[names.index(name)] for name in graph.inputs})
    registers = tape.run(dict(zip(names, case.args, strict=True)), case.g)
    np.testing.assert_allclose(registers[graph.output], case.forward(), rtol=1e-12, atol=1e-14)
    for slot, name in enumerate(names):
        gradient = tape.gradient(registers, graph.position(name))
        np.testing.assert_allclose(gradient, case.contribution(slot), rtol=1e-9, atol=1e-12)


@each_op
def test_declared_texts_are_programs(op: Op) -> None:
    for text in [op.kink, *(rule.local for rule in op.rules.values())]:
        if text and not text.lstrip("-").isdigit():
            assert set(parse(text).inputs) <= {"out", *op.args, *op.options}
