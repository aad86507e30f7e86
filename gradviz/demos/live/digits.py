"""Handwritten digits: a linear classifier, an MLP and a CNN learn them, and show what they look at (D8, D9, D11, D16, D19)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from gradviz import data, nn
from gradviz.demos.live.base import BaseExperiment, BaseSettings, Batch, Panel, Part
from gradviz.demos.live.curve import Curve
from gradviz.demos.live.digits_panels import PARTS, VIEWS
from gradviz.demos.live.drawing import centred
from gradviz.engine.expr import ops, variable
from gradviz.engine.replay import value_and_grad
from gradviz.nn import optim
from gradviz.nn.module import FloatArray

MODELS = ("linear", "mlp", "cnn")
# The pixels of every image in one and the same random order: a vector is as good as before, a neighbourhood is gone.
ORDER = 28  # the random state of that order
SHUFFLE = np.random.default_rng(ORDER).permutation(784)
SLICE = (
    100  # test digits that go through the network together, so that what it says to them stays in the cache
)


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Which model learns, and from what: `shuffled` pixels, `augmented` by shifts of up to one pixel. `view` is what is
    shown of it, one of VIEWS."""

    learning_rate: float = 3e-3
    batch_size: int = 64
    model: str = "mlp"
    hidden: int = 100
    shuffled: bool = False
    augmented: bool = False
    view: str = VIEWS[0]


@dataclass(frozen=True)
class Answer:
    """What the network says to one image (28, 28): `probabilities` of the ten digits, and the gradient of the winning
    digit's score with respect to each pixel."""

    image: FloatArray
    probabilities: FloatArray
    gradient: FloatArray

    @property
    def winner(self) -> int:
        """The digit with the highest score."""
        return int(self.probabilities.argmax())


def make_model(kind: str, hidden: int = 100) -> nn.Sequential:
    """f(x) = Wx + b; two layers with `hidden` units between; or two convolutions with pooling, and a linear layer."""
    if kind == "linear":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    if kind == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(784, hidden), nn.ReLU(), nn.Linear(hidden, 10))
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(16 * 7 * 7, 10),
    )


class Experiment(BaseExperiment[Settings]):
    """A classifier of digits in training.

    A person chooses, by events: `chosen` a test digit, `unit` one of `unit_layer`, `cell` of the confusion matrix
    (true class, answer), and a `drawing` on the `pad`; that survives a reset.
    """

    changeable = frozenset({"learning_rate", "view"})

    def __init__(self, settings: Settings) -> None:
        self.chosen = 4
        self.unit = 0
        self.cell = (4, 9)
        self.pad = self.drawing = np.zeros((28, 28), np.float32)
        self.listed: dict[str, FloatArray] = {}  # panel -> the test digits it shows
        super().__init__(settings)

    def start(self) -> None:
        """The digits, a model, and a first look at the test digits."""
        split = data.digits()
        self.samples = len(split.x_train)
        self.test, self.truth = self._arranged(split.x_test), split.y_test
        self.model = make_model(self.settings.model, self.settings.hidden)
        self.model.init(self.rng)
        self.trainer = nn.Trainer(self.model, "cross_entropy", optim.Adam(self.settings.learning_rate))
        self._score_and_gradient = self._winning_score()
        self.accuracies = Curve()
        self.look()

    def _arranged(self, images: FloatArray) -> FloatArray:
        return images.reshape(-1, 784)[:, SHUFFLE].reshape(images.shape) if self.settings.shuffled else images

    def sample(self, picked: FloatArray) -> Batch:
        """These digits, moved by up to one pixel if augmented."""
        split = data.digits()
        x, y = split.x_train[picked], split.y_train[picked]
        if self.settings.augmented:
            x, _ = nn.augment.shifts(x, y, self.rng)
        return self._arranged(x), y

    def look(self) -> list[Panel]:
        """Show the test digits to the network, and keep its scores and the most that each unit of `unit_layer` says to
        each of them. All other parts of the picture show what came of it; this one is no panel."""
        scores, excitement = [], []
        for start in range(0, len(self.test), SLICE):
            found = self.outputs(self.test[start : start + SLICE])
            unit = found[self.unit_layer]
            scores.append(found[self.score_layer])
            excitement.append(unit if unit.ndim == 2 else unit.max(axis=(2, 3)))
        self.scores, self.excitement = np.concatenate(scores), np.concatenate(excitement)
        self.accuracies.add(self.trainer.progress.steps, float(np.mean(self.answers == self.truth)))
        return []

    def outputs(self, images: FloatArray) -> dict[str, FloatArray]:
        """What every layer puts out for these images, by layer path, as the network predicts."""
        found, x = {}, images
        for path, layer in self.model.layers:
            x = found[path] = layer(x)
        return found

    @property
    def score_layer(self) -> str:
        """The path of the last layer."""
        return self.model.layers[-1][0]

    @property
    def unit_layer(self) -> str:
        """The layer whose units can be chosen: hidden units after their ReLU, the last filters, or the scores."""
        return {"linear": "1", "mlp": "2", "cnn": "4"}[self.settings.model]

    @property
    def probabilities(self) -> FloatArray:
        """Of the ten digits for each test digit, as of the last look."""
        return softmax(self.scores)

    @property
    def answers(self) -> FloatArray:
        """The digit with the highest score for each test digit, as of the last look."""
        answers: FloatArray = self.scores.argmax(axis=1)
        return answers

    def evaluate(self) -> dict[str, float]:
        """Loss and accuracy on all 1,000 held-out digits, now."""
        return self.trainer.evaluate(self.test, self.truth)

    def confusion(self) -> FloatArray:
        """How often each true class (row) got each answer (column), (10, 10)."""
        counts = np.zeros((10, 10), np.int64)
        np.add.at(counts, (self.truth, self.answers), 1)
        return counts

    def mistakes(self, count: int = 24, cell: tuple[int, int] | None = None) -> FloatArray:
        """Test digits with a wrong answer, the most confident first; those of one cell of the confusion matrix, right
        answers included, if asked."""
        probabilities, answers = self.probabilities, self.answers
        among = answers != self.truth if cell is None else (self.truth == cell[0]) & (answers == cell[1])
        found = np.flatnonzero(among)
        order = np.argsort(-probabilities[found, answers[found]], kind="stable")
        worst: FloatArray = found[order][:count]
        return worst

    def alike(self, count: int = 18) -> FloatArray:
        """The test digits of other classes that are nearest to the chosen one, pixel by pixel."""
        difference = self.test - self.test[self.chosen]
        distance = np.einsum("nchw,nchw->n", difference, difference)
        order = np.argsort(distance, kind="stable")
        nearest: FloatArray = order[self.truth[order] != self.truth[self.chosen]][:count]
        return nearest

    def exciting(self, unit: int, count: int = 24) -> FloatArray:
        """The test digits to which a unit of `unit_layer` says most."""
        order: FloatArray = np.argsort(-self.excitement[:, unit], kind="stable")
        return order[:count]

    def templates(self) -> FloatArray:
        """The first layer's weights as images: a row of W each, (n, 28, 28), or a filter each, (8, 3, 3)."""
        weight = next(iter(self.model.parameters().values()))
        return weight[:, 0] if weight.ndim == 4 else weight.reshape(-1, 28, 28)

    def classify(self, image: FloatArray) -> Answer:
        """The answer to one image (28, 28) and the pixels it depends on."""
        x = self._arranged(np.asarray(image, np.float32)[None, None])
        scores = self.trainer.predict(x)
        winner = np.eye(10, dtype=np.float32)[scores.argmax(axis=1)]
        _, gradients = self._score_and_gradient(x=x, winner=winner, **self.model.parameters())
        return Answer(x[0, 0], softmax(scores)[0], gradients["x"][0, 0])

    def _winning_score(self) -> Any:
        """A function of x, the winner as a unit vector, and the parameters: the winner's score and its gradient."""
        scores = self.model(variable("x", shape=(1, 1, 28, 28)))
        return value_and_grad(ops.sum(scores * variable("winner", shape=(1, 10))), wrt=("x",))

    def handle(self, event: Mapping[str, Any]) -> None:
        """What a person picked or drew in the view."""
        kind, panel = event["kind"], event.get("panel")
        if kind == "cell":
            self.cell = (event["row"], event["column"])
        elif kind == "drawing":
            self.pad, self.drawing = event["pixels"], centred(event["pixels"])
        elif kind == "pick" and panel == "units":
            self.unit = event["index"]
        elif kind == "pick" and panel in self.listed:
            self.chosen = int(self.listed[panel][event["index"]])

    def parts(self) -> list[Part]:
        """The view that the settings name."""
        return [self.look, *(partial(make, self) for make in PARTS[self.settings.view])]


def softmax(scores: FloatArray) -> FloatArray:
    """Scores of each row as probabilities."""
    powers: FloatArray = np.exp(scores - scores.max(axis=1, keepdims=True))
    powers /= powers.sum(axis=1, keepdims=True)
    return powers
