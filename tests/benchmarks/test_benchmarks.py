"""The benchmarks run and print every row; how long anything takes is not asserted."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import gradviz as gv
from benchmarks import __main__ as program
from benchmarks import harness, workloads
from benchmarks.harness import Measurement, measure
from benchmarks.peers import PEERS
from benchmarks.table import Goal, Row, duration

ROOT = Path(__file__).parents[2]
ROWS = (
    "200-node chain",
    "800-node chain",
    "2-16-16-1 MLP",
    "100,000-node chain",
    "1,000 points",
    "scene JSON, 30 nodes",
    "scene JSON, 120 nodes",
    "import gradviz",
)


def test_quick_run_prints_every_row() -> None:
    command = [sys.executable, "-m", "benchmarks", "--quick", "--markdown"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    table = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert all(any(row in line for line in table) for row in ROWS), done.stdout
    assert len({line.count("|") for line in table}) == 1


@pytest.mark.parametrize(("neurons", "nodes"), [(3, 30), (13, 120)])
def test_programs_have_the_promised_number_of_drawn_nodes(neurons: int, nodes: int) -> None:
    graph = gv.parse(workloads.program(neurons))
    assert sum(not node.is_constant for node in graph.nodes) == nodes


def test_workloads_have_the_promised_number_of_operations() -> None:
    chain = gv.explore(workloads.chain(gv.variable("x", 0.5), 200, gv.ops.relu))
    assert len(chain.graph.operations) == 200
    layers = [
        [[gv.variable(f"w{i}_{j}_{k}", w) for k, w in enumerate(n)] for j, n in enumerate(layer)]
        for i, layer in enumerate(workloads.weights())
    ]
    network = gv.explore(workloads.network(layers, workloads.DATA_POINT, gv.ops.relu))
    assert len(network.graph.operations) == workloads.NETWORK_OPERATIONS


class Clock:
    """A worker whose rounds take the given times."""

    def __init__(self, *times: float | str) -> None:
        self.times = iter(times)

    def measure(self, task: workloads.Task, seconds: float) -> float | str:
        return next(self.times)


def test_rounds_are_compared_pair_by_pair_and_failures_told() -> None:
    workers: dict[str, Any] = {
        "gradviz": Clock(9, 1, 10, 2),
        "micrograd": Clock(9, 3, 20, 8),
        "torch": Clock("fails: too deep"),
    }
    measured = measure(workers, workloads.Task("sweep"), list(workers), rounds=3, seconds=0)
    assert measured.rounds == {
        "gradviz": [1, 10, 2],
        "micrograd": [3, 20, 8],
    }  # the first call does not count
    assert measured.failed == {"torch": "fails: too deep"}
    assert measured.ratio("micrograd", to="gradviz") == 3
    assert measured.seconds("gradviz") == 2


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        (Goal(ratio=3), "micrograd at least 3: reached"),
        (Goal(ratio=5), "micrograd at least 5: MISSED"),
        (Goal(seconds=3), "at most 3 s: reached"),
        (Goal(seconds=1.5), "at most 1.5 s: MISSED"),
        (Goal(ratio=3, peer="absent"), ""),
        (Goal(), ""),
    ],
)
def test_goals(goal: Goal, words: str) -> None:
    assert goal.text(Measurement({"gradviz": [2.0], "micrograd": [8.0]})) == words


@pytest.mark.parametrize(
    ("seconds", "text"), [(2.5, "2.5 s"), (0.0123, "12.3 ms"), (4.5e-6, "4.5 µs"), (2.82e-7, "282 ns")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_peer_that_is_not_installed_is_skipped_and_said_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(harness, "find_spec", lambda name: None if name == "torch" else name)
    monkeypatch.setattr(program, "rows", lambda peers, effort: [Row("sweep", dict.fromkeys(peers, "1 s"))])
    monkeypatch.setattr(sys, "argv", ["benchmarks", "--markdown"])
    program.main()
    printed = capsys.readouterr()
    assert "PyTorch is skipped: it is not installed" in printed.err
    assert printed.out.startswith("| workload | gradviz | micrograd | autograd | goal |")


def test_every_peer_has_its_module() -> None:
    assert all((ROOT / "benchmarks" / "peers" / f"with_{peer}.py").exists() for peer in PEERS)
