"""Inpainting digits with a network of two matrices: the four stages of the training loop, at human speed (D7, D13)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradviz import data, nn
from gradviz.demos.live.base import BaseExperiment, BaseSettings, Batch, Part, Stop
from gradviz.demos.live.curve import Curve
from gradviz.demos.live.holes import HOLES, holes, masked
from gradviz.demos.live.inpainting_panels import PARTS, VIEWS
from gradviz.demos.live.update import Update, moments
from gradviz.engine.expr import Expr, ops, variable
from gradviz.engine.replay import value_and_grad
from gradviz.nn import optim
from gradviz.nn.module import FloatArray
from gradviz.nn.program import LIMITS
from gradviz.nn.trainer import Phase

OPTIMIZERS = {"adam": optim.Adam, "sgd": optim.SGD}


def whole_squared_error(prediction: Expr, target: Expr) -> Expr:
    """‖y − ŷ‖² of each sample, averaged over the batch: without the ½, as on the lecture's training slide."""
    return ops.mean(ops.sum(ops.square(prediction - target), axis=1))


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """`hole` is one of HOLES, `side` that of the square one; `loss` is one of LOSSES, `optimizer` one of
    OPTIMIZERS; `view`, one of VIEWS, says which digits are shown."""

    learning_rate: float = 0.001
    batch_size: int = 64
    hidden: int = 512
    hole: str = HOLES[0]
    side: int = 8
    loss: str = "half"
    optimizer: str = "adam"
    view: str = VIEWS[0]


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
        self.errors = Curve()

    def sample(self, picked: FloatArray) -> Batch:
        """These digits, each with a hole of its own, and the whole digits."""
        whole = data.digits().flat.x_train[picked]
        missing = holes(self.settings.hole, len(whole), self.settings.side, self.rng).reshape(whole.shape)
        return masked(whole, missing), whole

    def phases(self, stop: Stop | None = None) -> Iterator[Phase]:
        """The four stages; the chosen weight is read before and after the last."""
        (row, column), before, gradient = self.entry, 0.0, 0.0
        first, second = self.weights
        for stage in super().phases(stop):
            if stage == "backward":
                before = float(second[row, column])
                gradient = float(self.trainer.gradients["2.weight"][row, column])
            if stage == "update":
                optimizer, after = self.trainer.optimizer, float(second[row, column])
                seen = moments(optimizer, first.size + row * second.shape[1] + column)
                self.update = Update(before, optimizer.lr, gradient, after, seen)
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
        self.update = None  # that was another weight's

    def parts(self) -> list[Part]:
        """The loop, held-out digits or the batch, the chosen weight, and the two losses."""
        return [partial(make, self) for make in PARTS]


def make_model(hidden: int) -> nn.Sequential:
    """ŷ = W2·max(0, W1·x)."""
    return nn.Sequential(nn.Linear(784, hidden, bias=False), nn.ReLU(), nn.Linear(hidden, 784, bias=False))
