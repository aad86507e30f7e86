"""Points in the plane and a small network: the regions it tells apart, and what each of its neurons sees (D9-D12)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gradviz import data, nn
from gradviz.demos.live.base import BaseExperiment, BaseSettings, Batch, Panel
from gradviz.demos.live.linear import best_line, collapse
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
TEST_POINTS = 300
CELLS = 48  # of the plane's picture, along each side
MAP_CELLS = 20  # of a neuron's map
MAPS_SHOWN = 24  # of one layer

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
    """Training points (with the added ones) and test points; own points have no test set but themselves."""
    added = np.array([point[:2] for point in settings.points], np.float32).reshape(-1, 2)
    classes = np.array([point[2] for point in settings.points], np.int64)
    if settings.data == OWN:
        if not len(added):  # something to begin with
            added, classes = np.array([[-1, 0], [1, 0]], np.float32), np.array([0, 1])
        return (added, classes), (added, classes)
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
        self.losses: list[
            tuple[int, float, float]
        ] = []  # (batches done, loss on all training points, on the test points)

    def _place_points(self) -> None:
        (self.x, self.y), (self.x_test, self.y_test) = make_points(self.settings)
        self.samples = len(self.x)
        reach = 1.15 * max(float(np.abs(self.x).max()), float(np.abs(self.x_test).max()), 1.0)
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
        self._place_points()
        return True

    def adapt(self) -> None:
        """Learning rate and weight decay."""
        super().adapt()
        optimizer = self.trainer.optimizer
        assert isinstance(optimizer, optim.AdamW | optim.SGD)
        optimizer.weight_decay = self.settings.regularisation

    def evaluate(self) -> dict[str, dict[str, float]]:
        """Loss and accuracy on all training and on all test points."""
        return {
            "train": self.trainer.evaluate(self.x, self.y),
            "test": self.trainer.evaluate(self.x_test, self.y_test),
        }

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

    def picture(self) -> dict[str, list[Panel]]:
        """Regions, losses, the neurons' own maps and the network; the collapsed matrix where there is no activation."""
        panels = [self._plane_panel(), *self._curve_panels()]
        if self.settings.layers > 1:
            maps = self.neuron_maps()
            panels += [collapse(self.model).panel()] if self.settings.activation == "none" else []
            panels += [_maps_panel(i, found) for i, found in enumerate(maps, 1)]
            panels.append(self._network_panel(maps))
        return {"panels": panels}

    def _plane_panel(self) -> Panel:
        regions = self.regions()
        x = np.concatenate([self.x, self.x_test[:100]])
        own = self.settings.data == OWN
        x, y = (self.x, self.y) if own else (x, np.concatenate([self.y, self.y_test[:100]]))
        wrong = self.trainer.predict(x, batch_size=None).argmax(axis=1) != y
        return {
            "kind": "regions",
            "id": "plane",
            "title": "Decision regions",
            "note": "dashed: where a neuron of the first layer is 0"
            if self.settings.layers > 1
            else "dashed: the linear border",
            "width": 6,
            "rows": 6,
            "extent": self.extent,
            "field": regions[1] if self.classes == 2 else regions,
            "points": x,
            "classes": y,
            "test": np.arange(len(x)) >= len(self.x),
            "wrong": wrong,
            "labels": [chr(ord("A") + i) for i in range(self.classes)],
            "lines": self.lines() if self.settings.width <= 16 or self.settings.layers == 1 else [],
            "add": True,
        }

    def _curve_panels(self) -> list[Panel]:
        found = self.evaluate()
        step = self.trainer.progress.steps
        if not self.losses or self.losses[-1][0] != step:
            self.losses.append((step, found["train"]["loss"], found["test"]["loss"]))
        steps, train, test = np.array(self.losses).T
        series = [
            {"label": "train", "x": steps, "y": train, "style": "solid"},
            {"label": "test", "x": steps, "y": test, "style": "dashed"},
        ]
        accuracies = {part: found[part]["accuracy"] for part in found}
        if self.settings.layers == 1 and self.classes == 2:
            accuracies["best line of all"] = self.best_line
        return [
            {
                "kind": "lines",
                "id": "loss",
                "title": "Loss on all points",
                "width": 6,
                "rows": 4,
                "x_label": "batches",
                "y_range": (0, None),
                "series": series,
            },
            {
                "kind": "bars",
                "id": "accuracy",
                "title": "Points on the right side",
                "width": 6,
                "rows": 2,
                "labels": list(accuracies),
                "values": list(accuracies.values()),
                "range": (0, 1),
                "percent": True,
            },
        ]

    def _network_panel(self, hidden: list[FloatArray]) -> Panel:
        weights = [
            layer.parameters()["weight"] for _, layer in self.model.layers if isinstance(layer, nn.Linear)
        ]
        regions = self.regions(MAP_CELLS)
        axes = self.plane(MAP_CELLS).T.reshape(2, MAP_CELLS, MAP_CELLS)
        names = ["inputs", *(f"hidden layer {i}" for i in range(1, self.settings.layers)), "classes"]
        layers: list[Panel] = [
            {"label": name, "maps": found}
            for name, found in zip(names, [axes, *hidden, regions], strict=True)
        ]
        layers[0]["names"] = ["x₁", "x₂"]
        layers[-1]["names"] = [chr(ord("A") + i) for i in range(self.classes)]
        return {
            "kind": "network",
            "id": "network",
            "title": "The network, each neuron with its own map of the plane",
            "note": "a line is a weight: thick for a large one, solid for a positive, dashed for a negative one",
            "width": 12,
            "rows": 6,
            "layers": layers,
            "weights": weights,
            "extent": self.extent,
        }


def _maps_panel(layer: int, maps: FloatArray) -> Panel:
    signed = bool(maps.min() < 0)
    return {
        "kind": "images",
        "id": f"maps{layer}",
        "title": f"What each neuron of hidden layer {layer} says over the plane",
        "note": "each with its own scale"
        + ("; the line is where it changes sign" if signed else "")
        + (f"; the first {MAPS_SHOWN} of {len(maps)}" if len(maps) > MAPS_SHOWN else ""),
        "width": 12,
        "rows": 2,
        "images": maps[:MAPS_SHOWN],
        "palette": "signed" if signed else "heat",
        "each": True,
        "zero": signed,
    }


def _hidden(model: nn.Sequential) -> Iterator[tuple[nn.Module, nn.Module]]:
    """The hidden layers: each linear part with its activation."""
    parts = [model[i] for i in range(len(model) - 1)]
    yield from zip(parts[::2], parts[1::2], strict=True)
