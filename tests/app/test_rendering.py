"""What a Train page shows: cheap parts with every picture, dear ones within their budget, and every warning."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import numpy as np
import pytest

from gradviz.app.rendering import SETTLED, Picture, Rendering, allowance
from gradviz.app.worker import LOOKS
from gradviz.demos.live import decision_regions, denoising, digits, inpainting
from gradviz.nn.health import Kind


class Idle:
    """A trainer that has done nothing, so that nothing is said about its health."""

    class progress:  # noqa: N801
        steps = 0


class Parts:
    """An experiment of three parts, the second of which takes `dear` seconds of work."""

    def __init__(self, dear: float) -> None:
        self.trainer, self.dear, self.made = Idle(), dear, [0, 0, 0]

    def parts(self) -> list[Callable[[], list[dict[str, Any]]]]:
        return [lambda: self._make(0), lambda: self._make(1, self.dear), lambda: self._make(2)]

    def _make(self, which: int, seconds: float = 0.0) -> list[dict[str, Any]]:
        self.made[which] += 1
        end = time.thread_time() + seconds
        while time.thread_time() < end:
            pass
        return [{"kind": "text", "id": str(which), "title": "", "lines": [str(self.made[which])]}]


class Clock:
    """The time between two pictures passes when it is told to."""

    now = 0.0

    def tick(self) -> None:
        self.now += 1 / LOOKS


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A browser that draws in no time, and a clock."""
    found = Clock()
    monkeypatch.setattr("gradviz.app.rendering.DRAWN", 0.0)
    monkeypatch.setattr("gradviz.app.rendering.perf_counter", lambda: found.now)
    return found


def test_dear_parts_wait_and_the_others_do_not(clock: Clock) -> None:
    parts, render = Parts(dear=0.05), Rendering()
    for _ in range(3):
        shown = render(parts)
    assert parts.made == [3, 3, 3], "without a limit everything is made anew"
    for _ in range(5):
        clock.tick()
        shown = render(parts, share=0.1)
    assert parts.made == [8, 3, 8]
    assert [panel["lines"] for panel in panels(shown)] == [["8"], ["3"], ["8"]], "in their places"
    clock.tick()
    render(parts, share=100.0)
    assert parts.made == [9, 4, 9]


def test_a_dear_part_is_renewed_when_it_has_paid(clock: Clock) -> None:
    parts, render = Parts(dear=0.02), Rendering()
    render(parts)
    while clock.now < 20:
        clock.tick()
        render(parts, share=0.1)
    assert parts.made[0] > 200
    assert 0.05 < 0.02 * parts.made[1] / clock.now < 0.11, "most of the time that the others leave"


class Shown:
    """An experiment with a curve and a picture that change all the time, and one that stays."""

    def __init__(self) -> None:
        self.trainer, self.made = Idle(), dict.fromkeys(("lines", "loop", "text"), 0)

    def parts(self) -> list[Callable[[], list[dict[str, Any]]]]:
        return [partial(self._make, kind) for kind in self.made]

    def _make(self, kind: str) -> list[dict[str, Any]]:
        self.made[kind] += 1
        return [{"kind": kind, "title": "" if kind == "text" else str(self.made[kind]), "series": []}]


def test_what_the_browser_draws_is_paid_for_and_charts_always_come(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gradviz.app.rendering.DRAWN", 0.02)
    shown, render = Shown(), Rendering()
    render(shown)
    for _ in range(100):
        clock.tick()
        render(shown, share=0.5)
    assert shown.made["lines"] == 101
    assert shown.made["text"] > 95, "nothing is drawn again"
    assert 5 < shown.made["loop"] < 101 * (0.5 - 0.02 * LOOKS) / (0.02 * LOOKS) + 5


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        ([0.0, 0.0], 0.12),  # nothing is dear
        ([0.0, 1.0], 0.12),  # the whole for the only dear one
        ([1.0, 1.0], 0.06),
        ([0.001, 1.0, 1.0, 1.0], (0.12 - 0.001 * LOOKS) / 3),
    ],
)
def test_what_cheap_parts_leave_is_shared_out(costs: list[float], expected: float) -> None:
    assert allowance(costs, 0.12) == pytest.approx(expected)


SMALL = denoising.Settings(batch_size=4, patch=16)
HEALTHY: dict[str, Any] = {
    "regions": decision_regions.Experiment(decision_regions.PRESETS["hidden_layer"].settings),
    "digits, linear": digits.Experiment(digits.Settings(model="linear")),
    "digits, MLP": digits.Experiment(digits.Settings()),
    "digits, CNN": digits.Experiment(digits.Settings(model="cnn", batch_size=16)),
    "inpainting": inpainting.Experiment(inpainting.Settings()),
    "denoising": denoising.Experiment(SMALL),
}


@pytest.mark.parametrize("name", HEALTHY)
def test_a_healthy_training_stays_silent(name: str) -> None:
    """From the first step until long after a loss that stays would be called stuck."""
    experiment, render = HEALTHY[name], Rendering()
    for step in range(120):
        experiment.advance()
        if step % 20 == 0:
            assert alert(render, experiment) == ""
    assert alert(render, experiment) == ""


def alert(render: Rendering, experiment: Any) -> str:
    shown = render(experiment)
    health = panels(shown)[-1]
    assert health["kind"] == "health"
    assert bool(health["findings"]) == bool(shown.alert)
    return shown.alert


def panels(picture: Picture) -> list[dict[str, Any]]:
    return [json.loads(text) for text in picture.panels.values()]


def deep(activation: str) -> Any:
    return decision_regions.Experiment(decision_regions.Settings(layers=3, activation=activation))


def mlp() -> Any:
    return digits.Experiment(digits.Settings())


def scale(factor: float, *names: str) -> Callable[[Any], None]:
    """Weights that are too small or too large."""

    def inject(experiment: Any) -> None:
        for name in names:
            experiment.model.parameters()[name][...] *= factor

    return inject


def negative(name: str) -> Callable[[Any], None]:
    """A bias that keeps every unit of its layer off."""
    return lambda experiment: experiment.model.parameters()[name].fill(-100)


def pace(rate: float) -> Callable[[Any], None]:
    return lambda experiment: setattr(experiment.trainer.optimizer, "lr", rate)


def guess(experiment: Any) -> None:
    """Labels that have nothing to do with the points, and a hundred steps."""
    rng = np.random.default_rng(0)
    experiment.reset()
    scale(0.3, "4.weight")(experiment)
    experiment.sample = lambda picked: (experiment.x[picked], rng.integers(0, 2, len(picked)))
    for _ in range(110):
        experiment.advance()


FAULTS: dict[str, tuple[str, Callable[[], Any], Callable[[Any], None]]] = {
    "vanishing": ("gradients vanish before 0", lambda: deep("tanh"), scale(1e-3, "2.weight", "4.weight")),
    "exploding": ("gradients explode before 0", lambda: deep("relu"), scale(100, "2.weight", "4.weight")),
    "dead": ("dead ReLUs in 2", mlp, negative("1.bias")),
    "dead, inpainting": (
        "dead ReLUs in 1",
        lambda: inpainting.Experiment(inpainting.Settings()),
        scale(0, "0.weight"),
    ),
    "dead, denoising": (
        "dead ReLUs in noise.1",
        lambda: denoising.Experiment(SMALL),
        negative("noise.0.bias"),
    ),
    "saturated": ("flat activations in 1", lambda: deep("sigmoid"), scale(1000, "0.weight")),
    "fast": ("too large steps in", mlp, pace(10.0)),
    "slow": ("too small steps", lambda: deep("tanh"), pace(1e-9)),
    "stuck": ("the loss does not fall", lambda: deep("tanh"), guess),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_warning_is_shown(name: str) -> None:
    """A training that goes well until something is made wrong, one step later."""
    words, make, inject = FAULTS[name]
    experiment, render = make(), Rendering()
    for _ in range(SETTLED):
        experiment.advance()
    assert alert(render, experiment) == ""
    inject(experiment)
    experiment.advance()
    shown = render(experiment)
    assert words in shown.alert, shown.alert
    findings = panels(shown)[-1]["findings"]
    assert findings and all(len(text) > 60 for text in findings), "with their cause"


def test_every_kind_of_warning_has_a_fault() -> None:
    assert get_args(Kind) == tuple(name for name in FAULTS if "," not in name)
