"""What the page of a training shows, each part of it renewed as often as the time it takes allows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter, thread_time
from typing import Any

from gradviz.app.components.live import Panels, pack
from gradviz.app.worker import LOOKS
from gradviz.demos.live.base import Part
from gradviz.nn.health import Health, examine

DRAWN, SENT = 3e-3, 2e-8  # seconds that a browser takes for a panel, and for each of its characters
CHART = 0.03  # of the time may be spent on making a chart: those that take 2 ms come with every picture
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


@dataclass(frozen=True)
class Picture:
    """Packed panels, and in a few words what is not healthy about the training."""

    panels: Panels = field(default_factory=dict)
    alert: str = ""


@dataclass
class Kept:
    """The packed panels of one part, the seconds they cost, and when they were made."""

    panels: Panels = field(default_factory=dict)
    making: float = 0.0
    drawing: float = 0.0
    made: float = -math.inf

    def renew(self, make: Part) -> None:
        """Make the panels anew."""
        began = thread_time()  # time spent waiting for other threads is no cost
        old, self.panels = self.panels, pack(make())
        self.making = thread_time() - began
        changed = (text for name, text in self.panels.items() if old.get(name) != text)
        self.drawing = sum(DRAWN + SENT * len(text) for text in changed)
        self.made = perf_counter()

    @property
    def cost(self) -> float:
        """Seconds here and in the browser."""
        return self.making + self.drawing

    @property
    def chart(self) -> bool:
        """Whether it shows nothing but curves and bars."""
        return bool(self.panels) and all(name.split()[0] in ("lines", "bars") for name in self.panels)


class Rendering:
    """The packed picture of an experiment, with the health of its last whole step below.

    With a `share` of the time to spend, here and where it is drawn, the charts come first; each other part has as much
    of what they leave as any, and keeps its last panels until it has paid for new ones.
    """

    def __init__(self) -> None:
        self.health: Health | None = None
        self._kept: list[Kept] = []

    def __call__(self, experiment: Any, share: float | None = None) -> Picture:
        """All parts anew, or those whose turn it is."""
        parts: list[Part] = [*experiment.parts(), partial(self._health_panels, experiment)]
        if share is None:
            self._kept = [Kept() for _ in parts]
        now, each = perf_counter(), math.inf if share is None else self._allowance(share)
        for kept, make in zip(self._kept, parts, strict=True):
            wait = kept.making / CHART if kept.chart else kept.cost / each
            if now - kept.made >= min(wait, LONGEST):
                kept.renew(make)
        panels = {name: panel for kept in self._kept for name, panel in kept.panels.items()}
        return Picture(panels, self._alert())

    def _allowance(self, share: float) -> float:
        """The share of the time of each dear part, after the charts."""
        charts = [kept for kept in self._kept if kept.chart]
        spent = sum(kept.cost / max(1 / LOOKS, kept.making / CHART) for kept in charts)
        return allowance([kept.cost for kept in self._kept if not kept.chart], share - spent)

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
    share = max(share, 0.01)
    even = share / max(1, len(costs))
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
