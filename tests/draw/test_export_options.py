"""What every export can be asked for."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.demos import demos
from gradviz.draw.export import Options, export, formats, gif, rendered
from gradviz.draw.stage import Stage
from gradviz.draw.theme import THEMES
from gradviz.explain.fold import View, line_groups
from tests.draw import readers
from tests.draw.readers import SVG


@cache
def stage() -> Stage:
    demo = demos()["relu_chain"]
    return Stage(gv.explore(demo.text, wrt=demo.wrt), title=demo.title)


def drawn(step: int | str = "last", **changes: Any) -> Any:
    ((_, content),) = rendered(stage(), "a.svg", step, **changes)
    return readers.svg(content)


def words(root: Any, role: str) -> list[str]:
    return ["".join(text.itertext()) for text in root.iter(f"{SVG}text") if text.get("class") == role]


@pytest.mark.parametrize(
    ("step", "count"),
    [("last", 1), (0, 1), (10, 1), (np.int64(3), 1), ("4", 1), ("2-4", 3), ("0-10", 11), ("all", 11)],
)
def test_steps(step: int | str, count: int) -> None:
    names = [name for name, _ in rendered(stage(), "deck.svg", step)]
    assert len(names) == count
    assert names == (
        ["deck.svg"]
        if count == 1
        else [f"deck-{k:02d}.svg" for k in range(11)][-count if step != "2-4" else 2 :][:count]
    )


@pytest.mark.parametrize(
    "step", [-1, 11, 1.5, "first", "", "4-2", "3-11", "1-", "99999999999", True, None, "²"]
)
def test_a_step_that_is_not_there_is_refused(step: Any) -> None:
    with pytest.raises(gv.GradvizError, match="step"):
        list(rendered(stage(), "a.svg", step))


@pytest.mark.parametrize(
    "changes",
    [
        {"theme": "pink"}, {"aspect": "1:1"}, {"width": 1}, {"height": 1e9}, {"font_scale": 0}, {"scale": -1},
        {"seconds": 0}, {"digits": 0}, {"passes": "sideways"}, {"nodes": ("nope",)}, {"colour": "red"}, {"width": "9"},
        {"scale": float("nan")}, {"theme": 3}, {"theme": ["dark"]}, {"theme": {}}, {"aspect": ["4:3"]}, {"aspect": {}},
        {"passes": None}, {"digits": 2.5}, {"digits": "4"}, {"nodes": 3}, {"nodes": [3]}, {"nodes": None},
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(gv.GradvizError) as caught:
        list(rendered(stage(), "a.svg", **changes))
    assert "expected" in str(caught.value)


def test_a_single_node_needs_no_tuple() -> None:
    assert [g.get("id") for g in drawn(nodes="yhat").iter(f"{SVG}g") if g.get("id")] == ["node-yhat"]
    with pytest.raises(gv.GradvizError, match="nothing drawn is called out"):
        drawn(nodes="out")


def test_the_case_of_a_suffix_does_not_matter(tmp_path: Path) -> None:
    (small,), (large,) = (export("x = 1\ny = x*x", tmp_path / name) for name in ("a.svg", "b.SVG"))
    assert small.read_bytes() == large.read_bytes()


@pytest.mark.parametrize(("width", "height"), [(100, None), (100, 6000), (20_000, 20_000)])
def test_slides_are_of_a_size_that_powerpoint_takes(width: float, height: float | None) -> None:
    with pytest.raises(gv.GradvizError, match="PowerPoint"):
        list(rendered(stage(), "a.pptx", 0, width=width, height=height))


@pytest.mark.parametrize("name", ["a.bmp", "a", "a.SVG.exe"])
def test_an_unknown_format_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(gv.GradvizError, match="format"):
        export("x = 1\ny = x*x", tmp_path / name)


@pytest.mark.parametrize(
    ("changes", "size"),
    [
        ({"aspect": "16:9"}, (1280, 720)), ({"aspect": "4:3"}, (960, 720)), ({"aspect": "16:9", "width": 640}, (640, 360)),
        ({"aspect": "4:3", "height": 300}, (400, 300)), ({"width": 500, "height": 400}, (500, 400)),
    ],
)  # fmt: skip
def test_sizes(changes: dict[str, Any], size: tuple[int, int]) -> None:
    root = drawn(**changes)
    assert (float(root.get("width")), float(root.get("height"))) == size


def test_one_side_alone_keeps_the_shape_of_the_drawing() -> None:
    natural, wide = drawn(), drawn(width=1000)
    assert float(wide.get("width")) == 1000
    ratio = [(float(root.get("width")) - 24) / (float(root.get("height")) - 24) for root in (natural, wide)]
    assert ratio[0] == pytest.approx(ratio[1], rel=1e-3)


@pytest.mark.parametrize("theme", list(THEMES))
def test_themes(theme: str) -> None:
    ((_, content),) = rendered(stage(), "a.svg", 6, theme=theme)
    for colour in (THEMES[theme].background, THEMES[theme].gradient, THEMES[theme].backward):
        assert colour.encode() in content


def test_values_gradients_title_and_derivation() -> None:
    bare = drawn()
    assert words(bare, "value") and words(bare, "gradient") and words(bare, "contribution")
    assert not words(bare, "title") and not words(bare, "sentence")
    assert not words(drawn(values=False), "value")
    without = drawn(gradients=False)
    assert not words(without, "gradient") and not words(without, "contribution")
    told = drawn(title=True, derivation=True)
    assert words(told, "title") == [stage().title]
    assert words(told, "sentence")[0].startswith("Backward from f to w₁")
    assert [g for g in told.iter(f"{SVG}g") if g.get("class") == "formula"]
    assert words(drawn(title="Mine"), "title") == ["Mine"]


def test_one_pass_only() -> None:
    forward = [readers.svg(content) for _, content in rendered(stage(), "a.svg", "all", passes="forward")]
    assert len(forward) == 5 and not words(forward[-1], "gradient")
    backward = [name for name, _ in rendered(stage(), "a.svg", "all", passes="backward")]
    assert backward == [f"a-{k:02d}.svg" for k in range(4, 11)]
    ((_, content),) = rendered(stage(), "a.pdf", "all", passes="backward")
    assert len(readers.pdf(content).pages) == 6
    assert "4" in drawn("last", passes="forward").findtext(f"{SVG}desc")
    with pytest.raises(gv.GradvizError, match="step"):
        drawn(9, passes="forward")
    story = readers.html(next(rendered(stage(), "a.html", "all", passes="forward"))[1])
    assert [step["kind"] for step in story["steps"]] == ["forward"] * 4
    assert not [slot for slot in story["timeline"] if not slot.startswith("value:")]


def test_a_selection_of_nodes() -> None:
    root = drawn(nodes=("f", "g"))
    ids = [g.get("id") for g in root.iter(f"{SVG}g") if g.get("id")]
    assert ids == ["edge-g:0", "node-f", "node-g"]
    assert float(root.get("width")) < float(drawn().get("width"))
    names = [name for name, _ in rendered(stage(), "a.svg", "all", nodes=["f", "g"])]
    assert names == [f"a-{k:02d}.svg" for k in (0, 1, 2, 9)]


def test_a_selection_in_formats_that_are_not_drawn() -> None:
    whole, part = (
        readers.json_(next(rendered(stage(), "a.json", "all", nodes=nodes))[1]) for nodes in ((), ("f", "g"))
    )
    assert [box["id"] for box in part["boxes"]] == ["f", "g"] and [e["id"] for e in part["lines"]] == ["g:0"]
    assert part["boxes"] == [box for box in whole["boxes"] if box["id"] in ("f", "g")]
    slots = {"value:f", "gradient:f", "value:g", "gradient:g", "contribution:g:0"}
    assert part["texts"] == {slot: text for slot, text in whole["texts"].items() if slot in slots}
    assert [step["k"] for step in part["trace"]] == [1, 2, 9]
    rows = readers.md(next(rendered(stage(), "a.md", "all", nodes=["f", "g"]))[1])
    assert [row[0] for row in rows] == ["1", "2", "9"]
    story = readers.html(next(rendered(stage(), "a.html", "all", nodes=["f", "g"]))[1])
    assert [box["id"] for box in story["scene"]["boxes"]] == ["f", "g"]
    assert [edge["id"] for edge in story["scene"]["edges"]] == ["g:0"]
    assert [k for k, step in enumerate(story["steps"], 1) if not step["hidden"]] == [1, 2, 9]


def test_transparent_pictures_have_no_ground() -> None:
    root = drawn(transparent=True)
    assert not [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "background"]
    ((_, content),) = rendered(stage(), "a.png", 0, transparent=True)
    assert readers.picture(content).convert("RGBA").getpixel((1, 1))[3] == 0
    ((_, content),) = rendered(stage(), "a.png", 0)
    assert readers.picture(content).convert("RGBA").getpixel((1, 1)) == (255, 255, 255, 255)
    ((_, content),) = rendered(stage(), "a.gif", "0-1", transparent=True)
    image = readers.picture(content).convert("RGBA")
    assert image.getpixel((1, 1))[3] == 0
    gate = next(box for box in stage().boxes if box.id == "f")
    x, y = round(gate.x + 12 + gate.width / 2 - 5), round(gate.y + 12)
    assert image.getpixel((x, y)) == (255, 255, 255, 255), "the inside of a white box"


@pytest.mark.parametrize(("scale", "factor"), [(None, 2), (1, 1), (0.5, 0.5)])
def test_pixels(scale: float | None, factor: float) -> None:
    ((_, content),) = rendered(stage(), "a.png", scale=scale)
    assert readers.picture(content).width == pytest.approx(float(drawn().get("width")) * factor, abs=1)


def test_pictures_have_a_largest_number_of_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gif, "_MOST", 1e4)
    ((_, content),) = rendered(stage(), "a.gif", 0, width=800, height=200, scale=10)
    assert readers.picture(content).size == (200, 50)


def test_larger_letters_get_more_room(tmp_path: Path) -> None:
    sizes = []
    for factor in (1.0, 1.5):
        (file,) = export(stage().run, tmp_path / "a.svg", font_scale=factor)
        root = readers.svg(file.read_bytes())
        texts = [text for text in root.iter(f"{SVG}text") if text.get("class") == "value"]
        sizes.append((float(texts[0].get("font-size")), float(root.get("height"))))
    assert sizes[1][0] == pytest.approx(1.5 * sizes[0][0])
    assert sizes[1][1] > 1.2 * sizes[0][1]


def test_a_stage_gets_the_letters_and_digits_asked_for(tmp_path: Path) -> None:
    def exported(source: Any, *options: Options, **changes: Any) -> bytes:
        (file,) = export(source, tmp_path / "a.svg", "last", *options, **changes)
        return file.read_bytes()

    run = gv.explore("x = 1/3\ny = x*x")
    six = Stage(run, digits=6, font=20)
    assert exported(six) == exported(six, theme="light") == next(rendered(six, "a.svg"))[1]
    assert exported(six, digits=4, font_scale=1.0) == exported(run)
    for changes in ({"digits": 3, "font_scale": 1.5}, {"digits": 3}, {"font_scale": 0.5}):
        fresh = Stage(run, digits=changes.get("digits", 6), font=14 * changes.get("font_scale", 20 / 14))
        assert (
            exported(six, **changes) == exported(six, Options(**changes)) == next(rendered(fresh, "a.svg"))[1]
        )


@pytest.mark.parametrize(("width", "height"), [(20_000, None), (20_000, 300), (300, 20_000), (19_200, 300)])
def test_pdf_pages_are_as_large_as_readers_take(width: float, height: float | None) -> None:
    ((_, content),) = rendered(stage(), "a.pdf", width=width, height=height)
    (page,) = readers.pdf(content).pages
    wide, high = float(page.mediabox.width), float(page.mediabox.height)
    assert max(wide, high) == pytest.approx(14_400)
    if height:
        assert wide / high == pytest.approx(width / height, rel=1e-4)


def test_a_gif_shows_each_step_as_long_as_asked() -> None:
    ((_, content),) = rendered(stage(), "a.gif", "3-5", seconds=0.8, scale=0.5)
    image = readers.picture(content)
    times = []
    for frame in range(image.n_frames):
        image.seek(frame)
        times.append(image.info["duration"])
    assert times == [800, 800, 1600]


def test_folded_steps_are_left_out() -> None:
    run = gv.explore("x = 2\na = x*x + x\nb = a*a")
    folded = Stage(run, view=View(run.graph, line_groups(run.graph, ["a"])))
    ((_, content),) = rendered(folded, "a.pdf", "all")
    visible = sum(not folded.hidden(step) for step in run.steps)
    assert len(readers.pdf(content).pages) == visible < len(run.steps)


def test_steps_inside_a_folded_box_are_hidden() -> None:
    run = gv.explore("x = 2\na = x*x + x\nb = a*a")
    folded = Stage(run, view=View(run.graph, line_groups(run.graph, ["a"])))
    inner = [step for step in run.steps if folded.hidden(step)]
    assert inner and all(run.graph[step.node].line == "a" for step in inner)
    assert not any(step.node == "a" and step.kind == "forward" for step in inner)


def test_where_a_value_stops_being_finite_is_flagged() -> None:
    flagged = Stage(gv.explore("log(x)*x + 1", x=-1.0))
    assert [box.id for box in flagged.boxes if box.flag] == ["out.1"]
    before, after = (next(rendered(flagged, "a.svg", k))[1].decode() for k in (0, 1))
    assert "⚠" not in before and "⚠" in after


def test_progress_is_reported() -> None:
    seen: list[tuple[int, int]] = []
    list(rendered(stage(), "a.pdf", "1-3", report=lambda done, total: seen.append((done, total))))
    assert seen == [(0, 3), (1, 3), (2, 3), (3, 3)]


def test_files_are_written_where_asked(tmp_path: Path) -> None:
    files = gv.export(stage().run, tmp_path / "deck.svg", "all")
    assert [file.name for file in files[:2]] == ["deck-00.svg", "deck-01.svg"] and len(files) == 11
    assert gv.export("x = 3\ny = x*x", tmp_path / "a.md") == [tmp_path / "a.md"]
    with pytest.raises(OSError, match="nowhere"):
        gv.export("x = 3\ny = x*x", tmp_path / "nowhere" / "a.svg")


def test_formats_say_what_they_are() -> None:
    for suffix, module in formats().items():
        assert module.__name__.endswith(suffix[1:])
        Options(**module.USUAL)
