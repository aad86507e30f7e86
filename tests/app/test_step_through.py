"""The step-through page without a browser: widgets, what they change, and what an address can bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradviz.app import session
from gradviz.app.pages import step_through
from gradviz.app.program import Program
from gradviz.demos import get

testing = pytest.importorskip("streamlit.testing.v1")
SCRIPT = str(Path(__file__).parents[2] / "app.py")


def page(program: Program | None = None, **address: str) -> Any:
    """The page after its first run, opened at a program and anything else in the address."""
    app = testing.AppTest.from_file(SCRIPT, default_timeout=60)
    for name, value in address.items():
        app.query_params[name] = value
    if program is not None:
        app.query_params["p"] = program.to_link()
    return working(app.run())


def working(app: Any) -> Any:
    """The page, once it is sure that no exception shows on it."""
    assert not app.exception, [problem.message for problem in app.exception]
    return app


@pytest.mark.parametrize("k", ["3", "²", "٣", "-1", "9" * 9, "x"])
def test_any_step_in_the_address(k: str) -> None:
    page(k=k)


@pytest.mark.parametrize("value", ["1.7e308", "-1e308", "1e17", "1e-300", "0"])
def test_inputs_of_any_size_have_a_slider(value: str) -> None:
    assert page(Program(f"x = {value}\ny = x*2")).slider[0].value == float(value)


def test_a_vector_output_offers_seeds_and_a_sum() -> None:
    app = page(Program("x = [1, 2]\nx*2", seed="1", digits=6))
    seed = next(box for box in app.selectbox if "Gradient put on it" in box.label)
    assert seed.value == "1", "what the address says"
    assert app.select_slider[0].value == 6
    working(seed.select("none").run())
    assert app.session_state.program.seed == "none"
    working(next(button for button in app.button if "sum" in button.label).click().run())
    assert app.session_state.program.text == "x = [1, 2]\nsum(x*2)\n"
    assert all("Gradient put on it" not in box.label for box in app.selectbox)


def test_a_new_demo_resets_what_the_widgets_show() -> None:
    app = page(Program("x = [1, 2]\nx*2", digits=6))
    working(app.selectbox[0].select(get("D1").name).run())
    assert app.session_state.program == Program.of_demo(get("D1"))
    assert app.select_slider[0].value == 4
    assert app.multiselect[0].value == ["w1", "w2"]


def edited(chosen: tuple[str, ...] | None, *texts: str) -> Program:
    """D1 after its text was edited; `chosen` is what a person differentiates by, None leaves the demo's choice."""

    def script(chosen: tuple[str, ...] | None, texts: tuple[str, ...]) -> None:
        from gradviz.app import session

        session.start()
        if chosen is not None:
            session.choose_wrt(chosen)
        for text in texts:
            session.edit(text)
            session.current()

    app = testing.AppTest.from_function(script, args=(chosen, texts))
    return working(app.run()).session_state.program  # type: ignore[no-any-return]


VECTORS = "W = [[1, -2], [3, 4]]\nx = [1, 1]\nb = [0.5, -1]\nL = sum(relu(W@x + b)**2)"


@pytest.mark.parametrize(
    ("chosen", "texts", "wrt"),
    [
        (None, ["y = a*b"], None),
        (None, [VECTORS], None),
        (None, ["x = 0\nf = 1/x", VECTORS], None),
        (None, ["x = 5\nw1 = 1\ny = w1*x"], None),
        (None, [get("D1").text.replace("x = 5", "x = 7")], ("w1", "w2")),
        (None, ["y = ("], ("w1", "w2")),
        (("w1",), ["x = 5\nw1 = 1\ny = w1*x"], ("w1",)),
        (("w1",), ["x = 5\nw1 = 1\nb = 2\ny = w1*x + b"], ("w1", "b")),
        (("w1",), ["x = 5\ny = x*2"], None),
        ((), ["x = 5\ny = x*2"], None),
    ],
)
def test_what_an_edited_text_is_differentiated_by(
    chosen: tuple[str, ...] | None, texts: list[str], wrt: tuple[str, ...] | None
) -> None:
    assert edited(chosen, *texts).wrt == wrt


def test_a_choice_in_the_address_is_a_persons_own() -> None:
    for program, chosen in ((Program("y = a*b", wrt=("a",)), True), (Program.of_demo(get("D1")), False)):
        app = page(program)
        assert app.session_state.program.wrt == program.wrt
        assert app.session_state.chosen == chosen


@pytest.fixture
def stories(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What the stepper was given, run by run."""
    given: list[dict[str, Any]] = []
    monkeypatch.setattr(step_through, "stepper", lambda story, **_: given.append(story))
    return given


@pytest.mark.parametrize(
    ("text", "message", "excerpt"),
    [
        ("f = (x*y + ", "Line 1: ", "f = (x*y + \n    ^"),
        ("A=zeros(3,4)\nx=ones(3)\nL=sum(A@x)", "Line 3: matmul: A has shape (3, 4)", "L=sum(A@x)\n       ^"),
    ],
)
def test_an_error_is_told_over_the_last_picture_that_worked(
    stories: list[dict[str, Any]], text: str, message: str, excerpt: str
) -> None:
    page(Program(text))
    alert = stories[-1]["alert"]
    assert alert["message"].startswith(message)
    assert alert["excerpt"] == excerpt
    assert alert["shown"] == "Shown is the last program that worked."
    assert stories[-1]["title"] == get("D1").title
    page()
    assert stories[-1]["alert"] is None


def test_what_cannot_be_opened_is_closed_and_said_once(stories: list[dict[str, Any]]) -> None:
    lines = [f"a{i} = sigmoid(a{i - 1})" for i in range(1, 200)]
    app = page()
    app.session_state.program = Program("\n".join(lines), opened=tuple(f"a{i}" for i in range(1, 200)))
    working(app.run())
    assert "500 operations" in stories[-1]["alert"]["message"]
    assert stories[-1]["alert"]["shown"] == "Shown is the program with nothing opened or folded."
    assert app.session_state.program.opened == ()
    working(app.run())
    assert stories[-1]["alert"] is None


@pytest.mark.parametrize(
    ("value", "slider"), [("5", "%0.2f"), ("1e12", "%e"), ("1e-9", "%e"), ("0", "%0.2f")]
)
def test_a_number_too_long_for_its_field_is_written_short(value: str, slider: str) -> None:
    assert page(Program(f"x = {value}\ny = x*2")).slider[0].proto.format == slider


def test_toggled() -> None:
    assert session.toggled(("f", "g"), "f/1") == ("f", "g", "f/1")
    assert session.toggled(("f", "f/1", "g"), "f") == ("g",)
