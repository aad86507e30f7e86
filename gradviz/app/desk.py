"""Where a student puts the factors of one chain in order, and types sizes to see what the chain costs."""

from __future__ import annotations

from typing import Any, get_args

import streamlit as st

from gradviz.errors import GradvizError
from gradviz.explain.arrangement import Arrangement, costs_view, factor_ends, resized
from gradviz.explain.jacobian import Layout
from gradviz.explain.ledger import ledger_of
from gradviz.explain.trace import Run
from gradviz.explain.vectors import arrangement_view, read_arrangement

Json = dict[str, Any]


class Desk:
    """The arrangement of the factors of one product of a leaf's ledger; it stays in the session.

    What a person does with the ledger's component goes to `take`. The arrangement is kept in denominator layout, so
    that the layout switch reverses it like any other product.
    """

    def __init__(self, run: Run, leaf: str, layout: Layout, product: int) -> None:
        self.run, self.leaf, self.layout, self.product = run, leaf, layout, product
        self.home = [leaf, product, layout]
        self.ledger = ledger_of(run, leaf, layout)
        self.count = len(self.ledger.products[product].factors)
        state: Json = st.session_state.setdefault("jacobians.arranged", {})
        self.mine: Json = state.setdefault(
            f"{leaf} {product} {self.count}",
            {"arrangement": self._scrambled(), "tried": False, "number": 0, "problem": "", "typed": None},
        )
        self.letters = self._written(self._scrambled()).letters()

    def _written(self, arrangement: Arrangement) -> Arrangement:
        """From denominator layout to the layout shown, and back."""
        return arrangement if self.layout == "denominator" else arrangement.in_other_layout()

    def _scrambled(self) -> Arrangement:
        """The order to begin with, in denominator layout."""
        return Arrangement.scrambled(ledger_of(self.run, self.leaf).products[self.product])

    def exercise(self) -> Json:
        """The cards as they lie, and the verdict; before anybody has tried, only on factors that need no ordering."""
        arrangement, problem = self._written(self.mine["arrangement"]), self.mine["problem"]
        order, transposed = list(arrangement.order), sorted(arrangement.transposed)
        verdict = arrangement_view(self.run, self.leaf, order, transposed, self.layout, self.product)
        return {
            "order": order,
            "transposed": transposed,
            "letters": self.letters,
            "typed": self.mine["typed"] if problem else arrangement.text(self.letters),
            "home": self.home,
            "number": self.mine["number"],
            "verdict": verdict if not problem and (self.mine["tried"] or verdict["ok"]) else None,
            "problem": problem,
        }

    def costs(self) -> Json:
        """The chain's costs with the sizes of now, and with typed ones where there are any."""
        now = {letter: size for size, letter in self.ledger.letters.items()}
        wanted = {
            **now,
            **{k: v for k, v in st.session_state.get("jacobians.wanted", {}).items() if k in now},
        }
        found: Json = {
            "now": costs_view(self.ledger, self.product),
            "sizes": now,
            "wanted": wanted,
            "problem": "",
        }
        if wanted != now:
            try:
                typed = resized(self.run.graph, self.ledger, wanted)
                found["typed"] = costs_view(typed, self.product)
            except GradvizError as error:
                found["problem"] = f"Sizes like these do not fit this program: {error.message}"
        return found

    def take(self, event: Json) -> None:
        """Do what a person asked for in the component; it knows the answer by the event's number.

        A click may overtake a switch of the layout: its `home` says what the person saw, and an index counts there.
        """
        if (home := event.get("home", self.home)) != self.home:
            for layout in get_args(Layout):
                if home == [self.leaf, self.product, layout]:
                    Desk(self.run, self.leaf, layout, self.product).take(event)
            return
        self.mine["number"] = event.get("number", 0)
        match event:
            case {"kind": "arrange", "order": [*order], "transposed": [*transposed]}:
                if sorted(order) == list(range(self.count)):
                    self._put(Arrangement(tuple(order), frozenset(transposed)))
            case {"kind": "typed", "text": str(text)}:
                self._read(text)
            case {"kind": "again"}:
                self._put(self._written(self._scrambled()), tried=False)
            case {"kind": "factor", "index": int(index)} if 0 <= index < self.count:
                ends = factor_ends(self.run, self.leaf, self.layout, self.product)[index]
                st.session_state["jacobians.of"], st.session_state["jacobians.wrt"] = ends
            case {"kind": "sizes", "sizes": dict(sizes)}:
                st.session_state["jacobians.wanted"] = {k: v for k, v in sizes.items() if isinstance(v, int)}
            case _:
                pass

    def _put(self, arrangement: Arrangement, *, tried: bool = True) -> None:
        self.mine.update(arrangement=self._written(arrangement), tried=tried)
        self._show(problem="")

    def _read(self, text: str) -> None:
        """A typed order is taken when it names every factor once; else the cards stay as they are."""
        try:
            order, transposed = read_arrangement(text, self.letters)
        except GradvizError as error:
            self._show(problem=f"{error.message}; {error.expected}", typed=text)
            return
        if sorted(order) == list(range(self.count)):
            self._put(Arrangement(tuple(order), frozenset(transposed)))
        else:
            verdict = arrangement_view(self.run, self.leaf, order, transposed, self.layout, self.product)
            self._show(problem=verdict["reason"], typed=text)

    def _show(self, *, problem: str, typed: str | None = None) -> None:
        self.mine.update(problem=problem, typed=typed)
