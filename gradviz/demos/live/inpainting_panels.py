"""What the inpainting experiment shows, as panels of plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradviz.demos.live.base import Panel, loss_panel
from gradviz.demos.live.holes import MISSING
from gradviz.demos.live.update import RULES
from gradviz.nn.module import FloatArray

if TYPE_CHECKING:
    from gradviz.demos.live.inpainting import Experiment

VIEWS = ("held-out digits", "this batch")
LOSSES = {"half": "½‖y − ŷ‖²", "whole": "‖y − ŷ‖²"}
SHOWN = 8  # digits in the picture
UNITS = 36  # hidden units in the picture


def _loop(e: Experiment) -> list[Panel]:
    rule, rate = RULES[e.settings.optimizer], e.trainer.optimizer.lr
    texts = {
        "sample": f"{len(e.batch()[0])} digits with holes",
        "forward": _loss_text(e),
        "backward": "∂L/∂W₁, ∂L/∂W₂",
        "update": rule.replace("α", f"{rate:g}"),
    }
    return [
        {
            "kind": "loop",
            "id": "loop",
            "title": "Training loop",
            "width": 12,
            "rows": 2,
            "stage": e.stage,
            "texts": texts,
        }
    ]


def _loss_text(e: Experiment) -> str:
    """The loss of the last forward pass."""
    graph = e.trainer.program.graph
    found = e.trainer.activations.get(graph.nodes[graph.output].id)
    return "loss" if found is None else f"loss {float(found):.2f}"


def _shown(e: Experiment) -> tuple[FloatArray, FloatArray]:
    """The digits with a hole and the whole ones of the view that the settings name."""
    x, y = e.batch() if e.settings.view == VIEWS[1] else (e.test, e.truth)
    return x[:SHOWN], y[:SHOWN]


def _masked(e: Experiment) -> list[Panel]:
    return [_digits("masked", "With a hole", _shown(e)[0], (MISSING, 1.0))]


def _loss(e: Experiment) -> list[Panel]:
    return [loss_panel(e.losses, width=4, rows=2)]


def _predicted(e: Experiment) -> list[Panel]:
    found = e.trainer.predict(_shown(e)[0])
    return [_digits("predicted", "The network's completion", found, (0.0, 1.0))]


def _error(e: Experiment) -> list[Panel]:
    """Beside what anybody gets who knows no more than the mean digit."""
    found = e.evaluate()
    mean_digit = found["mean digit"]
    e.errors.add(e.trainer.progress.steps, found["network"])
    errors = e.errors.series()
    less = 1 - found["network"] / mean_digit
    return [
        {
            "kind": "lines",
            "id": "error",
            "title": f"In the hole: error {abs(less):.0%} {'below' if less >= 0 else 'above'} mean digit",
            "width": 4,
            "rows": 2,
            "y_range": (0, None),
            "series": [
                {"label": "network", "marker": True, **errors},
                {
                    "label": "mean digit",
                    "x": errors["x"][[0, -1]],
                    "y": [mean_digit, mean_digit],
                    "style": "dashed",
                    "marker": len(errors["x"]) == 1,  # a line of one point is none
                },
            ],
        }
    ]


def _truth(e: Experiment) -> list[Panel]:
    return [_digits("truth", "The whole digits", _shown(e)[1], (0.0, 1.0))]


def _update(e: Experiment) -> list[Panel]:
    row, column = e.pixel
    return [
        {
            "kind": "text",
            "id": "update",
            "title": f"One weight: unit {e.unit} to pixel ({row}, {column})",
            "width": 4,
            "rows": 2,
            "mono": True,
            "lines": e.update.lines if e.update and e.stage != "backward" else _pending(e),
        }
    ]


def _pending(e: Experiment) -> list[str]:
    """The chosen weight and its gradient, before an update that can be told in numbers."""
    gradient = e.trainer.gradients.get("2.weight")
    slope = "not computed yet" if gradient is None else f"{gradient[e.entry]:+.6f}"
    lines = [
        f"W          {e.weights[1][e.entry]:+.6f}",
        f"∂L/∂W      {slope}",
        "in numbers after the next update",
    ]
    return [line.replace("-", "−") for line in lines]


def _units(e: Experiment) -> list[Panel]:
    units = e.weights[1].T[:UNITS].reshape(-1, 28, 28)
    return [
        {
            "kind": "images",
            "id": "units",
            "title": "What hidden units add to the image",
            "note": "columns of W₂; click a unit",
            "width": 4,
            "rows": 5,
            "images": units,
            "palette": "signed",
            "pick": True,
            "marks": ["chosen" if i == e.unit else "" for i in range(len(units))],
        }
    ]


def _weights(e: Experiment) -> list[Panel]:
    column = e.weights[1][:, e.unit].reshape(28, 28)
    gradient = e.trainer.gradients.get("2.weight")
    slope = np.zeros((28, 28)) if gradient is None else gradient[:, e.unit].reshape(28, 28)
    shown: Panel = {
        "kind": "matrix",
        "width": 4,
        "rows": 5,
        "palette": "signed",
        "selected": e.pixel,
        "numbers": False,
        "pick": True,
    }
    title, note = f"The weights of unit {e.unit}", "click a weight"
    return [
        {"id": "column", "title": title, "note": note, "values": column, **shown},
        {"id": "gradient", "title": "∂L/∂W of these weights, last batch", "values": slope, **shown},
    ]


def _losses(e: Experiment) -> list[Panel]:
    found = e.two_losses()
    first, second = (float(g["2.weight"][e.entry]) for g in (found.half_gradients, found.whole_gradients))
    return [
        {
            "kind": "table",
            "id": "losses",
            "title": "With and without ½: every gradient twice as large",
            "note": "16 samples of this batch and the present weights under both losses",
            "width": 12,
            "rows": 3,
            "columns": ["loss", "value", "∂L/∂W of the chosen weight"],
            "cells": [
                [LOSSES["half"], found.half, first],
                [LOSSES["whole"], found.whole, second],
                ["without ½ / with ½", found.whole / found.half, second / first if first else "both are 0"],
            ],
        }
    ]


def _digits(id: str, title: str, images: FloatArray, shades: tuple[float, float]) -> Panel:
    return {
        "kind": "images",
        "id": id,
        "title": title,
        "width": 8,
        "rows": 2,
        "images": images.reshape(-1, 28, 28),
        "range": shades,
        "columns": SHOWN,
    }


PARTS = (_loop, _masked, _loss, _predicted, _error, _truth, _update, _units, _weights, _losses)
