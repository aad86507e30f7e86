"""Health: every warning by an injected fault, and none for what is well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gradviz import data, nn, optim
from gradviz.errors import GradvizError
from gradviz.nn.health import Health, examine
from tests.nn.problems import image_trainer, point_net, stripes, two_classes


def deep(activation: type[nn.Module], gain: float, depth: int = 8) -> nn.Module:
    """Linear layers of 32 with weights `gain` times as large as He's."""
    layers = [part for _ in range(depth) for part in (nn.Linear(32, 32), activation())]
    model = nn.Sequential(nn.Linear(2, 32), *layers, nn.Linear(32, 2))
    return model.init(np.random.default_rng(0), weights=lambda *args: gain * nn.init.he_normal(*args))


def after(model: nn.Module, optimizer: optim.Optimizer, steps: int = 1, batch: Any = None) -> Health:
    trainer = nn.Trainer(model, "cross_entropy", optimizer)
    for _ in range(steps):
        trainer.step(*(batch or two_classes()))
    return examine(trainer)


def dead() -> Health:
    model = point_net()
    model.parameters()["0.bias"][:10] = -50
    return after(model, optim.SGD(0.01))


def saturated(activation: type[nn.Module]) -> Health:
    model = nn.Sequential(nn.Linear(2, 16), activation(), nn.Linear(16, 2)).init(np.random.default_rng(0))
    model.parameters()["0.weight"][:] *= 100
    return after(model, optim.SGD(0.01))


def stuck() -> Health:
    """Targets drawn anew for every batch: there is nothing to learn."""
    rng, (x, _), model = np.random.default_rng(0), two_classes(512), point_net()
    model.parameters()["2.weight"][:] = 0  # no class is preferred, so the loss starts at chance
    trainer = nn.Trainer(model, "cross_entropy", optim.SGD(0.01))
    for _ in range(120):
        trainer.step(x, rng.integers(0, 2, 512))
    return examine(trainer)


FAULTS: dict[str, tuple[str, str, Callable[[], Health], str]] = {
    "sigmoids in a deep net": (
        "vanishing",
        "0",
        lambda: after(deep(nn.Sigmoid, 0.7), optim.SGD(0.01)),
        "too small",
    ),
    "small weights": ("vanishing", "0", lambda: after(deep(nn.ReLU, 0.3), optim.SGD(0.1)), "too small"),
    "large weights": ("exploding", "0", lambda: after(deep(nn.ReLU, 4.0), optim.SGD(1e-9)), "too large"),
    "negative biases": ("dead", "1", dead, "negative everywhere"),
    "sigmoid pushed to its ends": (
        "saturated",
        "1",
        lambda: saturated(nn.Sigmoid),
        "flat ends of the sigmoid",
    ),
    "tanh pushed to its ends": ("saturated", "1", lambda: saturated(nn.Tanh), "flat ends of the tanh"),
    "a large rate": ("fast", "0", lambda: after(point_net(), optim.SGD(30.0)), "(30) is too large"),
    "a tiny rate": ("slow", "", lambda: after(point_net(), optim.Adam(1e-8)), "(1e-08) is too small"),
    "random targets": ("stuck", "", stuck, "where it was"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_is_found_with_its_cause(fault: str) -> None:
    kind, path, spoil, cause = FAULTS[fault]
    findings = {finding.kind: finding for finding in spoil().findings}
    assert kind in findings
    assert (findings[kind].path, cause in findings[kind].text) == (path, True)
    # A second complaint may follow from the fault, but the opposite one never does.
    assert not {"vanishing", "exploding"} <= findings.keys() and not {"fast", "slow"} <= findings.keys()


def test_all_kinds_of_findings_have_a_fault() -> None:
    from typing import get_args

    from gradviz.nn.health import Kind

    assert {kind for kind, *_ in FAULTS.values()} == set(get_args(Kind))


@pytest.mark.parametrize("name", ["linear_classifier", "mlp", "small_cnn"])
@pytest.mark.parametrize(
    "make", [lambda: optim.Adam(1e-3), lambda: optim.SGD(0.05, momentum=0.9)], ids=["Adam", "SGD"]
)
def test_healthy_classifiers_are_silent(name: str, make: Callable[[], optim.Optimizer]) -> None:
    digits = data.digits()
    x = digits.x_train if name == "small_cnn" else digits.flat.x_train
    model = nn.architectures()[name].build().init(np.random.default_rng(0))
    trainer = nn.Trainer(model, "cross_entropy", make())
    for step in range(40):
        part = slice(64 * step, 64 * step + 64)
        trainer.step(x[part], digits.y_train[part])
        if step in (0, 5, 39):
            assert examine(trainer).findings == ()


@pytest.mark.parametrize("name", ["dncnn", "unet"])
def test_healthy_image_nets_are_silent(name: str) -> None:
    rng = np.random.default_rng(0)
    clean = (
        np.stack([photo[:32, :32] for photo in data.photos().values()][:4])[:, None].astype(np.float32) / 255
    )
    trainer = nn.Trainer(nn.architectures()[name].build().init(rng), "mse", optim.Adam(1e-3))
    for _ in range(10):
        trainer.step(clean + rng.normal(0, 0.1, clean.shape), clean)
    assert examine(trainer).findings == ()


@pytest.mark.parametrize("activation", [nn.Tanh, nn.Sigmoid, nn.ReLU])
def test_a_net_that_has_learned_is_silent(activation: type[nn.Module]) -> None:
    model = nn.Sequential(nn.Linear(2, 16), activation(), nn.Linear(16, 2)).init(np.random.default_rng(0))
    assert after(model, optim.Adam(0.01), 600, two_classes(200)).findings == ()


def test_measures() -> None:
    trainer = image_trainer()
    with pytest.raises(GradvizError, match="nothing to examine yet"):
        examine(trainer)
    x, y = stripes()
    trainer.step(x, y)
    before = trainer.model.state_dict() | trainer.optimizer.state
    layers = {layer.path: layer for layer in examine(trainer).layers}
    assert list(layers) == ["0", "1", "2", "3", "4", "5", "6"]
    both = trainer.gradients["6.weight"], trainer.gradients["6.bias"]
    assert layers["6"].gradient == pytest.approx(np.sqrt(sum(np.sum(g**2) for g in both)), rel=1e-5)
    assert layers["2"].gradient is None and layers["2"].update is None
    assert layers["2"].dead == 0 and layers["0"].dead is None
    counts, edges = layers["2"].histogram
    assert counts.sum() == trainer.activations["2"].size and len(edges) == 31
    after = trainer.model.state_dict() | trainer.optimizer.state
    assert all(np.array_equal(before[key], after[key]) for key in before)


def test_the_update_ratio_is_that_of_the_rule() -> None:
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1))
    trainer.step(*two_classes())
    found = {layer.path: layer.update for layer in examine(trainer).layers}
    weight, gradient = trainer.model.parameters()["0.weight"], trainer.gradients["0.weight"]
    assert found["0"] == pytest.approx(0.1 * np.linalg.norm(gradient) / np.linalg.norm(weight), rel=1e-4)
