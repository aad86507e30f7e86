"""What the page of a training shows, each part of it renewed as often as the time it takes allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter, thread_time
from typing import Any

from gradviz.app.components.live import pack
from gradviz.app.worker import LOOKS
from gradviz.demos.live.base import Part
from gradviz.nn.health import Health, examine

LONGEST = 2.0  # seconds after which even the dearest part is renewed
SETTLED = (
    10  # steps before which nothing is called unhealthy: any update is large beside a layer that starts at 0
)
_ALERTS = {
    "vanishing": "gradients vanish before",
    "exploding": "gradients explode before",
    "dead": "dead ReLUs in",
    "saturated": "flat activations in",
    "fast": "too large steps in",
    "slow": "too small steps",
    "stuck": "the loss does not fall",
}
Json = dict[str, Any]


@dataclass
class Kept:
    """The packed panels of one part, the seconds they took, and when they were made."""

    panels: list[Json] = field(default_factory=list)
    cost: float = 0.0
    made: float = -math.inf

    def renew(self, make: Part) -> None:
        """Make the panels anew."""
        began = thread_time()  # time spent waiting for other threads is no cost
        self.panels = pack({"panels": make()})["panels"]
        self.cost, self.made = thread_time() - began, perf_counter()


class Rendering:
    """The packed picture of an experiment, with the health of its last whole step below.

    With a `share` of the time to spend, every part has as much of it: the cheap ones come with every picture and
    leave what they do not need to the dear ones, which keep their last panels until they have paid for new ones.
    """

    def __init__(self) -> None:
        self.health: Health | None = None
        self._kept: list[Kept] = []

    def __call__(self, experiment: Any, share: float | None = None) -> Json:
        """All parts anew, or those whose turn it is."""
        parts: list[Part] = [*experiment.parts(), partial(self._health_panels, experiment)]
        if share is None:
            self._kept = [Kept() for _ in parts]
        now, each = perf_counter(), math.inf if share is None else allowance(self._costs, share)
        for kept, make in zip(self._kept, parts, strict=True):
            if now - kept.made >= min(kept.cost / each, LONGEST):
                kept.renew(make)
        panels = [panel for kept in self._kept for panel in kept.panels]
        return {"panels": panels, "alert": self._alert()}

    @property
    def _costs(self) -> list[float]:
        return [kept.cost for kept in self._kept]

    def _health_panels(self, experiment: Any) -> list[Json]:
        trainer = experiment.trainer
        if not trainer.progress.steps:
            self.health = None
        elif trainer.model.parameters().keys() <= trainer.gradients.keys():  # not in the middle of a step
            self.health = examine(trainer)
            if trainer.progress.steps < SETTLED:
                self.health = replace(self.health, findings=())
        return [] if self.health is None else [_health_panel(self.health)]

    def _alert(self) -> str:
        findings = () if self.health is None else self.health.findings
        alert = "; ".join(f"{_ALERTS[finding.kind]} {finding.path}".strip() for finding in findings)
        return alert and f"{alert}: see below"


def allowance(costs: Sequence[float], share: float) -> float:
    """The share of the time that each dear part may take: what the parts leave that can come with every picture."""
    even = share / len(costs)
    cheap = [cost * LOOKS for cost in costs if cost * LOOKS <= even]
    dear = len(costs) - len(cheap)
    return (share - sum(cheap)) / dear if dear else share


def _health_panel(health: Health) -> dict[str, Any]:
    layers = [
        {
            "name": f"{layer.path} {layer.kind}".strip(),
            "learns": layer.gradient is not None,
            "gradient": layer.gradient,
            "update": layer.update,
            "idle": layer.saturated if layer.dead is None else layer.dead,
            "counts": layer.histogram[0],
            "edges": layer.histogram[1],
            "warned": any(finding.path == layer.path for finding in health.findings),
        }
        for layer in health.layers
    ]
    return {
        "kind": "health",
        "title": "Health of the last step",
        "note": "norm of the gradient, length of the update over that of the weights (usual range shaded), units or values without slope",
        "layers": layers,
        "findings": [finding.text for finding in health.findings],
    }
