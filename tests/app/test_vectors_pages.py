"""The pages on vector calculus without a browser: programs, layouts, arrangements, typed sizes, and what breaks."""

from __future__ import annotations

from types import SimpleNamespace as Namespace
from typing import Any

import numpy as np
import pytest

from gradviz.app.program import Program
from gradviz.demos import demos, get
from gradviz.demos.matrix_identities import DEMOS as IDENTITIES
from gradviz.demos.matrix_identities import Identity
from gradviz.explain.arrangement import Arrangement, count_text
from gradviz.explain.pairs import space

testing = pytest.importorskip("streamlit.testing.v1")
PARTS = ("Exercise", f"Matrix derivatives ({len(IDENTITIES)})")


def working(app: Any) -> Any:
    """The page, once it is sure that no exception shows on it."""
    assert not app.exception, [problem.message for problem in app.exception]
    return app


def by_label(widgets: Any, label: str) -> Any:
    return next(widget for widget in widgets if widget.label == label)


class Browser:
    """Stands for the browser: keeps what the page's components were given, and what a person does in them next."""

    def __init__(self) -> None:
        self.matrix: dict[str, Any] = {}
        self.ledger: dict[str, Any] = {}
        self.pick: Any = None
        self.send: Any = None
        self.editor: dict[str, Any] = {}
        self.type: Any = None
        self.waiting: list[tuple[Any, ...]] = []

    def jacobian(self, view: Any, stage: Any, of: str, wrt: str, *, key: str, on_pick: Any) -> None:
        self.matrix, self.pick = {**view, "of": of, "wrt": wrt}, on_pick

    def show_ledger(self, view: Any, exercise: Any, costs: Any, *, key: str, on_event: Any) -> None:
        self.ledger, self.send = {"view": view, "exercise": exercise, "costs": costs}, on_event

    def act(self) -> None:
        """Callbacks come before the page is drawn again."""
        for callback, *arguments in self.waiting:
            callback(*arguments)
        self.waiting.clear()


BROWSER = Browser()


class Page:
    """A page on vectors, opened at a program in the address; what is done in its components is called from here."""

    module = "jacobians"

    def __init__(self, program: Program | None = None) -> None:
        def script(module: str) -> None:
            from importlib import import_module

            from tests.app.test_vectors_pages import BROWSER

            BROWSER.act()
            import_module(f"gradviz.app.pages.{module}").show()

        self.app = testing.AppTest.from_function(script, args=(self.module,), default_timeout=60)
        if program is not None:
            self.app.query_params["p"] = program.to_link()
        self.run()

    def run(self) -> None:
        working(self.app.run())

    def pick(self, role: str, node: str) -> None:
        BROWSER.waiting.append((BROWSER.pick, role, node))
        self.run()

    def send(self, event: dict[str, Any]) -> None:
        BROWSER.waiting.append((BROWSER.send, event))
        self.run()

    def layout(self, name: str) -> None:
        self.app.session_state["jacobians.layout"] = name
        self.run()


@pytest.fixture
def browser(monkeypatch: pytest.MonkeyPatch) -> Browser:
    from gradviz.app.pages import jacobians

    BROWSER.__init__()  # type: ignore[misc]
    monkeypatch.setattr(jacobians, "jacobian", BROWSER.jacobian)
    monkeypatch.setattr(jacobians, "ledger", BROWSER.show_ledger)
    return BROWSER


@pytest.fixture
def page(browser: Browser) -> Page:
    """The page as a person finds it: D6."""
    return Page()


def test_it_begins_with_the_lectures_worked_example(page: Page, browser: Browser) -> None:
    assert (browser.matrix["of"], browser.matrix["wrt"]) == ("yhat", "g")
    assert browser.matrix["badge"] == "ℝ³ˣ²"
    assert browser.matrix["matrix"] == [[1, 0], [-2, 1], [0.5, 1]]
    assert browser.ledger["view"]["letters"] == "(HN×H)(H×H)(H×M)(M×1) → reshape to H×N"


def test_the_layout_transposes_the_matrix_and_reverses_the_product(page: Page, browser: Browser) -> None:
    names = [factor["name"] for factor in browser.ledger["view"]["factors"]]
    page.layout("numerator")
    assert browser.matrix["matrix"] == [[1, -2, 0.5], [0, 1, 1]]
    assert [factor["name"] for factor in browser.ledger["view"]["factors"]] == names[::-1]


def test_nodes_are_picked_on_the_graph_and_in_the_rail(page: Page, browser: Browser) -> None:
    page.pick("of", "g")
    page.pick("wrt", "f")
    assert browser.matrix["structure"] == "diagonal"
    assert by_label(page.app.selectbox, "with respect to").value == "f"
    working(by_label(page.app.selectbox, "Derivative of").select("W1").run())
    assert browser.matrix["structure"] == "zero", "a leaf depends on nothing"


def test_a_factor_of_the_ledger_opens_its_matrix(page: Page, browser: Browser) -> None:
    page.send({"kind": "factor", "index": 0})
    assert (browser.matrix["of"], browser.matrix["wrt"]) == ("f", "W1")
    assert browser.matrix["structure"] == "Kronecker"


def test_a_click_that_overtakes_a_switch_means_what_was_on_screen(page: Page, browser: Browser) -> None:
    before = browser.ledger["exercise"]
    page.layout("numerator")
    page.send({"kind": "factor", "index": 0, "home": before["home"]})
    assert (browser.matrix["of"], browser.matrix["wrt"]) == ("f", "W1"), "the first in denominator layout"
    page.send({"kind": "arrange", "order": [0, 1, 2, 3], "transposed": [], "home": before["home"]})
    assert browser.ledger["exercise"]["verdict"]["ok"]
    page.send({"kind": "again", "home": ["b1", 0, "numerator"]})
    assert browser.ledger["exercise"]["verdict"]["ok"], "an order of another leaf is not this one"


def test_an_order_is_refused_naming_both_factors_and_then_accepted(page: Page, browser: Browser) -> None:
    begun = browser.ledger["exercise"]
    assert begun["verdict"] is None, "nobody has tried yet"
    assert begun["typed"] == "a b c d", "the letters of the cards do not give the order away"
    page.send({"kind": "arrange", "order": begun["order"], "transposed": []})
    verdict = browser.ledger["exercise"]["verdict"]
    assert not verdict["ok"]
    assert verdict["failing"] == [0, 1]
    assert "∂ŷ/∂g (3×2) times ∂f/∂W₁ (12×3)" in verdict["reason"]
    page.send({"kind": "arrange", "order": [0, 1, 2, 3], "transposed": []})
    assert browser.ledger["exercise"]["verdict"]["ok"]
    page.layout("numerator")
    assert browser.ledger["exercise"]["verdict"]["ok"], "the same product, reversed with the layout"
    page.send({"kind": "again"})
    assert browser.ledger["exercise"]["verdict"] is None
    assert browser.ledger["exercise"]["typed"] == "a b c d"


@pytest.mark.parametrize(
    ("text", "ok", "problem"),
    [("b d a c", True, ""), ("cT aT dT bT", True, ""), ("b dT c a", False, ""), ("b d a", None, "every factor once"),
     ("b d a z", None, "z is no factor"), ("one", None, "one is no factor"), ("", None, "every factor once")],
)  # fmt: skip
def test_an_order_can_be_typed(
    page: Page, browser: Browser, text: str, ok: bool | None, problem: str
) -> None:
    page.send({"kind": "typed", "text": text})
    exercise = browser.ledger["exercise"]
    assert problem in exercise["problem"]
    assert (exercise["verdict"] and exercise["verdict"]["ok"]) is ok
    assert exercise["typed"] == text, "kept, whether it can be read or not"


@pytest.mark.parametrize(
    "event",
    [{}, {"kind": "again", "home": [7]}, {"kind": "arrange", "order": [0, 0, 1, 2], "transposed": []}, {"kind": "arrange", "order": ["a"]},
     {"kind": "factor", "index": 99}, {"kind": "sizes", "sizes": {"N": "many", "Z": 3}}],
)  # fmt: skip
def test_nonsense_from_a_component_changes_nothing(
    page: Page, browser: Browser, event: dict[str, Any]
) -> None:
    before = browser.ledger, browser.matrix
    page.send(event)
    assert (browser.ledger, browser.matrix) == before


def test_a_layer_of_1000_by_1000(page: Page, browser: Browser) -> None:
    page.send({"kind": "sizes", "sizes": {"N": 1000, "H": 1000, "M": 1000}})
    typed = browser.ledger["costs"]["typed"]
    assert typed["rows"][-1] == ["10⁹", "10⁹", "1,000,000", "1,000,000"]
    assert typed["largest"] == ["10⁹", "1,000,000"]
    page.send({"kind": "sizes", "sizes": {"N": 0}})
    assert "N = 0 is no size" in browser.ledger["costs"]["problem"]


def test_what_is_too_large_is_shown_in_blocks(browser: Browser) -> None:
    page = Page(Program("x = randn(1000)\nW = randn(1000, 1000)\ny = W @ x\nL = sum(y)"))
    assert browser.matrix["matrix"] is None
    assert np.shape(browser.matrix["blocks"]["values"]) == (96, 96)
    page.pick("wrt", "W")
    assert browser.matrix["shape"] == [10**6, 1000]
    assert np.shape(browser.matrix["blocks"]["values"]) == (16, 16), "as many of the 1000 as were looked at"


@pytest.mark.parametrize("text", ["x = 2\n", "x = 2\ny = x*", "A = randn(3, 4)\nx = randn(3)\ny = A @ x", "", "y = log(-1)",
                                  "x = [0, -1]\nL = sum(log(x))", "x = 1\ny = 2\nz = x", "u*v*w + u"])  # fmt: skip
def test_no_program_breaks_the_page(browser: Browser, text: str) -> None:
    page = Page(Program(text))
    assert page.app.session_state["jacobians.program"].text == text, "the text is never lost"
    assert browser.matrix["badge"]


def test_a_broken_program_is_said_beside_the_last_one_that_worked(browser: Browser) -> None:
    page = Page(Program("x = 2\ny = x*"))
    assert "Shown is the last program that worked" in page.app.warning[0].value
    assert browser.matrix["of"] == "yhat"


def test_a_damaged_address_is_said(browser: Browser) -> None:
    app = testing.AppTest.from_string("from gradviz.app.pages.jacobians import show\nshow()")
    app.query_params["p"] = "damaged"
    working(app.run())
    assert "a demo is shown instead" in app.warning[0].value


@pytest.mark.parametrize("name", [demo.name for demo in demos().values()][::7])
def test_demos_and_identities(page: Page, browser: Browser, name: str) -> None:
    working(by_label(page.app.selectbox, "Program").select(name).run())
    assert page.app.session_state["jacobians.program"].text == get(name).text
    begun = browser.ledger["exercise"]
    assert sorted(begun["order"]) == list(range(len(begun["letters"])))


def test_the_program_of_the_step_through_page(browser: Browser) -> None:
    page = Page()
    page.app.session_state["program"] = Program("a = [1, 2, 3]\nb = a*a", values={"a": [4, 5, 6]})
    page.run()
    working(by_label(page.app.selectbox, "Program").select("the program on Step through").run())
    assert browser.matrix["matrix"] == [[8, 0, 0], [0, 10, 0], [0, 0, 12]]


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0"), (2400, "2,400"), (10**9, "10⁹"), (1_002_001_000, "1.002·10⁹"), (5 * 10**12, "5·10¹²"),
                        (99_999_999, "10⁸")],
)  # fmt: skip
def test_counts_as_text(count: int, text: str) -> None:
    assert count_text(count) == text


def test_the_other_layout_is_undone_by_itself() -> None:
    arrangement = Arrangement((2, 0, 1, 3), frozenset({0}))
    assert arrangement.in_other_layout() != arrangement
    assert arrangement.in_other_layout().in_other_layout() == arrangement
    assert arrangement.letters() == ["b", "c", "a", "d"]
    assert arrangement.text("wxyz") == "y wT x z"


class Exercise(Page):
    """The page "Check my derivation"."""

    module = "derivation"

    def answer(self, text: str) -> str:
        """The words after a formula was handed in with the Enter key."""
        BROWSER.waiting.append((BROWSER.type, text))
        working(self.app.run())
        found = [*self.app.success, *self.app.warning, *self.app.info, *self.app.error]
        return found[0].value.replace("\\", "") if found else ""

    def link(self) -> Program:
        packed = self.app.query_params["p"]
        return Program.from_link(packed if isinstance(packed, str) else packed[0])


@pytest.fixture
def typing(monkeypatch: pytest.MonkeyPatch, browser: Browser) -> Browser:
    """Stands for the components of the page."""
    from gradviz.app.pages import derivation

    def editor(text: str, version: int, error: Any, *, on_enter: Any, **more: Any) -> None:
        browser.editor = {"text": text, "version": version, "error": error, **more}

        def type_and_enter(answer: str) -> None:
            import streamlit as st

            st.session_state["derivation.answer"] = Namespace(enter=answer, edit=None)
            on_enter()

        browser.type = type_and_enter

    def question(stage: Any, of: str, wrt: str, words: Any, names: Any, *, on_pick: Any, **_: Any) -> None:
        browser.matrix, browser.pick = {**words, "of": of, "wrt": wrt, "names": names}, on_pick

    def gallery(groups: Any, hidden: bool, *, on_event: Any, **_: Any) -> None:
        browser.ledger, browser.send = {"groups": groups, "hidden": hidden}, on_event

    monkeypatch.setattr(derivation, "editor", editor)
    monkeypatch.setattr(derivation, "question", question)
    monkeypatch.setattr(derivation, "gallery", gallery)
    return browser


RIGHT = "outer(W2.T @ (yhat - y) * (f > 0), x)"


@pytest.mark.parametrize(
    ("answer", "box", "words"),
    [(RIGHT, "success", "Correct"), (f"({RIGHT}).T", "warning", "numerator layout"), (f"2*{RIGHT}", "warning", "2 times"),
     (f"-{RIGHT}", "warning", "sign"), ("outer(W2.T @ (yhat - y), x)", "warning", "∂g/∂f"), ("W1", "info", "Wrong in 11 of 12 entries"),
     ("W2", "info", "shape (2, 3)"), ("W2 @ y + x", "info", "shape"), ("foo", "info", "foo"), ("outer(", "info", "bracket")],
)  # fmt: skip
def test_every_answer_gets_a_verdict_in_words(typing: Browser, answer: str, box: str, words: str) -> None:
    page = Exercise()
    assert words in page.answer(answer)
    assert len(getattr(page.app, box)) == 1
    assert typing.editor["text"] == answer


def test_the_place_of_a_mistake_is_underlined(typing: Browser) -> None:
    page = Exercise()
    said = page.answer("outer(W2 @ (yhat - y), x)")
    assert typing.editor["error"].span == (9, 10)
    assert not typing.editor["explains"], "said once, in the verdict"
    assert "Got (2, 3) and (2,); expected as many columns on the left as rows on the right." in said
    page.answer(RIGHT)
    assert typing.editor["error"] is None


@pytest.mark.parametrize("answer", ["x" * 2000, "W1 + " + "q" * 3000, "'" + "z" * 2000, "relu(" * 400])
def test_a_long_mistake_is_cut_short(typing: Browser, answer: str) -> None:
    said = Exercise().answer(answer)
    assert said and all(len(line) < 320 for line in said.splitlines())
    assert max(map(len, said.split())) <= 60


def test_numbers_are_given_away_on_demand_only(typing: Browser) -> None:
    page = Exercise()
    page.answer("W1")
    assert not page.app.table
    working(page.app.toggle[0].set_value(True).run())
    assert page.app.table[0].value.iloc[0]["it should be"] == "−3"


def test_answers_are_kept_with_their_exercise(typing: Browser) -> None:
    page = Exercise()
    page.answer("W1 + ")
    page.pick("wrt", "W2")
    assert typing.editor["text"] == ""
    assert typing.matrix["space"] == space((2, 3)).mathml
    page.answer("outer(yhat - y, g)")
    assert page.app.success
    page.pick("wrt", "W1")
    assert typing.editor["text"] == "W1 + "
    page.app.session_state["derivation.program"] = Program("x = ")
    working(page.app.run())
    assert typing.editor["text"] == "W1 + "
    assert "Shown is the last program that worked" in page.app.warning[0].value


def test_the_layout_is_part_of_the_question(typing: Browser) -> None:
    page = Exercise()
    page.answer(RIGHT)
    page.app.session_state["derivation.layout"] = "numerator"
    working(page.app.run())
    assert typing.matrix["space"] == space((4, 3)).mathml
    assert "denominator layout" in page.app.warning[0].value


def test_the_address_holds_the_exercise_and_no_answer(typing: Browser) -> None:
    page = Exercise()
    page.pick("of", "yhat")
    page.pick("wrt", "g")
    page.answer("W2.T")
    assert page.app.success
    link = page.link()
    assert link.exercise == "yhat g"
    assert "W2.T" not in link.to_json()
    again = Exercise(link)
    assert (typing.matrix["of"], typing.matrix["wrt"]) == ("yhat", "g")
    assert typing.editor["text"] == ""
    working(again.app.run())


def test_the_gallery_opens_an_exercise_without_its_answer(typing: Browser) -> None:
    page = Exercise()
    page.app.session_state["derivation.part"] = PARTS[1]
    working(page.app.run())
    cards = [card for group in typing.ledger["groups"] for card in group["cards"]]
    assert [len(group["cards"]) for group in typing.ledger["groups"]] == [11, 14, 8]
    assert all("<math" in card["left"] and "<math" in card["right"] and card["shapes"] for card in cards)
    assert all("=" not in card["left_text"] for card in cards)
    typing.waiting.append((typing.send, "exercise", "bilinear_form"))
    working(page.app.run())
    assert (typing.matrix["of"], typing.matrix["wrt"]) == ("f", "X")
    assert "abᵀ" not in page.link().to_json()
    assert "Correct" in page.answer("outer(a, b)")


@pytest.mark.parametrize("identity", IDENTITIES[::6], ids=lambda identity: identity.name)
def test_identities_can_be_answered(typing: Browser, identity: Identity) -> None:
    page = Exercise(Program.of_demo(identity))
    assert typing.matrix["wrt"] == identity.wrt[0]
    assert "Correct" in page.answer(identity.formula)


@pytest.mark.parametrize("exercise", ["nobody", "L nobody", "a b c", "  ", "L"])
def test_no_exercise_in_an_address_breaks_the_page(typing: Browser, exercise: str) -> None:
    Exercise(Program(get("D6").text, exercise=exercise)).answer("x")


@pytest.mark.parametrize(
    "text", ["y = log(-1)", "x = [0, -1]\nL = sum(log(x))", "x = 1\ny = 2\nz = x", "x*x", "x = [1, 2]\nx*2"]
)
def test_no_program_breaks_it_either(typing: Browser, text: str) -> None:
    page = Exercise(Program(text))
    page.answer("2*x")
    page.answer("1")
