"""Processes, rounds and medians."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from statistics import median
from types import TracebackType

from benchmarks.peers import PEERS
from benchmarks.workloads import Task


@dataclass(frozen=True)
class Measurement:
    """Seconds per operation of every peer, round by round, and what could not be done."""

    rounds: Mapping[str, Sequence[float]]
    failed: Mapping[str, str] = field(default_factory=dict)

    def seconds(self, peer: str) -> float:
        """Median time of one operation."""
        return median(self.rounds[peer])

    def ratio(self, peer: str, to: str) -> float:
        """Median over the rounds of one peer's time over another's in the same round."""
        return median(a / b for a, b in zip(self.rounds[peer], self.rounds[to], strict=True))


class Worker:
    """A peer's process; idle while another peer is measured."""

    def __init__(self, peer: str) -> None:
        command = [sys.executable, "-m", "benchmarks.worker", peer]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def measure(self, task: Task, seconds: float) -> float | str:
        """Seconds per operation, or the words in which the task failed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([task, seconds]) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        return str(answer["failed"]) if "failed" in answer else float(answer["seconds"]) / task.per

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.communicate()


def installed() -> list[str]:
    """The peers that can be measured here."""
    return [peer for peer in PEERS if find_spec(peer)]


def measure(
    workers: Mapping[str, Worker], task: Task, peers: Sequence[str], rounds: int, seconds: float
) -> Measurement:
    """Go through the peers in turn, round after round, after one call each that does not count."""
    times: dict[str, list[float]] = {}
    failed: dict[str, str] = {}
    for peer in peers:
        answer = workers[peer].measure(task, 0)
        if isinstance(answer, str):
            failed[peer] = answer
        else:
            times[peer] = []
    for _ in range(rounds):
        for peer, values in times.items():
            values.append(float(workers[peer].measure(task, seconds)))
    return Measurement(times, failed)


def first_call(task: Task) -> float:
    """Seconds of gradviz's first call of a task, in a new process."""
    with Worker("gradviz") as worker:
        return float(worker.measure(task, 0))


_IMPORT = """
import sys, time
start = time.perf_counter()
import {module}
print(time.perf_counter() - start, *{{name.partition(".")[0] for name in sys.modules}})
"""


def import_once(module: str) -> tuple[float, set[str]]:
    """Seconds of an import in a new interpreter, and the packages it loaded."""
    command = [sys.executable, "-c", _IMPORT.format(module=module)]
    seconds, *loaded = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return float(seconds), set(loaded)
