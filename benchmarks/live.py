"""Training that is watched: `python -m benchmarks live`, without a browser.

Each experiment of the app trains in turns with and without somebody who looks at it as often as its page does. An
update is a picture in which the loss curve went on.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from statistics import median
from time import perf_counter, sleep
from typing import Any

from benchmarks.table import PIPE_WIDTH, Effort

FULL, QUICK = Effort(5, 2.0), Effort(1, 0.1)
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
CAPTION = (
    "Batches per second without and with a page that looks at the training, medians over the rounds; the page's view is "
    "packed and written as JSON at every look, only the browser is missing."
)


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


def watch(worker: Any, period: float, seconds: float) -> tuple[float, float]:
    """Batches and updates per second of a worker that is looked at every `period` seconds."""
    from gradviz.app.components.live import changes

    worker.start()
    sleep(min(0.5, seconds))
    worker.look()
    began, first, updates, shown = perf_counter(), worker.experiment.trainer.progress.steps, 0, ""
    while (took := perf_counter() - began) < seconds:
        sleep(period - (took % period))
        look = worker.look()
        pictures = [*look.earlier, look.picture]
        json.dumps([changes(pictures), look.picture["panels"]])
        for picture in pictures:
            curve = json.dumps(next(panel for panel in picture["panels"] if panel["id"] == "loss"))
            updates, shown = updates + (curve != shown), curve
    batches = worker.experiment.trainer.progress.steps - first
    took = perf_counter() - began
    worker.pause()
    return batches / took, updates / took


def rows(effort: Effort, titles: Sequence[str] = tuple(EXPERIMENTS)) -> Iterator[Row]:
    """Measure and yield experiment after experiment."""
    from gradviz.app.rendering import Rendering
    from gradviz.app.train_page import PERIOD
    from gradviz.app.worker import Worker

    for title in titles:
        module, changed = EXPERIMENTS[title]
        live = import_module(f"gradviz.demos.live.{module}")
        worker = Worker(live.Experiment(live.Settings(**changed)), render=Rendering())
        train(worker.experiment, effort.seconds)
        watch(worker, PERIOD, effort.seconds)
        found = [
            (train(worker.experiment, effort.seconds), *watch(worker, PERIOD, effort.seconds))
            for _ in range(effort.rounds)
        ]
        alone, watched, updates = (median(values) for values in zip(*found, strict=True))
        yield Row(title, alone, watched, 1 - median(with_ / without for without, with_, _ in found), updates)


def main(quick: bool, markdown: bool) -> None:
    """Measure every experiment and print the table."""
    done = []
    for row in rows(QUICK if quick else FULL):
        print(f"measured: {row.title}", file=sys.stderr)
        done.append(row)
    (_as_markdown if markdown else _as_rich)(done)


def _as_rich(done: Sequence[Row]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(caption=CAPTION, caption_justify="left")
    for i, title in enumerate(HEADER):
        table.add_column(title, justify="right" if 0 < i < len(HEADER) - 1 else "left")
    for row in done:
        table.add_row(*row.cells, style=None if row.reached else "bold red")
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def _as_markdown(done: Sequence[Row]) -> None:
    print("|", " | ".join(HEADER), "|")
    print("| --- | ---: | ---: | ---: | ---: | --- |")
    for row in done:
        print("|", " | ".join(row.cells), "|")
    print(f"\n{CAPTION}")
