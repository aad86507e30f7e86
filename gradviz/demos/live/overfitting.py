"""Too many neurons for few noisy points: the training loss falls, the test loss rises (D12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gradviz.demos.live.base import Panel
from gradviz.demos.live.decision_regions import PRESETS, Experiment


@dataclass(frozen=True)
class Fit:
    """One finished training of the study of widths: how many are done of how many, and what came out."""

    done: int
    total: int
    width: int
    random_state: int
    train: dict[str, float]
    test: dict[str, float]


def overfitting(
    widths: tuple[int, ...] = (2, 8, 32, 128),
    random_states: tuple[int, ...] = (0, 1, 2, 3, 4),
    steps: int = 600,
) -> Iterator[Fit]:
    """Train with more and more neurons on few noisy points, from several random states each: the training loss
    falls, the test loss rises. One result after the other, so it can be shown and left at any time."""
    base = replace(PRESETS["too_many"].settings, layers=2, learning_rate=0.02)
    pairs = [(width, state) for width in widths for state in random_states]
    for done, (width, state) in enumerate(pairs, 1):
        experiment = Experiment(replace(base, width=width, random_state=state))
        for _ in range(steps):
            experiment.advance()
        found = experiment.evaluate()
        yield Fit(done, len(pairs), width, state, found["train"], found["test"])


def study_panel(fits: list[Fit]) -> Panel:
    """The medians so far, against the number of neurons."""
    rows = medians(fits)
    doublings = [float(np.log2(row["width"])) for row in rows]
    series = [
        {
            "label": part,
            "x": doublings,
            "y": [row[f"{part}_loss"] for row in rows],
            "style": style,
            "marker": True,
        }
        for part, style in (("train", "solid"), ("test", "dashed"))
    ]
    return {
        "kind": "lines",
        "id": "overfitting",
        "title": "More neurons: the training loss falls, the test loss rises",
        "note": f"medians over {len({fit.random_state for fit in fits})} random states",
        "width": 12,
        "rows": 5,
        "x_label": "hidden neurons",
        "x_ticks": [{"x": x, "label": str(row["width"])} for x, row in zip(doublings, rows, strict=True)],
        "y_label": "loss",
        "series": series,
    }


def medians(fits: list[Fit]) -> list[dict[str, Any]]:
    """Per width: medians of train and test loss and accuracy over the random states."""
    return [
        {"width": width}
        | {
            f"{part}_{name}": float(
                np.median([getattr(fit, part)[name] for fit in fits if fit.width == width])
            )
            for part in ("train", "test")
            for name in ("loss", "accuracy")
        }
        for width in dict.fromkeys(fit.width for fit in fits)
    ]
