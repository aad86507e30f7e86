"""Step through: a program, its graph, and every step forward and backward."""

from __future__ import annotations

from math import prod
from typing import Any

import streamlit as st

from gradviz.app import session
from gradviz.app.array_picture import array_picture, take_picture
from gradviz.app.components.editor import editor, told
from gradviz.app.components.stepper import stepper
from gradviz.app.entry import show_entry, take_entry
from gradviz.app.inputs import input_fields, range_editor, scalar_ranges
from gradviz.app.program import DIGITS, Opened, Program, group_line, home_line, with_sum
from gradviz.app.slides import of_explored, of_program, slides_button, slides_panel
from gradviz.app.style import verbatim
from gradviz.demos import demos
from gradviz.errors import GradvizError
from gradviz.explain.jacobian import entry_names
from gradviz.explain.notation import Notation

TITLE = "Step through"
SECTION = "Backprop"
ORDER = 1


def show() -> None:
    """Draw the page."""
    if (explored := session.explored()) is not None:
        _show_explored(explored)
        return
    session.start()
    opened, error = session.current()
    if show_entry(opened.stage.run):
        return
    with st.sidebar:
        _rail(opened, error)
    if st.session_state.notice:
        st.toast(verbatim(st.session_state.notice), icon="⚠")
        st.session_state.notice = ""
    stepper(
        {**opened.story, **session.story(), "alert": _alert(error)},
        key="stepper",
        on_open=_toggle_open,
        on_fold=lambda: _toggle_fold(opened),
        on_element=lambda: take_entry(opened.stage.run),
        on_picture=take_picture,
    )
    array_picture(opened.story)
    slides_panel(of_program(session.program(), opened))


def _alert(error: GradvizError | None) -> dict[str, str] | None:
    """What does not work, to be told over the picture of what does."""
    if error is None:
        return None
    shown = (
        "the last program that worked" if session.broken() else "the program with nothing opened or folded"
    )
    return {**told(error), "shown": f"Shown is {shown}."}


def _show_explored(explored: session.Explored) -> None:
    """A batch of a training, folded by layers."""
    if show_entry(explored.shown):
        return
    with st.sidebar:
        back = st.button("Back to training", type="primary", icon=":material/arrow_back:")
        st.markdown(f"**{verbatim(explored.title)}**")
        st.caption(
            "One batch of this training, folded by layers. Click a box and open it to see what is inside."
        )
        if st.button("Close it and show programs"):
            session.leave_explored()
            st.rerun()
        slides_button()
    if back:
        session.leave_explored()
        st.switch_page(st.session_state.pages[explored.back])

    def toggle(trigger: str) -> None:
        if isinstance(node := st.session_state["stepper"][trigger], str):
            session.toggle_group(node)

    stepper(
        explored.story,
        key="stepper",
        on_open=lambda: toggle("open"),
        on_fold=lambda: toggle("fold"),
        on_element=lambda: take_entry(explored.shown),
        on_picture=take_picture,
    )
    array_picture(explored.story)
    slides_panel(of_explored(explored))


def _rail(opened: Opened, error: GradvizError | None) -> None:
    program = session.program()
    names = [demo.name for demo in demos().values()]
    st.selectbox(
        "Demo",
        names,
        index=next((i for i, demo in enumerate(demos().values()) if demo.text == program.text), None),
        format_func=lambda name: f"{demos()[name].row}  {demos()[name].title}".strip(),
        placeholder="own program",
        key=f"demo {program.text}",
        on_change=lambda: _take_demo(f"demo {program.text}"),
    )
    slides_button()
    editor(
        program.text, st.session_state.version, error, key="editor", on_edit=_edited, explains=False
    )  # it is told over the picture, which is always in sight
    lesson = next((demo.lesson for demo in demos().values() if demo.text == program.text), "")
    if lesson:
        st.caption(lesson)
    declared = {name: opened.graph.defaults.get(name, 1.0) for name in opened.values}
    ranges = scalar_ranges(declared, st.session_state.ranges)
    if opened.values:
        st.markdown("**Inputs**")
        input_fields(opened.values, ranges, _set_value)
    if opened.output_shape:
        _seed_choice(opened)
    with st.expander("Options"):
        _options(opened, program)
        if ranges:
            range_editor(ranges, _set_range)
    with st.expander("Share"):
        _share(program)


def _take_demo(key: str) -> None:
    if (name := st.session_state[key]) is not None:
        session.set_program(Program.of_demo(demos()[name]), demos()[name].ranges)


def _edited() -> None:
    text = st.session_state.editor.edit
    if isinstance(text, str):
        session.edit(text)


def _set_value(name: str, value: Any) -> None:
    session.set_value(name, value)


def _set_range(name: str, limits: tuple[float, float]) -> None:
    st.session_state.ranges[name] = limits


def _seed_choice(opened: Opened) -> None:
    shape, chosen = opened.output_shape, session.program().seed
    names = {"ones": "all ones (the gradient of the sum)", "none": "forward only"}
    output = Notation(opened.graph).text(opened.graph.output)
    entries = entry_names(output, shape, range(min(64, prod(shape))))
    names |= {str(i): f"1 on {entry}, counted from 1, 0 elsewhere" for i, entry in enumerate(entries)}
    key = f"seed {st.session_state.version} {shape}"
    st.selectbox(
        f"The output has shape {shape}. Gradient put on it",
        list(names),
        index=list(names).index(chosen) if chosen in names else 0,
        format_func=lambda choice: names[choice],
        key=key,
        on_change=lambda: session.change(seed=st.session_state[key]),
    )
    if st.button("Reduce with sum(…)"):
        session.set_program(with_sum(session.program()))
        st.rerun()


def _options(opened: Opened, program: Program) -> None:
    inputs, version = list(opened.graph.inputs), st.session_state.version
    st.multiselect(
        "Differentiate with respect to",
        inputs,
        default=[name for name in inputs if program.wrt is None or name in program.wrt],
        key=f"wrt {inputs} {version}",
        on_change=lambda: session.choose_wrt(tuple(st.session_state[f"wrt {inputs} {version}"])),
    )
    st.select_slider(
        "Significant digits shown",
        list(DIGITS),
        value=program.digits,
        key=f"digits {version}",
        on_change=lambda: session.change(digits=st.session_state[f"digits {version}"]),
    )
    lines = sorted({node.line for node in opened.graph.nodes if node.op is not None})
    st.multiselect(
        "Lines folded into one box",
        lines,
        default=[line for line in program.folded if line in lines],
        key=f"fold {lines} {program.folded}",
        on_change=lambda: session.change(folded=tuple(st.session_state[f"fold {lines} {program.folded}"])),
    )


def _share(program: Program) -> None:
    if program.to_link():
        st.caption("The address of this page holds the program, the values and the step: copy it.")
    else:
        st.caption("This program is too long for an address: save it as a file and send that.")
    st.download_button(
        "Save as file", program.to_json(), "gradviz.json", "application/json", on_click="ignore"
    )
    file = st.file_uploader("Open a file", type="json", key=f"file {st.session_state.version}")
    if file is not None:
        try:
            session.set_program(Program.from_json(file.getvalue().decode("utf-8", "replace")))
        except GradvizError as error:
            st.error(verbatim(str(error)), icon="⚠")
        else:
            st.rerun()


def _toggle_open() -> None:
    """A folded box opens into the nodes of its line, a fused node into its gates."""
    node, program = st.session_state.stepper.open, session.program()
    if not isinstance(node, str):
        return
    if node.startswith("["):
        session.change(folded=session.toggled(program.folded, group_line(node)))
    else:
        session.change(opened=session.toggled(program.opened, node))


def _toggle_fold(opened: Opened) -> None:
    """A gate of an opened node closes it, any other node folds its line."""
    node, program = st.session_state.stepper.fold, session.program()
    if not isinstance(node, str):
        return
    inside = node.partition("/")[0]
    if inside in program.opened:
        session.change(opened=session.toggled(program.opened, inside))
    else:
        session.change(folded=session.toggled(program.folded, home_line(opened.stage.run, node)))
