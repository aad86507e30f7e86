"""The networks that are trained for `python -m benchmarks train`, each on one batch again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz import nn
from gradviz.nn.architectures.dncnn import DnCNN
from gradviz.nn.architectures.inpainter import inpainter
from gradviz.nn.architectures.mlp import mlp
from gradviz.nn.architectures.small_cnn import small_cnn
from gradviz.nn.architectures.unet import unet

FloatArray = npt.NDArray[np.float32]
LEARNING_RATE = 1e-3
CLASSES = 10


@dataclass(frozen=True)
class Network:
    """A model, the shape of its batch, and its loss."""

    title: str
    build: Callable[[], nn.Module]
    batch: tuple[int, ...]
    loss: str = "mse"

    def model(self) -> nn.Module:
        """The model with its first weights, the same every time."""
        return self.build().init(np.random.default_rng(0))

    def data(self) -> tuple[FloatArray, npt.NDArray[Any]]:
        """A batch: noise, and as target more noise or class numbers."""
        rng = np.random.default_rng(1)
        x = rng.standard_normal(self.batch, np.float32)
        if self.loss == "cross_entropy":
            return x, rng.integers(0, CLASSES, len(x))
        return x, rng.standard_normal(self.batch, np.float32)

    def operations(self) -> float:
        """Floating-point operations of one training step: forward, and twice that backward but for the gradient
        of the first layer's input."""
        rows = [
            row.multiply_adds for row in nn.summary(self.model(), self.batch[1:]).rows if row.multiply_adds
        ]
        return 2.0 * self.batch[0] * (3 * sum(rows) - rows[0])


NETWORKS: Mapping[str, Network] = {
    "mlp": Network("MLP 784-100-10, batch 64", mlp, (64, 784), "cross_entropy"),
    "mlp-256": Network("MLP 784-100-10, batch 256", mlp, (256, 784), "cross_entropy"),
    "cnn": Network(
        "CNN conv8-pool-conv16-pool-fc on 28², batch 64", small_cnn, (64, 1, 28, 28), "cross_entropy"
    ),
    "inpainter": Network("inpainting MLP 784-256-784, batch 64", inpainter, (64, 784)),
    "dncnn": Network("DnCNN 5 layers × 16 channels, 16 patches of 40²", DnCNN, (16, 1, 40, 40)),
    "unet": Network("U-Net, 8 base channels, 3 scales, 8 images of 64²", unet, (8, 1, 64, 64)),
}
