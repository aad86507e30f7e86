"""The drawing that gave neural networks their name: circles for neurons, lines for weights, of any MLP.

Brightness is activation, on a scale of each layer that is printed below it. A line's thickness is the size of its
weight beside the largest between the same two layers; a negative one is dashed and blue, a positive one solid and
vermillion. Of a wide layer the first and the last neurons are drawn, and words say how many lie between. What is
NaN or infinite has no place on a scale: it is written into its circle, or drawn as thick as the largest weight.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from gradviz.draw import text as measure
from gradviz.draw.neuron_scene import FONT, FOOT, GAP, MARGIN, RADIUS, Layer, Link, Neuron, NeuronScene
from gradviz.errors import GradvizError, ShapeError
from gradviz.explain.trace import Run

PITCH = 36.0  # from neuron to neuron
_CAPTION = 2 * 1.3 * FONT + 10  # name and size above a layer

FloatArray = npt.NDArray[Any]


class HasParameters(Protocol):
    """A model, as far as this drawing is concerned."""

    def parameters(self) -> Mapping[str, FloatArray]:
        """Weights by name, in order; those with two axes are the layers."""


def neuron_drawing(
    source: Run | HasParameters | Sequence[FloatArray],
    activations: Sequence[FloatArray] | None = None,
    *,
    sample: int = 0,
    widest: int = 12,
    names: Sequence[Sequence[str]] = (),
) -> NeuronScene:
    """The neuron drawing of a model, of weights of shape (outputs, inputs), or of a run of an MLP.

    `activations` holds one vector per layer, the input first; a run brings those of the chosen sample. Layers of
    more than `widest` neurons are drawn by their ends. `names` are written beside the neurons of each layer.
    Raises ShapeError when weights or activations do not fit, GradvizError when there are no weights or no such sample.
    """
    if isinstance(source, Run):
        weights, seen = _of_run(source, sample)
        activations = seen if activations is None else activations
    elif isinstance(source, (Sequence, np.ndarray)):  # an array is a stack of layers
        weights = [np.asarray(w, dtype=np.float64) for w in source]
    else:
        weights = [np.asarray(w, np.float64) for w in source.parameters().values() if np.ndim(w) == 2]
    sizes = _sizes(weights)
    values = None if activations is None else [np.asarray(a, dtype=np.float64).ravel() for a in activations]
    if values is not None and [len(value) for value in values] != sizes:
        raise ShapeError(
            "the activations do not fit the layers",
            got=", ".join(str(len(value)) for value in values),
            expected=", ".join(map(str, sizes)),
        )
    return _scene(weights, sizes, values, max(3, widest), names)


def _of_run(run: Run, sample: int) -> tuple[list[FloatArray], list[FloatArray]]:
    """The weights of every linear layer, what it reads and, of the last one, what it puts out, for one sample."""
    weights: list[FloatArray] = []
    seen: list[FloatArray] = []
    out = run.graph.nodes[0]
    for node in run.graph.nodes:
        if node.op is not None and node.op.name == "linear":
            x, w = (np.asarray(run.registers[arg], np.float64) for arg in node.args[:2])
            weights.append(w)
            seen.append(_row(x, sample))
            out = node
    if not weights:
        raise GradvizError("this run has no linear layer", hint="the neuron drawing shows an MLP")
    seen.append(_row(run.value(out.id), sample))
    return weights, seen


def _row(batch: Any, sample: int) -> FloatArray:
    """What one sample has in a batch of shape (samples, neurons), or of one sample alone."""
    rows = np.atleast_2d(batch)
    if not -len(rows) <= sample < len(rows):
        raise GradvizError(f"there is no sample {sample}", expected=f"0 to {len(rows) - 1}")
    return np.asarray(rows[sample])


def _sizes(weights: Sequence[FloatArray]) -> list[int]:
    if not weights:
        raise GradvizError("there are no weights to draw", expected="arrays of shape (outputs, inputs)")
    for w in weights:
        if w.ndim != 2:
            raise ShapeError(f"weights of shape {w.shape}", expected="two axes: (outputs, inputs)")
    for before, after in pairwise(weights):
        if before.shape[0] != after.shape[1]:
            raise ShapeError(
                f"a layer puts out {before.shape[0]} values and the next one takes {after.shape[1]}",
                hint="the neuron drawing shows layers that follow each other",
            )
    return [weights[0].shape[1], *(w.shape[0] for w in weights)]


def _scene(
    weights: Sequence[FloatArray],
    sizes: Sequence[int],
    values: Sequence[FloatArray] | None,
    widest: int,
    names: Sequence[Sequence[str]],
) -> NeuronScene:
    shown = [_shown(size, widest) for size in sizes]
    rows = max(len(places) for places in shown)
    beside = [max((measure.width(name, FONT) + 8 for name in column), default=0.0) for column in names]
    left = MARGIN + max(RADIUS + (beside[0] if beside else 0), 50)
    right = MARGIN + max(RADIUS + (beside[-1] if len(beside) == len(sizes) else 0), 50)
    width, height = left + GAP * (len(sizes) - 1) + right, MARGIN + _CAPTION + rows * PITCH + FOOT
    layers: list[Layer] = []
    neurons: dict[tuple[int, int], Neuron] = {}
    for number, (size, places) in enumerate(zip(sizes, shown, strict=True)):
        x, top = left + GAP * number, MARGIN + _CAPTION + (rows - len(places) + 1) * PITCH / 2
        value = None if values is None else values[number]
        scale = None if value is None else _extent(value)
        gap = None
        for row, index in enumerate(places):
            y = top + row * PITCH
            if index is None:
                gap = y
                continue
            one = None if value is None else float(value[index])
            name = names[number][index] if number < len(names) and index < len(names[number]) else ""
            neurons[number, index] = Neuron(number, index, x, y, one, _brightness(one, scale), name)
        elided = size - sum(place is not None for place in places)
        largest = _largest(weights[number - 1]) if number else 0.0
        layers.append(Layer(_name(number, len(sizes)), size, x, elided, gap, scale, largest))
    return NeuronScene(width, height, tuple(layers), tuple(neurons.values()), tuple(_links(weights, neurons)))


def _shown(size: int, widest: int) -> list[int | None]:
    """The neurons drawn of a layer, in order; None stands for all that are left out."""
    if size <= widest:
        return list(range(size))
    last = (widest - 1) // 2
    return [*range(widest - 1 - last), None, *range(size - last, size)]


def _extent(value: FloatArray) -> tuple[float, float]:
    """What is black, 0 or less, and what is white among the finite activations of a layer."""
    finite = value[np.isfinite(value)]
    low = float(finite.min(initial=0.0))
    return low, float(finite.max(initial=low))


def _largest(w: FloatArray) -> float:
    """The size of the largest finite weight."""
    return float(np.abs(w[np.isfinite(w)]).max(initial=0.0))


def _brightness(value: float | None, scale: tuple[float, float] | None) -> float | None:
    if value is None or scale is None or not np.isfinite(value):
        return None
    low, high = scale
    unit = max(high, -low)  # the difference of two huge numbers is infinite
    return (value / unit - low / unit) / (high / unit - low / unit) if high > low else 0.0


def _name(number: int, count: int) -> str:
    if number == 0:
        return "input"
    return "output" if number == count - 1 else f"hidden {number}" if count > 3 else "hidden"


def _links(weights: Sequence[FloatArray], neurons: Mapping[tuple[int, int], Neuron]) -> Iterator[Link]:
    """The weights between drawn neurons, the largest last, so that they lie on top."""
    for layer, w in enumerate(weights, 1):
        largest = _largest(w) or 1.0
        sizes = np.nan_to_num(np.abs(w) / largest, nan=1.0, posinf=1.0)
        pairs = [
            (float(sizes[target, source]), source, target)
            for number, source in neurons
            if number == layer - 1
            for other, target in neurons
            if other == layer
        ]
        for size, source, target in sorted(pairs):
            a, b = neurons[layer - 1, source], neurons[layer, target]
            yield Link(layer, source, target, (a.x, a.y), (b.x, b.y), float(w[target, source]), size)
