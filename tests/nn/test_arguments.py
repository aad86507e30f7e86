"""Wrong arguments are refused in words that name the argument, what it is and what it should be."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradviz import data, nn, optim
from gradviz.errors import GradvizError
from tests.nn.problems import point_net, two_classes

X, Y = two_classes(8)
IMAGES = np.random.default_rng(0).standard_normal((2, 1, 8, 8)).astype(np.float32)


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def trainer(model: Any = None, loss: Any = "cross_entropy", optimizer: Any = None, **more: Any) -> nn.Trainer:
    return nn.Trainer(model or point_net(), loss, optimizer or optim.SGD(0.1), **more)


def named(name: str) -> nn.Module:
    return nn.Sequential({name: nn.Linear(2, 2)}).init(rng())


def build(name: str, **options: Any) -> nn.Module:
    return nn.architectures()[name].build(**options)


WRONG: list[tuple[Callable[[], Any], str]] = [
    (lambda: trainer(optimizer=optim.SGD), "the optimizer is <class .*SGD"),
    (lambda: trainer(optimizer="adam"), "the optimizer is 'adam'"),
    (lambda: trainer(nn.ReLU), "the model is <class .*ReLU"),
    (lambda: trainer(loss=3), "no loss is called 3"),
    (lambda: trainer(schedule=3), "schedule is 3"),
    (lambda: trainer(augment="shifts"), "augment is 'shifts'"),
    (lambda: trainer(stop=True), "stop is True"),
    (lambda: trainer(named("x")), "called 'x', as the input is"),
    (lambda: trainer(named("target")), "called 'target', as the target is"),
    (lambda: trainer(named("loss")), "called 'loss', as the loss is"),
    (
        lambda: next(trainer().fit(X, Y, 1, 4, rng=3)),
        r"rng is 3\n.*3 \(int\)\n.*np\.random\.default_rng\(3\)",
    ),
    (lambda: next(trainer().fit(X, Y, 1.5, 4)), "epochs is 1.5"),
    (lambda: next(trainer().fit(X, Y, 1, 2.5)), "batch_size is 2.5"),
    (lambda: next(trainer().fit(3, 4, 1, 1)), "every sample needs its target"),
    (lambda: trainer().evaluate(3, 4), "every sample needs its target"),
    (lambda: trainer().step(X[:0], Y[:0]), "the batch is empty"),
    (lambda: trainer(loss="mse").step(X[:0], X[:0]), "the batch is empty"),
    (lambda: trainer().explore(X[:0], Y[:0]), "the batch is empty"),
    (lambda: trainer().predict(X, batch_size="all"), "batch_size is 'all'"),
    (lambda: point_net().init(3), "rng is 3"),
    (lambda: point_net().init(rng(), "he"), "weights is no scheme"),
    (lambda: point_net().init(rng(), dtype=int), "dtype is <class 'int'>"),
    (lambda: point_net().init(rng(), dtype="float33"), "dtype is 'float33'"),
    (lambda: point_net().load_state_dict([1]), "a state maps keys to arrays"),
    (lambda: nn.Sequential(nn.Dropout())(X, rng=3), "rng is 3"),
    (lambda: optim.SGD("fast"), "the learning rate is 'fast'"),
    (lambda: optim.SGD(0.1, -1), "SGD: momentum is -1"),
    (lambda: optim.SGD(0.1, 0.9, -1), "SGD: weight_decay is -1"),
    (lambda: optim.SGD(0.1, dampening="a"), "SGD: dampening is 'a'"),
    (lambda: optim.Adam(betas=(1, 1)), r"Adam: betas is \(1, 1\)\n.*\n.*from 0 to below 1"),
    (lambda: optim.Adam(betas=0.9), "Adam: betas is 0.9"),
    (lambda: optim.AdamW(betas=("a", 0.9)), "AdamW: betas is"),
    (lambda: optim.Adam(eps=-1), "Adam: eps is -1"),
    (lambda: optim.RMSprop(alpha=1.5), "RMSprop: alpha is 1.5"),
    (lambda: optim.StepLR(0), "StepLR: step_size is 0"),
    (lambda: optim.StepLR(optim.SGD(0.1)), "StepLR: step_size is SGD"),
    (lambda: optim.CosineLR(0), "CosineLR: T_max is 0"),
    (lambda: build("unet", scales=0), "scales is 0"),
    (lambda: build("unet", base=0), "base is 0"),
    (lambda: build("dncnn", depth=1), "depth is 1"),
    (lambda: nn.architectures()["mlp"].build(784), "the number of sizes is 1"),
    (
        lambda: build("small_cnn", channels=(1, 2, 3)),
        r"channels is \(1, 2, 3\)\n.*\n.*or two: \(first, second\)",
    ),
    (lambda: build("small_cnn", channels="ab"), "channels is 'ab'"),
    (lambda: build("small_cnn", size=3), "size is 3"),
    (lambda: nn.architectures()["mlp"].build(4, 2, activation="relu"), "activation is 'relu'"),
    (lambda: nn.architectures()["mlp"].build(4, 2, activation=nn.ReLU()), "activation is ReLU"),
    (lambda: trainer().resume("no/such.npz"), "cannot be read: No such file"),
    (lambda: trainer().resume(None), r"cannot be read: that is no path\n.*None"),
    (lambda: trainer().resume("."), "cannot be read"),
    (lambda: trainer().save("no/such/folder.npz"), "cannot be written: No such file"),
    (lambda: trainer().save(3.5), "cannot be written: that is no path"),
    (lambda: next(trainer().fit(X, Y, 1, 4, validation=X)), "validation is no pair"),
    (lambda: next(trainer().fit(X, Y, 1, 4, validation=(X, Y, X))), r"validation is no pair\n.*tuple of 3"),
    (lambda: next(trainer().fit(X, Y, 1, 4, validation=(X, Y), patience="a")), "patience is 'a'"),
    (lambda: next(trainer(augment=lambda x, y, rng: x).fit(X, Y, 1, 4)), "what augment returns is no pair"),
    (lambda: next(trainer(schedule=lambda lr, epoch: None).fit(X, Y, 1, 4)), "learning rate is None"),
    (lambda: point_net().init(rng(), lambda *given: np.zeros(3)), "weight would start with another shape"),
    (lambda: nn.Sequential(nn.BatchNorm2d(2)).init(rng())(X), r"batch norm is over images"),
    (lambda: nn.accuracy(X, [[1], [2, 3]]), "the classes is no array"),
    (lambda: nn.augment.shifts("a", Y, rng()), "the images must be real numbers"),
    (lambda: nn.augment.shifts(3, Y, rng()), "only images can be shifted"),
    (lambda: nn.Linear("a", 2), "Linear: in_features is 'a'"),
    (lambda: nn.Linear(0, 2), "Linear: in_features is 0"),
    (lambda: nn.Linear(2, 2.0), "Linear: out_features is 2.0"),
    (lambda: nn.Conv2d(1, 2, "a"), "Conv2d: kernel_size is 'a'"),
    (lambda: nn.Conv2d(1, 2, 0), "Conv2d: kernel_size is 0"),
    (lambda: nn.Conv2d(1, 2, (3, 3, 3)), r"Conv2d: kernel_size is \(3, 3, 3\)"),
    (lambda: nn.Conv2d(1, 2, 3, stride=0), "Conv2d: stride is 0"),
    (lambda: nn.Conv2d(1, 2, 3, padding="same"), "Conv2d: padding is 'same'"),
    (lambda: nn.Conv2d(1, 2, 3, groups=0), "Conv2d: groups is 0"),
    (lambda: nn.ConvTranspose2d(1, 2, 3, stride=0), "ConvTranspose2d: stride is 0"),
    (lambda: nn.MaxPool2d(None), "MaxPool2d: kernel_size is None"),
    (lambda: nn.AvgPool2d(2, padding=-1), "AvgPool2d: padding is -1"),
    (lambda: nn.Upsample(scale_factor=1.5), "Upsample: scale_factor is 1.5"),
    (lambda: nn.BatchNorm2d("a"), "BatchNorm2d: num_features is 'a'"),
    (lambda: nn.BatchNorm2d(1, momentum=None), "BatchNorm2d: momentum is None"),
    (lambda: nn.LayerNorm("ab"), "LayerNorm: normalized_shape is 'ab'"),
    (lambda: nn.Dropout("a"), "Dropout: p is 'a'"),
    (lambda: nn.Dropout(1.5), r"Dropout: p is 1.5\n.*\n.*a number from 0 to 1"),
    (lambda: nn.LeakyReLU("a"), "LeakyReLU: negative_slope is 'a'"),
    (lambda: nn.receptive_field([3]), "this is no layer"),
    (lambda: nn.receptive_field(3), "layers is 3"),
    (lambda: nn.receptive_field([{"kernel": 0}]), "kernel_size is 0"),
    (lambda: nn.receptive_field([{"kernel": 3, "stride": 0}]), "stride is 0"),
    (lambda: nn.psnr("a", IMAGES, 1), "the image must be real numbers"),
    (lambda: nn.psnr(IMAGES, IMAGES, "a"), "data_range is 'a'"),
    (lambda: nn.summary(point_net(), 2), "input_shape is 2"),
    (lambda: nn.summary("net", (2,)), "the model is 'net'"),
    (lambda: nn.augment.shifts(IMAGES, IMAGES, 3), "rng is 3"),
    (lambda: nn.augment.shifts(IMAGES, IMAGES, rng(), -1), "pixels is -1"),
]


@pytest.mark.parametrize(("make", "message"), WRONG, ids=[message for _, message in WRONG])
def test_a_wrong_argument_is_named(make: Callable[[], Any], message: str) -> None:
    with pytest.raises(GradvizError, match=message) as caught:
        make()
    assert (caught.value.got and caught.value.expected) or caught.value.hint


@pytest.mark.parametrize("name", ["moons", "circles", "spirals", "blobs", "xor"])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"n": -1}, "n is -1"),
        ({"n": 1.5}, "n is 1.5"),
        ({"rng": 3}, "rng is 3"),
        ({"noise": -1.0}, "noise is -1.0"),
        ({"noise": "a"}, "noise is 'a'"),
    ],
)
def test_points_that_cannot_be_made_are_refused(name: str, changed: dict[str, Any], message: str) -> None:
    with pytest.raises(data.DataError, match=message):
        getattr(data, name)(**{"n": 10, "rng": rng()} | changed)


@pytest.mark.parametrize(
    ("read", "given", "message"),
    [
        (data.read_image, "photo.png", "content is str"),
        (data.read_image, None, "content is NoneType"),
        (data.read_points, b"1,2,a", "text is bytes"),
    ],
)
def test_what_is_no_file_is_refused(read: Callable[[Any], Any], given: Any, message: str) -> None:
    with pytest.raises(data.DataError, match=message):
        read(given)


def test_points_of_no_class_are_refused() -> None:
    with pytest.raises(data.DataError, match="classes is 0"):
        data.blobs(10, rng(), classes=0)


@pytest.mark.parametrize(
    ("loose", "plain"),
    [
        (lambda: nn.Conv2d(1, 2, [3, 2], padding=[1, 0]), lambda: nn.Conv2d(1, 2, (3, 2), padding=(1, 0))),
        (lambda: nn.Conv2d(*map(np.int64, (1, 2, 3))), lambda: nn.Conv2d(1, 2, 3)),
        (lambda: nn.ConvTranspose2d(1, 2, [2, 2], [2, 2]), lambda: nn.ConvTranspose2d(1, 2, 2, 2)),
        (lambda: nn.MaxPool2d([2, 2], [1, 1]), lambda: nn.MaxPool2d(2, 1)),
        (lambda: nn.AvgPool2d([2, 4]), lambda: nn.AvgPool2d((2, 4))),
        (lambda: nn.AdaptiveAvgPool2d([1, 1]), lambda: nn.AdaptiveAvgPool2d(1)),
        (lambda: nn.Upsample(scale_factor=[2, 3]), lambda: nn.Upsample(scale_factor=(2, 3))),
        (lambda: nn.LayerNorm([1, 8, np.int64(8)]), lambda: nn.LayerNorm((1, 8, 8))),
    ],
)
def test_lists_and_whole_numbers_of_numpy_are_welcome(
    loose: Callable[[], nn.Module], plain: Callable[[], nn.Module]
) -> None:
    one, other = (nn.Sequential(make()).init(rng())(IMAGES) for make in (loose, plain))
    np.testing.assert_array_equal(one, other)
    assert nn.receptive_field([{"kernel": [3, 3]}]) == nn.receptive_field([{"kernel": 3}])


def test_the_third_argument_of_sgd_is_the_weight_decay() -> None:
    optimizer = optim.SGD(0.1, 0.9, 1e-4)
    assert (optimizer.momentum, optimizer.weight_decay, optimizer.dampening) == (0.9, 1e-4, 0)
    with pytest.raises(TypeError, match="positional"):  # who counts as in PyTorch's signature is told
        optim.SGD(0.1, 0.9, 0, 1e-4)  # type: ignore[misc]


@pytest.mark.parametrize("batch_size", [None, 1, 256])
def test_the_entries_of_a_single_sample_are_no_batch(batch_size: int | None) -> None:
    model = nn.Sequential(nn.Linear(784, 10), nn.ReLU()).init(rng())
    x = rng().standard_normal((1, 784)).astype(np.float32)
    alone = trainer(model).predict(x[0], batch_size=batch_size)
    np.testing.assert_allclose(alone, model(x)[0], rtol=1e-5, atol=1e-6)
