"""Is the training well? Measures of every layer after a step, and warnings with their cause."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from gradviz.errors import GradvizError
from gradviz.nn.module import FloatArray, split
from gradviz.nn.trainer import Trainer

Kind = Literal["vanishing", "exploding", "dead", "saturated", "fast", "slow", "stuck"]

# Where a warning begins. A healthy network stays well inside.
GRADIENT_RATIO = 1e-3  # gradient at the first layer's output over that at the last one's, or its inverse
DEAD = 0.5  # share of a ReLU layer's units that are 0 on the whole batch
SATURATED = 0.5  # share of entries in the flat ends, where the slope is below 4 % of the steepest
FAST, SLOW = 0.3, 1e-5  # length of an update over that of the weights
FALLEN = 0.98  # of the loss at the beginning is what counts as not having fallen
WINDOW = 20  # steps whose losses are averaged for that
PATIENCE = 100  # steps before a loss may be called stuck
VALUES = 32  # on fewer values a unit's silence says nothing
SAMPLED = 12_000  # entries of an activation looked at for its histogram


@dataclass(frozen=True)
class LayerHealth:
    """One layer after a step; None where a measure does not apply.

    `gradient` is the norm of its parameters' gradient, `update` the length of the next update of its weight
    over that of the weight, `dead` and `saturated` are shares, `histogram` counts and bin edges of its output.
    """

    path: str
    kind: str
    gradient: float | None
    update: float | None
    dead: float | None
    saturated: float | None
    histogram: tuple[FloatArray, FloatArray]


@dataclass(frozen=True)
class Finding:
    """Something that is not well: what, at which layer (empty for all), and why in plain words."""

    kind: Kind
    path: str
    text: str


@dataclass(frozen=True)
class Health:
    """Measures of every layer that leaves a node, in order, and what is wrong with them."""

    layers: tuple[LayerHealth, ...]
    findings: tuple[Finding, ...]


def examine(trainer: Trainer) -> Health:
    """Look at a trainer's last step; changes nothing. Raises GradvizError where there is no whole one."""
    if not trainer.progress.steps or not trainer.gradients:
        raise GradvizError("there is nothing to examine yet", hint="take a step first: trainer.step(x, y)")
    outputs, gradients = trainer.activations, trainer.gradients
    updates = _next_updates(trainer, gradients)
    weights = trainer.model.parameters()
    layers = []
    for path, module in trainer.model.layers:
        node = path or trainer.program.prediction
        if node not in outputs:
            continue
        own = [gradients[f"{path}.{name}" if path else name] for name in module.parameter_shapes()]
        weight = f"{path}.weight" if path else "weight"
        inner, kind = node != trainer.program.prediction, type(module).__name__
        output = outputs[node]
        layers.append(
            LayerHealth(
                path,
                kind,
                float(np.sqrt(sum(float(np.vdot(g, g)) for g in own))) if own else None,
                _ratio(updates[weight], weights[weight]) if weight in weights else None,
                _dead(output) if kind == "ReLU" and inner else None,
                _saturated(kind, output) if inner else None,
                _histogram(output),
            )
        )
    return Health(tuple(layers), tuple(_findings(trainer, layers, gradients)))


def _next_updates(trainer: Trainer, gradients: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """What the optimizer, as it is now, makes of the last gradient: change of every parameter."""
    before = trainer.model.flat_parameters()
    after = before.copy()
    parts = {name: gradients[name] for name in trainer.wrt}
    trainer.optimizer.copy().step(after, np.concatenate([part.ravel() for part in parts.values()]))
    return split(after - before, parts)


def _ratio(update: FloatArray, weight: FloatArray) -> float | None:
    length = float(np.linalg.norm(weight))
    return float(np.linalg.norm(update)) / length if length else None


def _dead(output: FloatArray) -> float | None:
    """Share of the units (channels of an image) that are 0 everywhere in the batch."""
    axes = tuple(axis for axis in range(output.ndim) if axis != 1)
    if output.ndim < 2 or output.size // output.shape[1] < VALUES:
        return None
    return float(np.mean(np.max(output, axis=axes) <= 0))


def _saturated(kind: str, output: FloatArray) -> float | None:
    """Share of the entries where the slope is below 4 % of the steepest."""
    if kind == "Sigmoid":
        return float(np.mean(output * (1 - output) < 0.04 / 4))
    if kind == "Tanh":
        return float(np.mean(1 - output**2 < 0.04))
    return None


def _histogram(output: FloatArray) -> tuple[FloatArray, FloatArray]:
    flat = np.ravel(output)
    return np.histogram(flat[:: -(-flat.size // SAMPLED)], bins=30)


def _findings(
    trainer: Trainer, layers: list[LayerHealth], gradients: Mapping[str, FloatArray]
) -> Iterator[Finding]:
    yield from _flow(layers, gradients)
    for layer in layers:
        if layer.dead is not None and layer.dead >= DEAD:
            yield Finding(
                "dead",
                layer.path,
                f"{layer.dead:.0%} of the units of {layer.path} put out 0 on the whole batch, so no gradient reaches "
                "them: their inputs are negative everywhere, after too large a step or from a bad start",
            )
        if layer.saturated is not None and layer.saturated >= SATURATED:
            yield Finding(
                "saturated",
                layer.path,
                f"{layer.saturated:.0%} of the values of {layer.path} lie in the flat ends of the {layer.kind.lower()}, "
                "where the slope is almost 0: its inputs are too large",
            )
    yield from _pace(trainer, layers)


def _flow(layers: list[LayerHealth], gradients: Mapping[str, FloatArray]) -> Iterator[Finding]:
    """Compare the gradient at the output of the first layer that learns with that of the last."""
    learning = [layer.path for layer in layers if layer.gradient is not None and layer.path in gradients]
    if len(learning) < 3:
        return
    first, last = (float(np.linalg.norm(gradients[path])) for path in (learning[0], learning[-1]))
    if last > 0 and first < GRADIENT_RATIO * last:
        yield Finding(
            "vanishing",
            learning[0],
            f"the gradient shrinks to {first / last:.1g} of its size on the way back from {learning[-1]} to "
            f"{learning[0]}: every layer multiplies it by slopes and weights that are too small, so the first layers "
            "hardly learn",
        )
    if first * GRADIENT_RATIO > last > 0:
        yield Finding(
            "exploding",
            learning[0],
            f"the gradient grows {first / last:.1g} times on the way back from {learning[-1]} to {learning[0]}: every "
            "layer multiplies it by weights that are too large",
        )


def _pace(trainer: Trainer, layers: list[LayerHealth]) -> Iterator[Finding]:
    """Judge the learning rate by the length of the updates, and by what the loss does."""
    updates = {layer.path: layer.update for layer in layers if layer.update is not None}
    if not updates:
        return
    losses = trainer.history["loss"]
    fallen = np.mean(losses[-WINDOW:]) < FALLEN * np.mean(losses[:WINDOW])
    largest = max(updates, key=lambda path: updates[path])
    if updates[largest] > FAST:
        yield Finding(
            "fast",
            largest,
            f"one update changes the weights of {largest} by {updates[largest]:.0%} of their length: the learning rate "
            f"({trainer.optimizer.lr:g}) is too large",
        )
    elif updates[largest] < SLOW and not fallen:
        yield Finding(
            "slow",
            "",
            f"no update changes any weights by more than {updates[largest]:.1g} of their length: the learning rate "
            f"({trainer.optimizer.lr:g}) is too small",
        )
    elif len(losses) >= PATIENCE and not fallen:
        yield Finding(
            "stuck",
            "",
            f"after {len(losses)} steps the loss is where it was: what the network sees does not tell the targets, or "
            "the updates undo each other",
        )
