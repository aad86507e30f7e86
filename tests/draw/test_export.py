"""Every format writes every demo without other programs and without a network, and an independent reader agrees."""

from __future__ import annotations

import re
import socket
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import gradviz as gv
from gradviz.demos import demos
from gradviz.draw import maths
from gradviz.draw.export import Options, formats, rendered
from gradviz.draw.stage import Stage
from gradviz.explain.typeset import Label
from tests.conftest import require, require_program
from tests.draw import readers
from tests.draw.readers import READERS, SVG

DEMOS = list(demos())


@cache
def stage(name: str) -> Stage:
    demo = demos()[name]
    return Stage(gv.explore(demo.text, wrt=demo.wrt), title=demo.title)


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """No other programs, no network."""

    def refused(*_: object, **__: object) -> None:
        raise AssertionError("an export opened a connection")

    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "create_connection", refused)


def one(name: str, suffix: str, step: int | str = "last", **changes: Any) -> bytes:
    ((_, content),) = rendered(stage(name), f"a{suffix}", step, **changes)
    return content


def test_every_format_is_tested() -> None:
    assert set(formats()) == set(READERS)


@pytest.mark.parametrize("name", DEMOS)
def test_every_demo_in_every_format(name: str) -> None:
    run = stage(name).run
    count = len(run.steps)
    output = stage(name).timeline[f"value:{run.graph.nodes[run.graph.output].id}"][-1][1]
    for suffix, read in READERS.items():
        # Small bitmaps and slides without formulas: how formulas are set is tested once below.
        changes: dict[str, Any] = {"scale": 0.25} if suffix in (".png", ".gif") else {}
        changes |= {"derivation": False} if suffix == ".pptx" else {}
        slow = suffix in (".gif", ".pptx") and count > 7 and name != "relu_chain"
        steps = f"{count - 2}-{count}" if slow else "all" if formats()[suffix].MANY else "last"
        found = read(one(name, suffix, steps, **changes))
        if suffix == ".pdf":
            assert len(found.pages) == count
            text = found.pages[-1].extract_text()
            assert all(line in text for line in output.split("\n"))
        elif suffix == ".pptx":
            assert len(found.slides) == (3 if slow else count)
            assert all(slide.notes_slide.notes_text_frame.text for slide in found.slides)
        elif suffix == ".gif":
            assert 1 <= found.n_frames <= count + 1  # equal neighbours are one frame
        elif suffix == ".md":
            assert [row[0] for row in found] == [str(k) for k in range(1, count + 1)]
        elif suffix == ".json":
            assert [step["k"] for step in found["trace"]] == list(range(1, count + 1))
            assert found["k"] == count
        elif suffix == ".html":
            assert len(found["steps"]) == count
        elif suffix == ".dot":
            nodes, edges = found
            assert sorted(nodes) == sorted(stage(name).view.boxes)
            assert sorted(edges) == sorted((line.source, line.target) for line in stage(name).lines)
        elif suffix == ".svg":
            shown = "".join(found.itertext())
            assert all(line in shown for line in output.split("\n"))


@pytest.mark.parametrize("suffix", list(READERS))
def test_two_exports_are_the_same_bytes(suffix: str) -> None:
    demo = demos()["relu_chain"]
    fresh = Stage(gv.explore(demo.text, wrt=demo.wrt), title=demo.title)
    steps = "2-4" if formats()[suffix].MANY else 3
    changes = {"derivation": True, "title": True}
    ((_, first),) = rendered(stage("relu_chain"), f"a{suffix}", steps, **changes)
    ((_, second),) = rendered(fresh, f"b{suffix}", steps, **changes)
    assert first == second


def test_no_file_says_when_it_was_made() -> None:
    import zipfile
    from io import BytesIO

    with zipfile.ZipFile(BytesIO(one("square", ".pptx"))) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert b"CreationDate" not in one("square", ".pdf")


@pytest.mark.parametrize("aspect", ["16:9", "4:3", None])
@pytest.mark.parametrize("name", ["relu_chain", "vector_network", "convolution"])
def test_positions_never_move(name: str, aspect: str | None) -> None:
    def places(k: int) -> list[tuple[str | None, str | None, str | None, str | None]]:
        root = readers.svg(one(name, ".svg", k, aspect=aspect, derivation=True, title=True))
        cores = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "core"]
        return [(c.get("x"), c.get("y"), c.get("width"), root.get("viewBox")) for c in cores]

    assert len({str(places(k)) for k in range(len(stage(name).run.steps) + 1)}) == 1


@pytest.mark.parametrize(
    "name", ["relu_chain", "sigmoid_neuron", "vector_network", "tiny_mlp", "convolution"]
)
@pytest.mark.parametrize("aspect", ["16:9", "4:3", None])
def test_nothing_reaches_over_the_edge_or_into_its_neighbour(name: str, aspect: str | None) -> None:
    from gradviz.draw.export.marks import Node
    from gradviz.draw.export.options import make_options
    from gradviz.draw.export.page import bounds, divide, step_page

    made = stage(name)
    options = make_options(None, {"aspect": aspect, "derivation": True, "title": True}, {})
    zones = divide(made, options)
    for k in range(len(made.run.steps) + 1):
        page = step_page(made, k, options)
        left, top, right, bottom = bounds(page.marks)
        assert left >= 0 and top >= 0 and right <= page.width and bottom <= page.height
        graph = bounds([mark for mark in page.marks if isinstance(mark, Node)])
        told = [mark for mark in page.marks if getattr(mark, "role", "") in ("formula", "sentence")]
        assert graph[1] >= zones.title
        assert graph[3] <= min(bounds([mark])[1] for mark in told) + 1
        formulas = [bounds([mark]) for mark in told if mark.role == "formula"]  # type: ignore[union-attr]
        sentence = next(bounds([mark]) for mark in told if mark.role == "sentence")  # type: ignore[union-attr]
        assert all(box[3] <= sentence[1] + 1 for box in formulas)


def test_texts_fit_their_boxes_on_slides() -> None:
    presentation = readers.pptx(one("vector_network", ".pptx", "all"))
    for slide in presentation.slides:
        for shape in slide.shapes:
            assert shape.left >= 0 and shape.left + shape.width <= presentation.slide_width
            assert shape.top >= 0 and shape.top + shape.height <= presentation.slide_height
            if not shape.has_text_frame or not shape.text_frame.text:
                continue
            paragraphs = shape.text_frame.paragraphs
            sizes = [max(run.font.size.pt for run in paragraph.runs) for paragraph in paragraphs]
            assert sum(1.2 * size * 12_700 for size in sizes) <= shape.height * 1.02
            for paragraph in paragraphs:
                # The outlines of our own font measure independently of the widths that laid the drawing out.
                wide = sum(
                    maths.words(run.text, bool(run.font.bold)).width / maths.EM * run.font.size.pt
                    for run in paragraph.runs
                )
                assert wide * 12_700 <= shape.width * 1.001


@pytest.mark.parametrize(
    ("text", "missing"),
    [("A⁻ᵀ x = ½‖W‖²", ""), ("ᴹᴺᵗ", ""), ("漢 a\n漢🙂", "漢🙂"), ("\u2708\ufe0f e\u0301", "✈")],
)
def test_letters_that_have_no_outline(text: str, missing: str) -> None:
    assert maths.undrawn(text) == missing


def test_a_raised_letter_is_the_small_letter() -> None:
    raised, letter = maths.words("ᵀ"), maths.words("T")
    assert raised.width == pytest.approx(0.65 * letter.width)
    assert raised.path.count("L") == letter.path.count("L") and raised.path != maths.words("漢").path


def test_a_name_that_cannot_be_drawn_is_text() -> None:
    assert maths.label_latex(Label("漢")) == "" and maths.label_latex(Label("w", "1")) == "w_{1}"


def test_slides_are_native_glued_and_morph() -> None:
    presentation = readers.pptx(one("relu_chain", ".pptx", "all"))
    first, second = list(presentation.slides)[-2:]
    lines = {line.id: line for line in stage("relu_chain").lines}
    for slide in (first, second):
        ids = {shape.shape_id: shape.name for shape in slide.shapes}
        assert len(ids) == len(slide.shapes)
        connectors = [shape for shape in slide.shapes if shape.name.startswith("!!edge ")]
        assert len(connectors) == 7
        for connector in connectors:
            ends = connector.element.findall(".//{*}cNvCxnSpPr/*")
            line = lines[connector.name.removeprefix("!!edge ")]
            assert [ids[int(end.get("id"))] for end in ends] == [
                f"!!node {line.source}",
                f"!!node {line.target}",
            ]
        assert [e for e in slide.element.iter() if str(e.tag).endswith("}morph")]
        names = [shape.name for shape in slide.shapes]
        assert len(names) == len(set(names)) and all(name.startswith("!!") for name in names)
    assert {s.name for s in first.shapes if "node" in s.name} == {
        s.name for s in second.shapes if "node" in s.name
    }
    boxes = {shape.name: shape.text_frame.text for shape in second.shapes if shape.name.startswith("!!node")}
    assert boxes["!!node g"] == "ReLU\ng"
    pictures = [shape for shape in second.shapes if shape.name.startswith("!!formula")]
    assert all(shape.image.dpi and shape.image.size[0] * 9525 > 2 * shape.width for shape in pictures)


def test_a_lecture_has_all_its_parts() -> None:
    demo = demos()["relu_chain"]
    content = one("relu_chain", ".pptx", "all", lecture=True, lesson=demo.lesson)
    told = [shape_text(slide) for slide in readers.pptx(content).slides]
    assert demo.lesson.split(".")[0] in told[0].replace("\v", " ").replace("\n", " ")
    chapters = [
        "the graph",
        "chain rule",
        "step 1 of 10 · forward",
        "plugging in",
        "step 5 of 10 · seed",
        "re-use",
    ]
    lines = [text.split("\n") for text in told]
    places = [next(i for i, texts in enumerate(lines) if chapter in texts) for chapter in chapters]
    assert places == sorted(places) and places[0] == 1
    assert (
        sum("chain rule" in texts for texts in lines) == 5
    )  # the product, then each of its four factors boxed
    assert sum("plugging in" in texts for texts in lines) == 5
    assert len(readers.pdf(one("relu_chain", ".pdf", "all", lecture=True)).pages) == len(told)


@pytest.mark.parametrize("name", ["relu_chain", "sigmoid_neuron", "vector_network", "convolution"])
def test_slides_can_be_read_from_the_back_row(name: str) -> None:
    from gradviz.draw.export.lecture import plan
    from gradviz.draw.export.marks import flat
    from gradviz.draw.export.options import make_options

    made = stage(name)
    options = make_options(None, {"lecture": True, "lesson": demos()[name].lesson}, {})
    roles = ("title", "lesson", "formula", "sentence")
    for page in (make() for make in plan(made, range(len(made.run.steps) + 1), options)):
        sizes = [mark.size for mark in flat(page.marks) if mark.role in roles]  # type: ignore[union-attr]
        assert min(sizes) >= 24, "18 pt where 1280 px are 13.33 in"


def test_no_word_stands_alone_and_no_shape_is_broken() -> None:
    from gradviz.draw.export.page import wrapped

    text = "Backward from h to b: the upstream gradient, a 1 × 1 × 2 × 2 array, pulled back through h gives a vector of 1."
    lines, size = wrapped(text, 1224, 24, 3)
    assert (" ".join(lines), size) == (text, 24)
    assert not any(line.startswith("×") or line.endswith("×") for line in lines)
    assert len(lines) == 2 and min(map(len, lines)) > 0.5 * max(map(len, lines))


@pytest.mark.parametrize("transparent", [False, True])
def test_numbers_on_slides_have_a_ground_that_hides_lines(transparent: bool) -> None:
    for slide in readers.pptx(
        one("relu_chain", ".pptx", "6-7", transparent=transparent, theme="dark")
    ).slides:
        for shape in slide.shapes:
            found = [e.get("val") for e in shape.element.iterfind(".//{*}highlight/{*}srgbClr")]
            numbers = shape.name.startswith(("!!contribution", "!!value", "!!gradient"))
            assert found == (["181715"] if numbers and not transparent else [])


def shape_text(slide: Any) -> str:
    return "\n".join(shape.text_frame.text for shape in slide.shapes if shape.has_text_frame)


@pytest.mark.parametrize("name", ["vector_network", "sigmoid_neuron", "square", "log_sum_exp", "convolution"])
def test_every_demo_can_be_a_lecture(name: str) -> None:
    assert len(readers.pdf(one(name, ".pdf", "all", lecture=True)).pages) > len(stage(name).run.steps)


@pytest.mark.parametrize("name", ["relu_chain", "vector_network", "square"])
def test_dot_reads_our_graphs(name: str) -> None:
    dot = require_program("dot")
    plain = subprocess.run([dot, "-Tplain"], input=one(name, ".dot"), capture_output=True, check=True)
    assert not plain.stderr
    lines = [line.split(" ") for line in plain.stdout.decode().splitlines()]
    edges = sorted((line[1].strip('"'), line[2].strip('"')) for line in lines if line[0] == "edge")
    assert edges == sorted((line.source, line.target) for line in stage(name).lines)


def beamer(folder: Path, **pictures: bytes) -> Any:
    """The PDF that LaTeX makes of these pictures, a frame each."""
    latex = require_program("pdflatex")
    for name, content in pictures.items():
        (folder / f"{name}.tex").write_bytes(content)
    frames = "".join(
        rf"\begin{{frame}}\resizebox{{\textwidth}}{{!}}{{\input{{{name}.tex}}}}\end{{frame}}"
        "\n"
        for name in pictures
    )
    (folder / "deck.tex").write_text(
        rf"\documentclass{{beamer}}\usepackage{{amsmath,amssymb,tikz}}\begin{{document}}{frames}\end{{document}}"
    )
    done = subprocess.run(
        [latex, "-interaction=nonstopmode", "-halt-on-error", "deck.tex"],
        cwd=folder, capture_output=True, check=False, env={"PATH": str(Path(latex).parent), "HOME": str(folder)},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    return require("pypdf").PdfReader(folder / "deck.pdf")


def test_latex_sets_the_pictures(tmp_path: Path) -> None:
    names = ["relu_chain", "vector_network"]
    reader = beamer(
        tmp_path, **{name: one(name, ".tex", "all", derivation=True, title=True) for name in names}
    )
    counts = [len(stage(name).run.steps) for name in names]
    assert len(reader.pages) == sum(counts)
    assert "Backward from f to" in reader.pages[counts[0] - 1].extract_text()


def test_latex_sets_the_formulas_of_a_table(tmp_path: Path) -> None:
    rows = "".join(one(name, ".md", "all").decode() for name in ("relu_chain", "euclidean_norm", "diamond"))
    formulas = re.findall(r"\| (\$[^|]+\$) \|", rows)
    assert any(r"\Vert" in formula for formula in formulas)
    found = beamer(tmp_path, **{f"formula{k}": formula.encode() for k, formula in enumerate(formulas)})
    assert len(found.pages) == len(formulas) >= 20


def test_letters_that_latex_lacks_are_drawn(tmp_path: Path) -> None:
    names = ("ж", "вес", "yé", "损失")
    product = gv.variable(names[0], 2.0)
    for name in names[1:]:
        product = product * gv.variable(name, 3.0)
    foreign = Stage(gv.explore(product), title="Ёж → ∅ ŷ é 数据 ⚑ ∈ ½")
    ((_, content),) = rendered(foreign, "a.tex", "all", derivation=True, title=True)
    text = readers.tex(content)
    assert "?" not in text
    assert text.count(",shift=") > 10
    assert len(beamer(tmp_path, foreign=content).pages) == 10


def test_options_object_and_keywords_agree() -> None:
    options = Options(theme="dark", aspect="4:3", derivation=True)
    ((_, one_way),) = rendered(stage("square"), "a.svg", 2, options)
    assert one_way == one("square", ".svg", 2, theme="dark", aspect="4:3", derivation=True)
    assert b"#181715" in one_way
