"""Arguments of the wrong kind: every public function refuses them in words."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz as gv

MASKED = np.ma.array([1.0, 2.0], mask=[False, True])

WRONG: dict[str, tuple[Callable[[Any], Any], str, str]] = {
    "explore: inputs": (lambda _: gv.explore("x", [1]), "given by name", "[1]"),
    "explore: an array for inputs": (
        lambda _: gv.explore("x", np.ones(2)),
        "given by name",
        "array([1., 1.])",
    ),
    "explore: wrt": (lambda _: gv.explore("x", x=1, wrt=3), "wrt is a name", "3"),
    "explore: names in wrt": (lambda _: gv.explore("x", x=1, wrt=[3]), "found by its name", "3"),
    "explore: a masked value": (lambda _: gv.explore("sum(x)", x=MASKED), "masked", repr(MASKED)),
    "explore: a masked scalar": (lambda _: gv.explore("x", x=MASKED[1]), "masked", "masked"),
    "explore: a masked seed": (lambda _: gv.explore("2*x", x=[1, 2], seed=MASKED), "masked", repr(MASKED)),
    "variable: a masked value": (lambda _: gv.variable("x", MASKED), "masked", repr(MASKED)),
    "value_and_grad: wrt": (lambda _: gv.value_and_grad("x", wrt=3), "wrt is a name", "3"),
    "value_and_grad: a masked value": (
        lambda _: gv.value_and_grad("sum(x)")(x=MASKED),
        "masked",
        repr(MASKED),
    ),
    "check_gradients: inputs": (lambda _: gv.check_gradients("x", [1]), "given by name", "[1]"),
    "check_shapes: shapes": (lambda _: gv.check_shapes("x", [1]), "given by name", "[1]"),
    "jacobian: inputs": (lambda _: gv.jacobian("x", "x", inputs=[1]), "given by name", "[1]"),
    "jacobian: of": (lambda _: gv.jacobian("x", "x", of=3, x=1), "found by its name", "3"),
    "jacobian: a row": (lambda _: gv.jacobian("x*x", "x", x=[1, 2]).row(1.0), "no line 1.0 among 2", ""),
    "jacobian: a column": (
        lambda _: gv.jacobian("x*x", "x", x=[1, 2]).column("1"),
        "no line '1' among 2",
        "",
    ),
    "parse: no text": (lambda _: gv.parse(None), "a program is a text", "None"),
    "export: no path": (lambda _: gv.export("x = 1\nx*x", None), "name of a file", "None"),
    "export: options": (
        lambda folder: gv.export("x = 1\nx*x", folder / "a.svg", options={"theme": "dark"}),
        "no options",
        "{'theme': 'dark'}",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_is_refused_in_words(name: str, tmp_path: Path) -> None:
    call, words, got = WRONG[name]
    with pytest.raises(gv.GradvizError, match=words) as caught:
        call(tmp_path)
    assert caught.value.got == got
    assert caught.value.expected
    assert list(tmp_path.iterdir()) == []


def test_an_array_without_a_masked_entry_is_welcome() -> None:
    assert gv.explore("sum(x)", x=np.ma.array([1.0, 2.0])).value() == 3
    assert gv.explore("sum(x)", x=np.ma.array([1.0, 2.0], mask=[False, False])).value() == 3


def test_whole_numbers_of_numpy_count_rows() -> None:
    assert gv.jacobian("x*x", "x", x=[1, 2]).row(np.int64(1)).tolist() == [0, 4]
