"""The training tape: the same registers as the plain tape from arrays that are kept, and nothing that grows."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine.expr import graph_of
from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.kernels import KERNELS, elementwise, rows
from gradviz.engine.op import TABLE
from gradviz.engine.tape import Tape
from gradviz.engine.training import TrainingTape
from gradviz.errors import Stopped
from tests.engine.samples import cases_of
from tests.engine.test_network_ops import CONFIGS, Config, filled, scattered

Values = dict[str, Any]


def call(op: str, args: tuple[Any, ...], options: Mapping[str, Any]) -> tuple[Graph, Values]:
    """One operation on leaves a, b, c…, and their values."""
    names = "abcdefgh"[: len(args)]
    root = getattr(gv.ops, op)(*map(gv.variable, names), **options)
    return graph_of(root), dict(zip(names, args, strict=True))


def agree(
    graph: Graph, values: Values, seed: Any, rtol: float, runs: int = 2, **training: Any
) -> TrainingTape:
    """Both tapes give the same registers, also the second time."""
    shapes = {name: shape_of(value) for name, value in values.items()}
    plain, kept = Tape(graph, shapes), TrainingTape(graph, shapes, **training)
    expected = plain.run(values, seed)
    for _ in range(runs):
        found = kept.run(values, seed)
        for position in range(len(graph)):
            pairs = [(expected[position], found[position])]
            pairs += [(plain.gradient(expected, position), kept.gradient(found, position))]
            for one, other in pairs:
                assert np.shape(one) == np.shape(other)
                assert np.result_type(one) == np.result_type(other)
                scale = np.nanmax(np.abs(one), initial=1e-6)
                np.testing.assert_allclose(other, one, rtol=rtol, atol=rtol * scale)
    return kept


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_network_operations(config: Config) -> None:
    case = filled(config)
    agree(*call(case.op.name, case.args, case.options), case.g, rtol=1e-10)


@pytest.mark.parametrize("config", CONFIGS[::6], ids=str)
def test_float32_and_strided_views(config: Config) -> None:
    case = filled(config, np.float32)
    args = tuple(map(scattered, case.args))
    agree(*call(case.op.name, args, case.options), scattered(case.g), rtol=2e-5)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_kernels_on_the_samples_of_their_operation(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(elementwise, "LEAST", 1)
    for case in cases_of(TABLE[name]):
        agree(*call(name, case.args, case.options), case.g, rtol=1e-10)


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_kernels_compute_in_the_type_of_number_of_the_rules(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every choice of single and double precision for the arguments and the upstream gradient."""
    monkeypatch.setattr(elementwise, "LEAST", 1)
    for case in cases_of(TABLE[name]):
        for types in product((np.float32, np.float64), repeat=len(case.args) + 1):
            *args, g = (
                value if isinstance(value, float) and value is not case.g else np.asarray(value, dtype)[()]
                for value, dtype in zip((*case.args, case.g), types, strict=True)
            )
            agree(*call(name, tuple(args), case.options), g, rtol=2e-5, runs=1)


@pytest.mark.parametrize("text", ["a*x + b*x", "b*x + a*x"])
def test_contributions_add_up_in_the_wider_type_of_number(text: str) -> None:
    x, a = np.ones((2, 50, 50), np.float32)
    agree(gv.parse(text), {"x": x, "a": a, "b": np.full((50, 50), 1 / 3)}, x, rtol=1e-12)


@pytest.mark.parametrize(("block", "small"), [(1, 1), (500, 10**3), (10**4, 10**5)])
@pytest.mark.parametrize(
    "config",
    [config for config in CONFIGS if config[0] in ("conv2d", "conv_transpose2d", "batch_norm")][::5],
    ids=str,
)
def test_blocks_do_not_change_a_kernel(
    config: Config, block: int, small: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (
        ("BLOCK", block),
        ("PASS", block),
        ("SMALL", small),
        ("NARROW", 1),
        ("TURNED", block - 1),
    ):
        monkeypatch.setattr(rows, name, value)
    case = filled(config)
    agree(*call(case.op.name, case.args, case.options), case.g, rtol=1e-10)


X, W1, W2 = (gv.variable(name) for name in ("x", "w", "v"))


def network() -> tuple[Graph, Values]:
    """A small convolutional network with every way in which gradients meet: a skip, a sum and shared weights."""
    o, rng = gv.ops, np.random.default_rng(0)
    h = o.relu(o.batch_norm(o.conv2d(X, W1, padding=1), gv.variable("g"), gv.variable("h")))
    h = h + o.sigmoid(o.conv2d(h, W2, padding=1))
    h = o.concat(h, o.upsample_nearest(o.max_pool2d(o.conv2d(h, W2, padding=1), 2), 2), axis=1)
    h = o.linear(o.flatten(h), gv.variable("u"), gv.variable("b"))
    root = o.cross_entropy(h, gv.variable("y")) + 0.01 * o.sum(W2**2)
    shapes = {
        "x": (6, 2, 8, 8),
        "w": (4, 2, 3, 3),
        "v": (4, 4, 3, 3),
        "g": (4,),
        "h": (4,),
        "u": (3, 512),
        "b": (3,),
    }
    values = {name: rng.standard_normal(shape).astype(np.float32) for name, shape in shapes.items()}
    return graph_of(root), values | {"y": rng.integers(0, 3, 6).astype(np.float32)}


PARAMETERS = ("w", "v", "g", "h", "u", "b")


def training(values: Values, graph: Graph, make: Callable[..., Any], **more: Any) -> tuple[Any, Values]:
    """A tape that writes gradients into arrays full of NaN."""
    into = {name: np.full_like(values[name], np.nan) for name in PARAMETERS}
    shapes = {name: shape_of(value) for name, value in values.items()}
    return make(graph, shapes, PARAMETERS, gradients_into=into, **more), into


def test_gradients_go_where_they_are_wanted_also_of_shared_weights() -> None:
    graph, values = network()
    tape, into = training(values, graph, TrainingTape)
    plain = gv.explore(graph, values, wrt=PARAMETERS)
    for _ in range(3):
        registers = tape.run(values)
        for name in PARAMETERS:
            np.testing.assert_allclose(into[name], plain.grad(name), rtol=1e-4, atol=1e-5)
            assert tape.gradient(registers, graph.position(name)) is into[name]


def test_a_parameter_without_influence_gets_zeros() -> None:
    graph = graph_of(gv.variable("x") * 2 + 0 * gv.ops.sum(gv.variable("z") > 0))
    target = np.full(3, np.nan)
    tape = TrainingTape(graph, {"x": (), "z": (3,)}, ("x", "z"), gradients_into={"z": target})
    tape.run({"x": 1.0, "z": np.ones(3)})
    assert target.tolist() == [0, 0, 0]


def test_the_passes_can_be_run_apart_and_again() -> None:
    graph, values = network()
    tape, into = training(values, graph, TrainingTape)
    registers = tape.forward_pass(values)
    assert registers[len(graph) :] == [None] * len(graph)
    tape.backward_pass(registers)
    first = {name: array.copy() for name, array in into.items()}
    tape.backward_pass(registers)
    for name, array in first.items():
        np.testing.assert_array_equal(into[name], array)


def test_the_statistics_of_a_batch_norm_are_kept() -> None:
    graph, values = network()
    tape, _ = training(values, graph, TrainingTape)
    registers = tape.forward_pass(values)
    norm = next(node for node in graph.nodes if node.op is TABLE["batch_norm"])
    x = registers[norm.args[0]]
    np.testing.assert_allclose(tape.scratch(norm.id)["mean"], x.mean(axis=(0, 2, 3)), atol=1e-6)
    np.testing.assert_allclose(tape.scratch(norm.id)["var"], x.var(axis=(0, 2, 3)), rtol=1e-5)


@pytest.mark.parametrize("make", [Tape, TrainingTape])
def test_stop_is_asked_between_operations(make: Callable[..., Tape]) -> None:
    graph = gv.parse("a = x*x\nb = exp(a)\nc = a + b\nd = sum(c)")
    tape = make(graph, {"x": (3,)})
    steps = len(graph.operations) + len(tape.edges)
    for allowed in range(steps + 1):
        answers = iter([False] * allowed + [True] * steps)
        if allowed < len(graph.operations):
            with pytest.raises(Stopped):
                tape.run({"x": np.ones(3)}, stop=lambda answers=answers: next(answers))  # type: ignore[misc]
    assert tape.run({"x": np.ones(3)}, stop=lambda: False)[graph.output] == pytest.approx(3 + 3 * np.e)


def test_an_operation_that_refuses_its_values_is_named() -> None:
    graph, values = network()
    tape, _ = training(values, graph, TrainingTape)
    with pytest.raises(gv.GradvizError, match="9 is not the number of a class"):
        tape.run(values | {"y": np.full(6, 9.0)})
    assert np.isfinite(tape.run(values)[graph.output])


def test_nothing_grows_and_nothing_large_is_made_over_a_thousand_steps() -> None:
    graph, values = network()
    tape, _ = training(values, graph, TrainingTape)
    tracemalloc.start()
    try:
        for _ in range(20):
            tape.run(values)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(1000):
            tape.run(values)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 200_000  # Python itself keeps up to 2,000 tuples of each length for later
    assert peak - before < 250_000


@pytest.mark.parametrize("text", ["relu(0 - 1/(a*a)) + mse(x, w)", "sqrt(a) + mse(x, w)"])
def test_a_number_that_python_refuses_leaves_nothing_of_the_step_before(text: str) -> None:
    """1/0 of Python's floats is played again with NumPy's: on the way there, and on the way back."""
    graph, rng, into = gv.parse(text), np.random.default_rng(0), np.zeros((64, 64))
    shapes: dict[str, Any] = {"a": (), "x": into.shape, "w": into.shape}
    plain, kept = Tape(graph, shapes), TrainingTape(graph, shapes, gradients_into={"w": into})
    for a in (0.0, 1.0, 0.0):
        values = {"a": a, "x": rng.standard_normal(into.shape), "w": rng.standard_normal(into.shape)}
        expected, watch = plain.run(values), list[Any]()
        kept.run(values, watch=watch)
        np.testing.assert_allclose(into, plain.gradient(expected, graph.position("w")), rtol=1e-12)
        assert len(watch) == len(kept.edges)


def test_an_empty_batch_keeps_its_columns() -> None:
    agree(*call("flatten", (np.ones((0, 3, 2)),), {}), np.ones((0, 6)), rtol=1e-12)


@pytest.mark.parametrize("seed", range(4))
def test_equal_maxima_of_a_window_are_told_apart_as_by_the_rules(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 2, (3, 2, 8, 6)).astype(float)
    agree(*call("max_pool2d", (x,), {"kernel_size": 2}), rng.standard_normal((3, 2, 4, 3)), rtol=1e-12)


@pytest.mark.parametrize("place", [(0, 0), (0, 1), (1, 0), (1, 1)])
def test_a_window_with_a_nan_has_no_place_for_its_gradient(place: tuple[int, int]) -> None:
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 6))
    x[1, 2][place] = np.nan
    agree(*call("max_pool2d", (x,), {"kernel_size": 2}), np.ones((2, 3, 2, 3)), rtol=1e-12)
