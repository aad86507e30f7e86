"""Who trains now: a few at a time per computer, whoever else has a page open."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from time import perf_counter


class Turns:
    """Who trains now: at most `places` at once; the others stand in line and change places every few seconds."""

    def __init__(self, places: int, seconds: float = 10.0) -> None:
        self.places = places
        self.seconds = seconds
        self._line: list[object] = []
        self._since: dict[int, float] = {}
        self._moved = threading.Condition()

    def ahead(self, who: object) -> int:
        """How many are before `who` in the line, beyond those who train."""
        with self._moved:
            return max(0, self._line.index(who) - self.places + 1) if who in self._line else 0

    def take(self, who: object, cancelled: Callable[[], bool]) -> bool:
        """Stand in line, or stay there, until it is one's turn; False when `cancelled` meanwhile."""
        with self._moved:
            if who not in self._line:
                self._line.append(who)
            while self._line.index(who) >= self.places:
                self._moved.wait(0.2)
                if cancelled():
                    return False
            self._since.setdefault(id(who), perf_counter())
            return True

    def over(self, who: object) -> bool:
        """Whether the turn has lasted long enough and somebody waits."""
        return len(self._line) > self.places and perf_counter() - self._since[id(who)] > self.seconds

    def leave(self, who: object) -> None:
        """Let the next one train."""
        with self._moved:
            if who in self._line:
                self._line.remove(who)
            self._since.pop(id(who), None)
            self._moved.notify_all()


TURNS = Turns(max(2, (os.cpu_count() or 2) // 2))
