"""Jacobians: the matrix between two nodes, why the shapes of a chain match, and why no Jacobian is ever written out."""

from __future__ import annotations

from typing import Any

import streamlit as st

from gradviz.app.chooser import Chooser
from gradviz.app.components.jacobian import jacobian
from gradviz.app.components.ledger import ledger
from gradviz.app.desk import Desk
from gradviz.app.program import Opened
from gradviz.app.save_picture import save_picture
from gradviz.app.settings import remember
from gradviz.app.style import verbatim
from gradviz.app.vector_pictures import jacobian_panels, ledger_panels
from gradviz.errors import GradvizError
from gradviz.explain.arrangement import count_text
from gradviz.explain.jacobian import Layout
from gradviz.explain.notation import Notation
from gradviz.explain.numbers import shape_text
from gradviz.explain.pairs import first_leaf, first_pair
from gradviz.explain.trace import Run
from gradviz.explain.vectors import jacobian_view, ledger_view

TITLE = "Jacobians"
SECTION = "Vectors"
ORDER = 5

LAYOUTS: dict[Layout, str] = {
    "denominator": "denominator layout: ∂y/∂x is N × M",
    "numerator": "numerator layout: ∂y/∂x is M × N",
}


def show() -> None:
    """Draw the page."""
    chooser = Chooser("jacobians", "D6", _forget)
    opened, error = chooser.current()
    run = opened.stage.run
    of, wrt = _pair(run)
    with st.sidebar:
        chooser.rail(error, rows=5)
        _nodes(run)
    with st.container(key="vectors"):
        if error:
            chooser.say(error)
        st.segmented_control(
            "Layout for x ∈ ℝᴺ, y ∈ ℝᴹ",
            list(LAYOUTS),
            key=remember("jacobians.layout", "denominator"),
            required=True,
            format_func=LAYOUTS.__getitem__,
            label_visibility="collapsed",
        )
        layout: Layout = st.session_state["jacobians.layout"]
        try:
            view = jacobian_view(run, wrt, of, layout, chooser.program.digits)
            jacobian(view, opened.stage, of, wrt, key="jacobians.matrix", on_pick=_pick)
            save_picture(lambda: {"panels": jacobian_panels(view)}, "jacobian")
            _ledger(opened, layout, chooser.program.wrt)
        except GradvizError as problem:
            st.error(verbatim(str(problem)), icon="⚠")


def _forget() -> None:
    """Another program: what was picked in the old one means nothing in it."""
    for part in ("of", "wrt", "leaf", "path", "arranged", "wanted"):
        st.session_state.pop(f"jacobians.{part}", None)
        st.session_state.get("kept", {}).pop(f"jacobians.{part}", None)


def _pair(run: Run) -> tuple[str, str]:
    """The two nodes picked, if the program still has them."""
    names = _shown(run)
    for role, default in zip(("of", "wrt"), first_pair(run), strict=True):
        key = remember(f"jacobians.{role}", default)
        if st.session_state[key] not in names:
            st.session_state[key] = default
    return st.session_state["jacobians.of"], st.session_state["jacobians.wrt"]


def _shown(run: Run) -> list[str]:
    return [node.id for node in run.graph.nodes if not node.is_constant]


def _pick(role: str, node: str) -> None:
    st.session_state[f"jacobians.{role}"] = node


def _nodes(run: Run) -> None:
    notation = Notation(run.graph)

    def name(node: str) -> str:
        return f"{notation.text(run.graph.position(node))}   {shape_text(run.shape(node))}"

    st.selectbox("Derivative of", _shown(run), format_func=name, key="jacobians.of")
    st.selectbox("with respect to", _shown(run), format_func=name, key="jacobians.wrt")


def _ledger(opened: Opened, layout: Layout, wrt: tuple[str, ...] | None) -> None:
    run, notation = opened.stage.run, Notation(opened.stage.graph)
    leaves = list(run.graph.leaves)
    if not leaves:
        return
    if st.session_state[remember("jacobians.leaf", first_leaf(run, wrt))] not in leaves:
        st.session_state["jacobians.leaf"] = first_leaf(run, wrt)
    st.subheader("Shape ledger", anchor=False)
    st.segmented_control(
        "The chain from a leaf to the output",
        leaves,
        key="jacobians.leaf",
        required=True,
        format_func=lambda name: notation.text(run.graph.position(name)),
    )
    leaf: str = st.session_state["jacobians.leaf"]
    view = ledger_view(run, leaf, layout)
    if not view["products"]:
        st.markdown(f"The output does not depend on {verbatim(notation.text(run.graph.position(leaf)))}.")
        return
    desk = Desk(run, leaf, layout, _path(view))
    symbol = notation.gradient(run.graph.position(leaf)).mathml
    product = {
        **view["products"][desk.product],
        "sizes": view["sizes"],
        "symbol": symbol,
        "paths": view["paths"],
    }
    costs = desk.costs()
    ledger(product, desk.exercise(), costs, key="jacobians.ledger", on_event=desk.take)
    save_picture(lambda: {"panels": ledger_panels(product, costs)}, "ledger")


def _path(view: dict[str, Any]) -> int:
    """Which of the paths is shown: the gradient is the sum of their products."""
    count = len(view["products"])
    if count == 1:
        return 0
    listed = "" if count == view["paths"] else f", the first {count} listed"
    key = remember("jacobians.path", 0)
    st.session_state[key] = min(st.session_state[key], count - 1)
    return st.selectbox(
        f"The gradient is a sum over {count_text(view['paths'])} paths{listed}. Shown",
        range(count),
        format_func=lambda k: f"path {k + 1}: {view['products'][k]['text'][:80]}",
        key=key,
    )
