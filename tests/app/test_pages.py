"""Every page runs without a browser: the widgets are there, and using them changes the program."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from gradviz.app import discover_pages
from gradviz.app.program import Program
from gradviz.demos import demos

SCRIPT = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def app() -> AppTest:
    """The app as a person finds it."""
    found = AppTest.from_file(SCRIPT, default_timeout=60).run()
    assert not found.exception
    return found


def program(app: AppTest) -> Program:
    return app.session_state["program"]  # type: ignore[no-any-return]


def by_label(widgets: Any, label: str) -> Any:
    return next(widget for widget in widgets if widget.label == label)


def test_pages_declare_what_the_menu_needs() -> None:
    pages = discover_pages()
    assert pages
    for page in pages:
        assert page.TITLE
        assert page.SECTION in ("Backprop", "Vectors", "Train", "Convolution", "Imaging", "Reference")
        assert isinstance(page.ORDER, int)
        assert callable(page.show)


def test_the_first_demo_opens(app: AppTest) -> None:
    assert program(app).text == next(iter(demos().values())).text
    assert [slider.label for slider in app.slider] == ["x", "w₁", "w₂", "y"]


@pytest.mark.parametrize("name", list(demos()))
def test_every_demo_can_be_picked(app: AppTest, name: str) -> None:
    by_label(app.selectbox, "Demo").select(name).run()
    assert not app.exception
    assert program(app).text == demos()[name].text


def test_a_slider_and_its_number_field_agree(app: AppTest) -> None:
    by_label(app.slider, "x").set_value(3.0).run()
    assert by_label(app.number_input, "value of x").value == 3.0
    assert program(app).values == {"x": 3.0}
    by_label(app.number_input, "value of x").set_value(40.0).run()
    assert by_label(app.slider, "x").value == 40.0, "the range grows with the number"
    assert not app.exception


def test_options_change_the_program(app: AppTest) -> None:
    by_label(app.select_slider, "Significant digits shown").set_value(6).run()
    by_label(app.multiselect, "Differentiate with respect to").set_value(["x"]).run()
    assert (program(app).digits, program(app).wrt) == (6, ("x",))
    by_label(app.multiselect, "Differentiate with respect to").set_value([]).run()
    assert not app.exception


def test_an_output_that_is_no_scalar_offers_what_to_do(app: AppTest) -> None:
    app.session_state["program"] = Program("x = [1, 2, 3]\nx**2")
    app.run()
    assert not app.exception
    choice = next(box for box in app.selectbox if "shape (3,)" in box.label)
    for option in ("1", "none", "ones"):
        choice.select(option).run()
        assert not app.exception
        assert program(app).seed == option
        choice = next(box for box in app.selectbox if "shape (3,)" in box.label)
    by_label(app.button, "Reduce with sum(…)").click().run()
    assert program(app).text == "x = [1, 2, 3]\nsum(x**2)\n"
    assert not app.exception


def test_a_broken_program_keeps_the_last_good_one(app: AppTest) -> None:
    good = app.session_state["good"].text
    app.session_state["program"] = Program("a = 2\nb = a^2")
    app.run()
    assert not app.exception
    assert app.session_state["good"].text == good
    assert program(app).text == "a = 2\nb = a^2"


def test_a_program_in_the_address_is_opened() -> None:
    wanted = Program("a = 2\nb = a*a", values={"a": 7.0}, digits=3)
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params["p"] = wanted.to_link()
    app.run()
    assert not app.exception
    assert program(app) == wanted
    assert by_label(app.number_input, "value of a").value == 7.0


@pytest.mark.parametrize("address", ["", "x", "%%%", "AAAA", "eJwDAAAAAAE", "a" * 20_000])
def test_a_damaged_address_says_so_and_opens_the_first_demo(address: str) -> None:
    app = AppTest.from_file(SCRIPT, default_timeout=60)
    app.query_params["p"] = address
    app.run()
    assert not app.exception
    assert program(app).text == next(iter(demos().values())).text
    assert any("first demo" in notice.value for notice in app.toast)
