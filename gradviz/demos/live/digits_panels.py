"""What the digits experiment shows, view by view, as panels of plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradviz.demos.live.base import Panel, loss_panel
from gradviz.demos.live.parameter_counts import counts_panels
from gradviz.nn.module import FloatArray

if TYPE_CHECKING:
    from gradviz.demos.live.digits import Experiment

CAUTION = (
    "Most writers of these 1,000 held-out digits also wrote training digits: on new writers it would be less."
)
TEMPLATE_TITLES = {
    "linear": "One template per digit: the rows of W",
    "mlp": "Templates of the hidden units: the rows of W1",
    "cnn": "The 3 × 3 filters of the first layer",
}


def _learning(e: Experiment) -> list[Panel]:
    steps, accuracies = np.array(e.accuracies).T
    label = f"the network says {e.answers[e.chosen]}"
    return [
        loss_panel(e.trainer.history["loss"], width=5, rows=3),
        {
            "kind": "lines",
            "id": "accuracy",
            "title": "Held-out digits that are right",
            "note": "most of their writers also wrote training digits",
            "width": 5,
            "rows": 3,
            "x_label": "batches",
            "y_range": (0, 1),
            "percent": True,
            "series": [{"label": "accuracy", "x": steps, "y": accuracies}],
        },
        _digits(e, "digit", "A held-out digit", [e.chosen], [label], width=2, rows=3),
        *_weights(e),
    ]


def _weights(e: Experiment) -> list[Panel]:
    templates: Panel = {
        "kind": "images",
        "id": "templates",
        "title": TEMPLATE_TITLES[e.settings.model],
        "width": 4 if e.settings.model == "cnn" else 12,
        "rows": 5,
        "images": e.templates(),
        "labels": list(map(str, range(10))) if e.settings.model == "linear" else [],
        "palette": "signed",
    }
    return [templates, *_activation_maps(e)] if e.settings.model == "cnn" else [templates]


def _activation_maps(e: Experiment) -> list[Panel]:
    outputs = e.outputs(e.test[e.chosen : e.chosen + 1])
    return [
        {
            "kind": "images",
            "id": f"activations{number}",
            "title": f"Activation maps of convolution {number}",
            "width": 4,
            "rows": 5,
            "images": outputs[path][0],
            "palette": "heat",
        }
        for number, path in ((1, "1"), (2, "4"))
    ]


def _numbers(e: Experiment) -> list[Panel]:
    image = e.test[e.chosen, 0]
    e.listed["choose"] = np.arange(20)
    return [
        {
            "kind": "matrix",
            "id": "pixels",
            "title": "What the computer sees: a grid of 28 × 28 numbers",
            "width": 9,
            "rows": 8,
            "values": np.round(255 * image).astype(np.int64),
            "digits": 0,
            "palette": "ink",
            "range": (0, 255),
        },
        _digits(e, "choose", "Choose a digit", e.listed["choose"], [], width=3, rows=3, pick=True),
        {
            "kind": "lines",
            "id": "vector",
            "title": "Row after row: one vector",
            "width": 3,
            "rows": 3,
            "x_label": "pixel",
            "y_range": (0, 255),
            "series": [{"label": "grey value", "y": 255 * image.ravel()}],
        },
        {
            "kind": "text",
            "id": "dimension",
            "title": "One point in a space of 784 dimensions",
            "width": 3,
            "rows": 2,
            "lines": ["28 · 28 = 784", f"class {e.truth[e.chosen]}; the training set: 4,000 such points"],
        },
    ]


def _mistakes(e: Experiment) -> list[Panel]:
    worst, cell = e.mistakes(24), e.mistakes(16, e.cell)
    e.listed |= {"mistakes": worst, "cell": cell}
    true, answer = e.cell
    question = "right" if true == answer else f"is that a {true} or a {answer}?"
    sure = e.probabilities
    labels = [f"{e.truth[i]} → {e.answers[i]} {sure[i, e.answers[i]]:.0%}" for i in worst]
    return [
        {
            "kind": "confusion",
            "id": "confusion",
            "title": "Which digits are taken for which",
            "note": "rows: the true digit, columns: the answer; click a cell to see its digits",
            "width": 6,
            "rows": 8,
            "counts": e.confusion(),
            "selected": e.cell,
        },
        _digits(
            e,
            "mistakes",
            "The worst mistakes: true → answer, how sure",
            worst,
            labels,
            width=6,
            rows=5,
            pick=True,
        ),
        _digits(e, "cell", f"{true}, answered {answer}: {question}", cell, [], width=6, rows=3, pick=True),
    ]


def _units(e: Experiment) -> list[Panel]:
    if e.settings.model == "cnn":
        units, palette = e.outputs(e.test[e.chosen : e.chosen + 1])[e.unit_layer][0], "heat"
        title = "The 16 deeper filters, by what they make of one digit"
    else:
        units, palette, title = e.templates(), "signed", TEMPLATE_TITLES[e.settings.model]
    unit = min(e.unit, len(units) - 1)
    most = e.listed["exciting"] = e.exciting(unit, 32)
    values = [f"{e.excitement[e.unit_layer][i, unit]:.3g}" for i in most]
    return [
        {
            "kind": "images",
            "id": "units",
            "title": title,
            "note": "click a unit",
            "width": 6,
            "rows": 8,
            "images": units,
            "palette": palette,
            "pick": True,
            "marks": ["chosen" if i == unit else "" for i in range(len(units))],
        },
        _digits(
            e,
            "exciting",
            f"Held-out digits that excite unit {unit} most",
            most,
            values,
            width=6,
            rows=8,
            pick=True,
        ),
    ]


def _drawing(e: Experiment) -> list[Panel]:
    answer = e.classify(e.drawing)
    drawn = bool(e.drawing.any())
    return [
        {"kind": "pad", "id": "pad", "title": "Draw a digit", "width": 5, "rows": 7},
        {
            "kind": "bars",
            "id": "answer",
            "title": f"The network says {answer.winner}" if drawn else "Nothing drawn yet",
            "width": 4,
            "rows": 7,
            "labels": list(map(str, range(10))),
            "values": answer.probabilities if drawn else np.zeros(10),
            "range": (0, 1),
            "percent": True,
            "highlight": answer.winner if drawn else None,
        },
        {
            "kind": "images",
            "id": "seen",
            "title": "What it gets",
            "note": "sized and centred by its mass",
            "width": 3,
            "rows": 4,
            "images": answer.image[None],
        },
        {
            "kind": "images",
            "id": "gradient",
            "title": f"∂ score of {answer.winner} / ∂ pixel",
            "note": "more ink here would raise or lower it",
            "width": 3,
            "rows": 3,
            "images": answer.gradient[None] if drawn else np.zeros((1, 28, 28)),
            "palette": "signed",
        },
        {
            "kind": "text",
            "id": "caution",
            "title": "How good is it?",
            "width": 12,
            "rows": 1,
            "lines": [CAUTION],
        },
    ]


def _neurons(e: Experiment) -> list[Panel]:
    """The chosen digit on its way through the network; a filter counts as one neuron, its weights summed."""
    outputs = {path: value[0] for path, value in e.outputs(e.test[e.chosen : e.chosen + 1]).items()}
    shown = {"linear": ["1"], "mlp": ["2", "3"], "cnn": ["1", "4", "7"]}[e.settings.model]
    layers: list[Panel] = [{"label": "pixels", "maps": e.test[e.chosen]}]
    if e.settings.model != "cnn":
        layers = [{"label": "784 pixels", "values": e.test[e.chosen].ravel(), "palette": "heat"}]
    for path in shown:
        key = "values" if outputs[path].ndim == 1 else "maps"
        layers.append({"label": "scores" if path == e.score_layer else "hidden", key: outputs[path]})
    layers[-1]["names"] = list(map(str, range(10)))
    weights = [w for name, w in e.model.parameters().items() if name.endswith("weight")]
    if e.settings.model == "cnn":
        weights = [
            w.reshape(len(w), units, -1).sum(axis=2) for w, units in zip(weights, (1, 8, 16), strict=True)
        ]
    return [
        {
            "kind": "network",
            "id": "network",
            "title": f"A {e.truth[e.chosen]} on its way through the network: it says {e.answers[e.chosen]}",
            "width": 12,
            "rows": 8,
            "layers": layers,
            "weights": weights,
        }
    ]


def _parameters(_: Experiment) -> list[Panel]:
    return counts_panels()


_PAINTERS = {
    "learning": _learning,
    "numbers": _numbers,
    "mistakes": _mistakes,
    "units": _units,
    "drawing": _drawing,
    "neurons": _neurons,
    "parameters": _parameters,
}
VIEWS = tuple(_PAINTERS)


def panels(experiment: Experiment) -> list[Panel]:
    """The panels of the view that the settings name."""
    return _PAINTERS[experiment.settings.view](experiment)


def _digits(
    e: Experiment,
    id: str,
    title: str,
    shown: FloatArray | list[int],
    labels: list[str],
    *,
    width: int,
    rows: int,
    pick: bool = False,
) -> Panel:
    """Test digits as images, with a mark for right and wrong answers."""
    marks = ["right" if e.answers[i] == e.truth[i] else "wrong" for i in shown]
    return {
        "kind": "images",
        "id": id,
        "title": title,
        "width": width,
        "rows": rows,
        "images": e.test[shown, 0],
        "labels": labels,
        "marks": marks if labels else ["chosen" if i == e.chosen else "" for i in shown],
        "pick": pick,
    }
