"""A look at the clock in the middle of a library's long calculation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any

from gradviz.errors import LimitError

LONGEST = 10.0  # seconds that a calculation may take
_EVERY = 0.1  # seconds between looks
Watch = Callable[[float], None]


class _TooLong(BaseException):
    """No Exception, so that nothing in the library takes it for one of its own."""


@contextmanager
def watched(watch: Watch | None = None, what: str = "this calculation") -> Iterator[None]:
    """Call `watch` with the seconds gone by, about ten times a second, while Python code runs that never looks up.

    What `watch` raises ends the calculation, and so does LONGEST, as a LimitError about `what`. The interpreter calls a
    trace function whenever any function is called, which makes the calculation up to twice as slow.
    """
    begun = monotonic()
    due = begun + _EVERY

    def look(*_: Any) -> None:
        nonlocal due
        now = monotonic()
        if now < due:
            return
        due = now + _EVERY
        if watch is not None:
            watch(now - begun)
        if now - begun > LONGEST:
            raise _TooLong

    before = sys.gettrace()
    sys.settrace(look)
    try:
        yield
    except _TooLong:
        raise LimitError(f"{what} takes longer than {LONGEST:.0f} seconds") from None
    finally:
        sys.settrace(before)
