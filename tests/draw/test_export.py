"""Every format writes every demo at every kind of step, self-contained, inert and the same each time."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

import gradviz as gv
from gradviz.demos import Demo, demos
from gradviz.draw.export import formats
from gradviz.draw.stage import Stage
from gradviz.draw.theme import DARK, LIGHT

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("suffix", list(formats()))
@pytest.mark.parametrize("demo", demos().values(), ids=lambda demo: demo.name)
def test_every_demo_in_every_format(demo: Demo, suffix: str, tmp_path: Path) -> None:
    run = gv.explore(demo.text, wrt=demo.wrt)
    for step in (0, 1, "last"):
        (file,) = gv.export(run, tmp_path / f"one{suffix}", step)
        (again,) = gv.export(gv.explore(demo.text, wrt=demo.wrt), tmp_path / f"two{suffix}", step)
        assert file.read_bytes() == again.read_bytes()
        text = file.read_text(encoding="utf-8")
        if suffix == ".svg":
            root = ElementTree.fromstring(text)
            shown = "".join(root.itertext())
            assert ("—" in shown) == (step != "last"), "only a finished run has every number"
            ids = [e.get("id") for e in root.iter() if e.get("id")]
            assert len(ids) == len(set(ids))
        else:
            assert json.loads(text)["version"] == 1


def test_all_steps_are_numbered_and_nothing_moves(tmp_path: Path) -> None:
    files = gv.export(demos()["relu_chain"].text, tmp_path / "deck.svg", "all")
    run_steps = len(gv.explore(demos()["relu_chain"].text).steps)
    assert [file.name for file in files[:2]] == ["deck-00.svg", "deck-01.svg"]
    assert len(files) == run_steps + 1

    def places(file: Path) -> list[tuple[str | None, str | None]]:
        root = ElementTree.parse(file).getroot()
        return [(g.get("id"), g[-1].get("x")) for g in root.iter(f"{SVG}g")]

    assert [name for name, _ in places(files[0])] == [name for name, _ in places(files[-1])]


@pytest.mark.parametrize("step", [-1, 11, 1.5, "first"])
def test_a_step_that_is_not_there_is_refused(step: object, tmp_path: Path) -> None:
    run = gv.explore(demos()["relu_chain"].text, wrt=("w1", "w2"))
    with pytest.raises(gv.GradvizError, match="step"):
        gv.export(run, tmp_path / "a.svg", step)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a.bmp", "a", "a.SVG.exe"])
def test_an_unknown_format_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(gv.GradvizError, match="format"):
        gv.export("x*x", tmp_path / name)


def test_hostile_labels_are_inert(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script>\x00\x0b\u202e\"'&]]>"
    leaf = gv.variable("x", 2.0)
    stage = Stage(gv.explore(gv.ops.exp(leaf)))
    box = stage.boxes[0]
    object.__setattr__(box, "title", hostile)
    for theme in (LIGHT, DARK):
        root = ElementTree.fromstring(formats()[".svg"].render(stage.scene(), theme))
        assert not [e for e in root.iter() if e.tag.endswith("script")]


def test_where_a_value_stops_being_finite_is_flagged() -> None:
    stage = Stage(gv.explore("log(x)*x + 1", x=-1.0))
    assert [box.id for box in stage.boxes if box.flag] == ["out.1"]
    render = formats()[".svg"].render
    assert "⚠" not in render(stage.scene(0), LIGHT)
    assert "⚠" in render(stage.scene(1), LIGHT)


def test_steps_inside_a_folded_box_are_hidden() -> None:
    from gradviz.explain.fold import View, line_groups

    run = gv.explore("x = 2\na = x*x + x\nb = a*a")
    stage = Stage(run, view=View(run.graph, line_groups(run.graph, ["a"])))
    visible = [repr(step) for step in run.steps if not stage.hidden(step)]
    assert len(visible) < len(run.steps)
    inner = [step for step in run.steps if stage.hidden(step)]
    assert all(run.graph[step.node].line == "a" for step in inner)
    assert not any(step.node == "a" and step.kind == "forward" for step in inner)
