"""Why not fully connected: what a convolution costs beside the dense layer that computes as many numbers (D16, D17)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from gradviz import data, nn
from gradviz.demos.live.base import Panel


@dataclass(frozen=True)
class Count:
    """A layer or a model on one digit, and what it takes."""

    name: str
    parameters: int
    multiply_adds: int


@cache
def counts() -> tuple[Count, ...]:
    """The two convolutions of the CNN, each after a dense layer with as many outputs, then the three whole models."""
    from gradviz.demos.live.digits import make_model

    compared: dict[str, tuple[nn.Module, tuple[int, ...]]] = {
        "dense, 784 → 8·784": (nn.Linear(784, 8 * 784), (784,)),
        "8 filters of 3×3": (nn.Conv2d(1, 8, 3, padding=1), (1, 28, 28)),
        "dense, 8·196 → 16·196": (nn.Linear(8 * 196, 16 * 196), (8 * 196,)),
        "16 filters of 8×3×3": (nn.Conv2d(8, 16, 3, padding=1), (8, 14, 14)),
        "linear classifier": (make_model("linear"), (1, 28, 28)),
        "MLP, 100 hidden": (make_model("mlp"), (1, 28, 28)),
        "CNN": (make_model("cnn"), (1, 28, 28)),
    }
    summaries = {name: nn.summary(model, shape) for name, (model, shape) in compared.items()}
    return tuple(Count(name, found.parameters, found.multiply_adds) for name, found in summaries.items())


@cache
def largest_filter() -> float:
    """The largest difference between the scores of a random linear classifier and those of a convolution whose ten
    filters are as large as the image and have the same weights: rounding, since they are the same thing."""
    linear, convolution = nn.Linear(784, 10), nn.Conv2d(1, 10, 28)
    linear.init(np.random.default_rng(0))
    convolution.init(np.random.default_rng(0))
    state = linear.state_dict()
    convolution.load_state_dict({**state, "weight": state["weight"].reshape(10, 1, 28, 28)})
    digits = data.digits()
    dense, slid = linear(digits.flat.x_test[:100]), convolution(digits.x_test[:100])
    return float(np.abs(dense - slid[:, :, 0, 0]).max())


def counts_panels() -> list[Panel]:
    """Parameters and multiply-adds side by side, as bars and as numbers."""
    found = counts()
    return [
        {
            "kind": "bars",
            "id": "counts",
            "title": "As many outputs, far fewer parameters",
            "note": "logarithmic: each step to the right is ten times as many",
            "width": 12,
            "rows": 5,
            "labels": [count.name for count in found],
            "values": [count.parameters for count in found],
            "second": [count.multiply_adds for count in found],
            "names": ("parameters", "multiply-adds for one digit"),
            "texts": [f"{count.parameters:,}" for count in found],
            "log": True,
        },
        {
            "kind": "table",
            "id": "table",
            "title": "In numbers",
            "width": 8,
            "rows": 5,
            "columns": ["layer or model", "parameters", "multiply-adds"],
            "cells": [[count.name, f"{count.parameters:,}", f"{count.multiply_adds:,}"] for count in found],
        },
        {
            "kind": "text",
            "id": "special",
            "title": "A dense layer is a convolution whose filter is as large as the image",
            "width": 4,
            "rows": 5,
            "lines": [
                "Ten filters of 28 × 28 have one place to go: the linear classifier.",
                f"Largest difference of the scores: {largest_filter():.0e}",
            ],
        },
    ]
