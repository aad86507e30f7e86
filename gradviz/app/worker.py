"""Training in the background of a page: one worker per person and page, a few at a time per computer.

The experiment belongs to whoever works on it: the training thread while there is one, else the caller. So nothing in
it is locked, and training is never held up; `held` ends the thread after its batch, acts, and goes on.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, thread_time
from typing import Any, Literal, Protocol

import numpy as np

from gradviz.errors import Stopped

FORGOTTEN = 5.0  # seconds without a look after which training pauses
LOOKS = 12.0  # pictures per second at most
SHARE = 0.15  # of the time, at most, goes into making pictures at full speed
STAGED = 2.0  # batches per second up to which a batch is shown stage by stage

State = Literal["paused", "waiting", "running", "failed"]
Stop = Callable[[], bool]


class Experiment(Protocol):
    """What a worker trains; `gradviz.demos.live` has one for each page."""

    settings: Any
    trainer: Any
    epoch: int
    batch_index: int
    loss: float | None

    @property
    def epoch_length(self) -> int: ...
    def advance(self, stop: Stop | None = None) -> None: ...
    def phases(self, stop: Stop | None = None) -> Iterator[str]: ...
    def adopt(self, settings: Any) -> bool: ...
    def picture(self) -> dict[str, Any]: ...
    def batch(self) -> tuple[Any, Any]: ...
    def reset(self) -> None: ...


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

    def take(self, who: object, cancelled: Stop) -> bool:
        """Stand in line until it is one's turn; False when `cancelled` meanwhile."""
        with self._moved:
            self._line.append(who)
            while self._line.index(who) >= self.places:
                self._moved.wait(0.2)
                if cancelled():
                    self._line.remove(who)
                    self._moved.notify_all()
                    return False
            self._since[id(who)] = perf_counter()
            return True

    def over(self, who: object) -> bool:
        """Whether the turn has lasted long enough and somebody waits."""
        return len(self._line) > self.places and perf_counter() - self._since[id(who)] > self.seconds

    def give_back(self, who: object) -> None:
        """Leave the line and let the next one train."""
        with self._moved:
            self._line.remove(who)
            del self._since[id(who)]
            self._moved.notify_all()


TURNS = Turns(max(2, (os.cpu_count() or 2) // 2))


@dataclass(frozen=True)
class Look:
    """What a page sees of a worker: `version` grows with every new picture."""

    state: State
    words: str
    error: Exception | None
    picture: Any
    version: int


class Worker:
    """Trains an experiment in a daemon thread that lives only while there is something to do.

    `render` turns the experiment into what the page shows; it runs where the experiment runs.
    """

    def __init__(
        self,
        experiment: Experiment,
        render: Callable[[Any], Any] = lambda experiment: experiment.picture(),
        turns: Turns = TURNS,
    ) -> None:
        self.experiment = experiment
        self.limit: float | None = None  # batches per second
        self._render = render
        self._turns = turns
        self._command = threading.RLock()  # one command at a time; never taken by the training thread
        self._thread: threading.Thread | None = None
        self._done: Stop = lambda: True  # whether what was asked for is done
        self._stop = threading.Event()  # between operations
        self._rest = threading.Event()  # between batches
        self._queued = False
        self._phases: Iterator[str] | None = None
        self._error: Exception | None = None
        self._looked = perf_counter()
        self._pictured, self._cost = -math.inf, 0.0
        self._picture: tuple[Any, int] | None = None
        self._fresh = False
        self._speed = _Speed()

    @property
    def state(self) -> State:
        """What goes on now."""
        if self._error is not None:
            return "failed"
        if not self._alive:
            return "paused"
        return "waiting" if self._queued else "running"

    @property
    def _alive(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Train until told otherwise."""
        self._begin(lambda: False)

    def one_batch(self) -> None:
        """Train for one batch, or to the end of the one that was begun."""
        goal = self._speed.batches + 1
        self._begin(lambda: self._speed.batches >= goal, queued=False)

    def one_epoch(self) -> None:
        """Train to the end of this epoch."""
        epoch = self.experiment.epoch
        self._begin(lambda: bool(self.experiment.epoch != epoch))

    def one_stage(self) -> None:
        """Do the next stage of a batch: sample, forward, backward or update."""
        with self.held():
            self._stop.clear()
            if self._error is None:
                self._guarded(self._stage)

    def pause(self) -> None:
        """Stop between two operations; a batch that was begun is given up."""
        with self._command:
            self._done = lambda: True
            self._end(self._stop)

    def reset(self) -> None:
        """Start afresh, paused."""
        self.replace(self.experiment.reset)

    def replace(self, renew: Callable[[], Any]) -> None:
        """Pause and let `renew` reset the experiment, or return another one."""
        with self._command:
            self.pause()
            self.experiment = renew() or self.experiment
            self._phases, self._error = None, None
            self._speed = _Speed()
            self._fresh = False

    @contextmanager
    def held(self) -> Iterator[Any]:
        """The experiment for oneself, between two batches; training then goes on."""
        with self._command:
            done = self._done
            running = self.state in ("running", "waiting")
            self._end(self._rest)
            try:
                yield self.experiment
            finally:
                self._fresh = False
                if running:
                    self._begin(done)

    def look(self) -> Look:
        """What to show now; asking keeps the training awake."""
        self._looked = perf_counter()
        if not self._fresh:
            with self._command:
                if not self._alive:
                    self._take_picture()
        picture, version = self._picture or (None, 0)
        return Look(self.state, self._words(), self._error, picture, version)

    def _begin(self, done: Stop, queued: bool = True) -> None:
        with self._command:
            self._end(self._rest)
            if self._error is None:
                self._done = done
                self._stop.clear()
                self._rest.clear()
                self._looked = perf_counter()
                self._thread = threading.Thread(target=self._work, args=(queued,), daemon=True)
                self._thread.start()

    def _end(self, how: threading.Event) -> None:
        how.set()
        self._rest.set()
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def _idle(self) -> bool:
        return self._rest.is_set() or perf_counter() - self._looked > FORGOTTEN

    def _work(self, queued: bool) -> None:
        self._speed.restart()
        if not queued:
            self._guarded(lambda: self._train(lambda: False))
            return
        while not (self._idle() or self._done() or self._error is not None):
            self._queued = True
            mine = self._turns.take(self, self._idle)
            self._queued = False
            if mine:
                try:
                    self._guarded(lambda: self._train(lambda: self._turns.over(self)))
                finally:
                    self._turns.give_back(self)

    def _train(self, over: Stop) -> None:
        while not (self._idle() or self._done()):
            began = perf_counter()
            self._fresh = False
            staged = self._phases is not None or self._staged
            if staged:
                self._stage()
            else:
                self.experiment.advance(self._stop.is_set)
                self._speed.count()
            pause = self._cost / SHARE if self.limit is None else 0.0  # a slow training has time for pictures
            if perf_counter() - self._pictured >= max(1 / LOOKS, pause):
                self._take_picture()
            if self.limit is not None:
                self._rest.wait(began + 1 / ((4 if staged else 1) * self.limit) - perf_counter())
            if over():
                return

    @property
    def _staged(self) -> bool:
        return self.limit is not None and self.limit <= STAGED

    def _stage(self) -> None:
        """The next stage of a batch."""
        if self._phases is None:
            self._phases = self.experiment.phases(self._stop.is_set)
        if next(self._phases) == "update":
            next(self._phases, None)
            self._phases = None
            self._speed.count()

    def _guarded(self, work: Callable[[], Any]) -> None:
        """Do it; what goes wrong is kept to be shown, and nothing else is lost."""
        try:
            with np.errstate(all="ignore"):  # what overflows is told by the error that follows
                work()
        except Stopped:
            self._phases = None
        except Exception as error:  # whatever it is, the person who watches must read it
            self._phases, self._error = None, self._error or error

    def _take_picture(self) -> None:
        began = thread_time()  # time spent waiting for other threads is no cost
        self._fresh = True
        self._guarded(self._draw)
        self._pictured = perf_counter()
        self._cost = thread_time() - began

    def _draw(self) -> None:
        version = self._picture[1] + 1 if self._picture else 1
        self._picture = self._render(self.experiment), version

    def _words(self) -> str:
        experiment, state = self.experiment, self.state
        loss = "" if experiment.loss is None else f" · loss {experiment.loss:#.4g}"
        place = f"epoch {experiment.epoch + 1} · batch {experiment.batch_index} of {experiment.epoch_length}{loss}"
        if state == "running":
            return f"{place} · {self._speed.text}"
        if state == "waiting":
            ahead = self._turns.ahead(self)
            return f"{place} · waiting: {self._turns.places} others train on this computer" + (
                f", {ahead - 1} more before you" if ahead > 1 else ", you are next"
            )
        return place


class _Speed:
    """Batches done, and how many of them per second of late."""

    def __init__(self) -> None:
        self.batches = 0
        self.text = "…"
        self._mark = 0, 0.0

    def restart(self) -> None:
        self.text = "…"
        self._mark = self.batches, perf_counter()

    def count(self) -> None:
        self.batches += 1
        batches, since = self._mark
        if (took := perf_counter() - since) > 0.5:
            rate = (self.batches - batches) / took
            self.text = f"{rate:.3g} batches/s" if rate < 100 else f"{rate:.0f} batches/s"
            self._mark = self.batches, perf_counter()
