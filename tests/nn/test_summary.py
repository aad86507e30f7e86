"""Summaries, receptive fields, architectures and metrics."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz import nn
from gradviz.engine.expr import Expr
from gradviz.errors import GradvizError, ShapeError

VGG_START = [{"kernel": 3, "padding": 1}, {"kernel": 3, "padding": 1}, {"kernel": 2, "stride": 2}]
ALEXNET = [
    {"kernel": 11, "stride": 4, "padding": 2},
    {"kernel": 3, "stride": 2},
    {"kernel": 5, "padding": 2},
    {"kernel": 3, "stride": 2},
    {"kernel": 3, "padding": 1},
    {"kernel": 3, "padding": 1},
    {"kernel": 3, "padding": 1},
    {"kernel": 3, "stride": 2},
]


def test_receptive_fields_of_known_networks() -> None:
    assert nn.receptive_field(VGG_START) == [(3, 1, 1), (5, 1, 2), (6, 2, 2)]
    assert [field.size for field in nn.receptive_field(ALEXNET)] == [11, 19, 51, 67, 99, 131, 163, 195]
    assert nn.receptive_field([{"kernel": 3, "dilation": 2}, {"kernel": (1, 5)}]) == [
        (5, 1, 0),
        ((5, 9), 1, 0),
    ]


def test_receptive_fields_of_modules() -> None:
    fields = nn.receptive_field(
        [
            nn.Conv2d(1, 2, 3, padding=1),
            nn.BatchNorm2d(2),
            nn.Identity(),
            nn.Dropout(0.5),
            nn.AvgPool2d(2),
            nn.Residual(nn.Conv2d(2, 2, 3, padding=1), nn.ReLU()),
            nn.Concat(nn.Conv2d(2, 2, 5, padding=2), nn.Conv2d(2, 1, 1)),
            nn.Upsample(scale_factor=2),
            nn.AdaptiveAvgPool2d(1),
        ]
    )
    assert [field.size for field in fields] == [3, 3, 3, 3, 4, 8, 16, 16, inf]
    assert [field.stride for field in fields[:-1]] == [1, 1, 1, 1, 2, 2, 2, 1]


def test_upsampling_by_one_mixes_nothing() -> None:
    assert nn.receptive_field([nn.Upsample(scale_factor=1, mode="bilinear")])[0].size == 1


class Mirrored(nn.Module):
    def build(self, x: Expr) -> Expr:
        return gv.ops.pad2d(x, 2, mode="reflect")


# Models of images with one channel, whose fields are compared with what a gradient shows.
MEASURED = [
    nn.Sequential(nn.Conv2d(1, 2, (3, 5), padding=(1, 2)), nn.Conv2d(2, 1, 3, stride=2)),
    nn.Sequential(nn.Conv2d(1, 2, 3, dilation=3), nn.MaxPool2d(3, stride=2), nn.Conv2d(2, 1, 2)),
    nn.Sequential(nn.Conv2d(1, 2, 3, stride=2), nn.ConvTranspose2d(2, 1, 4, stride=2), nn.Conv2d(1, 1, 3)),
    nn.Sequential(nn.AvgPool2d(2), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(1, 1, 3)),
    nn.Sequential(nn.AvgPool2d(2), nn.Upsample(scale_factor=2), nn.Conv2d(1, 1, 3)),
    nn.Sequential(Mirrored(), nn.Conv2d(1, 2, 5), nn.Residual(nn.Conv2d(2, 2, 3, padding=1))),
    nn.Sequential(nn.Concat(nn.MaxPool2d(2), nn.ConvTranspose2d(1, 1, 2, stride=2)), nn.Conv2d(2, 1, 3)),
]


@pytest.mark.parametrize("model", MEASURED, ids=str)
def test_fields_are_what_a_gradient_shows(model: Any) -> None:
    model.init(
        np.random.default_rng(0), weights=lambda rng, shape, *fans: rng.uniform(0.5, 1, shape), dtype=float
    )
    x = np.random.default_rng(1).uniform(1, 2, (1, 1, 40, 40))
    out = model(x)
    found = []
    for shift in (0, 1):  # a field of a strided transpose depends on the place; the largest counts
        seed = np.zeros_like(out)
        seed[0, 0, out.shape[2] // 2 + shift, out.shape[3] // 2 + shift] = 1
        # Every entry of a max pool's window can be the largest, so many inputs are asked.
        seen = sum(
            np.abs(gv.explore(_graph(model), _values(model, one), wrt=["x"], seed=seed).grad("x")[0, 0])
            for one in (np.random.default_rng(k).permutation(x.ravel()).reshape(x.shape) for k in range(12))
        )
        found.append([int(np.ptp(np.flatnonzero(seen.sum(axis=axis)))) + 1 for axis in (1, 0)])
    size = nn.receptive_field(model)[-1].size
    assert max(found) == list(size if isinstance(size, tuple) else (size, size))


def _graph(model: Any) -> Any:
    from gradviz.nn.program import Program

    return Program(model).graph


def _values(model: Any, x: Any) -> dict[str, Any]:
    return {"x": x, **model.parameters()}


@pytest.mark.parametrize("layer", [{"stride": 2}, {"kernel": 3, "pad": 1}])
def test_a_mapping_that_is_no_layer_is_refused(layer: dict[str, int]) -> None:
    with pytest.raises(GradvizError, match="no layer"):
        nn.receptive_field([layer])


def test_summary_of_the_cnn() -> None:
    found = nn.summary(nn.architectures()["small_cnn"].build(), (1, 28, 28))
    assert [row.kind for row in found.rows] == [
        "Conv2d", "ReLU", "MaxPool2d", "Conv2d", "ReLU", "MaxPool2d", "Flatten", "Linear",
    ]  # fmt: skip
    first, last = found.rows[0], found.rows[-1]
    assert (first.shape, first.parameters, first.multiply_adds) == ((8, 28, 28), 80, 784 * 8 * 9)
    assert (last.shape, last.parameters, last.multiply_adds, last.field.size) == ((10,), 7850, 7840, inf)
    assert (found.parameters, found.multiply_adds) == (9098, 290_080)
    text = str(found)
    assert "8 × 28 × 28" in text and "290,080" in text and "10 × 10" in text


def test_summary_names_merges_and_counts_everything() -> None:
    model = nn.architectures()["unet"].build(4, 3)
    found = nn.summary(model, (1, 16, 16))
    assert ("skip", "Concat", (8, 16, 16)) in [(row.path, row.kind, row.shape) for row in found.rows]
    model.init(np.random.default_rng(0))
    assert found.parameters == sum(value.size for value in model.parameters().values())
    with pytest.raises(ShapeError, match="concat"):
        nn.summary(model, (1, 15, 16))


@pytest.mark.parametrize("name", ["dncnn", "inpainter", "linear_classifier", "mlp", "small_cnn", "unet"])
def test_architectures(name: str) -> None:
    found = nn.architectures()[name]
    assert found.description.endswith(".")
    model = found.build().init(np.random.default_rng(0))
    x = np.random.default_rng(1).standard_normal((3, *found.input_shape)).astype(np.float32)
    assert np.all(np.isfinite(model(x)))
    assert model.eval()(x).shape == (3, *nn.summary(model, found.input_shape).rows[-1].shape)


def test_every_architecture_is_tested_and_sorted() -> None:
    assert list(nn.architectures()) == ["dncnn", "inpainter", "linear_classifier", "mlp", "small_cnn", "unet"]


def test_an_mlp_of_any_size() -> None:
    build = nn.architectures()["mlp"].build
    assert [type(part).__name__ for _, part in build(2, 8, 8, 3, activation=nn.Tanh).layers] == [
        "Linear", "Tanh", "Linear", "Tanh", "Linear",
    ]  # fmt: skip
    flat = build(3, 5, 4, activation=nn.Identity).init(np.random.default_rng(0), dtype=np.float64)
    weights = flat.state_dict()
    x = np.random.default_rng(1).standard_normal((6, 3))
    np.testing.assert_allclose(flat(x), x @ (weights["2.weight"] @ weights["0.weight"]).T, atol=1e-12)


def test_dncnn_subtracts_its_estimate_at_any_size() -> None:
    model = nn.architectures()["dncnn"].build(image_channels=3).init(np.random.default_rng(0)).eval()
    x = np.random.default_rng(1).standard_normal((1, 3, 37, 53)).astype(np.float32)
    np.testing.assert_allclose(model(x), x - model.noise(x), atol=1e-6)
    convs = [part for _, part in model.layers if isinstance(part, nn.Conv2d)]
    assert [conv.bias for conv in convs] == [True, False, False, False, True]


def test_psnr() -> None:
    a = np.zeros((4, 4), np.uint8)
    assert nn.psnr(a, a, 255) == inf
    assert nn.psnr(a, a + 255, 255) == pytest.approx(0)
    assert nn.psnr(a / 1.0, a + 0.1, 1.0) == pytest.approx(20)
    noise = np.random.default_rng(0).normal(0, 35, 10**6)
    assert nn.psnr(noise, np.zeros(10**6), 255) == pytest.approx(17.25, abs=0.02)
    for one, other in ((a, a[:2]), (a[:0], a[:0])):
        with pytest.raises(ShapeError):
            nn.psnr(one, other, 255)
    for wrong in (0, -1, float("nan")):
        with pytest.raises(GradvizError, match="data_range"):
            nn.psnr(a, a + 1, wrong)


def test_accuracy() -> None:
    assert nn.accuracy([[1, 2], [4, 3], [0, 1]], [1, 0, 0]) == pytest.approx(2 / 3)
    for logits, classes in (([[1, 2], [4, 3]], [1]), (np.zeros((0, 2)), [])):
        with pytest.raises(ShapeError):
            nn.accuracy(logits, classes)


def test_progress_runs_a_training_to_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    trainer = nn.Trainer(nn.Linear(1, 1).init(np.random.default_rng(0)), "mse", gv.optim.SGD(0.1))
    x = np.ones((8, 1), np.float32)
    event = nn.progress(trainer.fit(x, x, epochs=2, batch_size=4, validation=(x, x)))
    assert (event.kind, event.step) == ("stopped", 4)
    assert "validation_loss" in capsys.readouterr().out
    with pytest.raises(GradvizError, match="did nothing"):
        nn.progress([])
