"""What a person's session remembers: the program on the page, the last one that worked, and their address."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import streamlit as st

from gradviz.app.program import Opened, Program, open_program
from gradviz.app.style import verbatim
from gradviz.demos import demos
from gradviz.draw.stage import Stage
from gradviz.draw.story import payload
from gradviz.engine.limits import APP
from gradviz.engine.parse import parse
from gradviz.errors import GradvizError
from gradviz.explain.fold import View, layer_groups, layer_path, refolded, reopened, unfolded
from gradviz.explain.trace import Run


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
    state.chosen = False
    if "p" in st.query_params:
        try:
            state.program = Program.from_link(st.query_params["p"])
            state.chosen = _is_chosen(state.program)
        except GradvizError as error:
            state.notice = f"{error.message[0].upper()}{error.message[1:]}: the first demo is shown instead."


def _is_chosen(program: Program) -> bool:
    """Whether a person chose what this program is differentiated by: not where it comes with a demo."""
    return all((demo.text, demo.wrt) != (program.text, program.wrt) for demo in demos().values())


def program() -> Program:
    """The program as the person left it, working or not."""
    return st.session_state.program  # type: ignore[no-any-return]


def set_program(new: Program, ranges: Mapping[str, tuple[float, float]] | None = None) -> None:
    """Replace the whole program: a demo with its slider ranges, a file."""
    state = st.session_state
    state.program, state.notice, state.ranges = new, "", dict(ranges or {})
    state.chosen = _is_chosen(new)
    state.version += 1


def change(**fields: Any) -> None:
    """Change parts of the program."""
    st.session_state.program = replace(program(), **fields)


def choose_wrt(names: tuple[str, ...]) -> None:
    """Differentiate by these inputs, also when the text is edited, as long as it has them."""
    st.session_state.chosen = True
    change(wrt=names)


def broken() -> bool:
    """Whether the program on screen is an earlier one, since the one of now does not work."""
    return st.session_state.good is not st.session_state.program


def set_value(name: str, value: Any) -> None:
    """Set an input, also of the program on screen while the text is being mended."""
    state, mending = st.session_state, broken()
    change(values={**program().values, name: value})
    if mending:
        state.good = replace(state.good, values={**state.good.values, name: value})


def edit(text: str) -> None:
    """Take an edited text. An input whose declared value was edited loses what its slider said.

    Of the inputs a person chose to differentiate by those are kept that are still there, and new ones join them; a
    demo's choice ends where the text has other inputs.
    """
    old = program()
    values, wrt = dict(old.values), old.wrt
    try:
        before, after = parse(st.session_state.good.text, limits=APP), parse(text, limits=APP)
        values = {
            name: value
            for name, value in values.items()
            if repr(before.defaults.get(name)) == repr(after.defaults.get(name))
        }
        wrt = _still_wanted(wrt, before.inputs, after.inputs)
    except GradvizError:
        pass  # shown when the page is drawn; nothing is lost meanwhile
    change(text=text, title="" if text.strip() != old.text.strip() else old.title, values=values, wrt=wrt)


def _still_wanted(
    wrt: tuple[str, ...] | None, before: Collection[str], after: Collection[str]
) -> tuple[str, ...] | None:
    """What an edited program is differentiated by; None for all its inputs."""
    if wrt is None or set(before) == set(after):
        return wrt
    if not st.session_state.chosen or not set(wrt) & set(after):
        return None
    return tuple(name for name in after if name in wrt or name not in before)


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


BATCH = replace(APP, elements=10**7, held=10**8, work=10**11)  # a batch is larger than what one types


@dataclass(frozen=True)
class Explored:
    """A run that no text made, such as one batch of a training: folded by layers, with the page it came from."""

    run: Run
    title: str
    back: str
    opened: tuple[str, ...] = ()  # layers
    gates: tuple[str, ...] = ()  # fused operations shown as their gates

    @cached_property
    def shown(self) -> Run:
        """The run with what was opened in it."""
        return reopened(self.run, self.gates, BATCH) if self.gates else self.run

    @cached_property
    def view(self) -> View:
        """The layers that are not opened, as boxes."""
        return View(self.shown.graph, layer_groups(self.shown.graph, self.opened))

    @cached_property
    def story(self) -> dict[str, Any]:
        """Everything the browser view shows; the address says nothing of it."""
        stage = Stage(self.shown, view=self.view, title=self.title)
        return {**payload(stage), "k": 0, "link": "", "origin": f"explored {id(self.run)}"}


def explored() -> Explored | None:
    """The run a training brought here, if it was not closed again."""
    return st.session_state.get("explored")


def explore(run: Run, title: str, back: str) -> None:
    """Show this run on the step-through page, with a way back to the page named `back`."""
    leave_explored()
    st.session_state.explored = Explored(run, title, back)


def leave_explored() -> None:
    """Close the run, with any entry of it that was opened; the programs are as they were."""
    for name in ("explored", "entry"):
        st.session_state.pop(name, None)


def toggle_group(node: str) -> None:
    """Open the box of a layer, open or close a fused operation, or fold the opened layer around a node."""
    before: Explored = st.session_state.explored
    if node in before.view.groups:
        after = replace(before, opened=unfolded(before.opened, node))
    elif (inside := node.partition("/")[0]) in before.gates:
        after = replace(before, gates=toggled(before.gates, inside))
    elif (found := before.run.graph[node]).op is not None and found.op.fused:
        opened = unfolded(
            before.opened, layer_path(found)
        )  # else its gates would fold into its layer at once
        after = replace(before, opened=opened, gates=(*before.gates, node))
    else:
        after = replace(before, opened=refolded(before.opened, layer_path(found)))
    try:
        _ = after.view
    except GradvizError as error:  # such as one opened too much for one page
        st.toast(verbatim(str(error)), icon="⚠")
        return
    st.session_state.explored = after
