"""What all modules share: names, state, modes, initial values, and how they are written into graphs."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz import nn
from gradviz.engine.expr import Expr
from gradviz.errors import GradvizError, ShapeError
from gradviz.nn.program import Program


def rng(state: int = 0) -> np.random.Generator:
    return np.random.default_rng(state)


def small() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Sequential(nn.Linear(4, 2), nn.Tanh()))


class Gated(nn.Module):
    """A module of one's own: two parts, a parameter, and three operations between them."""

    def __init__(self) -> None:
        self.gate = nn.Linear(3, 2)
        self.value = nn.Linear(3, 2)

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        return {"scale": (2,)}

    def initial(self, name: str, shape: Any, rng: np.random.Generator, weights: Any) -> Any:
        return np.full(shape, 2.0)

    def build(self, x: Expr) -> Expr:
        return gv.ops.sigmoid(self.gate(x)) * self.value(x) * self.leaf("scale")


def test_names_are_pytorchs() -> None:
    model = small().init(rng())
    assert list(model.parameters()) == ["0.weight", "0.bias", "2.0.weight", "2.0.bias"]
    assert [path for path, _ in model.layers] == ["0", "1", "2.0", "2.1"]
    graph = Program(model).graph
    assert [node.id for node in graph.nodes] == [
        "x", "0.weight", "0.bias", "0", "1.mask", "1", "2.0.weight", "2.0.bias", "2.0", "2.1",
    ]  # fmt: skip


def test_a_module_of_ones_own() -> None:
    model = Gated().init(rng(), dtype=np.float64)
    state = model.state_dict()
    assert list(state) == ["scale", "gate.weight", "gate.bias", "value.weight", "value.bias"]
    x = rng(1).standard_normal((5, 3))
    gate = 1 / (1 + np.exp(-(x @ state["gate.weight"].T)))
    np.testing.assert_allclose(model(x), gate * (x @ state["value.weight"].T) * 2)
    outer = nn.Sequential({"gated": model})
    lines = {node.id: node.line for node in Program(outer).graph.nodes if node.op}
    assert lines == {
        "gated.gate": "gated.gate",
        "gated.sigmoid": "gated",
        "gated.value": "gated.value",
        "gated.mul": "gated",
        "gated": "gated",
    }


def test_a_model_can_be_written_into_an_expression() -> None:
    model = small().eval().init(rng(), dtype=np.float64)
    x = gv.variable("x", shape=(2, 3))
    value = rng(1).standard_normal((2, 3))
    run = gv.explore(gv.ops.sum(model(x) ** 2), {**model.parameters(), "x": value})
    np.testing.assert_allclose(run.value(), np.sum(model(value) ** 2))
    part = gv.explore(gv.ops.sum(model[2](x @ np.ones((3, 4)))), {**model[2].parameters(), "x": value})
    assert part.graph.inputs == ("x", "0.weight", "0.bias")


def test_lines_number_operations_of_one_kind() -> None:
    class Cube(nn.Module):
        def build(self, x: Expr) -> Expr:
            return x * x * x * x

    ids = [node.id for node in Program(nn.Sequential({"cube": Cube()})).graph.nodes if node.op]
    assert ids == ["cube.mul", "cube.mul2", "cube"]


def test_the_output_of_a_lone_layer_is_called_output() -> None:
    assert [node.id for node in Program(nn.Linear(2, 1)).graph.nodes] == ["x", "weight", "bias", "output"]


def test_identity_leaves_no_node() -> None:
    model = nn.Sequential(nn.Identity(), nn.ReLU(), nn.Identity())
    assert [node.id for node in Program(model).graph.nodes] == ["x", "1"]
    np.testing.assert_array_equal(nn.Identity()(np.array([[-1.0]])), [[-1.0]])


def test_one_layer_cannot_stand_in_two_places() -> None:
    layer = nn.Linear(2, 2)
    with pytest.raises(GradvizError, match="'0' and at '2'"):
        nn.Sequential(layer, nn.ReLU(), layer).init(rng())


def test_a_module_without_build_says_so() -> None:
    with pytest.raises(GradvizError, match="does not say what it computes"):
        nn.Module()(np.zeros(3))


def test_values_are_needed_before_anything_is_computed() -> None:
    with pytest.raises(GradvizError, match=r"no 0\.weight yet") as caught:
        small()(np.zeros((1, 3)))
    assert "model.init(rng)" in caught.value.hint


def test_statistics_are_needed_too() -> None:
    model = nn.Sequential(nn.BatchNorm2d(2, affine=False))
    for mode in (model.train, model.eval):
        with pytest.raises(GradvizError, match=r"no 0\.running_mean yet"):
            mode()(np.ones((2, 2, 3, 3)))


@pytest.mark.parametrize("name", ["a.b", "", 1])
def test_names_of_parts_are_words(name: Any) -> None:
    with pytest.raises(GradvizError, match="cannot name a part"):
        nn.Sequential({name: nn.ReLU()})


def test_no_part_hides_another() -> None:
    with pytest.raises(GradvizError, match="two parts are called '0'"):
        nn.Sequential(nn.Linear(2, 2), {"0": nn.ReLU()})


def test_a_layer_without_entries_is_refused() -> None:
    class Table(nn.Module):
        def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
            return {"weight": (0, 2)}

    with pytest.raises(ShapeError, match=r"1\.weight would have no entries"):
        nn.Sequential(nn.Linear(2, 2), Table()).init(rng())


@pytest.mark.parametrize(
    ("x", "message"),
    [
        ([["a", "b", "c"]], "the input must be real numbers"),
        (np.full((1, 3), None), "the input must be real numbers"),
        (np.ones((1, 3)) * 1j, "the input must be real numbers"),
        ([[1, 2, 3], [4]], "its rows differ in length"),
    ],
)
def test_only_numbers_are_taken_in(x: Any, message: str) -> None:
    with pytest.raises(GradvizError, match=message):
        small().init(rng()).eval()(x)


@pytest.mark.parametrize("size", [0, -1])
def test_a_batch_has_samples(size: int) -> None:
    with pytest.raises(GradvizError, match="batch_size is"):
        small().init(rng()).eval()(np.ones((4, 3)), batch_size=size)


def test_modes() -> None:
    model = small()
    assert model.training
    assert not any(module.training for _, module in model.eval().modules())
    model[2].train()
    with model.in_mode(training=True):
        assert all(module.training for _, module in model.modules())
    assert [module.training for _, module in model.modules()] == [False, False, False, True, True, True]


def test_the_mode_counts_where_the_model_is_called() -> None:
    model = small().init(rng())
    x = np.ones((4, 3), np.float32)
    still = model.eval()(x)
    assert not np.array_equal(model.train()(x, rng=rng()), still)
    np.testing.assert_array_equal(model.eval()(x), still)


def test_state_goes_round() -> None:
    model, other = small().init(rng()), small()
    other.load_state_dict(model.state_dict())
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(model.eval()(x), other.eval()(x))
    copy = model.state_dict()
    copy["0.weight"][:] = 0
    assert model.state_dict()["0.weight"].any()


def test_an_initialised_model_keeps_its_dtype() -> None:
    model = small().init(rng())
    model.load_state_dict({key: value.astype(np.float64) for key, value in model.state_dict().items()})
    assert {value.dtype.name for value in model.parameters().values()} == {"float32"}
    assert model.eval()(np.zeros((1, 3))).dtype == np.float32


def test_a_state_of_whole_numbers_still_learns() -> None:
    model = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm2d(1, affine=False))
    counted = {"1.running_mean": [0], "1.running_var": [1], "1.num_batches_tracked": 3}
    model.load_state_dict({"0.weight": [[1, 2]], "0.bias": [0], **counted})
    dtypes = [value.dtype.name for value in model.state_dict().values()]
    assert dtypes == [*4 * ["float32"], "int64"]
    np.testing.assert_array_equal(model[0](np.array([[0.5, 0.5]])), [[1.5]])


def test_a_state_that_holds_no_numbers_changes_nothing() -> None:
    model = small().init(rng())
    before = model.state_dict()
    with pytest.raises(GradvizError, match=r"2\.0\.bias must be real numbers"):
        model.load_state_dict(before | {"0.bias": before["0.bias"] + 1, "2.0.bias": np.array(["a", "b"])})
    np.testing.assert_array_equal(model.parameters()["0.bias"], before["0.bias"])


def test_wrong_states_are_refused() -> None:
    model = small().init(rng())
    state = model.state_dict()
    before = state["0.bias"].copy()
    with pytest.raises(GradvizError, match=r"missing 0\.weight; unknown w;"):
        model.load_state_dict({"w" if key == "0.weight" else key: value for key, value in state.items()})
    with pytest.raises(ShapeError, match=r"2\.0\.bias has another shape") as caught:
        model.load_state_dict(state | {"0.bias": before + 1, "2.0.bias": np.zeros(3)})
    assert (caught.value.got, caught.value.expected) == ("(3,)", "(2,)")
    np.testing.assert_array_equal(model.parameters()["0.bias"], before)


def test_init_is_a_function_of_the_random_state() -> None:
    first, second, third = (small().init(rng(state)).state_dict() for state in (0, 0, 1))
    assert all(np.array_equal(first[key], second[key]) for key in first)
    assert not np.array_equal(first["0.weight"], third["0.weight"])
    again = small().init(rng(1)).init(rng(0)).state_dict()
    assert all(np.array_equal(first[key], again[key]) for key in first)


@pytest.mark.parametrize(
    ("scheme", "variance"),
    [
        (nn.init.he_normal, 2 / 400),
        (nn.init.he_uniform, 2 / 400),
        (nn.init.glorot_normal, 2 / 500),
        (nn.init.glorot_uniform, 2 / 500),
    ],
)
def test_schemes_have_their_variance(scheme: Any, variance: float) -> None:
    parameters = nn.Linear(400, 100).init(rng(), weights=scheme).parameters()
    assert np.var(parameters["weight"]) == pytest.approx(variance, rel=0.02)
    assert not parameters["bias"].any()


@pytest.mark.parametrize(
    ("layer", "fans"),
    [
        (nn.Linear(5, 7), (5, 7)),
        (nn.Conv2d(4, 6, (3, 2)), (24, 36)),
        (nn.Conv2d(4, 6, 3, groups=2), (18, 27)),
        (nn.ConvTranspose2d(4, 6, 4, stride=2), (16, 96)),
        (nn.ConvTranspose2d(4, 6, 2, stride=3, groups=2), (2, 12)),
    ],
    ids=str,
)
def test_fans(layer: Any, fans: tuple[int, int]) -> None:
    assert layer.fans() == fans


def test_signals_keep_their_size_with_he() -> None:
    layers = [part for _ in range(10) for part in (nn.Linear(256, 256), nn.ReLU())]
    out = nn.Sequential(*layers).init(rng())(rng(1).standard_normal((64, 256)))
    assert 0.3 < np.sqrt(np.mean(out**2)) < 3


def test_batches_give_the_same_output() -> None:
    model = small().init(rng()).eval()
    x = rng(1).standard_normal((10, 3)).astype(np.float32)
    np.testing.assert_allclose(model(x, batch_size=4), model(x), rtol=1e-6)
    assert model(x[:0], batch_size=4).shape == (0, 2)


def test_parameters_become_views_of_one_vector() -> None:
    model = small().init(rng())
    before = model.state_dict()
    flat = model.flat_parameters()
    assert model.flat_parameters() is flat
    np.testing.assert_array_equal(flat, np.concatenate([value.ravel() for value in before.values()]))
    flat += 1
    np.testing.assert_array_equal(model.state_dict()["2.0.bias"], before["2.0.bias"] + 1)
    model.init(rng())
    np.testing.assert_array_equal(flat, np.concatenate([value.ravel() for value in before.values()]))


def test_layers_in_another_order_get_a_vector_of_their_own() -> None:
    first, second = nn.Linear(3, 3), nn.Linear(3, 3)
    nn.Sequential(first, second).init(rng()).flat_parameters()
    turned = nn.Sequential(second, first)
    expected = np.concatenate([value.ravel() for value in turned.parameters().values()])
    np.testing.assert_array_equal(turned.flat_parameters(), expected)
    assert turned.flat_parameters() is turned.flat_parameters()


def test_a_changed_attribute_counts_at_the_next_call() -> None:
    class Chosen(nn.Module):
        def __init__(self) -> None:
            self.activation: nn.Module = nn.ReLU()

        def build(self, x: Expr) -> Expr:
            return self.activation(x)

    model, x = Chosen(), np.array([[-1.0, 2.0]])
    np.testing.assert_array_equal(model(x), [[0, 2]])
    model.activation = nn.LeakyReLU(0.5)
    np.testing.assert_array_equal(model(x), [[-0.5, 2]])
    model.activation.negative_slope = 0.25
    np.testing.assert_array_equal(nn.Sequential(model)(x), [[-0.25, 2]])
    np.testing.assert_array_equal(model(x), [[-0.25, 2]])


def test_copies_are_independent() -> None:
    model = small().init(rng()).eval()
    x = np.ones((2, 3), np.float32)
    before = model(x)
    for copy in (deepcopy(model), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(copy(x), before)
        copy.init(rng(5))
        np.testing.assert_array_equal(model(x), before)


def test_threads_can_share_a_model() -> None:
    model = nn.Sequential(nn.Linear(64, 200), nn.ReLU(), nn.Linear(200, 64)).init(rng()).eval()
    inputs = [rng(i).standard_normal((50, 64)).astype(np.float32) for i in range(2)]
    expected = [model(x) for x in inputs]
    jobs = [0, 1] * 300
    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda i: model(inputs[i]), jobs))
    assert all(np.array_equal(out, expected[i]) for i, out in zip(jobs, found, strict=True))
