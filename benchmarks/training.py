"""gradviz against PyTorch, training step by training step: `python -m benchmarks train`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import geometric_mean

from benchmarks.harness import Worker, measure
from benchmarks.networks import NETWORKS
from benchmarks.table import Effort, duration, report
from benchmarks.workloads import Task

FULL, QUICK = Effort(7, 0.5), Effort(2, 0.01)
PEERS = ("gradviz_training", "torch_training", "gemm")
MATRIX = 1024  # side of the matrices whose product shows what the machine can do
LEAST, MEAN = 0.85, 1.15  # of PyTorch's speed: for every network, and for all together
CAPTION = (
    "Time of one training step: forward, backward, Adam, in float32. Ratio: PyTorch's time over gradviz's in the same "
    "round, median over the rounds. Of the peak: the step's multiply-adds against NumPy's product of two large matrices."
)


@dataclass(frozen=True)
class Row:
    """One network: seconds per step, their ratio, and gradviz's share of the machine's matrix-product speed."""

    title: str
    ours: float
    theirs: float
    ratio: float
    share: float

    @property
    def reached(self) -> bool:
        """Whether it is fast enough beside PyTorch."""
        return self.ratio >= LEAST

    @property
    def cells(self) -> tuple[str, ...]:
        """The row as it is printed."""
        verdict = "reached" if self.reached else "MISSED"
        times = duration(self.ours), duration(self.theirs)
        return (self.title, *times, f"{self.ratio:.2f}", f"{self.share:.0%}", f"at least {LEAST}: {verdict}")


def rows(effort: Effort) -> Iterator[Row]:
    """Measure and yield network after network; every library has a process of its own."""
    with ExitStack() as stack:
        workers = {peer: stack.enter_context(Worker(peer)) for peer in PEERS}
        for index, network in enumerate(NETWORKS.values()):
            task = Task("train", index)
            found = measure(workers, task, PEERS[:2], effort.rounds, effort.seconds)
            peak = measure(workers, Task("train", MATRIX), PEERS[2:], 3, effort.seconds / 5)
            fastest = 2.0 * MATRIX**3 / min(peak.rounds[PEERS[2]])
            ours, theirs = (found.seconds(peer) for peer in PEERS[:2])
            yield Row(
                network.title,
                ours,
                theirs,
                found.ratio(PEERS[1], to=PEERS[0]),
                network.operations() / ours / fastest,
            )


def summary(done: Sequence[Row]) -> str:
    """The mean over all networks and whether it is reached."""
    mean = geometric_mean(row.ratio for row in done)
    return f"geometric mean {mean:.2f}, at least {MEAN}: {'reached' if mean >= MEAN else 'MISSED'}"


HEADER = ("network", "gradviz", "PyTorch", "ratio", "of the peak", "goal")


def main(quick: bool, markdown: bool) -> None:
    """Measure every network and print the table."""
    report(rows(QUICK if quick else FULL), HEADER, lambda done: f"{summary(done)}. {CAPTION}", markdown)
