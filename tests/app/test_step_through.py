"""The step-through page without a browser: widgets, what they change, and what an address can bring."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from gradviz.app import session
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


def edited(before: Program, text: str) -> Program:
    """The program after its text was edited."""

    def script(before: object, text: str) -> None:
        import streamlit as st

        from gradviz.app import session

        session.start()
        st.session_state.program = st.session_state.good = before
        session.edit(text)

    app = testing.AppTest.from_function(script, args=(before, text))
    return working(app.run()).session_state.program  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("text", "wrt"),
    [
        ("y = a*b", ("a", "b")),
        ("x = 5\nw1 = 1\ny = w1*x", ("w1",)),
        ("x = 5\nw1 = 1\nb = 2\ny = w1*x + b", ("w1", "b")),
        ("x = 5\ny = x*2", None),
        ("y = (", ("w1", "w2")),
    ],
)
def test_an_edit_never_ends_with_nothing_to_differentiate(text: str, wrt: tuple[str, ...] | None) -> None:
    assert edited(Program.of_demo(get("D1")), text).wrt == wrt


def test_what_cannot_be_opened_is_closed_and_said_once() -> None:
    lines = [f"a{i} = sigmoid(a{i - 1})" for i in range(1, 200)]
    app = page()
    app.session_state.program = Program("\n".join(lines), opened=tuple(f"a{i}" for i in range(1, 200)))
    working(app.run())
    assert "500 operations" in app.error[0].value
    assert app.session_state.program.opened == ()
    assert not working(app.run()).error


def test_a_message_is_no_markdown() -> None:
    program = Program("f = sigmoid(x)", opened=("f", "f/![](//elsewhere.test/a.png)"))
    message = page(program).error[0].value
    assert "elsewhere" in message
    assert "![" not in message
    assert "//" not in message


def test_toggled() -> None:
    assert session.toggled(("f", "g"), "f/1") == ("f", "g", "f/1")
    assert session.toggled(("f", "f/1", "g"), "f") == ("g",)
