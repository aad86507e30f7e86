"""The process of one peer: reads lines `[task, seconds]`, answers each with the mean time of a call."""

from __future__ import annotations

import gc
import json
import sys
from collections.abc import Callable
from importlib import import_module
from time import perf_counter

from benchmarks.workloads import Task


def main(peer: str) -> None:
    """Answer until the input ends; `seconds` is how long to repeat, 0 for a single call."""
    prepare: Callable[[Task], Callable[[], object]] = import_module(f"benchmarks.peers.with_{peer}").prepare
    current, call = None, None
    for line in sys.stdin:
        asked, seconds = json.loads(line)
        if asked != current:
            current, call = asked, None
            gc.collect()
            call = prepare(Task(*asked))
        assert call is not None
        try:
            answer: dict[str, object] = {"seconds": mean_time(call, seconds)}
        except RecursionError:
            answer = {"failed": "fails: recursion limit"}
        print(json.dumps(answer), flush=True)


def mean_time(call: Callable[[], object], seconds: float) -> float:
    """Mean time of a call over at least this long: a mean, because garbage collection is part of the cost."""
    calls, start = 0, perf_counter()
    while True:
        call()
        calls += 1
        elapsed = perf_counter() - start
        if elapsed >= seconds:
            return elapsed / calls


if __name__ == "__main__":
    main(sys.argv[1])
