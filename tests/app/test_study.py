"""Studies: results of a thread of its own, which nobody can step into twice, and which ends with whoever looks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

study = pytest.importorskip("gradviz.app.study")


def until(done: Callable[[], object]) -> None:
    deadline = time.perf_counter() + 20
    while not done():
        assert time.perf_counter() < deadline
        time.sleep(0.005)


def slow() -> Iterator[int]:
    for k in count():
        time.sleep(0.005)
        yield k


def test_two_runs_of_a_page_look_at_once() -> None:
    found = study.Study(slow())
    seen = [threading.Thread(target=lambda: [found.look() for _ in range(50)]) for _ in range(4)]
    for thread in seen:
        thread.start()
    for thread in seen:
        thread.join()
    until(lambda: len(found.look()) > 3)
    found.stop()
    assert found.error is None
    results = found.look()
    assert results == list(range(len(results)))


def test_it_ends_with_its_results_and_tells_what_went_wrong() -> None:
    whole = study.Study(iter("ab"))
    until(lambda: (whole.look(), whole.over)[1])
    assert (whole.look(), whole.error) == (["a", "b"], None)
    broken = study.Study(1 / k for k in (2, 1, 0))
    until(lambda: (broken.look(), broken.over)[1])
    assert broken.look() == [0.5, 1.0]
    assert isinstance(broken.error, ZeroDivisionError)


def test_it_rests_while_nobody_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "FORGOTTEN", 0.05)
    found = study.Study(slow())
    found.look()
    until(lambda: not found._thread.is_alive())
    before = len(found._results)
    assert not found.over
    until(lambda: len(found.look()) > before)
    found.stop()
    until(lambda: not found._thread.is_alive())
