"""One fixed permutation of the pixels: an MLP learns as well as before, a CNN loses the neighbourhoods it lives on (D16)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradviz.demos.live.base import Panel, Stop
from gradviz.demos.live.digits import Experiment, Settings


@dataclass(frozen=True)
class Trained:
    """A model after an epoch: `done` of `total` epochs of the whole study; `last` for the model's last epoch."""

    done: int
    total: int
    last: bool
    model: str
    shuffled: bool
    random_state: int
    accuracy: float


def study(
    random_states: tuple[int, ...] = (0,), epochs: int = 4, stop: Stop | None = None
) -> Iterator[Trained]:
    """Train an MLP and a CNN on digits as they are and on shuffled ones; a result after every epoch, so it can be shown
    and left at any time; raises Stopped when `stop` says so."""
    cases = [(m, s, r) for r in random_states for m in ("mlp", "cnn") for s in (False, True)]
    for number, (model, shuffled, state) in enumerate(cases):
        experiment = Experiment(Settings(model=model, shuffled=shuffled, random_state=state))
        for epoch in range(1, epochs + 1):
            while experiment.epoch < epoch:
                experiment.advance(stop)
            done, accuracy = number * epochs + epoch, experiment.evaluate()["accuracy"]
            yield Trained(done, len(cases) * epochs, epoch == epochs, model, shuffled, state, accuracy)


def study_panel(results: list[Trained]) -> Panel:
    """Held-out accuracy of each model so far, the plain digits beside the shuffled ones (medians over random states)."""
    found: dict[tuple[str, bool], dict[int, float]] = {}
    for result in results:
        found.setdefault((result.model, result.shuffled), {})[result.random_state] = result.accuracy
    medians = {case: float(np.median(list(by_state.values()))) for case, by_state in found.items()}
    models = list(dict.fromkeys(model for model, _ in medians))
    return {
        "kind": "bars",
        "id": "permutation",
        "title": "Held-out digits that are right, as they are and with shuffled pixels",
        "note": "the MLP does not care in which order the pixels come, the CNN does; most of the writers also wrote training digits",
        "width": 12,
        "rows": 4,
        "labels": [model.upper() for model in models],
        "values": [medians.get((model, False), 0.0) for model in models],
        "second": [medians.get((model, True), 0.0) for model in models],
        "names": ("as they are", "shuffled"),
        "range": (0, 1),
        "percent": True,
    }
