"""The chosen digit in the drawing that gave neural networks their name: circles, and lines for weights (D15)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradviz.demos.live.base import Panel
from gradviz.nn.module import FloatArray

if TYPE_CHECKING:
    from gradviz.demos.live.digits import Experiment

PIXELS = 12  # of an image that are drawn as neurons


def neurons_panel(e: Experiment) -> Panel:
    """The view of the chosen digit on its way through the network."""
    network = neurons(e)
    return {
        "kind": "network",
        "id": "network",
        "title": f"A {e.truth[e.chosen]} on its way through the network: it says {e.answers[e.chosen]}",
        "note": "lines: weights, the thicker the larger; a filter counts as one neuron, its weights summed"
        if e.settings.model == "cnn"
        else f"lines: weights, the thicker the larger; {PIXELS} of the 784 pixels, spread over the digit's ink",
        "width": 12,
        "rows": 8,
        "layers": network.layers,
        "weights": network.weights,
    }


@dataclass(frozen=True)
class Neurons:
    """The chosen digit in the network: layers as the panel `network` takes them, and the weights between them."""

    layers: list[Panel]
    weights: list[FloatArray]


def neurons(e: Experiment) -> Neurons:
    """The chosen digit on its way through the network."""
    image = e.test[e.chosen]
    outputs = {path: value[0] for path, value in e.outputs(image[None]).items()}
    weights = [w for name, w in e.model.parameters().items() if name.endswith("weight")]
    if e.settings.model == "cnn":
        weights = [
            w.reshape(len(w), units, -1).sum(axis=2) for w, units in zip(weights, (1, 8, 16), strict=True)
        ]
        layers: list[Panel] = [{"label": "pixels", "maps": image}]
    else:
        inked = np.flatnonzero(image.ravel() > 0.2)
        shown = inked[np.linspace(0, len(inked) - 1, PIXELS).astype(int)]
        weights[0] = weights[0][:, shown]
        names = [f"{i // 28}, {i % 28}" for i in shown]
        layers = [
            {
                "label": "pixels: row, column",
                "values": image.ravel()[shown],
                "palette": "heat",
                "names": names,
            }
        ]
    for path in {"linear": ["1"], "mlp": ["2", "3"], "cnn": ["1", "4", "7"]}[e.settings.model]:
        key = "values" if outputs[path].ndim == 1 else "maps"
        layers.append({"label": "scores" if path == e.score_layer else "hidden", key: outputs[path]})
    layers[-1]["names"] = list(map(str, range(10)))
    return Neurons(layers, weights)
