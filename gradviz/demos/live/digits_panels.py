"""What the digits experiment shows, view by view, as panels of plain data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradviz.demos.live.base import Panel, loss_panel
from gradviz.demos.live.parameter_counts import counts_panels
from gradviz.nn.module import FloatArray

if TYPE_CHECKING:
    from gradviz.demos.live.digits import Answer, Experiment

CAUTION = "Most of their writers also wrote training digits: others are harder."
PIXELS = 12  # of an image that are drawn as neurons
TEMPLATE_TITLES = {
    "linear": "One template per digit: the rows of W",
    "mlp": "Templates of the hidden units: the rows of W₁",
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
    image, digit = np.round(255 * e.test[e.chosen, 0]).astype(np.int64), e.truth[e.chosen]
    same, alike = np.flatnonzero(e.truth == digit)[:18], e.alike()
    e.listed |= {"choose": np.arange(10), "same": same, "alike": alike}
    vector = image.ravel()
    first = int(np.argmax(vector > 0))
    some = ", ".join(map(str, vector[first : first + 5]))
    return [
        {
            "kind": "matrix",
            "id": "pixels",
            "title": "What the computer sees: a grid of 28 × 28 numbers",
            "width": 9,
            "rows": 8,
            "values": image,
            "digits": 0,
            "palette": "ink",
            "range": (0, 255),
        },
        _digits(e, "choose", "Choose a digit", e.listed["choose"], width=3, rows=2, pick=True),
        {
            "kind": "lines",
            "id": "vector",
            "title": "Row after row: one vector",
            "width": 3,
            "rows": 3,
            "x_label": "pixel",
            "y_range": (0, 255),
            "series": [{"label": "grey value", "y": vector}],
        },
        {
            "kind": "text",
            "id": "dimension",
            "title": "A point of 784 dimensions",
            "width": 3,
            "rows": 3,
            "lines": [
                f"x = (0, …, 0, {some}, …)",
                "28 · 28 = 784, so x ∈ ℝ⁷⁸⁴",
                f"its class: {digit}",
                "training set: 4,000 such points",
            ],
        },
        _digits(e, "same", f"A {digit}, and all of them differ", same, width=6, rows=4, pick=True)
        | {"note": "in stroke width, place and style; click one to see its numbers"},
        _digits(e, "alike", "Other digits that look most like it", alike, width=6, rows=4, pick=True)
        | {"note": "the nearest vectors of another class", "labels": [str(e.truth[i]) for i in alike]},
    ]


def _mistakes(e: Experiment) -> list[Panel]:
    worst, cell = e.mistakes(24), e.mistakes(16, e.cell)
    e.listed |= {"mistakes": worst, "cell": cell}
    true, answer = e.cell
    question = "right" if true == answer else f"is that a {true} or a {answer}?"
    answers, sure = e.answers, e.probabilities
    labels = [f"{e.truth[i]} → {answers[i]} {sure[i, answers[i]]:.0%}" for i in worst]
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
            rows=4,
            pick=True,
        ),
        _digits(e, "cell", f"{true}, answered {answer}: {question}", cell, width=6, rows=3, pick=True),
        _caution(e, width=6),
    ]


def _caution(e: Experiment, width: int) -> Panel:
    """The accuracy, and what it is worth."""
    return {
        "kind": "text",
        "id": "caution",
        "title": f"{np.mean(e.answers == e.truth):.1%} of 1,000 held-out digits are right",
        "width": width,
        "rows": 1,
        "lines": [CAUTION],
    }


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
    drawn = bool(e.drawing.any())
    return [
        {"kind": "pad", "id": "pad", "title": "Draw a digit", "width": 5, "rows": 7, "pixels": e.pad},
        *(_answer(e.classify(e.drawing)) if drawn else _nothing_drawn()),
        _caution(e, width=12),
    ]


def _answer(answer: Answer) -> list[Panel]:
    return [
        {
            "kind": "bars",
            "id": "answer",
            "title": f"The network says {answer.winner}",
            "width": 4,
            "rows": 7,
            "labels": list(map(str, range(10))),
            "values": answer.probabilities,
            "range": (0, 1),
            "texts": [f"{share:.1%}" for share in answer.probabilities],
            "highlight": answer.winner,
        },
        {
            "kind": "images",
            "id": "seen",
            "title": "What it gets",
            "note": "sized and centred by its mass",
            "width": 3,
            "rows": 3,
            "images": answer.image[None],
            "palette": "ink",
        },
        {
            "kind": "images",
            "id": "gradient",
            "title": f"∂ score of {answer.winner} / ∂ pixel",
            "note": "more ink raises the score or lowers it",
            "width": 3,
            "rows": 4,
            "images": answer.gradient[None],
            "palette": "signed",
        },
    ]


def _nothing_drawn() -> list[Panel]:
    lines = [
        "Draw a digit on the left: with the mouse, a finger, or the keys.",
        "Here you will see which digit the network takes it for and how sure it is, the image it gets, and the "
        "gradient of the winning score: where more ink would raise it, and where it would lower it.",
    ]
    return [
        {"kind": "text", "id": "nothing", "title": "Nothing drawn yet", "width": 7, "rows": 7, "lines": lines}
    ]


def _neurons(e: Experiment) -> list[Panel]:
    network = neurons(e)
    return [
        {
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
    ]


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
    labels: Sequence[str] = (),
    *,
    width: int,
    rows: int,
    pick: bool = False,
) -> Panel:
    """Test digits as images; labelled ones with a mark for right and wrong answers, the others with one for the chosen."""
    right = e.answers == e.truth
    marks = ["right" if right[i] else "wrong" for i in shown]
    return {
        "kind": "images",
        "id": id,
        "title": title,
        "width": width,
        "rows": rows,
        "images": e.test[shown, 0],
        "labels": list(labels),
        "marks": marks if labels else ["chosen" if i == e.chosen else "" for i in shown],
        "pick": pick,
    }
