"""Points in the plane and a small network: the regions it tells apart, and what each of its neurons sees (D9-D12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradviz import data, nn
from gradviz.demos.live.base import BaseExperiment, BaseSettings, Batch, Part
from gradviz.demos.live.curve import Curve
from gradviz.demos.live.decision_regions_panels import CELLS, MAP_CELLS, PARTS
from gradviz.demos.live.linear import best_line
from gradviz.nn import optim
from gradviz.nn.module import FloatArray

POINTS = {
    "moons": data.moons,
    "circles": data.circles,
    "spirals": data.spirals,
    "blobs": data.blobs,
    "xor": data.xor,
}
OWN = "own points"
ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "leaky_relu": nn.LeakyReLU,
    "none": nn.Identity,
}
TEST_POINTS, TEST_SHOWN = 300, 100

Point = tuple[float, float, int]  # x₁, x₂, class


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Data and network. `noise` None is the data's own; `points` are added to the training points; `layers` counts
    layers of weights, so that 1 is the linear classifier; `regularisation` is the weight decay."""

    learning_rate: float = 0.02
    data: str = "moons"
    count: int = 200
    noise: float | None = None
    points: tuple[Point, ...] = ()
    layers: int = 2
    width: int = 8
    activation: str = "relu"
    optimizer: str = "adam"
    regularisation: float = 0.0


@dataclass(frozen=True)
class Preset:
    """Settings that show one thing, and what to look for."""

    title: str
    lesson: str
    settings: Settings


PRESETS = {
    "no_line": Preset(
        "No line separates this",
        "XOR: whatever line the linear classifier draws, at least a quarter of the points is on the wrong side.",
        Settings(data="xor", layers=1),
    ),
    "hidden_layer": Preset(
        "A hidden layer separates it",
        "The same points: each hidden neuron draws one line, and the output layer combines them.",
        Settings(data="xor", layers=2, width=8),
    ),
    "collapse": Preset(
        "Without the non-linearity the layers collapse",
        "Three layers without activation are one matrix W3·W2·W1: the border stays a straight line.",
        Settings(data="xor", layers=3, width=8, activation="none"),
    ),
    "too_many": Preset(
        "Too many neurons",
        "30 noisy points and 200 neurons: the training loss falls, the test loss rises.",
        Settings(data="moons", count=30, noise=0.35, layers=3, width=200, learning_rate=0.005),
    ),
}


def make_model(settings: Settings, classes: int) -> nn.Sequential:
    """`layers` linear layers, with the activation between them; one score per class."""
    parts: list[nn.Module] = []
    inputs = 2
    for _ in range(settings.layers - 1):
        parts += [nn.Linear(inputs, settings.width), ACTIVATIONS[settings.activation]()]
        inputs = settings.width
    return nn.Sequential(*parts, nn.Linear(inputs, classes))


def make_optimizer(settings: Settings) -> optim.Optimizer:
    """Adam with decoupled weight decay, or SGD with momentum."""
    decay = settings.regularisation
    if settings.optimizer == "sgd":
        return optim.SGD(settings.learning_rate, momentum=0.9, weight_decay=decay)
    return optim.AdamW(settings.learning_rate, weight_decay=decay)


def make_points(settings: Settings) -> tuple[Batch, Batch]:
    """Training points (with the added ones) and test points; own points have none."""
    added = np.array([point[:2] for point in settings.points], np.float32).reshape(-1, 2)
    classes = np.array([point[2] for point in settings.points], np.int64)
    if settings.data == OWN:
        if not len(added):  # something to begin with
            added, classes = np.array([[-1, 0], [1, 0]], np.float32), np.array([0, 1])
        return (added, classes), (added[:0], classes[:0])
    rng = np.random.default_rng([settings.random_state, 1])
    noise = {} if settings.noise is None else {"noise": settings.noise}
    x, y = POINTS[settings.data](settings.count, rng, **noise)
    test = POINTS[settings.data](TEST_POINTS, rng, **noise)
    return (np.concatenate([x, added]), np.concatenate([y, classes])), test


class Experiment(BaseExperiment[Settings]):
    """A classifier of points in training, and the plane as it sees it."""

    changeable = frozenset({"learning_rate", "regularisation", "points"})

    def start(self) -> None:
        """Points, and a network with one output per class."""
        self._place_points()
        self.classes = max(2, int(self.y.max()) + 1)
        self.model = make_model(self.settings, self.classes)
        self.model.init(self.rng)
        self.trainer = nn.Trainer(self.model, "cross_entropy", make_optimizer(self.settings))
        self._begin_curves()

    def _begin_curves(self) -> None:
        self.curves = {part: Curve() for part in self.parts_of_points}  # loss on all points of either kind

    def _place_points(self) -> None:
        (self.x, self.y), (self.x_test, self.y_test) = make_points(self.settings)
        self.samples = len(self.x)
        reach = 1.15 * max(float(np.abs(x).max(initial=1.0)) for x in (self.x, self.x_test))
        self.extent = (-reach, reach, -reach, reach)
        self.best_line = best_line(self.x, self.y)

    def sample(self, picked: FloatArray) -> Batch:
        """These points."""
        return self.x[picked], self.y[picked]

    def adopt(self, settings: Settings) -> bool:
        """As for every experiment; points of a class that is new to the network need another one."""
        if any(point[2] >= self.classes for point in settings.points):
            return False
        if not super().adopt(settings):
            return False
        before = self.x
        self._place_points()
        if not np.array_equal(self.x, before):
            self._begin_curves()  # losses of other points are no part of the same curve
        return True

    def adapt(self) -> None:
        """Learning rate and weight decay."""
        super().adapt()
        optimizer = self.trainer.optimizer
        assert isinstance(optimizer, optim.AdamW | optim.SGD)
        optimizer.weight_decay = self.settings.regularisation

    def shown_points(self) -> tuple[FloatArray, FloatArray]:
        """The training points and after them some test points, with their classes."""
        some = slice(TEST_SHOWN)
        return np.concatenate([self.x, self.x_test[some]]), np.concatenate([self.y, self.y_test[some]])

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Loss and accuracy on all training and on all test points, where there are any."""
        return {part: self.trainer.evaluate(x, y) for part, (x, y) in self.parts_of_points.items()}

    @property
    def parts_of_points(self) -> dict[str, Batch]:
        """The training points, and the test points where there are any."""
        parts = {"train": (self.x, self.y), "test": (self.x_test, self.y_test)}
        return {part: (x, y) for part, (x, y) in parts.items() if len(x)}

    def plane(self, cells: int) -> FloatArray:
        """Centres of a grid of cells over the plane, (cells², 2), the top row first."""
        x0, x1, y0, y1 = self.extent
        centres = (np.arange(cells) + 0.5) / cells
        across, down = np.meshgrid(x0 + (x1 - x0) * centres, y1 + (y0 - y1) * centres)
        return np.stack([across.ravel(), down.ravel()], axis=1).astype(np.float32)

    def scores(self, cells: int = CELLS) -> FloatArray:
        """Score of each class at each cell, (classes, cells, cells), the top row first."""
        return self.trainer.predict(self.plane(cells), batch_size=None).T.reshape(-1, cells, cells)

    def regions(self, cells: int = CELLS) -> FloatArray:
        """Probability of each class at each cell, (classes, cells, cells)."""
        scores = self.scores(cells)
        powers = np.exp(scores - scores.max(axis=0))
        shares: FloatArray = powers / powers.sum(axis=0)
        return shares

    def neuron_maps(self, cells: int = MAP_CELLS) -> list[FloatArray]:
        """What every neuron says over the plane: per hidden layer, its activations (width, cells, cells)."""
        maps, x = [], self.plane(cells)
        for linear, activation in _hidden(self.model):
            x = activation(linear(x))
            maps.append(x.T.reshape(-1, cells, cells))
        return maps

    @property
    def labels(self) -> list[str]:
        """A letter for each class."""
        return [chr(ord("A") + i) for i in range(self.classes)]

    @property
    def weights(self) -> list[FloatArray]:
        """One matrix (outputs, inputs) per layer."""
        return [
            layer.parameters()["weight"] for _, layer in self.model.layers if isinstance(layer, nn.Linear)
        ]

    def layers_at(self, point: FloatArray) -> list[FloatArray]:
        """What every layer says at one point of the plane: the inputs, each hidden layer, the classes' scores."""
        values = [np.asarray(point, np.float32)[None]]
        for linear, activation in _hidden(self.model):
            values.append(activation(linear(values[-1])))
        return [value[0] for value in (*values, self.trainer.predict(values[0]))]

    def lines(self) -> list[list[tuple[float, float]]]:
        """Where each neuron of the first layer is 0, as two points outside of the plane's picture; for the linear
        classifier of two classes, the border between them."""
        first = self.model[0]
        w, b = (first.parameters()[name].astype(float) for name in ("weight", "bias"))
        if self.settings.layers == 1:
            w, b = (w[1:] - w[:1], b[1:] - b[:1]) if self.classes == 2 else (w[:0], b[:0])
        reach = 2 * self.extent[1]
        found: list[list[tuple[float, float]]] = []
        for normal, offset in zip(w, b, strict=True):
            length = float(np.hypot(*normal))
            if length > 0:
                foot = -offset * normal / length**2
                along = np.array([-normal[1], normal[0]]) / length * (reach + float(np.hypot(*foot)))
                found.append([(float(x), float(y)) for x, y in (foot - along, foot + along)])
        return found

    def parts(self) -> list[Part]:
        """Regions, losses, the neurons' own maps and the network; the collapsed matrix where there is no activation."""
        return [partial(make, self) for make in PARTS]


def _hidden(model: nn.Sequential) -> Iterator[tuple[nn.Module, nn.Module]]:
    """The hidden layers: each linear part with its activation."""
    parts = [model[i] for i in range(len(model) - 1)]
    yield from zip(parts[::2], parts[1::2], strict=True)
