"""The rows of the table, and how they are printed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import median
from typing import Literal, Protocol, TypeVar

from benchmarks import workloads as work
from benchmarks.harness import Measurement, Worker, first_call, import_once, measure
from benchmarks.peers import PEERS

WORKLOADS: Sequence[tuple[str, Literal["chain", "network"], int]] = (
    ("200-node chain", "chain", 200),
    ("800-node chain", "chain", 800),
    ("2-16-16-1 MLP", "network", 0),
)
PIPE_WIDTH = 180  # every row on one line
HEAVY = ("streamlit", "plotly", "networkx", "rich", "latex2mathml")
CAPTION = (
    "Medians. In brackets the peer's time over gradviz's in the same round: 3.0 means that gradviz is three times as fast. "
    "Replay: gradviz runs a graph it has recorded, the others forward and backward as before."
)


@dataclass(frozen=True)
class Effort:
    """How long to measure: rounds, and seconds per peer in each."""

    rounds: int
    seconds: float


FULL, QUICK = Effort(7, 0.25), Effort(2, 0.01)


@dataclass(frozen=True)
class Row:
    """One line of the table."""

    workload: str
    cells: Mapping[str, str]
    goal: str = ""


@dataclass(frozen=True)
class Goal:
    """What a row is meant to reach: at least this ratio to a peer, or at most this many seconds."""

    ratio: float = 0.0
    peer: str = "micrograd"
    seconds: float = 0.0
    also: Goal | None = None

    def text(self, measured: Measurement) -> str:
        """The goal in words and whether it is reached; nothing where the peer is missing."""
        if self.seconds:
            words, reached = f"at most {duration(self.seconds)}", measured.seconds("gradviz") <= self.seconds
        elif self.ratio and self.peer in measured.rounds:
            words = f"{self.peer} at least {self.ratio:g}"
            reached = measured.ratio(self.peer, to="gradviz") >= self.ratio
        else:
            return ""
        verdict = f"{words}: {'reached' if reached else 'MISSED'}"
        return f"{verdict}, {self.also.text(measured)}" if self.also else verdict


def _plan(peers: Sequence[str]) -> list[tuple[str, work.Task, Goal, Sequence[str]]]:
    """Title, task, goal and peers of every row in which peers are compared."""
    plan = [
        (f"{words}, {name}, per node", work.Task(kind, size, replay), Goal(ratio=ratio), peers)
        for words, replay, ratio in (("record + backward", False, 0.5), ("replay", True, 3))
        for name, kind, size in WORKLOADS
    ]
    recursive = [peer for peer in peers if peer in ("gradviz", "micrograd")]
    for words, replay in ("record + backward", False), ("replay", True):
        long = work.Task("chain", 100_000, replay)
        plan.append((f"{words}, 100,000-node chain, per node", long, Goal(), recursive))
    plan.append(("sweep of a sigmoid neuron, 1,000 points", work.Task("sweep"), Goal(ratio=100), peers))
    vectors = [peer for peer in peers if peer != "micrograd"]
    goal = Goal(ratio=2, peer="autograd", also=Goal(ratio=1, peer="torch"))
    plan.append(("Jacobian of a 64-64-64 network", work.Task("jacobian", 64), goal, vectors))
    return plan


def rows(peers: Sequence[str], effort: Effort) -> Iterator[Row]:
    """Measure and yield row after row."""
    with ExitStack() as stack:
        workers = {peer: stack.enter_context(Worker(peer)) for peer in peers}
        for title, task, goal, compared in _plan(peers):
            yield _row(title, measure(workers, task, compared, effort.rounds, effort.seconds), goal)
        for nodes, neurons, limit in ((30, 3, 0.05), (120, 13, 0.25)):
            scene = work.Task("scene", neurons)
            measured = measure(workers, scene, ["gradviz"], effort.rounds, effort.seconds)
            yield _row(f"text to scene JSON, {nodes} nodes", measured, Goal(seconds=limit))
            cold = Measurement({"gradviz": [first_call(scene) for _ in range(effort.rounds)]})
            yield _row(f"text to scene JSON, {nodes} nodes, first call", cold, Goal())
    yield _import_row(effort.rounds)


def _row(title: str, measured: Measurement, goal: Goal) -> Row:
    cells = {"gradviz": duration(measured.seconds("gradviz")), **measured.failed}
    for peer in measured.rounds.keys() - {"gradviz"}:
        cells[peer] = f"{duration(measured.seconds(peer))} ({measured.ratio(peer, to='gradviz'):.3g})"
    return Row(title, cells, goal.text(measured))


def _import_row(rounds: int) -> Row:
    """`import gradviz` beside `import numpy`, each time in a new interpreter."""
    pairs = [(import_once("gradviz"), import_once("numpy")[0]) for _ in range(rounds)]
    ratio = median(ours / numpy for (ours, _), numpy in pairs)
    loaded = pairs[0][0][1].intersection(HEAVY)
    seconds, numpy = median(ours for (ours, _), _ in pairs), median(numpy for _, numpy in pairs)
    reached = "reached" if ratio <= 2.5 and not loaded else "MISSED"
    title = f"import gradviz, loading {' and '.join(sorted(loaded)) or 'no ' + ' or '.join(HEAVY[:2])}"
    goal = f"{ratio:.2f} × numpy's {duration(numpy)}, at most 2.5: {reached}"
    return Row(title, {"gradviz": duration(seconds)}, goal)


def duration(seconds: float) -> str:
    """A time with three significant digits in a fitting unit."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


class Line(Protocol):
    """A measured row of a table of another kind: cells under a header, the last of which tells the goal."""

    @property
    def title(self) -> str: ...
    @property
    def cells(self) -> tuple[str, ...]: ...
    @property
    def reached(self) -> bool: ...


L = TypeVar("L", bound=Line)


def report(
    measured: Iterable[L], header: Sequence[str], caption: Callable[[Sequence[L]], str], markdown: bool
) -> None:
    """Say of each row that it is measured, then print the table."""
    done = []
    for line in measured:
        print(f"measured: {line.title}", file=sys.stderr)
        done.append(line)
    (_as_markdown if markdown else _as_rich)(done, header, caption(done))


def _as_rich(done: Sequence[Line], header: Sequence[str], caption: str) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(caption=caption, caption_justify="left")
    for i, title in enumerate(header):
        table.add_column(title, justify="right" if 0 < i < len(header) - 1 else "left")
    for line in done:
        table.add_row(*line.cells, style=None if line.reached else "bold red")
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def _as_markdown(done: Sequence[Line], header: Sequence[str], caption: str) -> None:
    rule = ("---", *["---:"] * (len(header) - 2), "---")
    for cells in (header, rule, *(line.cells for line in done)):
        print("|", " | ".join(cells), "|")
    print(f"\n{caption}")


def as_rich(lines: Sequence[Row], peers: Sequence[str]) -> None:
    """Print an aligned table."""
    from rich.console import Console
    from rich.table import Table

    table = Table(caption=CAPTION, caption_justify="left")
    table.add_column("workload")
    for peer in peers:
        table.add_column(PEERS[peer], justify="right")
    table.add_column("goal")
    for row in lines:
        style = "bold red" if "MISSED" in row.goal else None
        table.add_row(row.workload, *[row.cells.get(peer, "") for peer in peers], row.goal, style=style)
    Console(width=None if sys.stdout.isatty() else PIPE_WIDTH).print(table)


def as_markdown(lines: Sequence[Row], peers: Sequence[str]) -> None:
    """Print the table for a README."""
    print("| workload |", " | ".join(PEERS[peer] for peer in peers), "| goal |")
    print("| --- |", " | ".join("---:" for _ in peers), "| --- |")
    for row in lines:
        print(f"| {row.workload} |", " | ".join(row.cells.get(peer, "") for peer in peers), f"| {row.goal} |")
    print(f"\n{CAPTION}")
