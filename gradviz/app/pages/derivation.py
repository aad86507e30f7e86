"""Check my derivation: a gradient asked, a formula typed, and what is right or wrong about it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import streamlit as st

from gradviz.app import session
from gradviz.app.chooser import Chooser
from gradviz.app.components.editor import editor
from gradviz.app.components.question import gallery, question
from gradviz.app.program import Opened, Program
from gradviz.app.settings import remember
from gradviz.app.style import verbatim
from gradviz.demos import Demo, demos, get
from gradviz.demos.matrix_identities import DEMOS, Identity
from gradviz.engine.limits import APP
from gradviz.errors import GradvizError
from gradviz.explain.jacobian import Layout
from gradviz.explain.judge import judge
from gradviz.explain.notation import Notation
from gradviz.explain.numbers import clipped, plain
from gradviz.explain.pairs import asked_shape, first_leaf, space, typed_names
from gradviz.explain.typeset import Formula, derivative, name
from gradviz.explain.verdict import Kind, Verdict

TITLE = "Check my derivation"
SECTION = "Vectors"
ORDER = 6

LONGEST = 300  # characters of a sentence
PARTS = ("Exercise", f"Matrix derivatives ({len(DEMOS)})")
LAYOUTS: dict[Layout, str] = {"denominator": "denominator layout", "numerator": "numerator layout"}
_ICONS: dict[Kind, str] = {
    "correct": "check_circle",
    "transposed": "swap_horiz",
    "sign": "exposure",
    "factor": "close",
    "upstream": "link_off",
    "paths": "call_split",
    "only here": "my_location",
    "wrong": "cancel",
    "shape": "aspect_ratio",
    "operator": "grid_off",
    "undefined": "block",
    "unknown name": "help",
    "unreadable": "edit_off",
}
_NEARLY = ("transposed", "sign", "factor", "upstream", "paths", "only here")


def show() -> None:
    """Draw the page."""
    chooser = Chooser("derivation", "D6", _forget, _unsolved)
    opened, error = chooser.current()
    of, wrt = _asked(chooser, opened)
    with st.sidebar:
        chooser.rail(error)
    with st.container(key="vectors"):
        with st.container(horizontal=True):
            part = st.segmented_control(
                "Part",
                PARTS,
                key=remember("derivation.part", PARTS[0]),
                required=True,
                label_visibility="collapsed",
            )
            if part == PARTS[0]:
                st.segmented_control(
                    "Layout", list(LAYOUTS), key=remember("derivation.layout", "denominator"), required=True,
                    format_func=LAYOUTS.__getitem__, label_visibility="collapsed",
                )  # fmt: skip
        if part != PARTS[0]:
            _identities(chooser)
            return
        if error:
            chooser.say(error)
        _exercise(chooser, opened, of, wrt)


def _unsolved(demo: Demo) -> str:
    """The title of an identity without its right-hand side."""
    return demo.title.partition(" = ")[0] if isinstance(demo, Identity) else demo.title


def _forget() -> None:
    """Another program asks another question; the answers to the old one are kept with it."""
    for part in ("of", "wrt"):
        st.session_state.pop(f"derivation.{part}", None)


def _asked(chooser: Chooser, opened: Opened) -> tuple[str, str]:
    """The gradient asked, (of, wrt): what the program says as an exercise, unless others were picked since."""
    graph, state = opened.graph, st.session_state
    output = graph.nodes[graph.output].id
    of, _, wrt = chooser.program.exercise.rpartition(" ")
    demo = next((demo for demo in DEMOS if demo.text == chooser.program.text), None)
    if not wrt:
        of, wrt = (
            (demo.of, (demo.wrt or ("",))[0])
            if demo
            else ("", first_leaf(opened.stage.run, chooser.program.wrt))
        )
    for role, node in (("of", of or output), ("wrt", wrt)):
        if state.get(f"derivation.{role}") not in graph.index:
            state[f"derivation.{role}"] = node if node in graph.index else output
    return state["derivation.of"], state["derivation.wrt"]


def _pick(role: str, node: str) -> None:
    st.session_state[f"derivation.{role}"] = node


def _exercise(chooser: Chooser, opened: Opened, of: str, wrt: str) -> None:
    run, graph = opened.stage.run, opened.graph
    layout: Layout = st.session_state["derivation.layout"]
    notation = Notation(graph)
    shape = asked_shape(run.shape(of), run.shape(wrt), layout)
    symbol = derivative(notation.formula(graph.position(of)), notation.formula(graph.position(wrt)))
    words = {"symbol": symbol.mathml, "space": space(shape).mathml, "shape": _shape_words(shape)}
    names = [
        (name, notation.formula(graph.position(name)).mathml, space(run.shape(name)).mathml)
        for name in typed_names(graph)
    ]
    question(opened.stage, of, wrt, words, names, key="derivation.question", on_pick=_pick)
    output = graph.nodes[graph.output].id
    verdict = _answer(f"{graph.source}\n{of} {wrt}", opened, of, wrt, layout)
    if isinstance(verdict, Verdict):
        _say(verdict)
    elif verdict is not None:
        st.error(verbatim(str(verdict)), icon=":material/error:")
    _share(chooser, wrt if of == output else f"{of} {wrt}")


def _shape_words(shape: tuple[int, ...]) -> str:
    if not shape:
        return "The answer is one number."
    return f"The answer has the shape {' × '.join(map(str, shape))}."


def _answer(desk: str, opened: Opened, of: str, wrt: str, layout: Layout) -> Verdict | GradvizError | None:
    """The field for the answer, and what was found about the one last handed in."""
    state = st.session_state
    answers = state.setdefault("derivation.answers", {})
    mine = answers.setdefault(desk, {"text": "", "checked": ""})
    if state.pop("derivation.check", False):
        mine["checked"] = mine["text"]
    verdict = _judged(opened, mine["checked"], of, wrt, layout)
    current = mine["text"] == mine["checked"]
    blamed = verdict.error if isinstance(verdict, Verdict) and verdict.span and current else None

    def take(event: str) -> None:
        text = getattr(state["derivation.answer"], event)
        if isinstance(text, str):
            mine["text"] = text
            state["derivation.check"] = event == "enter" or state.get("derivation.check", False)

    st.markdown(
        "**Your formula**, as in `A.T @ x`, `outer(a, b)` or `(f > 0) * g`. Enter checks it, Shift + Enter begins a new line."
    )
    field, button = st.columns([6, 1])
    with field:
        editor(
            mine["text"],
            list(answers).index(desk),
            blamed,
            key="derivation.answer",
            label="Your formula",
            rows=2,
            explains=False,
            on_edit=lambda: take("edit"),
            on_enter=lambda: take("enter"),
        )
    with button:
        st.button("Check", type="primary", key="derivation.button", on_click=_check, width="stretch")
    if verdict is not None and not current:
        st.caption(
            "What follows is about the formula you handed in last; press Check for the one in the field."
        )
    return verdict


def _check() -> None:
    st.session_state["derivation.check"] = True


def _judged(opened: Opened, answer: str, of: str, wrt: str, layout: Layout) -> Verdict | GradvizError | None:
    """The verdict on an answer, made once; an error when the exercise itself cannot be judged."""
    if not answer.strip():
        return None
    graph = opened.graph
    question = (graph.source, repr(opened.values), of, wrt, layout, answer)
    if st.session_state.get("derivation.verdict", ((), None))[0] != question:
        output = graph.nodes[graph.output].id
        found: Verdict | GradvizError
        try:
            found = judge(
                graph, wrt, answer, opened.values, layout=layout, of=None if of == output else of, limits=APP
            )
        except GradvizError as error:
            found = error
        st.session_state["derivation.verdict"] = question, found
    return st.session_state["derivation.verdict"][1]  # type: ignore[no-any-return]


def _say(verdict: Verdict) -> None:
    box = st.success if verdict.ok else st.warning if verdict.kind in _NEARLY else st.info
    hints = [verdict.hint, *_facts(verdict.error)]
    hint = "".join(f"\n\n{verbatim(_sentence(hint))}" for hint in hints if hint)
    box(f"**{verbatim(_sentence(verdict.sentence))}**{hint}", icon=f":material/{_ICONS[verdict.kind]}:")
    if verdict.entries and st.toggle(
        "Show the entries: this gives the numbers away", key="derivation.entries"
    ):
        st.table(
            [
                {
                    "entry, counted from 1": entry.place,
                    "yours": plain(entry.got, 6),
                    "it should be": plain(entry.expected, 6),
                }
                for entry in verdict.entries
            ]
        )
        more = verdict.wrong - len(verdict.entries)
        if more > 0:
            st.caption(f"{more:,} more of the {verdict.size:,} entries are wrong.")


def _facts(error: GradvizError | None) -> list[str]:
    """What an answer that could not be evaluated had, and what it should have had."""
    if error is None:
        return []
    facts = (("got", error.got), ("expected", error.expected))
    return ["; ".join(f"{name} {fact}" for name, fact in facts if fact)]


def _sentence(text: str) -> str:
    text = clipped(text.removesuffix("."), LONGEST)
    return f"{text[0].upper()}{text[1:]}" + ("" if text.endswith((".", "?", "!")) else ".")


def _share(chooser: Chooser, exercise: str) -> None:
    """The address of the page holds the exercise."""
    if chooser.program.exercise != exercise:
        chooser.change(exercise=exercise, title="")
    link = chooser.program.to_link()
    if link and st.query_params.get("p") != link:
        st.query_params["p"] = link
    left, right = st.columns([4, 1], vertical_alignment="center")
    left.caption(
        "The address of this page holds this exercise and never an answer: copy it to share it."
        if link
        else "This program is too long for an address."
    )
    if right.button("Step through it", key="derivation.open", width="stretch"):
        titles = [demo.title for demo in demos().values() if demo.text == chooser.program.text]
        _step_through(replace(chooser.program, exercise="", title="".join(titles[:1])))


def _step_through(program: Program) -> None:
    session.start()
    session.leave_explored()
    session.set_program(program)
    st.switch_page(st.session_state.pages["step_through"])


def _identities(chooser: Chooser) -> None:
    """The gallery; every statement can be stepped through or be used as an exercise."""
    if name := st.session_state.pop("derivation.step", ""):
        _step_through(Program.of_demo(get(name)))
    hidden = st.toggle("Hide the right-hand sides", key=remember("derivation.hidden", False))

    def take(kind: str, name: str) -> None:
        if name not in {demo.name for demo in DEMOS}:
            return
        if kind == "exercise":
            chooser.take(Program.of_demo(get(name)))
            st.session_state["derivation.part"] = PARTS[0]
        else:
            st.session_state["derivation.step"] = name

    st.caption(
        "In denominator layout: a gradient has the shape of what it is taken by, and the Jacobian of y ∈ ℝᴹ by x ∈ ℝᴺ "
        "is N × M."
    )
    gallery(_groups(), hidden, key="derivation.gallery", on_event=take)


@cache
def _groups() -> list[dict[str, Any]]:
    titles = ("A number by a vector", "A number by a matrix", "A vector by a vector: Jacobians")
    cards: dict[str, list[dict[str, Any]]] = {title: [] for title in titles}
    for demo in DEMOS:
        rank = len(demo.shapes[(demo.wrt or ("",))[0]])
        cards[titles[2 if demo.of else rank - 1]].append(_card(demo))
    return [{"title": title, "cards": found} for title, found in cards.items()]


def _card(demo: Identity) -> dict[str, Any]:
    left, _, right = demo.latex.partition(" = ")
    shown = {name: shape for name, shape in demo.shapes.items() if not (demo.of and name == "g")}
    return {
        "name": demo.name,
        "title": demo.title,
        "left_text": _unsolved(demo),
        "left": Formula(left).mathml,
        "right": Formula(right).mathml,
        "shapes": [[name(letter).mathml, space(shape).mathml] for letter, shape in shown.items()],
        "domain": demo.domain,
        "lesson": demo.lesson,
    }
