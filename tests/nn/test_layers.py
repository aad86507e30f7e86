"""Every module against PyTorch's module of the same name, called with the same arguments."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any
from zlib import crc32

import numpy as np
import pytest

import gradviz as gv
from gradviz import nn
from gradviz.errors import GradvizError, ShapeError
from gradviz.nn.program import Program
from tests.conftest import require

Config = tuple[str, dict[str, Any], tuple[int, ...]]  # class, arguments, input shape

IMAGE = (2, 4, 7, 6)


def convolutions() -> Iterator[Config]:
    for kernel, stride, padding, dilation in product((1, 3, (2, 3)), (1, 2), (0, 1), (1, 2)):
        options = {"kernel_size": kernel, "stride": stride, "padding": padding, "dilation": dilation}
        yield "Conv2d", {"in_channels": 4, "out_channels": 3, **options}, IMAGE
        yield "ConvTranspose2d", {"in_channels": 4, "out_channels": 3, **options}, IMAGE
    for groups, bias in product((2, 4), (False, True)):
        grouped = {"in_channels": 4, "out_channels": 8, "kernel_size": 3, "groups": groups, "bias": bias}
        yield "Conv2d", grouped, IMAGE
        yield "ConvTranspose2d", grouped | {"stride": 2, "output_padding": 1}, IMAGE
    yield "Conv2d", {"in_channels": 4, "out_channels": 5, "kernel_size": (7, 6)}, IMAGE


def poolings() -> Iterator[Config]:
    for kernel, stride, ceil_mode in product((2, 3, (2, 3)), (None, 1, 2), (False, True)):
        options = {"kernel_size": kernel, "stride": stride, "padding": 1, "ceil_mode": ceil_mode}
        yield "MaxPool2d", options, IMAGE
        yield "AvgPool2d", options | {"count_include_pad": not ceil_mode}, IMAGE
    yield "MaxPool2d", {"kernel_size": 2, "dilation": 2}, IMAGE
    yield "AdaptiveAvgPool2d", {"output_size": 1}, IMAGE
    yield "AdaptiveAvgPool2d", {"output_size": (1, 1)}, (1, 2, 1, 5)


def others() -> Iterator[Config]:
    for features, bias in product((1, 5), (False, True)):
        yield "Linear", {"in_features": 3, "out_features": features, "bias": bias}, (4, 3)
        yield "Linear", {"in_features": 3, "out_features": features, "bias": bias}, (2, 4, 3)
    for affine, track, eps in product((False, True), (False, True), (1e-5, 1e-2)):
        options = {"num_features": 4, "affine": affine, "track_running_stats": track, "eps": eps}
        yield "BatchNorm2d", options, IMAGE
    yield "BatchNorm2d", {"num_features": 2, "momentum": 0.5}, (2, 2, 1, 1)
    for affine, bias in ((False, True), (True, True), (True, False)):
        options = {"elementwise_affine": affine, "bias": bias}
        yield "LayerNorm", {"normalized_shape": 5, **options}, (3, 5)
        yield "LayerNorm", {"normalized_shape": (2, 3, 4), "eps": 1e-2, **options}, (3, 2, 3, 4)
    for scale, mode in product((2, 3), ("nearest", "bilinear")):
        yield "Upsample", {"scale_factor": scale, "mode": mode}, (1, 2, 3, 4)
    yield "Upsample", {"scale_factor": 2, "mode": "bilinear", "align_corners": True}, (1, 2, 3, 4)
    yield "Dropout", {"p": 0.0}, (3, 4)
    yield "Identity", {}, (3, 4)
    yield "Flatten", {}, IMAGE
    for name in ("ReLU", "LeakyReLU", "ELU", "GELU", "SiLU", "Sigmoid", "Tanh", "Softplus"):
        yield name, {}, (3, 4)
        yield name, {}, IMAGE
    yield "LeakyReLU", {"negative_slope": 0.3}, (3, 4)
    yield "ELU", {"alpha": 0.5}, (3, 4)
    yield "Softmax", {"dim": 1}, IMAGE
    yield "Softmax", {"dim": -1}, (3, 4)


CONFIGS = [*convolutions(), *poolings(), *others()]


def compare(
    model: nn.Module, twin: Any, shape: tuple[int, ...], dtype: Any, rtol: float, atol: float
) -> None:
    """Output, gradients of the input and of all parameters, and the buffers afterwards."""
    torch = require("torch")
    rng = np.random.default_rng(crc32(repr((model, shape)).encode()))
    x = rng.standard_normal(shape).astype(dtype)
    tensor = torch.tensor(x, requires_grad=True)
    expected = twin(tensor)
    weights = rng.standard_normal(expected.shape).astype(dtype)
    (expected * torch.tensor(weights)).sum().backward()

    program = Program(model, lambda out, target: gv.ops.sum(out * target))
    parameters = tuple(model.parameters())
    tape = program.compile({"x": x.shape, "target": weights.shape}, (*parameters, "x"))
    registers = tape.run(program.constants() | {"x": x, "target": weights})
    gradients = {name: tape.gradient(registers, tape.graph.position(name)) for name in (*parameters, "x")}

    def agree(ours: Any, theirs: Any) -> None:
        assert ours.dtype == dtype or theirs.dtype == torch.int64
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=rtol, atol=atol)

    agree(model(x), expected)
    agree(gradients["x"], tensor.grad)
    for name, parameter in twin.named_parameters():
        agree(gradients[name], parameter.grad)
    for name, buffer in twin.named_buffers():
        agree(model.buffers()[name], buffer)
    assert list(model.state_dict()) == list(twin.state_dict())


def pair(config: Config, dtype: Any) -> tuple[nn.Module, Any]:
    """Our module and PyTorch's, with the same random values."""
    torch = require("torch")
    name, options, _ = config
    torch.manual_seed(0)
    twin = getattr(torch.nn, name)(**options).to(getattr(torch, np.dtype(dtype).name))
    for parameter in twin.parameters():
        torch.nn.init.uniform_(parameter, -1, 1)
    model = getattr(nn, name)(**options)
    model.load_state_dict(twin.state_dict())
    return model, twin


def test_the_table_covers_every_layer() -> None:
    containers = {nn.Module, nn.Sequential, nn.Residual, nn.Concat}
    classes = {
        value for value in vars(nn).values() if isinstance(value, type) and issubclass(value, nn.Module)
    }
    assert {one.__name__ for one in classes - containers} == {name for name, *_ in CONFIGS}


MODES = [(one, True) for one in CONFIGS] + [
    (one, False) for one in CONFIGS if one[0] in ("BatchNorm2d", "Dropout")
]


@pytest.mark.parametrize(("config", "training"), MODES, ids=str)
def test_layers_agree_with_pytorch(config: Config, training: bool) -> None:
    model, twin = pair(config, np.float64)
    compare(model.train(training), twin.train(training), config[2], np.float64, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("config", CONFIGS[::3], ids=str)
def test_layers_agree_in_float32(config: Config) -> None:
    model, twin = pair(config, np.float32)
    compare(model, twin, config[2], np.float32, rtol=2e-4, atol=1e-4)


def network(library: Any) -> list[Any]:
    """The parts of one network with every kind of state, from our classes or PyTorch's."""
    return [
        library.Conv2d(1, 4, 3, padding=1, bias=False),
        library.BatchNorm2d(4),
        library.ReLU(),
        library.MaxPool2d(2),
        library.Sequential(library.ConvTranspose2d(4, 2, 2, stride=2), library.LeakyReLU(0.1)),
        library.Flatten(),
        library.LayerNorm(128),
        library.Linear(128, 3),
    ]


@pytest.mark.parametrize("training", [True, False], ids=["train", "eval"])
@pytest.mark.parametrize("state", range(3))
def test_a_network_agrees_with_pytorch(state: int, training: bool) -> None:
    torch = require("torch")
    torch.manual_seed(state)
    twin = torch.nn.Sequential(*network(torch.nn)).double()
    with torch.no_grad():
        twin(torch.randn(5, 1, 8, 8).double())  # gives the running statistics values of their own
    model = nn.Sequential(*network(nn))
    model.load_state_dict(twin.state_dict())
    compare(model.train(training), twin.train(training), (5, 1, 8, 8), np.float64, rtol=1e-9, atol=1e-11)


def test_skips_agree_with_pytorch() -> None:
    torch = require("torch")

    class Skips(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.residual = torch.nn.Sequential(torch.nn.Conv2d(2, 2, 3, padding=1), torch.nn.Tanh())
            self.concat = torch.nn.Sequential(torch.nn.Conv2d(2, 3, 1))

        def forward(self, x: Any) -> Any:
            x = x + self.residual(x)
            return torch.cat([x, self.concat(x)], dim=1)

    twin = Skips().double()
    model = nn.Sequential(
        {
            "residual": nn.Residual(nn.Conv2d(2, 2, 3, padding=1), nn.Tanh()),
            "concat": nn.Concat(nn.Conv2d(2, 3, 1)),
        }
    )
    model.load_state_dict(twin.state_dict())
    compare(model, twin, (2, 2, 4, 5), np.float64, rtol=1e-9, atol=1e-11)


def test_a_convolution_as_large_as_its_image_is_a_linear_layer() -> None:
    rng = np.random.default_rng(0)
    conv = nn.Conv2d(2, 3, (4, 5)).init(rng, dtype=np.float64)
    dense = nn.Sequential(nn.Flatten(), nn.Linear(40, 3))
    dense.load_state_dict(
        {f"1.{k}": v.reshape(3, *[-1] * (v.ndim > 1)) for k, v in conv.state_dict().items()}
    )
    x = rng.standard_normal((6, 2, 4, 5))
    np.testing.assert_allclose(conv(x).reshape(6, 3), dense(x), rtol=1e-12)


def test_running_statistics_follow_the_batches() -> None:
    x = np.random.default_rng(0).normal(3.0, 2.0, (4, 1, 5, 5))
    norm = nn.BatchNorm2d(1, momentum=0.1).init(np.random.default_rng(0), dtype=np.float64)
    out = norm(x)
    np.testing.assert_allclose([out.mean(), out.std()], [0, 1], atol=1e-5)
    state = norm.state_dict()
    np.testing.assert_allclose(state["running_mean"], 0.1 * x.mean())
    np.testing.assert_allclose(state["running_var"], 0.9 + 0.1 * x.var(ddof=1))
    assert state["num_batches_tracked"] == 1 and state["num_batches_tracked"].dtype == np.int64
    norm.eval()(x)
    np.testing.assert_array_equal(norm.state_dict()["running_mean"], state["running_mean"])


def test_dropout_keeps_the_expected_value() -> None:
    drop = nn.Dropout(0.25)
    x = np.ones((200, 50), np.float32)
    with pytest.raises(GradvizError, match="random") as caught:
        drop(x)
    assert "eval()" in caught.value.hint
    out = drop(x, rng=np.random.default_rng(0))
    assert out.dtype == np.float32
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs(np.mean(out == 0) - 0.25) < 0.01
    np.testing.assert_array_equal(drop(x, rng=np.random.default_rng(0)), out)
    np.testing.assert_array_equal(drop.eval()(x), x)
    assert not nn.Dropout(1.0)(x, rng=np.random.default_rng(0)).any()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: nn.Conv2d(3, 4, 3, groups=2), "3 input and 4 output channels"),
        (lambda: nn.ConvTranspose2d(2, 3, 3, groups=2), "2 input and 3 output channels"),
        (lambda: nn.AdaptiveAvgPool2d(2), "whole channels"),
        (lambda: nn.Upsample(scale_factor=2, mode="cubic"), "no such mode"),
        (lambda: nn.Upsample(scale_factor=2, align_corners=True), "bilinear"),
        (lambda: nn.Sequential(nn.ReLU(), "relu"), "part 1 is no module"),
    ],
)
def test_wrong_arguments_are_refused(make: Any, message: str) -> None:
    with pytest.raises(GradvizError, match=message):
        make()


def test_a_wrong_input_names_the_layer() -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).init(np.random.default_rng(0))
    with pytest.raises(ShapeError, match=r"linear: 0 has shape \(2, 5\)") as caught:
        model(np.zeros((2, 5)))
    assert "5 features and the weights take 4" in str(caught.value)
