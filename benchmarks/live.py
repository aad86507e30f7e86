"""Training that is watched: `python -m benchmarks live`.

Each experiment of the app trains in turns with and without its page open in a browser, or where none is installed with
somebody who reads its stream of pictures. An update is a picture in which the loss curve went on.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from statistics import median
from time import perf_counter, sleep
from typing import Any

from benchmarks import browser
from benchmarks.table import Effort, report

FULL, QUICK = Effort(5, 2.0), Effort(1, 0.5)
UPDATES, SLOWED = 10.0, 0.2  # updates per second at least; share of the speed at most that watching may cost
EXPERIMENTS: dict[str, tuple[str, dict[str, Any]]] = {
    "decision regions": ("decision_regions", {"data": "xor"}),
    "decision regions, 2 × 200 neurons": (
        "decision_regions",
        {"data": "moons", "count": 30, "noise": 0.35, "layers": 3, "width": 200, "learning_rate": 0.005},
    ),
    "digits, linear": ("digits", {"model": "linear"}),
    "digits, MLP": ("digits", {"model": "mlp"}),
    "digits, CNN": ("digits", {"model": "cnn"}),
    "inpainting": ("inpainting", {}),
    "denoising": ("denoising", {}),
}
HEADER = ("experiment", "batches/s alone", "watched", "slowed by", "updates/s", "goal")
CAPTION = "Batches per second without and with a page that shows the training, medians over the rounds; {how}"
IN_BROWSER = "the app is served and drawn by Chromium, without a graphics card, on the same processors."
STREAMED = "every picture is packed and sent, only the browser is missing."


@dataclass(frozen=True)
class Row:
    """One experiment: batches per second alone and watched, by how much of its speed it is slowed, updates per second."""

    title: str
    alone: float
    watched: float
    slowed: float
    updates: float

    @property
    def reached(self) -> bool:
        """Whether it is shown often enough at little enough cost."""
        return self.updates >= UPDATES and self.slowed <= SLOWED

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        numbers = f"{self.alone:.4g}", f"{self.watched:.4g}", f"{self.slowed:.0%}", f"{self.updates:.1f}"
        goal = f"at least {UPDATES:g}/s, at most {SLOWED:.0%}: {'reached' if self.reached else 'MISSED'}"
        return (self.title, *numbers, goal)


def train(experiment: Any, seconds: float) -> float:
    """Batches per second with nobody watching; with one thread of the linear algebra library, as the app trains."""
    from gradviz.engine.threads import one_library_thread

    began, batches = perf_counter(), 0
    with one_library_thread():
        while (took := perf_counter() - began) < seconds:
            experiment.advance()
            batches += 1
    return batches / took


def watch(worker: Any, seconds: float) -> tuple[float, float]:
    """Batches and updates per second of a worker whose stream is read."""
    worker.start()
    sleep(min(0.5, seconds))
    began, first = perf_counter(), worker.experiment.trainer.progress.steps
    updates = asyncio.run(_updates(worker, began + seconds))
    batches = worker.experiment.trainer.progress.steps - first
    took = perf_counter() - began
    worker.pause()
    return batches / took, updates / took


async def _updates(worker: Any, end: float) -> int:
    """How often the stream has a new loss curve until then."""
    from gradviz.app.stream import pictures

    updates = 0
    async for text in pictures(worker):
        updates += json.loads(text.split("\n", 1)[0])["panels"]["lines loss"]
        if perf_counter() > end:
            break
    return updates


def rows(effort: Effort, titles: Sequence[str] = tuple(EXPERIMENTS)) -> Iterator[Row]:
    """Measure and yield experiment after experiment, without a browser."""
    from gradviz.app.rendering import Rendering
    from gradviz.app.worker import Worker

    for title in titles:
        experiment = _experiment(title)
        worker = Worker(experiment, render=Rendering())
        yield _row(title, experiment, effort, partial(watch, worker, effort.seconds))


def rows_in_browser(effort: Effort, titles: Sequence[str] = tuple(EXPERIMENTS)) -> Iterator[Row]:
    """The same with the pages of the app."""
    with browser.pages() as opened:
        for title in titles:
            module, changed = EXPERIMENTS[title]
            with opened(module.replace("_", "-"), changed) as page:
                yield _row(title, _experiment(title), effort, partial(browser.watch, page, effort.seconds))


def _experiment(title: str) -> Any:
    module, changed = EXPERIMENTS[title]
    live = import_module(f"gradviz.demos.live.{module}")
    return live.Experiment(live.Settings(**changed))


def _row(title: str, experiment: Any, effort: Effort, watched: Callable[[], tuple[float, float]]) -> Row:
    """Alone and watched in turns, after a first time of both."""
    train(experiment, effort.seconds)
    watched()
    found = [(train(experiment, effort.seconds), *watched()) for _ in range(effort.rounds)]
    alone, seen, updates = (median(values) for values in zip(*found, strict=True))
    return Row(title, alone, seen, 1 - median(with_ / without for without, with_, _ in found), updates)


def main(quick: bool, markdown: bool) -> None:
    """Measure every experiment and print the table."""
    effort, here = QUICK if quick else FULL, browser.available()
    measured = (rows_in_browser if here else rows)(effort)
    caption = CAPTION.format(how=IN_BROWSER if here else STREAMED)
    report(measured, HEADER, lambda done: caption, markdown)
