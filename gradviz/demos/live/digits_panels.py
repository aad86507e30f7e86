"""What the digits experiment shows, view by view, as panels of plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradviz.demos.live.base import Panel, loss_panel
from gradviz.demos.live.digits_neurons import neurons_panel
from gradviz.demos.live.digits_numbers import held_out_digits, numbers
from gradviz.demos.live.parameter_counts import counts_panels

if TYPE_CHECKING:
    from gradviz.demos.live.digits import Answer, Experiment

CAUTION = "Most of their writers also wrote training digits: others are harder."
TEMPLATE_TITLES = {
    "linear": "One template per digit: the rows of W",
    "mlp": "Templates of the hidden units: the rows of W₁",
    "cnn": "The 3 × 3 filters of the first layer",
}


def _loss(e: Experiment) -> list[Panel]:
    return [loss_panel(e.losses, width=5, rows=3)]


def _accuracy(e: Experiment) -> list[Panel]:
    label = f"the network says {e.answers[e.chosen]}"
    return [
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
            "series": [{"label": "accuracy", "marker": True, **e.accuracies.series()}],
        },
        held_out_digits(e, "digit", "A held-out digit", [e.chosen], [label], width=2, rows=3),
    ]


def _templates(e: Experiment) -> list[Panel]:
    return [
        {
            "kind": "images",
            "id": "templates",
            "title": TEMPLATE_TITLES[e.settings.model],
            "width": 4 if e.settings.model == "cnn" else 12,
            "rows": 5,
            "images": e.templates(),
            "labels": list(map(str, range(10))) if e.settings.model == "linear" else [],
            "palette": "signed",
        }
    ]


def _activation_maps(e: Experiment) -> list[Panel]:
    if e.settings.model != "cnn":
        return []
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


def _confusion(e: Experiment) -> list[Panel]:
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
        }
    ]


def _mistakes(e: Experiment) -> list[Panel]:
    worst = e.listed["mistakes"] = e.mistakes(12)
    answers, sure = e.answers, e.probabilities
    labels = [f"{e.truth[i]}→{answers[i]} {sure[i, answers[i]]:.0%}" for i in worst]
    title = "The worst mistakes: true → answer, how sure"
    return [held_out_digits(e, "mistakes", title, worst, labels, width=6, rows=4, pick=True)]


def _cell(e: Experiment) -> list[Panel]:
    true, answer = e.cell
    found = e.listed["cell"] = e.mistakes(16, e.cell)
    question = "right" if true == answer else f"is that a {true} or a {answer}?"
    title = f"{true}, answered {answer}: {question}"
    return [held_out_digits(e, "cell", title, found, width=6, rows=3, pick=True), *_caution(e, width=6)]


def _caution(e: Experiment, width: int = 12) -> list[Panel]:
    """The accuracy, and what it is worth."""
    return [
        {
            "kind": "text",
            "id": "caution",
            "title": f"{np.mean(e.answers == e.truth):.1%} of 1,000 held-out digits are right",
            "width": width,
            "rows": 1,
            "lines": [CAUTION],
        }
    ]


def _units(e: Experiment) -> list[Panel]:
    if e.settings.model == "cnn":
        units, palette = e.outputs(e.test[e.chosen : e.chosen + 1])[e.unit_layer][0], "heat"
        title = "The 16 deeper filters, by what they make of one digit"
    else:
        units, palette, title = e.templates(), "signed", TEMPLATE_TITLES[e.settings.model]
    unit = min(e.unit, len(units) - 1)
    most = e.listed["exciting"] = e.exciting(unit, 32)
    values = [f"{e.excitement[i, unit]:.3g}" for i in most]
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
        held_out_digits(
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


def _pad(e: Experiment) -> list[Panel]:
    return [{"kind": "pad", "id": "pad", "title": "Draw a digit", "width": 5, "rows": 7, "pixels": e.pad}]


def _drawn(e: Experiment) -> list[Panel]:
    return _answer(e.classify(e.drawing)) if e.drawing.any() else _nothing_drawn()


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
    return [neurons_panel(e)]


def _parameters(_: Experiment) -> list[Panel]:
    return counts_panels()


PARTS = {
    "learning": (_loss, _accuracy, _templates, _activation_maps),
    "numbers": (numbers,),
    "mistakes": (_confusion, _mistakes, _cell),
    "units": (_units,),
    "drawing": (_pad, _drawn, _caution),
    "neurons": (_neurons,),
    "parameters": (_parameters,),
}
VIEWS = tuple(PARTS)
