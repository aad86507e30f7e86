"""A deck: the steps of a stage that are to be shown, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from gradviz.draw.export import lecture
from gradviz.draw.export.marks import Page
from gradviz.draw.export.options import Options
from gradviz.draw.export.page import step_page
from gradviz.draw.stage import Stage

Report = Callable[[int, int], None]  # pages done, pages in all


def silent(done: int, total: int) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Deck:
    """What one file shows: a stage after each of these numbers of steps."""

    stage: Stage
    steps: tuple[int, ...]
    options: Options
    report: Report = silent

    def pages(self) -> Iterator[Page]:
        """Its pages in order, each made when it is asked for."""
        stage, options = self.stage, self.options
        makers: list[lecture.Maker] = (
            lecture.plan(stage, self.steps, options)
            if options.lecture
            else [partial(step_page, stage, k, options) for k in self.steps]
        )
        for i, make in enumerate(makers):
            self.report(i, len(makers))
            yield make()
        self.report(len(makers), len(makers))
