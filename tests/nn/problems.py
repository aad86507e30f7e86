"""Small training problems that several tests use."""

from __future__ import annotations

from typing import Any

import numpy as np

from gradviz import nn, optim


def two_classes(n: int = 96) -> tuple[Any, Any]:
    """Points on either side of a circle: (n, 2) float32 and class numbers."""
    x = np.random.default_rng(7).uniform(-1, 1, (n, 2)).astype(np.float32)
    return x, (np.sum(x**2, axis=1) > 0.5).astype(np.int64)


def stripes(n: int = 40) -> tuple[Any, Any]:
    """8 × 8 images of horizontal or vertical stripes in noise: (n, 1, 8, 8) float32 and class numbers."""
    rng = np.random.default_rng(8)
    y = rng.integers(0, 2, n)
    x = rng.normal(0, 0.3, (n, 1, 8, 8)).astype(np.float32)
    x[y == 0, :, ::2] += 1
    x[y == 1, :, :, ::2] += 1
    return x, y


def point_net() -> nn.Module:
    return nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 2)).init(np.random.default_rng(0))


def image_net() -> nn.Module:
    """Batch norm and dropout included, so that running statistics and masks are part of what must agree."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(64, 2),
    ).init(np.random.default_rng(0))


def image_trainer(**options: Any) -> nn.Trainer:
    return nn.Trainer(
        image_net(),
        "cross_entropy",
        optim.Adam(0.01),
        schedule=optim.StepLR(2, 0.5),
        augment=nn.augment.shifts,
        **options,
    )
