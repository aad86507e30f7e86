"""The operations of networks against PyTorch over many configurations, their errors and their conventions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np
import pytest

import gradviz as gv
from gradviz.engine import windows
from gradviz.engine.op import TABLE
from gradviz.engine.windows import sliding
from gradviz.errors import LimitError, ShapeError
from tests.conftest import require
from tests.engine.samples import Case

Shape = tuple[int, ...]
Config = tuple[str, tuple[Shape, ...], dict[str, Any]]


def convolutions() -> Iterator[Config]:
    for kernel, stride, padding, dilation in product((1, 2, 3), (1, 2, 3), (0, 1), (1, 2)):
        yield (
            "conv2d",
            ((2, 3, 7, 6), (4, 3, kernel, kernel), (4,)),
            {"stride": stride, "padding": padding, "dilation": dilation},
        )
    for size, kernel in product(((5, 5), (9, 4), (4, 11)), ((1, 3), (4, 2), (3, 4))):
        yield "conv2d", ((1, 2, *size), (3, 2, *kernel)), {"stride": (2, 3), "padding": (1, 2)}
    for groups, per_group in ((1, 2), (2, 1), (2, 3), (4, 1), (4, 2)):
        shapes = (2, 4, 5, 6), (groups * per_group, 4 // groups, 3, 2), (groups * per_group,)
        yield "conv2d", shapes, {"groups": groups}
        yield "conv2d", shapes, {"groups": groups, "stride": (2, 1), "padding": (0, 2), "dilation": (2, 3)}
    yield "conv2d", ((3, 2, 5, 4), (6, 2, 5, 4), (6,)), {}
    yield "conv2d", ((1, 1, 3, 3), (1, 1, 5, 5)), {"padding": 4, "stride": 4}
    yield "conv2d", ((1, 1, 3, 2), (2, 1, 1, 1)), {"padding": 3, "stride": 2}
    yield "conv2d", ((0, 2, 4, 4), (3, 2, 3, 3), (3,)), {}
    yield "conv2d", ((2, 8, 16, 16), (8, 8, 3, 3), (8,)), {"padding": 1}


def transposed_convolutions() -> Iterator[Config]:
    for kernel, stride, padding, dilation in product((2, 3), (1, 2, 3), (0, 1), (1, 2)):
        options = {"stride": stride, "padding": padding, "dilation": dilation}
        yield "conv_transpose2d", ((2, 3, 4, 3), (3, 2, kernel, kernel), (2,)), options
        if stride > 1:
            options = options | {"output_padding": (stride - 1, 0)}
            yield "conv_transpose2d", ((1, 2, 3, 5), (2, 3, kernel, kernel)), options
    for groups, per_group in ((2, 1), (2, 3), (4, 1)):
        shapes = (2, 4, 3, 2), (4, per_group, 3, 2), (groups * per_group,)
        yield "conv_transpose2d", shapes, {"groups": groups, "stride": (1, 2)}
    yield "conv_transpose2d", ((1, 2, 3, 3), (2, 2, 1, 1)), {"stride": 3, "output_padding": 2}
    yield "conv_transpose2d", ((1, 2, 2, 3), (2, 1, 2, 2)), {"dilation": 3, "output_padding": 2}
    yield "conv_transpose2d", ((0, 2, 2, 3), (2, 1, 2, 2)), {}


def poolings() -> Iterator[Config]:
    for name, size, kernel, stride, ceil_mode in product(
        ("max_pool2d", "avg_pool2d"), ((6, 6), (7, 5)), (2, 3), (None, 1, 2, 4), (False, True)
    ):
        options = {"kernel_size": kernel, "stride": stride, "padding": 1, "ceil_mode": ceil_mode}
        yield name, ((2, 2, *size),), options
        if name == "avg_pool2d" and kernel == 3:
            yield name, ((1, 2, *size),), options | {"count_include_pad": False}
    for dilation, ceil_mode in product((2, (1, 3)), (False, True)):
        options = {"kernel_size": 3, "stride": 2, "dilation": dilation, "ceil_mode": ceil_mode}
        yield "max_pool2d", ((1, 3, 8, 9),), options
        yield "max_pool2d", ((1, 3, 8, 9),), options | {"padding": 1}
    for name in ("max_pool2d", "avg_pool2d"):
        yield name, ((1, 2, 1, 1),), {"kernel_size": 2, "ceil_mode": True}
        yield name, ((2, 2, 4, 3),), {"kernel_size": (4, 3)}
        yield name, ((0, 2, 4, 4),), {"kernel_size": 2}
    yield "global_avg_pool2d", ((2, 3, 5, 7),), {}


def others() -> Iterator[Config]:
    for scale, size in product((1, 2, 3, (2, 4)), ((3, 4), (1, 5))):
        yield "upsample_nearest", ((2, 2, *size),), {"scale": scale}
        for align_corners in (False, True):
            yield "upsample_bilinear", ((2, 2, *size),), {"scale": scale, "align_corners": align_corners}
    for mode, pad in product(
        ("constant", "reflect", "replicate", "circular"), (0, 2, (1, 0, 2, 3), (3, 3, 0, 1))
    ):
        yield "pad2d", ((2, 2, 4, 5),), {"pad": pad, "mode": mode}
    for shape in ((2, 3, 4, 5), (5, 3), (3, 2, 7), (1, 4, 3, 3)):
        channels = shape[1:2]
        yield "batch_norm", (shape, channels, channels), {"eps": 1e-3}
        yield "batch_norm", (shape, channels, channels, channels, channels), {}
        yield "layer_norm", (shape,), {}
        yield "layer_norm", (shape, shape[1:], shape[1:]), {"eps": 1e-3}
    yield "batch_norm", ((1, 2, 1, 1), (2,), (2,), (2,), (2,)), {}
    yield "flatten", ((3, 2, 4, 5),), {}
    yield "dropout", ((3, 2, 4, 5), (3, 2, 1, 1)), {}


CONFIGS = [*convolutions(), *transposed_convolutions(), *poolings(), *others()]

each_config = pytest.mark.parametrize(
    "config", CONFIGS, ids=lambda config: f"{config[0]}-{config[1]}-{config[2]}"
)


def filled(config: Config, dtype: type = np.float64) -> Case:
    name, shapes, options = config
    op = TABLE[name]
    rng = np.random.default_rng(crc32(repr(config).encode()))
    args = tuple(
        rng.uniform(*op.domain.get(arg, (-2.0, 2.0)), shape).astype(dtype)
        for arg, shape in zip(op.args, shapes, strict=False)
    )
    shape = op.output_shape(shapes, options)
    return Case(op, args, options, rng.uniform(-1.0, 1.0, shape).astype(dtype))


def test_the_table_is_large() -> None:
    assert len({repr(config) for config in CONFIGS}) == len(CONFIGS) >= 250


@each_config
def test_value_and_gradients_agree_with_pytorch(config: Config) -> None:
    compare(filled(config), rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("config", CONFIGS[::7], ids=str)
def test_float32_agrees_with_pytorch(config: Config) -> None:
    case = filled(config, np.float32)
    assert case.forward().dtype == np.float32
    assert all(case.contribution(slot).dtype == np.float32 for slot in range(len(case.args)))
    compare(case, rtol=2e-4, atol=1e-4)


def compare(case: Case, rtol: float, atol: float) -> None:
    torch = require("torch")
    from tests.engine.oracle_torch import ORACLE

    tensors = [torch.tensor(arg, requires_grad=True) for arg in case.args]
    empty = not case.args[
        0
    ].size  # PyTorch's poolings refuse an empty batch: its shape is all there is to compare
    if empty and "pool" in case.op.name:
        assert case.forward().shape == case.op.output_shape(case.shapes, case.options)
        assert case.contribution(0).shape == case.shapes[0]
        return
    expected = ORACLE[case.op.name](*tensors, **case.options)
    found = case.forward()
    assert found.shape == tuple(expected.shape) == case.op.output_shape(case.shapes, case.options)
    np.testing.assert_allclose(found, expected.detach().numpy(), rtol=rtol, atol=atol)
    expected.backward(torch.tensor(case.g))
    for slot, tensor in enumerate(tensors):
        np.testing.assert_allclose(case.contribution(slot), tensor.grad.numpy(), rtol=rtol, atol=atol)


@pytest.mark.parametrize("config", CONFIGS[::5], ids=str)
def test_strided_views_give_the_same(config: Config) -> None:
    case = filled(config)
    views = tuple(map(scattered, case.args))
    assert not any(view.flags.c_contiguous for view in views if view.size > 1)
    strided = Case(case.op, views, case.options, scattered(case.g))
    np.testing.assert_allclose(strided.forward(), case.forward(), rtol=1e-12, atol=1e-14)
    for slot in range(len(views)):
        np.testing.assert_allclose(
            strided.contribution(slot), case.contribution(slot), rtol=1e-12, atol=1e-14
        )


def scattered(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The same entries, backwards in memory and with gaps."""
    wide = np.full((*array.shape[:-1], 3 * array.shape[-1]), np.nan)
    view = wide.T[::-3].T if array.ndim == 1 else wide[..., ::-3]
    view[...] = array
    return view


@pytest.mark.parametrize("block", [1, 40, 200, 1000])
@pytest.mark.parametrize(
    "config", [config for config in CONFIGS if config[0].startswith("conv")][::9], ids=str
)
def test_blocks_do_not_change_a_convolution(
    config: Config, block: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = filled(config)
    whole = [case.forward(), *(case.contribution(slot) for slot in range(len(case.args)))]
    monkeypatch.setattr(windows, "BLOCK", block)
    parts = [case.forward(), *(case.contribution(slot) for slot in range(len(case.args)))]
    for one, other in zip(parts, whole, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize("block", [1, 7, 50, 10_000])
def test_blocks_cover_every_window_once_and_stay_small(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(windows, "BLOCK", block)
    found = np.zeros((3, 1, 5, 6), int)
    for place, part in sliding((9, 11), 3, 2, 1).blocks(3, depth=2):
        assert found[place].size == found[place].shape[0] * part.count[0] * part.count[1]
        assert found[place].size * 2 <= max(block, 2)
        found[place] += 1
    assert (found == 1).all()


def test_taps_by_hand() -> None:
    """Image 0 1 2 3 4, windows of 3 every 2 entries, padding 1: (· 0 1) (1 2 3) (3 4 ·)."""
    taps = [
        (list(range(3))[outputs[2]], list(range(5))[inputs[2]])
        for _, outputs, inputs in sliding((1, 5), (1, 3), (1, 2), (0, 1)).taps()
    ]
    assert taps == [([1, 2], [1, 3]), ([0, 1, 2], [0, 2, 4]), ([0, 1], [1, 3])]


def test_a_pooling_by_hand() -> None:
    run = gv.explore("max_pool2d(x, 2)", x=np.arange(16.0).reshape(1, 1, 4, 4), seed=np.ones((1, 1, 2, 2)))
    assert run.value().tolist() == [[[[5, 7], [13, 15]]]]
    assert run.grad("x")[0, 0].tolist() == [[0, 0, 0, 0], [0, 1, 0, 1], [0, 0, 0, 0], [0, 1, 0, 1]]


@pytest.mark.parametrize("value", [0.0, -3.0, -np.inf])
def test_the_first_of_equal_maxima_takes_the_gradient(value: float) -> None:
    case = Case(
        TABLE["max_pool2d"],
        (np.full((1, 1, 4, 4), value),),
        {"kernel_size": 3, "stride": 2, "padding": 1},
        np.array([[[[1.0, 2.0], [3.0, 4.0]]]]),
    )
    expected = np.zeros((4, 4))
    expected[0, 0], expected[0, 1], expected[1, 0], expected[1, 1] = 1, 2, 3, 4
    np.testing.assert_array_equal(case.contribution(0)[0, 0], expected)
    compare(case, rtol=0, atol=0)


def test_a_filter_as_large_as_the_image_is_a_dense_layer() -> None:
    rng = np.random.default_rng(0)
    x, w, b = (rng.standard_normal(shape) for shape in ((5, 3, 4, 6), (7, 3, 4, 6), (7,)))
    seed = rng.standard_normal((5, 7))
    conv = gv.explore("flatten(conv2d(x, w, b))", x=x, w=w, b=b, seed=seed)
    dense = gv.explore("linear(flatten(x), flatten(w), b)", x=x, w=w, b=b, seed=seed)
    np.testing.assert_allclose(conv.value(), dense.value(), rtol=1e-12)
    for name in "xwb":
        np.testing.assert_allclose(conv.grad(name), dense.grad(name), rtol=1e-12)


def test_given_statistics_evaluate_like_pytorch() -> None:
    torch = require("torch")
    case = filled(("batch_norm", ((2, 3, 4, 5), (3,), (3,), (3,), (3,)), {"eps": 1e-4}))
    x, gamma, beta, mean, var = (
        torch.tensor(arg, requires_grad=slot < 3) for slot, arg in enumerate(case.args)
    )
    expected = torch.nn.functional.batch_norm(x, mean, var, gamma, beta, training=False, eps=1e-4)
    expected.backward(torch.tensor(case.g))
    np.testing.assert_allclose(case.forward(), expected.detach().numpy(), rtol=1e-9)
    for slot, tensor in enumerate((x, gamma, beta)):
        np.testing.assert_allclose(case.contribution(slot), tensor.grad.numpy(), rtol=1e-9)


def test_given_statistics_can_be_explained_and_checked() -> None:
    text = "y = batch_norm(x, g, b, mean=m, var=v)"
    inputs = {
        "x": [[1.0, 2.0], [0.5, -1.0]],
        "g": [1.0, 2.0],
        "b": [0.0, 1.0],
        "m": [0.1, 0.2],
        "v": [1.0, 2.0],
    }
    run = gv.explore(text, inputs, seed=np.ones((2, 2)))
    for step in run.steps:
        assert all(stage.formula.mathml and "@" not in stage.latex for stage in step.stages)
    assert gv.check_gradients(text, inputs).ok


@pytest.mark.parametrize(
    ("name", "shapes", "options", "told"),
    [
        ("conv2d", [(1, 3, 5, 5), (2, 4, 3, 3)], {}, "3 4"),
        ("conv2d", [(1, 4, 5, 5), (2, 4, 3, 3)], {"groups": 2}, "4 8"),
        ("conv2d", [(1, 3, 5, 5), (2, 3, 3, 3)], {"groups": 2}, "3 2 groups"),
        ("conv2d", [(1, 4, 5, 5), (3, 2, 3, 3)], {"groups": 2}, "3 2 groups"),
        ("conv2d", [(1, 4, 5, 5), (3, 2, 3, 3)], {"groups": 0}, "4 0 groups"),
        ("conv2d", [(3, 5, 5), (2, 3, 3, 3)], {}, "3 4 axes"),
        ("conv2d", [(1, 3, 5, 5), (3, 3, 3)], {}, "(3, 3, 3) 4 axes"),
        ("conv2d", [(1, 3, 5, 5), (2, 3, 0, 3)], {}, "(2, 3, 0, 3)"),
        ("conv2d", [(1, 3, 5, 0), (2, 3, 1, 1)], {}, "(3, 5, 0)"),
        ("conv2d", [(1, 3, 5, 5), (2, 3, 3, 3), (3,)], {}, "(3,) 2"),
        ("conv2d", [(1, 3, 5, 5), (2, 3, 3, 3), ()], {}, "() 2"),
        ("conv2d", [(1, 1, 2, 4), (1, 1, 5, 3)], {"padding": 1}, "5 3 4 6"),
        ("conv2d", [(1, 1, 5, 5), (1, 1, 3, 3)], {"dilation": 3}, "7 5"),
        ("conv2d", [(1, 1, 5, 5), (1, 1, 3, 3)], {"stride": 0}, "stride 0 1"),
        ("conv2d", [(1, 1, 5, 5), (1, 1, 3, 3)], {"padding": (0, -1)}, "padding (0, -1)"),
        ("conv2d", [(1, 1, 5, 5), (1, 1, 3, 3)], {"dilation": (1, 2, 3)}, "dilation (1, 2, 3)"),
        ("conv_transpose2d", [(1, 3, 5, 5), (2, 4, 3, 3)], {}, "3 2"),
        ("conv_transpose2d", [(1, 3, 5, 5), (3, 4, 3, 3)], {"groups": 2}, "3 2 groups"),
        ("conv_transpose2d", [(1, 3, 5, 5), (3, 4, 3, 3), (3,)], {}, "(3,) 4"),
        ("conv_transpose2d", [(1, 1, 2, 2), (1, 1, 2, 2)], {"stride": 2, "output_padding": 2}, "2 1"),
        ("conv_transpose2d", [(1, 1, 2, 2), (1, 1, 2, 2)], {"padding": (1, 2)}, "1 -1"),
        ("max_pool2d", [(1, 1, 4, 4)], {"kernel_size": 5}, "5 4"),
        ("max_pool2d", [(1, 1, 4, 4)], {"kernel_size": 0}, "kernel_size 0"),
        ("max_pool2d", [(1, 1, 4, 4)], {"kernel_size": 3, "padding": 2}, "2 3 1"),
        ("max_pool2d", [(4, 4)], {"kernel_size": 2}, "2 4 axes"),
        ("avg_pool2d", [(1, 1, 4, 4)], {"kernel_size": (2, 5)}, "5 4"),
        ("avg_pool2d", [(1, 1, 4, 4)], {"kernel_size": 2, "padding": 2}, "2 1"),
        ("avg_pool2d", [(1, 1, 4, 4)], {"kernel_size": 2, "stride": (1, 0)}, "stride (1, 0)"),
        ("global_avg_pool2d", [(3, 4)], {}, "2 4 axes"),
        ("batch_norm", [(3,), (3,), (3,)], {}, "1 2 axes"),
        ("batch_norm", [(2, 3, 4, 4), (4,), (3,)], {}, "gamma (4,) 3"),
        ("batch_norm", [(2, 3, 4, 4), (3,), ()], {}, "beta () 3"),
        ("batch_norm", [(2, 3, 4, 4), (3,), (3,), (2,), (3,)], {}, "mean (2,) 3"),
        ("batch_norm", [(2, 3, 4, 4), (3,), (3,), (3,)], {}, "mean var both"),
        ("batch_norm", [(1, 3, 1, 1), (3,), (3,)], {}, "1 2"),
        ("layer_norm", [(3,)], {}, "1 2 axes"),
        ("layer_norm", [(2, 3, 4), (4,)], {}, "(4,) (3, 4)"),
        ("layer_norm", [(2, 3), (3,), (2,)], {}, "beta (2,) (3,)"),
        ("dropout", [(2, 3), (2, 4)], {}, "3 4"),
        ("upsample_nearest", [(2, 3)], {"scale": 2}, "2 4 axes"),
        ("upsample_nearest", [(1, 1, 2, 2)], {"scale": 0}, "scale 0"),
        ("upsample_bilinear", [(1, 1, 2, 2)], {"scale": (2, -1)}, "scale (2, -1)"),
        ("pad2d", [(1, 1, 3, 4)], {"pad": -1}, "-1"),
        ("pad2d", [(1, 1, 3, 4)], {"pad": (1, 2)}, "(1, 2)"),
        ("pad2d", [(1, 1, 3, 4)], {"pad": 3, "mode": "reflect"}, "3 2"),
        ("pad2d", [(1, 1, 5, 4)], {"pad": 5, "mode": "circular"}, "5 4"),
        ("pad2d", [(1, 1, 5, 4)], {"pad": 1, "mode": "mirror"}, "mirror"),
        ("flatten", [(3,)], {}, "2 1"),
    ],
)
def test_shape_errors_name_both_sizes(
    name: str, shapes: list[Shape], options: Mapping[str, Any], told: str
) -> None:
    with pytest.raises(ShapeError) as caught:
        TABLE[name].output_shape(shapes, options)
    error = caught.value
    text = f"{error.message} {error.expected}"
    for word in re.findall(r"\(.*?\)|\S+", told):
        assert re.search(rf"(?<![\w-]){re.escape(word)}(?!\w)", text), (word, text)
    assert error.expected


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        ("conv2d(x, w, b, stride=2, padding=1)", (2, 4, 4, 3)),
        ("conv2d(x, w, b, 2, 1)", (2, 4, 4, 3)),
        ("conv2d(x, w, stride=(2, 1), dilation=2)", (2, 4, 2, 2)),
        ("conv2d(x, w, None, 1, (0, 2))", (2, 4, 5, 8)),
        ("conv2d(x, w=w, padding=[1, 0])", (2, 4, 7, 4)),
        ("conv_transpose2d(x, k, stride=2, output_padding=(1, 0))", (2, 2, 16, 13)),
        ("conv_transpose2d(x, k, None, 2, 1, 1, 1, 1)", (2, 2, 14, 12)),
        ("max_pool2d(x, 2)", (2, 3, 3, 3)),
        ("max_pool2d(x, 2, ceil_mode=True)", (2, 3, 4, 3)),
        ("max_pool2d(x, (3, 2), 1, padding=(1, 0))", (2, 3, 7, 5)),
        ("max_pool2d(x, 3, stride=None, dilation=2)", (2, 3, 1, 1)),
        ("avg_pool2d(x, 3, 2, 1, False, False)", (2, 3, 4, 3)),
        ("avg_pool2d(x, kernel_size=2, count_include_pad=False)", (2, 3, 3, 3)),
        ("global_avg_pool2d(x)", (2, 3, 1, 1)),
        ("batch_norm(x, g, h)", (2, 3, 7, 6)),
        ("batch_norm(x, g, h, mean=m, var=v)", (2, 3, 7, 6)),
        ("batch_norm(x, g, h, var=v, eps=0.001, mean=m)", (2, 3, 7, 6)),
        ("batch_norm(x, gamma=g, beta=h, eps=1e-3)", (2, 3, 7, 6)),
        ("layer_norm(x)", (2, 3, 7, 6)),
        ("layer_norm(x, ones(3, 7, 6), zeros(3, 7, 6), 1e-6)", (2, 3, 7, 6)),
        ("pad2d(x, 1)", (2, 3, 9, 8)),
        ("pad2d(x, 1, mode=reflect)", (2, 3, 9, 8)),
        ("pad2d(x, (1, 0, 2, 3), replicate)", (2, 3, 12, 7)),
        ("pad2d(x, 1, value=-0.5)", (2, 3, 9, 8)),
        ("upsample_nearest(x, 2)", (2, 3, 14, 12)),
        ("upsample_nearest(x, scale=(1, 3))", (2, 3, 7, 18)),
        ("upsample_bilinear(x, 2, align_corners=True)", (2, 3, 14, 12)),
        ("flatten(x)", (2, 126)),
        ("dropout(x, x > 0)", (2, 3, 7, 6)),
        ("linear(flatten(max_pool2d(relu(conv2d(x, w, b)), 2)), randn(5, 16))", (2, 5)),
    ],
)
def test_how_it_is_written(text: str, shape: Shape) -> None:
    shapes = {"x": (2, 3, 7, 6), "w": (4, 3, 3, 3), "k": (3, 2, 3, 3), "b": (4,)}
    shapes |= dict.fromkeys("ghmv", (3,))
    graph = gv.parse(text)
    assert (
        gv.check_shapes(text, {name: shapes[name] for name in graph.inputs if name in shapes}).shapes[
            graph.nodes[graph.output].id
        ]
        == shape
    )


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("conv(x, w)", "no operation called conv", "write conv2d(x, w)"),
        ("Conv2d(x, w)", "no operation called Conv2d", "write conv2d(…)"),
        ("max_pool(x, 2)", "no operation called max_pool", "write max_pool2d(x, 2)"),
        ("AvgPool(x, 2)", "no operation called AvgPool", "write avg_pool2d(x, 2)"),
        ("upsample(x, 2)", "no operation called upsample", "write upsample_nearest(x, 2)"),
        ("batchnorm(x, g, b)", "no operation called batchnorm", "write batch_norm(…)"),
        ("max_pool2d(x)", "needs a value for kernel_size", ""),
        (
            "max_pool2d(x, k)",
            "kernel_size must be a whole number or a tuple of 2 numbers",
            "options are numbers",
        ),
        ("conv2d(x, w, stride=1.5)", "stride must be a whole number or a tuple of 2 numbers", ""),
        ("pad2d(x, 1, mode=mirror)", "mode must be constant or reflect or replicate or circular", ""),
        ("batch_norm(x, g, b, var=v)", "needs a value for mean", ""),
    ],
)
def test_how_it_is_not_written(text: str, message: str, hint: str) -> None:
    with pytest.raises(gv.GradvizError) as caught:
        gv.parse(text)
    assert message in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    "text",
    [
        "max_pool2d(x, 1000000, padding=500000)",
        "avg_pool2d(x, (1, 1000000000), stride=1, padding=(0, 500000000))",
        "upsample_nearest(x, 1000000000)",
        "pad2d(x, 1000000000)",
        "conv2d(x, w, padding=1000000000)",
        "conv_transpose2d(x, w, stride=1000000000)",
    ],
)
def test_what_is_too_large_is_refused_before_anything_is_made(text: str) -> None:
    with pytest.raises(LimitError):
        gv.check_shapes(f"w = ones(1, 1, 2, 2)\nx = ones(1, 1, 4, 4)\n{text}")


def test_padding_costs_no_memory() -> None:
    """9 windows, most of them far outside of the image."""
    run = gv.explore(
        "sum(conv2d(x, w, padding=1000000, stride=1000000))", x=np.ones((1, 1, 3, 3)), w=np.ones((1, 1, 1, 1))
    )
    assert run.value() == 1.0
    assert run.grad("x").sum() == 1.0


@pytest.mark.parametrize(
    ("name", "shapes", "options", "work"),
    [
        ("conv2d", [(2, 4, 8, 8), (6, 2, 3, 3), (6,)], {"groups": 2, "padding": 1}, 2 * 6 * 64 * 2 * 9),
        ("conv_transpose2d", [(2, 4, 8, 8), (4, 3, 2, 2)], {"stride": 2}, 2 * 4 * 64 * 3 * 4),
        ("max_pool2d", [(2, 4, 8, 8)], {"kernel_size": (2, 4)}, 2 * 4 * 8 * 8),
        ("avg_pool2d", [(2, 4, 8, 8)], {"kernel_size": 3, "stride": 1}, 2 * 4 * 36 * 9),
    ],
)
def test_work_counts_multiply_adds(
    name: str, shapes: list[Shape], options: Mapping[str, Any], work: int
) -> None:
    op = TABLE[name]
    assert op.cost(shapes, op.output_shape(shapes, options), options) == work


def test_a_small_network_as_a_text() -> None:
    text = """
        h = max_pool2d(relu(batch_norm(conv2d(x, w, b, padding=1), g, h0)), 2)
        z = upsample_bilinear(h, 2) + conv_transpose2d(h, k, stride=2)
        L = sum(global_avg_pool2d(pad2d(z, 1, mode=reflect))**2)
    """
    rng = np.random.default_rng(1)
    shapes = {"x": (2, 2, 4, 4), "w": (3, 2, 3, 3), "b": (3,), "g": (3,), "h0": (3,), "k": (3, 3, 2, 2)}
    assert gv.check_gradients(text, {name: rng.standard_normal(shape) for name, shape in shapes.items()}).ok
