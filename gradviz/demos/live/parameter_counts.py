"""Why not fully connected: what a convolution costs beside the dense layer that computes as many numbers (D16, D17)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from gradviz import data, nn
from gradviz.demos.live.base import Panel
from gradviz.nn.module import FloatArray


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
def dense_and_filter() -> tuple[FloatArray, FloatArray]:
    """Scores of test digits, (100, 10) each: by a random linear classifier, and by a convolution whose ten filters are
    as large as the image and have the same weights. They are the same up to rounding, since it is the same thing."""
    linear, convolution = nn.Linear(784, 10), nn.Conv2d(1, 10, 28)
    linear.init(np.random.default_rng(0))
    convolution.init(np.random.default_rng(0))
    state = linear.state_dict()
    convolution.load_state_dict({**state, "weight": state["weight"].reshape(10, 1, 28, 28)})
    digits = data.digits()
    return linear(digits.flat.x_test[:100]), convolution(digits.x_test[:100])[:, :, 0, 0]


def counts_panels() -> list[Panel]:
    """Parameters and multiply-adds side by side, as bars and as numbers; and the filter that is a dense layer."""
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
            "texts": [f"{count.parameters:,} · {count.multiply_adds:,}" for count in found],
            "log": True,
        },
        _special_case_panel(),
        {
            "kind": "table",
            "id": "table",
            "title": "In numbers",
            "width": 12,
            "rows": 5,
            "columns": ["layer or model", "parameters", "multiply-adds"],
            "cells": [[count.name, f"{count.parameters:,}", f"{count.multiply_adds:,}"] for count in found],
        },
    ]


def _special_case_panel() -> Panel:
    dense, filters = dense_and_filter()
    digit = 4
    return {
        "kind": "matrix",
        "id": "special",
        "title": "A dense layer is a convolution whose filters are as large as the image",
        "note": "the ten scores of one digit, same weights; 28 × 28 filters have one place to go; largest difference over "
        f"100 digits: {np.abs(dense - filters).max():.0e}",
        "width": 12,
        "rows": 3,
        "values": np.stack([dense[digit], filters[digit]]),
        "digits": 5,
        "palette": "signed",
        "row_labels": ["dense 784 → 10", "10 filters of 28×28"],
        "column_labels": list(map(str, range(10))),
    }
