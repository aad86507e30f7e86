"""What a person's session remembers: the program on the page, the last one that worked, and their address."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import streamlit as st

from gradviz.app.program import Opened, Program, open_program
from gradviz.demos import demos
from gradviz.engine.limits import APP
from gradviz.engine.parse import parse
from gradviz.errors import GradvizError


@st.cache_resource(max_entries=64, show_spinner=False)
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
            state.notice = f"{error.message}: the first demo is shown instead."


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


def remember(address: Callable[[str], None]) -> bool:
    """Put the program into the address; False when it is too long for one."""
    link = program().to_link()
    if link:
        if st.query_params.get("p") != link:
            address(link)
    elif "p" in st.query_params:
        del st.query_params["p"]
    return bool(link)


def first_step() -> int:
    """The step in the address."""
    k = st.query_params.get("k", "0")
    return int(k) if k.isdecimal() and len(k) < 6 else 0
