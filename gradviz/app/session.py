"""What a person's session remembers: the program on the page, the last one that worked, and their address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from gradviz.app.program import Opened, Program, open_program
from gradviz.demos import demos
from gradviz.engine.limits import APP
from gradviz.engine.parse import parse
from gradviz.errors import GradvizError


@st.cache_resource(max_entries=16, show_spinner="Drawing the graph")
def _opened(packed: str) -> Opened:
    return open_program(Program.from_json(packed))


def start() -> None:
    """On a person's first visit, read the program in the address; without one take the first demo."""
    state = st.session_state
    if "program" in state:
        return
    first = next(iter(demos().values()))
    state.version, state.notice, state.ranges = 0, "", dict(first.ranges)
    state.program = state.good = Program.of_demo(first)
    if "p" in st.query_params:
        try:
            state.program = Program.from_link(st.query_params["p"])
        except GradvizError as error:
            state.notice = f"{error.message[0].upper()}{error.message[1:]}: the first demo is shown instead."


def program() -> Program:
    """The program as the person left it, working or not."""
    return st.session_state.program  # type: ignore[no-any-return]


def set_program(new: Program, ranges: Mapping[str, tuple[float, float]] | None = None) -> None:
    """Replace the whole program: a demo with its slider ranges, a file."""
    state = st.session_state
    state.program, state.notice, state.ranges = new, "", dict(ranges or {})
    state.version += 1


def change(**fields: Any) -> None:
    """Change parts of the program."""
    st.session_state.program = replace(program(), **fields)


def set_value(name: str, value: Any) -> None:
    """Set an input, also of the program on screen while the text is being mended."""
    state = st.session_state
    broken = state.good is not state.program
    change(values={**program().values, name: value})
    if broken:
        state.good = replace(state.good, values={**state.good.values, name: value})


def edit(text: str) -> None:
    """Take an edited text. An input whose declared value was edited loses what its slider said; a new input is
    differentiated like the others."""
    old = program()
    values, wrt = dict(old.values), old.wrt
    try:
        before, after = parse(st.session_state.good.text, limits=APP), parse(text, limits=APP)
        values = {
            name: value
            for name, value in values.items()
            if repr(before.defaults.get(name)) == repr(after.defaults.get(name))
        }
        if wrt is not None:
            kept = [name for name in after.inputs if name in wrt or name not in before.inputs]
            wrt = tuple(kept) if kept else None
    except GradvizError:
        pass  # shown when the page is drawn; nothing is lost meanwhile
    change(text=text, title="" if text.strip() != old.text.strip() else old.title, values=values, wrt=wrt)


def toggled(items: tuple[str, ...], item: str) -> tuple[str, ...]:
    """The items without `item` (and what was opened inside it) if it is there, else with it."""
    if item in items:
        return tuple(i for i in items if i != item and not i.startswith(f"{item}/"))
    return (*items, item)


def current() -> tuple[Opened, GradvizError | None]:
    """The program's stage; when it does not work, the same one with nothing opened or folded, else the last one
    that did work, and why."""
    state = st.session_state
    error: GradvizError | None = None
    for candidate in (program(), replace(program(), opened=(), folded=()), state.good):
        try:
            found = _opened(candidate.to_json())
        except GradvizError as problem:
            error = error or problem
            continue
        if candidate is not state.good:
            state.program = state.good = candidate
        return found, error
    raise AssertionError("the last good program no longer works")


def story() -> dict[str, Any]:
    """What the page's address brings and keeps: the step to start at, the link, and whose program it is."""
    version = st.session_state.version
    k = st.query_params.get("k", "0") if version == 0 else "0"
    return {
        "k": int(k) if k.isdecimal() and len(k) < 6 else 0,
        "link": program().to_link(),
        "origin": version,
    }
