"""What the experiment of points in the plane shows, as panels of plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradviz.demos.live.base import Panel
from gradviz.demos.live.linear import collapse
from gradviz.nn.module import FloatArray

if TYPE_CHECKING:
    from gradviz.demos.live.decision_regions import Experiment

CELLS = 48  # of the plane's picture, along each side
MAP_CELLS = 20  # of a neuron's map
MAPS_SHOWN = 24  # of one layer
INPUTS = ["x₁", "x₂"]


def _plane(e: Experiment) -> list[Panel]:
    regions = e.regions()
    x, y = e.shown_points()
    lines = e.lines() if e.settings.width <= 16 or e.settings.layers == 1 else []
    border = "the linear border" if e.settings.layers == 1 else "where a neuron of the first layer is 0"
    wrong = e.trainer.predict(x, batch_size=None).argmax(axis=1) != y
    return [
        {
            "kind": "regions",
            "id": "plane",
            "title": "Decision regions",
            "note": f"dashed: {border}" if lines else "",
            "width": 6,
            "rows": 6,
            "extent": e.extent,
            "field": regions[1] if e.classes == 2 else regions,
            "points": x,
            "classes": y,
            "test": np.arange(len(x)) >= len(e.x),
            "wrong": wrong,
            "labels": e.labels,
            "lines": lines,
            "add": True,
        }
    ]


def _curves(e: Experiment) -> list[Panel]:
    found = e.evaluate()
    for part, curve in e.curves.items():
        curve.add(e.trainer.progress.steps, found[part]["loss"])
    series = [{"label": part, "marker": True, **curve.series()} for part, curve in e.curves.items()]
    accuracies = {part: found[part]["accuracy"] for part in found}
    if e.settings.layers == 1 and e.classes == 2:
        accuracies["best line of all"] = e.best_line
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


def _collapsed(e: Experiment) -> list[Panel]:
    stacked = e.settings.layers > 1 and e.settings.activation == "none"
    return [collapse(e.model).panel()] if stacked else []


def _neurons(e: Experiment) -> list[Panel]:
    if e.settings.layers == 1:
        return []
    maps = e.neuron_maps()
    return [*(_maps_panel(i, found) for i, found in enumerate(maps, 1)), _network_panel(e, maps)]


def _network_panel(e: Experiment, hidden: list[FloatArray]) -> Panel:
    regions = e.regions(MAP_CELLS)
    axes = e.plane(MAP_CELLS).T.reshape(2, MAP_CELLS, MAP_CELLS)
    names = ["inputs", *(f"hidden layer {i}" for i in range(1, e.settings.layers)), "classes"]
    layers: list[Panel] = [
        {"label": name, "maps": found} for name, found in zip(names, [axes, *hidden, regions], strict=True)
    ]
    layers[0]["names"] = INPUTS
    layers[-1]["names"] = e.labels
    return {
        "kind": "network",
        "id": "network",
        "title": "The network, each neuron with its own map of the plane",
        "note": "a line is a weight: thick for a large one, solid for a positive, dashed for a negative one",
        "width": 12,
        "rows": 6,
        "layers": layers,
        "weights": e.weights,
        "extent": e.extent,
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


PARTS = (_plane, _curves, _collapsed, _neurons)
