"""Whatever a text holds, it comes out inert and well-formed in every format."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from functools import cache
from itertools import cycle, islice
from typing import Any

import pytest

import gradviz as gv
from gradviz.demos import demos
from gradviz.draw.export import formats, rendered
from gradviz.draw.export.marks import clean
from gradviz.draw.stage import Stage
from gradviz.explain.typeset import Label
from tests.draw.hostile import HOSTILE
from tests.draw.readers import READERS


@cache
def hostile_stage(first: int) -> Stage:
    """D2 with every text replaced: what is written in the boxes, and at every slot after every step another one."""
    demo = demos()["sigmoid_neuron"]
    stage = Stage(gv.explore(demo.text, wrt=demo.wrt), title=HOSTILE[first])
    texts = islice(cycle(HOSTILE), first, None)
    slots = list(stage.timeline)
    boxes = tuple(
        replace(
            box, title=next(texts), flag=next(texts), symbol=next(texts) if box.symbol else "",
            name=Label(next(texts), next(texts)),
        )
        for box in stage.boxes
    )  # fmt: skip
    steps = range(len(stage.run.steps) + 1)
    stage.lines  # noqa: B018  (laid out with the numbers that belong there, before the texts are replaced)
    stage.__dict__["boxes"] = boxes
    stage.__dict__["timeline"] = {slot: [(k, (text := next(texts)), text) for k in steps] for slot in slots}
    return stage


def test_there_are_enough() -> None:
    assert len(HOSTILE) >= 200


@pytest.mark.parametrize("suffix", list(READERS))
def test_hostile_texts_in_every_format(suffix: str) -> None:
    stage = hostile_stage(0)
    many = formats()[suffix].MANY
    changes: dict[str, Any] = {"scale": 0.4} if suffix in (".png", ".gif") else {}
    for step in ["1-8"] if many else [3]:
        for name, content in rendered(
            stage, f"a{suffix}", step, title=HOSTILE[5], derivation=True, **changes
        ):
            assert name
            READERS[suffix](content)


CHEAP = [".svg", ".tex", ".dot", ".md", ".html"]


@pytest.mark.parametrize("suffix", CHEAP)
def test_every_hostile_text_as_a_title_and_in_a_box(suffix: str) -> None:
    for i in range(0, len(HOSTILE), 45):
        stage = hostile_stage(i)
        for k in range(4):
            ((_, content),) = rendered(stage, f"a{suffix}", k + 1)
            READERS[suffix](content)
    stage = hostile_stage(0)
    for text in HOSTILE[:: 6 if suffix == ".html" else 1]:
        ((_, content),) = rendered(stage, f"a{suffix}", 1, title=text)
        READERS[suffix](content)


def test_controls_and_direction_marks_are_gone() -> None:
    for text in HOSTILE:
        shown = clean(text)
        assert len(shown) <= 400
        assert not {unicodedata.category(c) for c in shown if c != "\n"} & {"Cc", "Cf", "Cs", "Cn", "Co"}


def test_a_name_as_long_as_a_program_may_be() -> None:
    """The drawing is shrunk to a page that readers accept."""
    stage = Stage(gv.explore(f"{'w' * 4000} = 2\ny = {'w' * 4000}*3"))
    for suffix in (".svg", ".png", ".pdf"):
        ((_, content),) = rendered(stage, f"a{suffix}")
        found = READERS[suffix](content)
        if suffix == ".pdf":
            assert max(map(float, found.pages[0].mediabox)) <= 14_400


def test_formulas_that_cannot_be_set_are_written_out() -> None:
    from gradviz.draw import maths

    for text in HOSTILE:
        assert maths.formula(text).width >= 0
        assert maths.words(clean(text)[:100]).width >= 0
