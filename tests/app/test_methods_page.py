"""The page on the three ways to differentiate, without a browser."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from gradviz.app.pages.methods import PARTS
from gradviz.app.program import Program
from gradviz.app.three_ways import (
    Case,
    StoppedError,
    curve_panels,
    curves,
    depth_panels,
    dual,
    forward_panel,
    function_key,
    passes_of,
    passes_panel,
    program_key,
    reverse,
    reverse_panel,
)
from gradviz.app.vector_pictures import mode_panels
from gradviz.demos import get
from gradviz.draw.plots import picture_svg
from gradviz.explain.compared import compared
from gradviz.explain.methods import counted_passes
from gradviz.explain.symbolic import swelling, symbolic_derivative


def script() -> None:
    from gradviz.app.pages import methods

    methods.show()


def opened(text: str, part: str, **state: Any) -> AppTest:
    """The page with this program on this part."""
    app = AppTest.from_function(script, default_timeout=60)
    for name, value in {
        "program": Program(text),
        "good": Program.of_demo(get("D1")),
        "version": 0,
        "notice": "",
    }.items():
        app.session_state[f"methods.{name}"] = value
    for name, value in {"part": part, **state}.items():
        app.session_state[f"methods.{name}"] = value
    return app.run()


def words(app: AppTest) -> str:
    return "\n".join(part.value for part in (*app.markdown, *app.info, *app.latex)).replace("\\", "")


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize(
    "text",
    [
        get("D1").text,
        get("D6").text,
        "x = 2\nsign(x)",
        "x = 0\nlog(x)",
        "x = 1e200\nx*x",
        "x = [1, 2, 3]\nx**2",
        "x = 3\ny = 2\nz = y*y",
        "1 + 2",
        "x = 3",
        "a = 2\nb = a ^ 2",
    ],
)
def test_no_program_stops_the_page(text: str, part: str) -> None:
    app = opened(text, part)
    assert not app.exception
    assert len(words(app)) > 60


def test_the_answers_agree_and_their_errors_are_shown() -> None:
    text = words(opened(get("D2").text, PARTS[0], wrt="x1"))
    assert "∂f / ∂x₁" in text
    assert text.count("0.393223866483") == 3, "symbolic, forward and reverse mode"
    assert "N + 1 = **6 evaluations** for N = 5 inputs" in text


def test_what_cannot_be_done_is_said() -> None:
    assert "No complex step through abs" in words(opened("x = 2\nabs(x)", PARTS[0]))
    assert "SymPy is given scalar programs only, not x, which is an array" in words(
        opened("x = [1, 2]\nsum(x)", PARTS[1])
    )
    assert "No gradient flows back" in words(opened("x = 2\nsign(x)", PARTS[2]))


def test_a_broken_program_is_said_beside_the_last_one_that_worked() -> None:
    app = opened("A = ones(3, 4)\nx = ones(3)\ny = A @ x", PARTS[0])
    warning = app.warning[0].value.replace("\\", "")
    assert "A has shape (3, 4), x has shape (3,)" in warning
    assert "Shown is the last program that worked" in warning


def test_the_sliders_step_through_both_modes() -> None:
    app = opened(get("D1").text, PARTS[2], wrt="w1")
    forward, backward = app.slider[0], app.slider[1]
    assert (forward.max, backward.max) == (8, 8)
    forward.set_value(6).run()
    assert "g = 5 moves at the rate 5" in words(app)
    app.slider[1].set_value(1).run()
    assert "The backward pass starts at the output" in words(app)
    assert not app.exception


@pytest.mark.parametrize("count", [3, 300])
def test_both_modes_are_drawn_as_a_picture(count: int) -> None:
    text = "\n".join(["a0 = 1", *(f"a{i + 1} = sin(a{i})" for i in range(count))])
    case = Case(text, '{"a0": 1.0}', "a0")
    forward, backward = dual(case), reverse(case, ())
    modes = [forward_panel(forward, 2, "a₀"), reverse_panel(backward, 1, forward.notation)]
    panels = mode_panels(modes, passes_panel(passes_of(case), counted_passes(7, 1), ("1 × 1", "7 × 1")))
    drawn = picture_svg({"panels": panels})
    assert all(
        words in drawn for words in ("Forward mode", "Reverse mode", "reverse mode", "0.8415", "7 × 1")
    )
    assert ("more" in drawn) == (count == 300)


def test_a_composed_function_that_cannot_be_read_is_refused_in_words() -> None:
    app = opened(get("D2").text, PARTS[1], composed="x + y")
    assert not app.exception
    assert any("a function of one variable is needed" in error.value.replace("\\", "") for error in app.error)


def elus(count: int) -> str:
    return "\n".join(["a0 = 0.5", *(f"a{i + 1} = elu(a{i})*a{i}" for i in range(count))])


# Stopped inside a weak reference's callback, Python says so and goes on, until it is stopped again; stopped inside an
# import, it says which file it left open.
stopped_anywhere = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@stopped_anywhere
@pytest.mark.parametrize("patience", [0.0, 0.3])
def test_sympy_shows_how_long_it_takes_and_can_be_stopped(
    monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    """Without a stop it ends by itself after LONGEST; who stops it may let it go on."""
    monkeypatch.setattr("gradviz.app.three_ways.BEFORE_A_BAR", 0.0)
    monkeypatch.setattr("gradviz.explain.patience.LONGEST", patience)
    monkeypatch.setattr("gradviz.explain.patience._EVERY", 0.0)
    text = elus(8)
    app = opened(text, PARTS[1], composed="x*exp(-x)")
    assert not app.exception
    assert "SymPy takes longer than" in words(app)
    stopped = StoppedError("SymPy was stopped")
    app.session_state["methods.sympy"] = {
        program_key(text, "a0"): stopped,
        function_key("x*exp(-x)"): stopped,
    }
    app.run()
    assert "SymPy was stopped" in words(app)
    go_on = [button for button in app.button if button.label == "Let SymPy go on"]
    assert len(go_on) == 2
    go_on[0].click().run()
    assert "SymPy takes longer than" in words(app)


@stopped_anywhere
def test_a_stop_ends_sympy_in_the_middle_of_its_work() -> None:
    def watch(seconds: float) -> None:
        if seconds > 0.2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        symbolic_derivative(elus(8), "a0", watch=watch)


def test_the_curves_fall_and_rise_and_mark_their_optimum() -> None:
    chart, numbers, _ = curve_panels(curves(Case(get("D2").text, "{}", "w1")), 16)
    forward = chart["series"][0]
    best = chart["points"][0]
    assert forward["label"] == "forward float64"
    assert best["y"] < 1e-7 < min(forward["y"][0], forward["y"][-1])
    assert len(chart["series"]) == len(chart["points"]) == len(numbers["cells"]) == 6


@pytest.mark.parametrize(
    ("text", "name", "words"),
    [
        ("x = 0\nf = abs(x)", "x", "abs is exactly at a kink: slope −1 from the left, 1 from the right; backward takes 0"),
        ("x = 0\nf = 3*relu(x) + abs(x)", "x", "relu and abs are exactly at a kink: slope −1 from the left, 4 from the right"),
        ("x = 0\nf = x*abs(x)", "x", ""),
        ("x = 0\nw = 2\nf = w*w + abs(x)", "w", ""),
    ],
)  # fmt: skip
def test_a_kink_is_said_on_every_part(text: str, name: str, words: str) -> None:
    for part in PARTS:
        said = [box.value.replace("\\", "") for box in opened(text, part, wrt=name).warning]
        assert len(said) == bool(words)
        assert all(words in box for box in said)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x = 0\nf = abs(x)", "both sides of the kink, (−1 + 1)/2 = 0, and backward takes 0 by convention: they agree by symmetry"),
        ("x = 0\nf = -2*relu(x)", "(0 − 2)/2 = −1, and backward takes 0 by convention; there is no derivative here."),
        ("x = 1\nf = 2*abs(x - 1) - x/3", "(−2.333 + 1.667)/2 = −0.3333, and backward takes −0.3333 by convention: they agree"),
    ],
)  # fmt: skip
def test_at_a_kink_the_summary_says_what_a_central_difference_finds(text: str, said: str) -> None:
    assert said in words(opened(text, PARTS[0], wrt="x"))


def test_at_a_kink_no_step_is_best() -> None:
    chart, numbers, _ = curve_panels(curves(Case("x = 0\nf = abs(x)", "{}", "x")), 16, kink=True)
    assert chart["points"] == []
    assert numbers["cells"][0][2:] == ["1", "—", "—"]


@pytest.mark.parametrize("text", [get("D2").text, "x = 3\nf = sin(x)*exp(x)/x", "x = 1e6\nf = x**3"])
def test_the_numerical_answer_is_the_best_of_the_table(text: str) -> None:
    name = text.partition(" =")[0]
    _, table, _ = curve_panels(curves(Case(text, "{}", name)), 16)
    step, error = next(row[3:] for row in table["cells"] if row[0] == "central float64")
    numerical = compared(text, name).answers[0]
    assert numerical.method == f"numerical, h = {step}"
    assert numerical.error == pytest.approx(float(error.replace("−", "-")), rel=0.1)


def test_the_derivative_swells_and_the_tape_does_not() -> None:
    chart, table = depth_panels(list(swelling("4*x*(1 - x)", 5)), 2)
    symbolic, automatic = (line["y"] for line in chart["series"])
    assert symbolic[4] / symbolic[0] > 100
    assert automatic == [7, 14, 21, 28, 35]
    assert chart["values"] is False, "the values at the end are not those of the chosen depth"
    assert table["highlight"] == 1


def test_errors_are_measured_against_thirty_digits() -> None:
    found = compared(get("D2").text, "w1")
    numerical, symbolic, forward, reverse = found.answers
    assert "30 digits" in found.against
    assert symbolic.error == 0 != numerical.error
    assert forward.error is not None and forward.error < 1e-15
    assert found.difference == 0 and forward.value == reverse.value


def test_at_a_kink_the_slope_of_sympy_is_no_reference() -> None:
    found = compared(get("D1").text, "w1", inputs={"w1": 0.0})
    assert "kink" in found.against
    assert [answer.value for answer in found.answers[1:]] == [-10, 0, 0]


def test_a_deep_chain_of_relus_is_differentiated_by_sympy() -> None:
    lines = "\n".join(f"a{i + 1} = relu(a{i} - 0.01)" for i in range(8))
    found = symbolic_derivative(f"a0 = 2\n{lines}", "a0")
    assert found.at({"a0": 2.0}) == 1
    assert found.at({"a0": -2.0}) == 0
