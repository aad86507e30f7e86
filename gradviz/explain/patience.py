"""An end to a library's long calculation, and a look at the clock meanwhile."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from threading import Thread
from time import monotonic
from typing import TypeVar

from gradviz.errors import LimitError

LONGEST = 10.0  # seconds that a calculation may take
_EVERY = 0.1  # seconds between looks
Watch = Callable[[float], None]
T = TypeVar("T")


class _Ended(SystemExit):
    """No Exception, so that nothing in the library takes it for one of its own; it ends a thread without a word."""


def patiently(work: Callable[[], T], watch: Watch | None = None, what: str = "this calculation") -> T:
    """What `work` returns or raises, while `watch` is called with the seconds gone by, about ten times a second.

    What `watch` raises ends the calculation, and so does LONGEST, as a LimitError about `what`. The work goes on in a
    thread of its own, at full speed, and the interpreter raises an exception in it to end it, between two of its own
    steps: a single long step of compiled code is waited for.
    """
    done: list[T] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            done.append(work())
        except BaseException as error:
            failed.append(error)

    worker = Thread(target=run, daemon=True)
    begun = monotonic()
    worker.start()
    try:
        while _is_busy(worker, _EVERY):
            gone = monotonic() - begun
            if watch is not None:
                watch(gone)
            if gone > LONGEST:
                raise LimitError(f"{what} takes longer than {LONGEST:.0f} seconds")
    finally:
        _end(worker)
    if not done:
        raise failed[0]
    return done[0]


def _end(worker: Thread) -> None:
    """Raise an exception in it, again where the code takes the first for one of its own."""
    while worker.is_alive():
        ident = ctypes.c_ulong(worker.ident or 0)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ident, ctypes.py_object(_Ended))
        worker.join(1.0)


def _is_busy(worker: Thread, seconds: float) -> bool:
    """Whether it still works after waiting for it so long."""
    worker.join(seconds)
    return worker.is_alive()
