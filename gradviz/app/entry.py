"""One entry of a node, opened as its products: shown in place of the graph that it belongs to."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from gradviz.app.components.stepper import stepper
from gradviz.app.style import verbatim
from gradviz.draw.stage import Stage
from gradviz.draw.story import payload
from gradviz.engine.elements import Index
from gradviz.errors import GradvizError
from gradviz.explain.element import Element, axis_words, element
from gradviz.explain.notation import Notation
from gradviz.explain.trace import Run


def take_entry(run: Run) -> None:
    """After an event of the stepper: remember which entry of the run was asked for."""
    asked = st.session_state.stepper.element
    if isinstance(asked, dict) and isinstance(asked.get("node"), str):
        index = asked.get("index")
        chosen = isinstance(index, list) and all(isinstance(i, int) for i in index)
        st.session_state.entry = (run, asked["node"], tuple(index or ()) if chosen else None, ())


def show_entry(run: Run) -> bool:
    """Show the entry of the run that was opened, if one was, with a way back; whether it was shown."""
    opened, node, index, near = st.session_state.get("entry", (None, "", None, ()))
    if opened is not run:
        return False
    try:
        found = element(run, node, index, near)
    except GradvizError as error:
        del st.session_state.entry
        st.toast(verbatim(str(error)), icon="⚠")
        return False
    name = Notation(run.graph).text(run.graph.position(node))
    with st.sidebar:
        _rail(found, run, name)
    title = f"{name}: {found.title} (counted from 0)"
    story = _closed(payload(Stage(found.run, title=title)))
    _say_where_it_starts(story, name)
    stepper({**story, "k": 0, "link": "", "origin": f"entry {node}"}, key="stepper")
    return True


def _say_where_it_starts(story: dict[str, Any], name: str) -> None:
    """In an entry the seed is no choice of anybody's: it is what the run had there."""
    for step in story["steps"]:
        if step["kind"] == "seed":
            step["sentence"] = (
                f"The way back starts with the gradient that arrived at this entry of {name}. What reaches a leaf "
                "is the share of this one entry in the leaf's own gradient."
            )


def _closed(story: dict[str, Any]) -> dict[str, Any]:
    """The story without what opens or folds: one entry is the end of the way down."""
    for box in story["scene"]["boxes"]:
        box["fused"] = False
    for node in story["nodes"].values():
        node["openable"] = node["foldable"] = False
    return story


def _rail(found: Element, run: Run, name: str) -> None:
    if st.button("Back to the graph", type="primary", icon=":material/arrow_back:"):
        del st.session_state.entry
        st.rerun()
    st.markdown(f"**One entry of {verbatim(name)}**")
    words = axis_words(len(found.index))
    for axis, size in enumerate(run.shape(found.node)):
        _axis(words[axis], found.index, axis, size, lambda index: (run, found.node, index, ()))
    if found.gathered:
        wide = found.shapes[0]
        axis = 1 if len(wide) == 4 and wide[1] > 1 else len(wide) - 1
        word = f"written out: input {axis_words(len(wide))[axis]}"
        _axis(word, found.near, axis, wide[axis], lambda near: (run, found.node, found.index, near))
    if found.run.graph.source:
        st.caption(
            "Places count from 0, as in the program for this entry, over the arguments of the operation:"
        )
        st.code(found.run.graph.source, language=None, wrap_lines=True)


def _axis(word: str, place: Index, axis: int, size: int, entry: Callable[[Index], tuple[Any, ...]]) -> None:
    """A field for one axis of a place; `entry` says what to show for another place."""
    key = f"entry {word} {place}"

    def follow() -> None:
        chosen = int(st.session_state[key])
        st.session_state.entry = entry((*place[:axis], chosen, *place[axis + 1 :]))

    if size > 1:
        st.number_input(f"{word} (0 to {size - 1})", 0, size - 1, place[axis], key=key, on_change=follow)
