"""The panel 'For slides': what it offers, and that every snippet makes the very file that is downloaded."""

from __future__ import annotations

import shlex
import time
import zipfile
from base64 import b64decode
from collections.abc import Iterator
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.app import session
from gradviz.app.array_picture import array_panels
from gradviz.app.making import Making, packed
from gradviz.app.program import Program, open_program
from gradviz.app.slides import Subject, of_program
from gradviz.app.snippets import Wanted, command, html, latex, markdown, python, snippets
from gradviz.app.vector_pictures import jacobian_panels, ledger_panels
from gradviz.cli import main
from gradviz.demos import get
from gradviz.draw.export import rendered
from gradviz.draw.plots import picture_svg
from gradviz.errors import Stopped
from gradviz.explain.arrangement import costs_view
from gradviz.explain.ledger import ledger_of
from gradviz.explain.vectors import jacobian_view, ledger_view
from tests.app.test_step_through import page, testing, working

DEMO = Program.of_demo(get("D1"))
OWN = "# a / b = 3\nw = -2\nz = w*x\ns = sigmoid(z)"
PROGRAMS = {
    "demo": DEMO,
    "moved": Program.of_demo(get("D1")).__class__(
        DEMO.text, DEMO.title, {"w1": 0.1, "x": -1e-7}, wrt=("w1",)
    ),
    "own": Program(OWN, "Mine", {"x": 3.5}, opened=("s",), digits=6),
    "folded": Program("x = 2\nu = exp(x) + 1/x\ny = u*u + x", folded=("u",)),
    "minus": Program("-x*y", values={"y": 2.0}),
    "one name": Program("D7"),
    "vector": Program("x = [1, 2]\nx*3", seed="1"),
    "sum": Program("W = [[1, 2], [3, 4]]\ny = W*2", values={"W": [[5.0, 6.0], [7.0, -8.0]]}),
    "forward": Program("x = [1, 2]\nx*3", seed="none"),
    "quotes": Program('x = 2  # it\'s "so" \\ $HOME\ny = x*x'),
}
LOOKS: dict[str, tuple[int | str, dict[str, Any]]] = {
    "a.svg": (1, {"theme": "dark", "title": "It's -x", "aspect": "16:9", "font_scale": 1.4}),
    "a.json": ("all", {}),
    "a.tex": ("all", {"passes": "forward", "derivation": True, "values": False}),
    "a.dot": ("0-1", {"width": 500.0, "gradients": False, "transparent": True}),
}


def subject(program: Program) -> Subject:
    return of_program(program, open_program(program))


def downloaded(subject: Subject, wanted: Wanted) -> dict[str, bytes]:
    stage = subject.stage(wanted.options.get("font_scale", 1.0))
    return dict(rendered(stage, wanted.name, wanted.step, **wanted.options))


def written(folder: Path) -> dict[str, bytes]:
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    for path in folder.iterdir():
        path.unlink()
    return files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(mine: Subject, wanted: Wanted, folder: Path) -> None:
    """The command line and the Python call write the downloaded bytes."""
    assert mine.made is not None
    expected = downloaded(mine, wanted)
    program, *words = shlex.split(command(mine.made, wanted))
    assert program == "gradviz" and main(words) == 0
    assert written(folder) == expected
    exec(compile(python(mine.made, wanted), "snippet", "exec"), {})
    assert written(folder) == expected


# Every program in two formats, every format with many programs.
PAIRS = [(name, look) for i, name in enumerate(PROGRAMS) for j, look in enumerate(LOOKS) if (i + j) % 2 == 0]


@pytest.mark.parametrize(("name", "look"), PAIRS)
def test_snippets_write_the_same_file(name: str, look: str, folder: Path) -> None:
    step, options = LOOKS[look]
    check(subject(PROGRAMS[name]), Wanted(look, step, options), folder)


@pytest.mark.parametrize("suffix", ["png", "pdf", "pptx", "html", "md", "gif"])
def test_snippets_of_every_format(suffix: str, folder: Path) -> None:
    check(subject(PROGRAMS["folded"]), Wanted(f"deck.{suffix}", "2-3", {"theme": "print"}), folder)


def test_a_lecture_from_its_snippets(folder: Path) -> None:
    lecture = {"lecture": True, "lesson": get("D1").lesson}
    for name, options in (("deck.pdf", lecture), ("deck.pptx", {"nodes": ("w1", "f")})):
        check(subject(DEMO), Wanted(name, "all", options), folder)


def test_snippets_that_include_a_file() -> None:
    one = Wanted("net.svg", 3, title="f[x]")
    assert markdown(one) == r"![f\[x\]](net.svg)"
    assert html(Wanted("net.html", "all", title='"<b>"')).endswith('title="&quot;&lt;b&gt;&quot;"></iframe>')
    assert latex(Wanted("net.tex", 3)).endswith(r"\resizebox{\textwidth}{!}{\input{net.tex}}")
    assert r"\foreach \k in {1,...,9} {\includegraphics<\k>[page=\k" in latex(
        Wanted("net.pdf", "all", pages=9)
    )
    assert markdown(Wanted("n.png", "all", files=("n-1.png", "n-2.png"))).count("![") == 2
    assert list(snippets(None, one)) == ["Markdown", "HTML"]
    assert not snippets(None, Wanted("net.pptx", "all"))


def test_making_is_watched_and_stopped() -> None:
    def pages(report: Any) -> Iterator[tuple[str, bytes]]:
        for i in range(3):
            report(i, 3)
            yield f"{i}.svg", b"x"

    made = Making(pages).start()
    assert made.wait(10) and (made.done, made.total, made.error) == (2, 3, None)
    archive = zipfile.ZipFile(BytesIO(packed(made.files)))
    assert archive.namelist() == ["0.svg", "1.svg", "2.svg"]
    assert packed(made.files) == packed(made.files) and packed(made.files[:1]) == b"x"
    stopped = Making(pages)
    stopped.stop()
    assert stopped.start().wait(10)
    assert isinstance(stopped.error, Stopped) and not stopped.files


def opened(program: Program | None = None, **address: str) -> Any:
    app = page(program, **address)
    return working(next(button for button in app.button if button.label == "For slides").click().run())


def test_the_panel_opens_at_the_step_on_screen() -> None:
    app = opened(k="7")
    assert next(field.value for field in app.number_input if field.label.startswith("Step")) == 7
    (preview,) = app.get("image")[0].proto.imgs
    assert b64decode(preview.url.partition(",")[2]) == downloaded(subject(DEMO), Wanted("a.svg", 7))["a.svg"]
    commands = [code.value for code in app.code if code.value.startswith("gradviz export")]
    assert commands == ["gradviz export relu_chain -o relu_chain.svg --step=7"]


def test_a_deck_is_made_when_asked() -> None:
    app = opened(k="7")
    working(app.selectbox(key="slides.format").select(".pdf").run())
    assert len(app.get("download_button")) == 1, "only the program itself"
    make = next(button for button in app.button if button.label == "Make relu_chain.pdf")
    working(make.click().run())
    making, _ = app.session_state["slides.making"]
    assert making.wait(30)
    app = working(app.run())
    assert [name for name, _ in making.files] == ["relu_chain.pdf"]
    assert [button.proto.label for button in app.get("download_button")][-1] == "Download relu_chain.pdf"


def test_a_deck_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless(*_: Any, report: Any, **__: Any) -> Iterator[tuple[str, bytes]]:
        for i in range(10**6):
            report(i, 10**6)
            time.sleep(0.01)
        yield "never", b""

    app = opened()
    working(app.selectbox(key="slides.format").select(".html").run())
    monkeypatch.setattr("gradviz.app.slides.rendered", endless)
    working(next(button for button in app.button if button.label.startswith("Make")).click().run())
    making, _ = app.session_state["slides.making"]
    working(next(button for button in app.button if button.label == "Stop").click().run())
    assert making.wait(10) and isinstance(making.error, Stopped)
    assert any(button.label.startswith("Make") for button in working(app.run()).button)


def asked(app: Any) -> Any:
    """The choice of the steps."""
    return next(group for group in app.button_group if group.label == "Steps")


def test_a_deck_starts_with_all_steps_until_a_person_chooses() -> None:
    app = opened(Program("x = 2\ny = x*x"), k="1")
    usual = {".svg": "this", ".pdf": "all", ".png": "this", ".gif": "all", ".md": "all", ".html": "all"}
    for suffix, steps in usual.items():
        working(app.selectbox(key="slides.format").select(suffix).run())
        assert asked(app).value == steps, suffix
    working(asked(app).select("range").run())
    for suffix in usual:
        working(app.selectbox(key="slides.format").select(suffix).run())
        assert asked(app).value == "range", suffix


@pytest.mark.parametrize(
    ("suffix", "words"),
    [(".gif", "page 1 of 5, the first before any step"), (".pdf", "page 1 of 4")],
)
def test_the_panel_says_where_pages_begin(suffix: str, words: str) -> None:
    app = opened(Program("x = 2\ny = x*x", wrt=("x",)))
    working(app.selectbox(key="slides.format").select(suffix).run())
    assert any(caption.value.endswith(words) for caption in app.caption)


def test_the_panel_says_which_letters_have_no_picture() -> None:
    app = opened(Program("x = 2\ny = x*x", "漢字 x²"))
    working(app.selectbox(key="slides.format").select(".png").run())
    working(next(toggle for toggle in app.toggle if toggle.label == "Title").set_value(True).run())
    assert [box.value.partition("\\;")[0] for box in app.warning] == [
        "these letters have no picture in PNG\\: 漢\\, 字"
    ]


@pytest.mark.parametrize("suffix", [".png", ".pptx", ".html", ".tex", ".dot", ".md"])
def test_every_format_can_be_chosen(suffix: str) -> None:
    app = opened(Program("x = 2\ny = x*x"))
    working(app.selectbox(key="slides.format").select(suffix).run())
    assert not app.error


def test_a_run_from_a_training() -> None:
    trainer = gv.nn.Trainer(
        gv.nn.Sequential(gv.nn.Linear(2, 2)).init(np.random.default_rng(0)), "mse", gv.optim.SGD(0.1)
    )
    run = trainer.explore(np.ones((3, 2)), np.zeros((3, 2)))
    app = page()
    app.session_state.explored = session.Explored(run, "Points · batch 3", "digits")
    working(app.run())
    working(next(button for button in app.button if button.label == "For slides").click().run())
    assert len(app.get("image")) == 1
    assert "![Points · batch 3](points_batch_3.svg)" in [code.value for code in app.code]
    assert not any(code.value.startswith("gradviz export") for code in app.code)


def test_a_live_picture_is_offered_as_a_file() -> None:
    def script() -> None:
        from gradviz.app.save_picture import save_picture

        save_picture(lambda: {"panels": []}, "digits")

    app = working(testing.AppTest.from_function(script).run())
    assert [button.proto.label for button in app.get("download_button")] == ["Download SVG", "Download PNG"]


BATCH = "x = [[1, -2], [3, 4], [0, 5]]\nX = randn(3, 2, 6, 6)\nw = randn(4, 2, 3, 3)\nL = sum(conv2d(X, w)) + sum(x)"


def test_an_array_of_the_inspector_is_offered_as_a_file() -> None:
    app = page(Program(BATCH))
    app.session_state.array_picture = {"node": "X", "frame": 2, "shown": ["value", "gradient"]}
    labels = [button.proto.label for button in working(app.run()).get("download_button")]
    assert labels[-2:] == ["Download SVG", "Download PNG"]
    assert "array_picture" not in app.session_state, "offered once"


def test_an_array_is_saved_as_it_is_drawn() -> None:
    opened = open_program(Program(BATCH))
    x = opened.stage.run.value("X")
    value, gradient = array_panels(opened.story, "X", 2, ["value", "gradient"])
    assert np.allclose(value["images"], x[2], atol=abs(x).max() / 127)
    assert value["title"] == "value of X, sample 2" and value["palette"] == "signed"
    assert gradient["range"][0] == -gradient["range"][1]
    (w,) = array_panels(opened.story, "w", 2, ["value"])
    assert (len(w["images"]), w["columns"], w["title"]) == (8, 2, "value of w")
    svg = picture_svg({"panels": [value, gradient, w]})
    assert "value of X, sample 2" in svg and value["note"] in svg


@pytest.mark.parametrize(
    ("name", "state", "files"),
    [
        ("jacobians", {}, ["jacobian", "ledger"]),
        ("methods", {"methods.part": "1 Numerical"}, ["error_curves"]),
        ("methods", {"methods.part": "2 Symbolic"}, ["swelling"]),
        ("methods", {"methods.part": "3 Automatic"}, ["modes"]),
    ],
)
def test_charts_on_vectors_are_offered_as_files(name: str, state: dict[str, Any], files: list[str]) -> None:
    def script(name: str) -> None:
        from importlib import import_module

        import_module(f"gradviz.app.pages.{name}").show()

    app = testing.AppTest.from_function(script, args=(name,), default_timeout=60)
    for key, value in state.items():
        app.session_state[key] = value
    ids = " ".join(button.proto.id for button in working(app.run()).get("download_button"))
    assert all(f"{file}.save.{suffix}" in ids for file in files for suffix in ("svg", "png"))


@pytest.mark.parametrize(("demo", "wrt"), [("D6", "W1"), ("D1", "x")])
def test_a_jacobian_and_a_ledger_are_drawn(demo: str, wrt: str) -> None:
    run = gv.explore(get(demo).text)
    matrix = picture_svg({"panels": jacobian_panels(jacobian_view(run, wrt, "f"))})
    product = ledger_view(run, wrt)["products"][0]
    ledger = picture_svg({"panels": ledger_panels(product, {"now": costs_view(ledger_of(run, wrt), 0)})})
    shown = {"D6": ("(W₁)₃₄", "ℝ¹²ˣ³", "(HN×H)", "36"), "D1": (">1.00<", "ℝ¹ˣ¹", "(1×1)", "together")}
    assert all(text in matrix + ledger for text in shown[demo])
    assert "more" not in ledger and "−0.00" not in matrix


def test_of_a_large_jacobian_the_blocks_are_drawn() -> None:
    run = gv.explore("x = randn(600)\nW = randn(500, 600)\ny = W @ x\nL = sum(y)")
    (panel,) = jacobian_panels(jacobian_view(run, "W", "y"))
    assert np.shape(panel["values"]) == (55, 55), "as many as were looked at of 500"
    assert panel["note"].startswith("the largest entry of each block")
    assert "each block" in picture_svg({"panels": [panel]})


@pytest.mark.parametrize("name", ["decision_regions", "denoising", "inpainting"])
def test_what_an_experiment_shows_is_drawn(name: str) -> None:
    module = import_module(f"gradviz.demos.live.{name}")
    panels = module.Experiment(module.Settings()).picture()
    svg = picture_svg(panels)
    assert all(f">{panel['title'][:12]}" in svg for panel in panels["panels"])
