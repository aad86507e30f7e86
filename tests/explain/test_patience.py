"""A long calculation: what it returns and raises, and that it really ends when it is ended."""

from __future__ import annotations

import sys
import threading

import pytest

from gradviz.errors import LimitError
from gradviz.explain import patience
from gradviz.explain.patience import patiently


class Endless:
    """Work that never looks up; `stubborn` takes the first that happens to it for a mishap of its own."""

    def __init__(self, stubborn: bool = False) -> None:
        self.stubborn = stubborn
        self.thread: threading.Thread | None = None

    def __call__(self) -> None:
        self.thread = threading.current_thread()
        try:
            self.work()
        except BaseException:
            if not self.stubborn:
                raise
        self.work()

    def work(self) -> None:
        while True:
            try:
                sum(range(100))
            except Exception:
                continue


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_EVERY", 0.01)


def test_what_it_returns_and_what_it_raises() -> None:
    assert patiently(lambda: 6 * 7) == 42
    with pytest.raises(ZeroDivisionError):
        patiently(lambda: 1 / 0)


@pytest.mark.parametrize("stubborn", [False, True])
def test_it_takes_no_longer_than_the_longest(monkeypatch: pytest.MonkeyPatch, stubborn: bool) -> None:
    monkeypatch.setattr(patience, "LONGEST", 0.05)
    work = Endless(stubborn)
    with pytest.raises(LimitError, match="the sum takes longer than 0 seconds"):
        patiently(work, what="the sum")
    assert work.thread is not None and not work.thread.is_alive()


def test_what_the_watcher_raises_ends_it() -> None:
    seen: list[float] = []

    def watch(seconds: float) -> None:
        seen.append(seconds)
        if len(seen) == 3:
            raise KeyboardInterrupt

    work = Endless()
    with pytest.raises(KeyboardInterrupt):
        patiently(work, watch)
    assert seen == sorted(seen) and len(seen) == 3
    assert work.thread is not None and not work.thread.is_alive()


def test_nothing_is_traced_meanwhile() -> None:
    """A trace function makes SymPy several times slower."""
    assert patiently(lambda: (sys.gettrace(), sys.getprofile())) == (
        threading.gettrace(),
        threading.getprofile(),
    )
