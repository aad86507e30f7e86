"""What a digit is to a computer: numbers on a grid, a vector, a point among others (D8)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from gradviz.demos.live.base import Panel
from gradviz.nn.module import FloatArray

if TYPE_CHECKING:
    from gradviz.demos.live.digits import Experiment


def numbers(e: Experiment) -> list[Panel]:
    """The view of the chosen digit as a grid of numbers, as a vector, and beside others."""
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
        held_out_digits(e, "choose", "Choose a digit", e.listed["choose"], width=3, rows=2, pick=True),
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
        held_out_digits(e, "same", f"A {digit}, and all of them differ", same, width=6, rows=4, pick=True)
        | {"note": "in stroke width, place and style; click one to see its numbers"},
        held_out_digits(e, "alike", "Other digits that look most like it", alike, width=6, rows=4, pick=True)
        | {"note": "the nearest vectors of another class", "labels": [str(e.truth[i]) for i in alike]},
    ]


def held_out_digits(
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
