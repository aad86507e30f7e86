"""A batch on the step-through page: folded by layers, and one entry of a node opened as its products."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import gradviz as gv
from gradviz.app.session import Explored
from gradviz.explain.element import element

testing = pytest.importorskip("streamlit.testing.v1")
SCRIPT = str(Path(__file__).parents[2] / "app.py")

RUN = gv.explore("x = randn(3, 2, 6, 6)\nw = randn(4, 2, 3, 3)\nh = conv2d(x, w)\nL = sum(h*h)", wrt=("w",))


def page(entry: tuple[Any, ...] | None = None) -> Any:
    """The page with a run on it that no text made, and perhaps one entry opened."""
    app = testing.AppTest.from_file(SCRIPT, default_timeout=60)
    app.session_state.explored = Explored(RUN, "a batch", "step_through")
    if entry is not None:
        app.session_state.entry = entry
    app.run()
    assert not app.exception, [problem.message for problem in app.exception]
    return app


def labels(app: Any) -> list[str]:
    return [button.label for button in app.button]


def test_an_opened_entry_is_shown_with_a_way_back() -> None:
    app = page((RUN, "h", (1, 2, 0, 3), ()))
    assert labels(app) == ["Back to the graph"]
    assert [box.value for box in app.number_input] == [1, 2, 0, 3, 1], "and the input channel written out"
    assert "x[1,1,0,3]*w[2,1,0,0]" in app.code[0].value
    app.button[0].click().run()
    assert "Back to training" in labels(app)
    assert "entry" not in app.session_state


def test_moving_to_the_next_entry() -> None:
    app = page((RUN, "h", (1, 2, 0, 3), ()))
    app.number_input[2].set_value(2).run()
    assert app.session_state.entry == (RUN, "h", (1, 2, 2, 3), ())
    assert "x[1,1,2,3]*w[2,1,0,0]" in app.code[0].value


def test_without_an_index_the_liveliest_one_opens() -> None:
    app = page((RUN, "h", None, ()))
    assert tuple(box.value for box in app.number_input)[:4] == element(RUN, "h").index


def test_other_products_can_be_written_out() -> None:
    app = page((RUN, "h", (1, 2, 0, 3), ()))
    app.number_input[4].set_value(0).run()
    assert "x[1,0,0,3]*w[2,0,0,0]" in app.code[0].value
    assert "sum(x[1,1:2," in app.code[0].value


@pytest.mark.parametrize(
    "entry", [(RUN, "x", None, ()), (RUN, "nowhere", None, ()), (RUN, "h", (9, 9, 9, 9), ())]
)
def test_what_cannot_be_opened_leaves_the_graph(entry: tuple[Any, ...]) -> None:
    app = page(entry)
    assert "Back to training" in labels(app)
    assert app.toast
    assert "entry" not in app.session_state


def test_an_entry_of_another_run_is_not_shown() -> None:
    other = gv.explore("x = randn(2, 2)\ny = sum(x @ x)")
    app = page((other, "y.1", (0, 0), ()))
    assert "Back to training" in labels(app)


def test_fused_operations_of_a_batch_open_and_close() -> None:
    run = gv.explore(
        "x = randn(3, 4)\nw = randn(2, 4)\nt = [0, 1, 1]\nh = linear(x, w)\nL = cross_entropy(h, t)"
    )
    app = testing.AppTest.from_function(_toggle, default_timeout=60)
    app.session_state.explored = Explored(run, "a batch", "step_through")
    app.session_state.node = "L"
    app.run()
    shown = app.session_state.explored.shown
    assert "L/1" in shown.graph.index
    assert shown.value("L") == pytest.approx(run.value("L"))
    assert shown.grad("w") == pytest.approx(run.grad("w"))
    app.session_state.node = "L/1"
    app.run()
    assert app.session_state.explored.shown is run


def _toggle() -> None:
    import streamlit as st

    from gradviz.app import session

    session.toggle_group(st.session_state.node)
