"""Inpainting digits with a network of two matrices: the four stages of the training loop, at human speed (D7, D13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from gradviz import data, nn
from gradviz.demos.live.base import BaseExperiment, BaseSettings, Batch, Panel, Stop, loss_panel
from gradviz.engine.expr import Expr, ops, variable
from gradviz.engine.replay import value_and_grad
from gradviz.nn import optim
from gradviz.nn.module import FloatArray
from gradviz.nn.program import LIMITS
from gradviz.nn.trainer import Phase

SHOWN = 8  # digits in the picture
VIEWS = ("held-out digits", "this batch")
MISSING = -0.5  # darker than black, so that the network can see where something is missing
HOLES = ("random square", "left half", "right half", "upper half", "lower half", "every other row")
OPTIMIZERS = {"sgd": optim.SGD, "adam": optim.Adam}
LOSSES = {"half": "½‖y − ŷ‖²", "whole": "‖y − ŷ‖²"}


def whole_squared_error(prediction: Expr, target: Expr) -> Expr:
    """‖y − ŷ‖² of each sample, averaged over the batch: without the ½, as on the lecture's training slide."""
    return ops.mean(ops.sum(ops.square(prediction - target), axis=1))


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """`hole` is one of HOLES, `side` that of the square one; `loss` is one of LOSSES, `optimizer` one of
    OPTIMIZERS; `view`, one of VIEWS, says which digits are shown."""

    learning_rate: float = 0.01
    batch_size: int = 64
    hidden: int = 256
    hole: str = HOLES[0]
    side: int = 8
    loss: str = "half"
    optimizer: str = "sgd"
    view: str = VIEWS[0]


@dataclass(frozen=True)
class Update:
    """The last update of one weight: W ← W − α·∂L/∂W in numbers; Adam takes a step of its own from the gradient."""

    before: float
    rate: float
    gradient: float
    after: float
    optimizer: str = "sgd"

    @property
    def lines(self) -> list[str]:
        """One number a line."""
        if self.optimizer == "sgd":
            step = f"−α·∂L/∂W   {-self.rate * self.gradient:+.6f}  α = {self.rate:g}"
        else:
            step = f"its step   {self.after - self.before:+.6f}  by {self.optimizer.capitalize()}"
        lines = [
            f"W          {self.before:+.6f}",
            f"∂L/∂W      {self.gradient:+.6f}",
            step,
            f"W, updated {self.after:+.6f}",
        ]
        return [line.replace("-", "−") for line in lines]


@dataclass(frozen=True)
class TwoLosses:
    """The same batch and weights under both losses: the losses, and the gradients of all weights by name."""

    half: float
    whole: float
    half_gradients: Mapping[str, FloatArray]
    whole_gradients: Mapping[str, FloatArray]

    @property
    def ratios(self) -> FloatArray:
        """Gradient without ½ over gradient with ½, for every weight that has one: 2, exactly."""
        pairs = [(self.whole_gradients[name], half) for name, half in self.half_gradients.items()]
        return np.concatenate([whole[half != 0] / half[half != 0] for whole, half in pairs])


def holes(kind: str, count: int, side: int, rng: np.random.Generator) -> FloatArray:
    """Where pixels are missing, (count, 28, 28) bool; only the random square needs `rng`."""
    missing = np.zeros((count, 28, 28), bool)
    if kind == "random square":
        corners = rng.integers(0, 28 - side + 1, (count, 2))
        rows, columns = (
            np.abs(np.arange(28) - corner[:, None] - (side - 1) / 2) < side / 2 for corner in corners.T
        )
        missing |= rows[:, :, None] & columns[:, None, :]
        return missing
    part = {
        "left half": (slice(None), slice(0, 14)),
        "right half": (slice(None), slice(14, 28)),
        "upper half": (slice(0, 14), slice(None)),
        "lower half": (slice(14, 28), slice(None)),
        "every other row": (slice(1, 28, 2), slice(None)),
    }[kind]
    missing[:, *part] = True
    return missing


class Experiment(BaseExperiment[Settings]):
    """ŷ = W2·max(0, W1·x) learns whole digits from digits with a hole.

    `unit` and `pixel` (row, column) choose the weight whose update is shown: what hidden unit `unit` adds to that
    pixel, an entry of W2.
    """

    changeable = frozenset({"learning_rate", "view"})

    def __init__(self, settings: Settings) -> None:
        self.unit = 0
        self.pixel = (14, 14)
        super().__init__(settings)

    def start(self) -> None:
        """Digits with holes, and a network of two matrices, as on the slide without biases."""
        chosen, split = self.settings, data.digits().flat
        self.samples = len(split.x_train)
        self.truth = split.x_test
        holes_rng = np.random.default_rng([chosen.random_state, 1])
        self.holes = holes(chosen.hole, len(self.truth), chosen.side, holes_rng).reshape(self.truth.shape)
        self.test = masked(self.truth, self.holes)
        self.mean_digit = split.x_train.mean(axis=0)
        self.model = make_model(chosen.hidden)
        self.model.init(self.rng, weights=nn.init.glorot_uniform)
        loss = "half_squared_error" if chosen.loss == "half" else whole_squared_error
        self.trainer = nn.Trainer(self.model, loss, OPTIMIZERS[chosen.optimizer](chosen.learning_rate))
        self._functions = [self._function(loss) for loss in (ops.half_squared_error, whole_squared_error)]
        self.update: Update | None = None
        self.errors: list[tuple[int, float]] = []

    def sample(self, picked: FloatArray) -> Batch:
        """These digits, each with a hole of its own, and the whole digits."""
        whole = data.digits().flat.x_train[picked]
        missing = holes(self.settings.hole, len(whole), self.settings.side, self.rng).reshape(whole.shape)
        return masked(whole, missing), whole

    def phases(self, stop: Stop | None = None) -> Iterator[Phase]:
        """The four stages; the chosen weight is read before and after the last."""
        entry, before, gradient = self.entry, 0.0, 0.0
        for stage in super().phases(stop):
            if stage == "backward":
                before = float(self.weights[1][entry])
                gradient = float(self.trainer.gradients["2.weight"][entry])
            if stage == "update":
                after, rate = float(self.weights[1][entry]), self.trainer.optimizer.lr
                self.update = Update(before, rate, gradient, after, self.settings.optimizer)
            yield stage

    @property
    def entry(self) -> tuple[int, int]:
        """The chosen weight's row and column in W2."""
        return self.pixel[0] * 28 + self.pixel[1], self.unit

    @property
    def weights(self) -> tuple[FloatArray, FloatArray]:
        """W1 (hidden, 784) and W2 (784, hidden)."""
        parameters = self.model.parameters()
        return parameters["0.weight"], parameters["2.weight"]

    def evaluate(self, count: int = 1000) -> dict[str, float]:
        """Mean squared error inside the holes of held-out digits: the network's, and the mean training digit's."""
        truth, inside = self.truth[:count], self.holes[:count]
        predicted = self.trainer.predict(self.test[:count])
        return {
            "network": float(np.mean((predicted - truth)[inside] ** 2)),
            "mean digit": float(np.mean((self.mean_digit - truth)[inside] ** 2)),
        }

    def two_losses(self, count: int = 16) -> TwoLosses:
        """The lecture's two losses on the first samples of the current batch, with the gradients of both matrices."""
        x, y = (array[:count] for array in self.batch())
        (half, first), (whole, second) = (f(x=x, y=y, **self.model.parameters()) for f in self._functions)
        return TwoLosses(float(half), float(whole), first, second)

    def _function(self, loss: Callable[[Expr, Expr], Expr]) -> Any:
        """A function of x, y and both matrices: the loss, and the gradients of the matrices."""
        out = loss(self.model(variable("x")), variable("y"))
        return value_and_grad(out, wrt=("0.weight", "2.weight"), limits=LIMITS)

    def handle(self, event: Mapping[str, Any]) -> None:
        """Choose a weight: a hidden unit, and a pixel."""
        if event["kind"] == "pick":
            self.unit = event["index"]
        elif event["kind"] == "cell":
            self.pixel = (event["row"], event["column"])

    def picture(self) -> dict[str, list[Panel]]:
        """The loop, held-out digits, the chosen weight, and the two losses."""
        found, step = self.evaluate(200), self.trainer.progress.steps
        if not self.errors or self.errors[-1][0] != step:
            self.errors.append((step, found["network"]))
        x, y = self.batch() if self.settings.view == VIEWS[1] else (self.test, self.truth)
        return {
            "panels": [
                self._loop_panel(),
                _digits("masked", "With a hole", x[:SHOWN], (MISSING, 1.0)),
                loss_panel(self.trainer.history["loss"], width=4, rows=2),
                _digits("predicted", "The network's completion", self.trainer.predict(x[:SHOWN]), (0.0, 1.0)),
                self._error_panel(found["mean digit"]),
                _digits("truth", "The whole digits", y[:SHOWN], (0.0, 1.0)),
                self._update_panel(),
                *self._weight_panels(),
                self._losses_panel(),
            ]
        }

    def _loop_panel(self) -> Panel:
        texts = {
            "sample": f"{len(self.batch()[0])} digits with holes",
            "forward": "loss" if self.loss is None else f"loss {self.trainer.history['loss'][-1]:.2f}",
            "backward": "∂L/∂W₁, ∂L/∂W₂",
            "update": f"W ← W − {self.trainer.optimizer.lr:g} · ∂L/∂W",
        }
        stage = self.stage if self.trainer.progress.steps or self.stage != "sample" else None
        return {
            "kind": "loop",
            "id": "loop",
            "title": "Training loop",
            "width": 12,
            "rows": 2,
            "stage": stage,
            "texts": texts,
        }

    def _error_panel(self, mean_digit: float) -> Panel:
        steps, errors = np.array(self.errors).T
        return {
            "kind": "lines",
            "id": "error",
            "title": "Error inside the hole",
            "width": 4,
            "rows": 2,
            "y_range": (0, None),
            "series": [
                {"label": "network", "x": steps, "y": errors},
                {
                    "label": "mean digit",
                    "x": steps[[0, -1]],
                    "y": [mean_digit, mean_digit],
                    "style": "dashed",
                },
            ],
        }

    def _update_panel(self) -> Panel:
        row, column = self.pixel
        return {
            "kind": "text",
            "id": "update",
            "title": f"One weight: unit {self.unit} to pixel ({row}, {column})",
            "width": 4,
            "rows": 2,
            "mono": True,
            "lines": self.update.lines if self.update else ["no update yet"],
        }

    def _weight_panels(self) -> list[Panel]:
        column = self.weights[1][:, self.unit].reshape(28, 28)
        gradient = self.trainer.gradients.get("2.weight")
        slope = np.zeros((28, 28)) if gradient is None else gradient[:, self.unit].reshape(28, 28)
        shown: Panel = {
            "width": 4,
            "rows": 5,
            "palette": "signed",
            "selected": self.pixel,
            "numbers": False,
            "pick": True,
        }
        return [
            {
                "kind": "images",
                "id": "units",
                "title": "What hidden units add to the image",
                "note": "columns of W₂; click a unit",
                "width": 4,
                "rows": 5,
                "images": self.weights[1].T[:36].reshape(-1, 28, 28),
                "palette": "signed",
                "pick": True,
                "marks": ["chosen" if i == self.unit else "" for i in range(min(36, self.settings.hidden))],
            },
            {
                "kind": "matrix",
                "id": "column",
                "title": f"The weights of unit {self.unit}",
                "note": "click a weight",
                "values": column,
                **shown,
            },
            {
                "kind": "matrix",
                "id": "gradient",
                "title": "∂L/∂W of these weights, last batch",
                "values": slope,
                **shown,
            },
        ]

    def _losses_panel(self) -> Panel:
        found = self.two_losses()
        first, second = (
            float(g["2.weight"][self.entry]) for g in (found.half_gradients, found.whole_gradients)
        )
        return {
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


def make_model(hidden: int) -> nn.Sequential:
    """ŷ = W2·max(0, W1·x)."""
    return nn.Sequential(nn.Linear(784, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, 784, bias=False))


def masked(images: FloatArray, missing: FloatArray) -> FloatArray:
    """The images with MISSING in their holes."""
    return np.where(missing, np.float32(MISSING), images)


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
