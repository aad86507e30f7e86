"""Numerical, symbolic, automatic: three ways to one derivative, what each costs and how far each is off."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import streamlit as st

from gradviz.app import three_ways
from gradviz.app.chooser import Chooser
from gradviz.app.components.live import live, pack
from gradviz.app.inputs import input_fields, scalar_ranges
from gradviz.app.program import Opened
from gradviz.app.save_picture import save_picture
from gradviz.app.settings import remember
from gradviz.app.style import verbatim
from gradviz.app.three_ways import Case
from gradviz.app.vector_pictures import mode_panels
from gradviz.errors import GradvizError
from gradviz.explain.compared import Answer
from gradviz.explain.jacobian import entry_names
from gradviz.explain.methods import FORMULAS, METHODS, counted_passes
from gradviz.explain.notation import Notation
from gradviz.explain.numbers import exact, plain
from gradviz.explain.symbolic import WRITTEN

TITLE = "Numerical, symbolic, automatic"
SECTION = "Vectors"
ORDER = 7

PARTS = ("1 Numerical", "2 Symbolic", "3 Automatic")
Aside = Any  # the place beside the tabs
COMPOSED = ("4*x*(1 - x)", "sigmoid(x)", "x*exp(-x)", "log(1 + x**2)", "sin(x)", "gelu(x)")
ENTRIES = 400  # of an array that can be chosen
LARGEST = 10**12  # inputs or outputs that can be typed


def show() -> None:
    """Draw the page."""
    chooser = Chooser("methods", "D2", _forget)
    opened, error = chooser.current()
    with st.sidebar:
        chooser.rail(error)
        chosen = _choice(opened) if opened.values else None
        if opened.values:
            _inputs(chooser, opened)
    with st.container(key="methods"):
        if error:
            chooser.say(error)
        tabs, aside = st.columns([1, 2])
        part = tabs.segmented_control(
            "Part", PARTS, key=remember("methods.part", PARTS[0]), required=True, label_visibility="collapsed"
        )
        if chosen is None:
            st.info("This program has no input to differentiate by: name one, as in `x = 2`.")
            return
        case = Case.of(opened, opened.graph.source, *chosen)
        try:
            if kink := three_ways.kink(case):
                st.warning(verbatim(f"{kink}."), icon=":material/warning:")
            _PARTS[part or PARTS[0]](case, opened, aside)
            _answers(case, opened)
        except GradvizError as problem:
            st.error(verbatim(str(problem)), icon="⚠")


def _forget() -> None:
    """Another program has other inputs and other steps."""
    for part in ("wrt", "entry", "at", "back"):
        st.session_state.pop(f"methods.{part}", None)
        st.session_state.get("kept", {}).pop(f"methods.{part}", None)


def _kept(key: str, default: Any, allowed: Any) -> str:
    """A remembered key whose value is always one that is still there."""
    if st.session_state[remember(key, default)] not in allowed:
        st.session_state[key] = default
    return key


def _choice(opened: Opened) -> tuple[str, tuple[int, ...]]:
    """The input, and the entry of it, to differentiate by."""
    notation, names = Notation(opened.graph), list(opened.values)
    first = next((name for name in names if "w" in name.lower()), names[0])
    name = st.selectbox(
        "Differentiate by",
        names,
        format_func=lambda name: notation.text(opened.graph.position(name)),
        key=_kept("methods.wrt", first, names),
    )
    shape = np.shape(opened.values[name])
    if not shape:
        return name, ()
    count = min(prod(shape), ENTRIES)
    places = entry_names(notation.text(opened.graph.position(name)), shape, range(count))
    flat = st.selectbox(
        "Entry, counted from 1",
        range(count),
        format_func=places.__getitem__,
        key=_kept("methods.entry", 0, range(count)),
    )
    return name, tuple(int(k) for k in np.unravel_index(flat, shape))


def _inputs(chooser: Chooser, opened: Opened) -> None:
    declared = {name: opened.graph.defaults.get(name, 1.0) for name in opened.values}
    st.markdown("**Inputs**")
    input_fields(
        opened.values,
        scalar_ranges(declared, {}),
        lambda name, value: chooser.change(values={**chooser.program.values, name: value}),
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _numerical(case: Case, opened: Opened, aside: Aside) -> None:
    found = three_ways.curves(case)
    costs = dict(zip(METHODS, three_ways.passes_of(case), strict=False))
    count = three_ways.entries(opened)
    inputs = _counted(count, "input")
    for column, method in zip(st.columns(3), METHODS, strict=True):
        refused = next((row["refused"] for row in found if row["method"] == method and "refused" in row), "")
        with column:
            cost = costs[method]
            st.latex(rf"\text{{{three_ways.NAMES[method]}: }} {FORMULAS[method]}")
            st.markdown(
                verbatim(f"{refused[:1].upper()}{refused[1:]}.")
                if refused
                else f"{cost.formula} = **{_counted(cost.passes, 'evaluation')}** for N = {inputs}",
                text_alignment="center",
            )
    steps = next(row["steps"] for row in found if "steps" in row)
    order = sorted(range(len(steps)), key=steps.__getitem__)
    at = aside.select_slider(
        "Step h", order, format_func=lambda i: plain(steps[i], 2), key=_kept("methods.h", 16, order)
    )
    panels = three_ways.curve_panels(found, at, kink=three_ways.kink(case) is not None)
    live(pack(panels), key="methods.curves")
    save_picture(lambda: {"panels": panels}, "error_curves")


def _symbolic(case: Case, opened: Opened, aside: Aside) -> None:
    found = three_ways.symbolic(case.text, case.name)
    if isinstance(found, GradvizError):
        hint = f" {found.hint[0].upper()}{found.hint[1:]}." if found.hint else ""
        st.info(verbatim(f"{found.message[0].upper()}{found.message[1:]}.{hint}"))
        three_ways.offer_to_go_on(three_ways.program_key(case.text, case.name))
    elif found.latex:
        notation = Notation(opened.graph)
        symbol = notation.gradient(opened.graph.position(case.name)).latex
        st.latex(f"{symbol} = {found.latex}")
        theta = " θ(u) is 1 for u > 0, else 0." if r"\theta\left(" in found.latex else ""
        aside.markdown(f"SymPy's derivative is one expression of **{found.nodes:,} nodes**.{theta}")
    else:
        aside.markdown(
            f"SymPy's derivative of the program has **{found.nodes:,} nodes**; up to {WRITTEN} are written out."
        )
    _composed()


def _composed() -> None:
    left, right = st.columns(2, vertical_alignment="bottom")
    text = left.selectbox(
        "A function composed with itself: f(f(…f(x)))",
        COMPOSED,
        key=remember("methods.composed", COMPOSED[0]),
        accept_new_options=True,
    )
    try:
        rows = three_ways.depths_of(text or COMPOSED[0])
    except GradvizError as problem:
        st.error(verbatim(str(problem)), icon="⚠")
        return
    depths = [row.depth for row in rows]
    if len(depths) > 1:
        depth = right.select_slider("Depth", depths, key=_kept("methods.depth", min(2, len(depths)), depths))
    elif depths:
        depth = depths[0]
    else:
        st.info(
            "SymPy has no derivative yet: it was stopped, or the expression is too large for this function alone."
        )
        three_ways.offer_to_go_on(three_ways.function_key(text or COMPOSED[0]))
        return
    derivative = rows[depth - 1].derivative
    if derivative.latex:
        st.latex(derivative.latex)
    else:
        st.markdown(
            f"At depth {depth} the derivative has **{derivative.nodes:,} nodes**: too long to write out."
        )
    panels = three_ways.depth_panels(rows, depth)
    live(pack(panels), key="methods.swelling")
    save_picture(lambda: {"panels": panels}, "swelling")
    three_ways.offer_to_go_on(three_ways.function_key(text or COMPOSED[0]))


def _automatic(case: Case, opened: Opened, aside: Aside) -> None:
    forward, backward = three_ways.dual(case), three_ways.reverse(case, opened.output_shape)
    pushed, pulled = forward.steps, three_ways.backward_steps(backward)
    notation = forward.notation
    left, right = aside.columns(2)
    with left:
        at = _step("Forward mode: step", "methods.at", len(pushed))
    with right:
        back = _step("Reverse mode: step", "methods.back", len(pulled))
    wrt = notation.text(opened.graph.position(case.name))
    modes = [three_ways.forward_panel(forward, at, wrt)]
    left, middle, right = st.columns([5, 5, 6])
    with left:
        _taken(modes[0], pushed[at])
    with middle:
        if pulled:
            modes.append(three_ways.reverse_panel(backward, back, notation))
            _taken(modes[1], pulled[back])
        else:
            st.info("No gradient flows back: the output does not change with any input, or only in jumps.")
    with right:
        passes = _passes(case, opened)
        save_picture(lambda: {"panels": mode_panels(modes, passes)}, "modes")


def _step(words: str, key: str, count: int) -> int:
    if count < 2:
        return 0
    steps = range(1, count + 1)
    return int(st.slider(f"{words} (of {count})", 1, count, key=_kept(key, count, steps))) - 1


def _taken(panel: dict[str, Any], step: Any) -> None:
    """A table, and the last step taken in it in words and as a formula."""
    live(pack([panel]), key=f"methods.{panel['id']}")
    st.markdown(f":small[{verbatim(step.sentence)}]")
    rule, *after = [stage.latex for stage in step.stages]
    results = [_low(latex) for latex in after if latex.startswith("=")]
    st.latex(" ".join([r"\small", rule, *results[-1:]]))


def _low(latex: str) -> str:
    """Matrices set small, so that a formula keeps to its place."""
    inner = latex.replace(r"\begin{bmatrix}", r"\left[\begin{smallmatrix}")
    return inner.replace(r"\end{bmatrix}", r"\end{smallmatrix}\right]")


def _passes(case: Case, opened: Opened) -> dict[str, Any]:
    """The passes of every method, here and for sizes that somebody types; the panel that shows them."""
    found = three_ways.comparison(case)
    place = st.container()
    left, right = st.columns(2)
    inputs = left.number_input("Other N: inputs", 1, LARGEST, key=remember("methods.inputs", 1_000_000))
    outputs = right.number_input("Other M: outputs", 1, LARGEST, key=remember("methods.outputs", 1))
    here = three_ways.entries(opened), prod(opened.output_shape)
    sizes = f"{here[0]:,} × {here[1]:,}", f"{inputs:,} × {outputs:,}"
    panel = three_ways.passes_panel(three_ways.passes_of(case), counted_passes(inputs, outputs), sizes)
    with place:
        live(pack([panel]), key="methods.passes")
    forward, reverse = (answer.value for answer in found.answers[2:])
    st.markdown(
        f"Forward mode gives {_exact(forward)}, reverse mode {_exact(reverse)}: "
        f"they differ by **{plain(found.difference, 2)}**."
    )
    return panel


def _exact(value: float | None) -> str:
    return verbatim(exact(value))


_PARTS = dict(zip(PARTS, (_numerical, _symbolic, _automatic), strict=True))


def _answers(case: Case, opened: Opened) -> None:
    """The line at the end: the answers side by side."""
    found, graph = three_ways.comparison(case), opened.graph
    notation = Notation(graph)
    wrt = notation.text(graph.position(case.name))
    if case.entry:
        shape = np.shape(case.inputs[case.name])
        (wrt,) = entry_names(wrt, shape, [int(np.ravel_multi_index(case.entry, shape))])
    output = notation.text(graph.output) + (", summed" if opened.output_shape else "")
    name = f"∂{output} / ∂{wrt}"
    first, *columns = st.columns(1 + len(found.answers))
    first.markdown(f":small[**{verbatim(name)}**  \nerrors against {verbatim(found.against)}]")
    for column, answer in zip(columns, found.answers, strict=True):
        column.markdown(_answer(answer), help=verbatim(answer.refused) or answer.how)
    if kink := three_ways.kink(case):
        st.markdown(f":small[{verbatim(f'{kink.central[0].upper()}{kink.central[1:]}.')}]")


def _answer(answer: Answer) -> str:
    head = f"**{answer.method.capitalize()}**"
    if answer.value is None or answer.error is None:
        return f":small[{head}  \n{verbatim(answer.refused.partition(',')[0])}]"
    return f":small[{head}  \n{plain(answer.value, 12)}  \nerror {plain(answer.error, 2)}]"
