"""The program on a page of its own: a demo, what is on the Step through page, or one's own text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from gradviz.app.components.editor import editor
from gradviz.app.program import Opened, Program, open_program
from gradviz.app.style import verbatim
from gradviz.demos import Demo, demos, get
from gradviz.errors import GradvizError

_STEPPED = "the program on Step through"


@st.cache_resource(max_entries=16, show_spinner=False)
def _opened(packed: str) -> Opened:
    return open_program(Program.from_json(packed))


class Chooser:
    """The program of the page `name`: what the person left there, working or not, and the last one that worked.

    `first` is the demo it begins with; `changed` is called when there is another program; `title` names a demo in
    the list.
    """

    def __init__(
        self,
        name: str,
        first: str,
        changed: Callable[[], None] = lambda: None,
        title: Callable[[Demo], str] = lambda demo: demo.title,
    ) -> None:
        self.name = name
        self.changed = changed
        self.title = title
        if f"{name}.program" not in st.session_state:
            self._begin(Program.of_demo(get(first)))

    def _begin(self, first: Program) -> None:
        """On the first visit: the program in the address, else the page's own first one."""
        self._keep(program=first, good=first, version=0, notice="")
        if "p" in st.query_params:
            try:
                self._keep(program=Program.from_link(st.query_params["p"]))
            except GradvizError as error:
                self._keep(notice=f"{error.message[0].upper()}{error.message[1:]}: a demo is shown instead.")

    def _keep(self, **fields: Any) -> None:
        for field, value in fields.items():
            st.session_state[f"{self.name}.{field}"] = value

    @property
    def program(self) -> Program:
        """The program as the person left it."""
        return st.session_state[f"{self.name}.program"]  # type: ignore[no-any-return]

    def take(self, program: Program) -> None:
        """Replace the whole program."""
        self._keep(program=program, version=st.session_state[f"{self.name}.version"] + 1)
        self.changed()

    def change(self, **fields: Any) -> None:
        """Change parts of the program that do not change what it computes."""
        self._keep(program=replace(self.program, **fields))

    def current(self) -> tuple[Opened, GradvizError | None]:
        """The program run forward, drawn without opened or folded boxes; where it does not work, the last one that
        did, and why."""
        error: GradvizError | None = None
        for candidate in (self.program, st.session_state[f"{self.name}.good"]):
            plain = replace(candidate, title="", wrt=(), opened=(), folded=(), seed="none", exercise="")
            try:
                found = _opened(plain.to_json())
            except GradvizError as problem:
                error = error or problem
                continue
            if error is None:
                self._keep(good=candidate)
            return found, error
        raise AssertionError("the last good program no longer works")

    def rail(self, error: GradvizError | None, rows: int = 9) -> None:
        """The list of programs and the editor, of so many rows."""
        state = st.session_state
        if notice := state[f"{self.name}.notice"]:
            st.warning(verbatim(notice), icon="⚠")
            self._keep(notice="")
        stepped: Program | None = state.get("program")
        names = [*([_STEPPED] if stepped else []), *demos()]
        shown = next((demo.name for demo in demos().values() if demo.text == self.program.text), None)
        if shown is None and stepped and stepped.text == self.program.text:
            shown = _STEPPED
        key = f"{self.name} demo {self.program.text}"
        st.selectbox(
            "Program",
            names,
            index=None if shown is None else names.index(shown),
            format_func=lambda name: name if name == _STEPPED else self._listed(demos()[name]),
            placeholder="own program",
            key=key,
            on_change=lambda: self._choose(state[key]),
        )
        version = state[f"{self.name}.version"]
        editor(self.program.text, version, error, key=f"{self.name}.editor", on_edit=self._edited, rows=rows)

    def say(self, error: GradvizError) -> None:
        """What does not work, beside the picture of what did."""
        st.warning(f"{verbatim(error.message)}. Shown is the last program that worked.", icon="⚠")

    def _choose(self, name: str | None) -> None:
        if name == _STEPPED:
            self.take(replace(st.session_state.program, exercise=""))
        elif name is not None:
            self.take(Program.of_demo(demos()[name]))

    def _edited(self) -> None:
        text = st.session_state[f"{self.name}.editor"].edit
        if isinstance(text, str) and text != self.program.text:
            self._keep(program=Program(text))
            self.changed()

    def _listed(self, demo: Demo) -> str:
        return f"{demo.row}  {self.title(demo)}".strip()
