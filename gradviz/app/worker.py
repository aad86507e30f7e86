"""Training in the background of a page: one worker per person and page.

The experiment belongs to whoever works on it: the training thread while there is one, else the caller. So nothing in
it is locked, and training is never held up; `held` ends the thread after its batch, acts, and goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_urlsafe
from time import perf_counter
from typing import Any, Literal, Protocol

import numpy as np

from gradviz.app.turns import TURNS, Turns
from gradviz.engine.threads import one_library_thread
from gradviz.errors import Stopped

FORGOTTEN = 5.0  # seconds without a look after which training pauses
LOOKS = 11.0  # pictures per second at most
SHARE, LIMITED = 0.08, 0.5  # of the time, at most, goes into making pictures: at full speed, and at any other
STAGED = 2.0  # batches per second up to which a batch is shown stage by stage

STAGES = {"sample": "batch drawn", "forward": "forward pass done", "backward": "backward pass done"}

State = Literal["paused", "waiting", "running", "failed"]
Stop = Callable[[], bool]


class Experiment(Protocol):
    """What a worker trains; `gradviz.demos.live` has one for each page."""

    settings: Any
    trainer: Any
    epoch: int
    batch_index: int
    loss: float | None
    stage: str | None

    @property
    def epoch_length(self) -> int: ...
    def advance(self, stop: Stop | None = None) -> None: ...
    def phases(self, stop: Stop | None = None) -> Iterator[str]: ...
    def adopt(self, settings: Any) -> bool: ...
    def parts(self) -> Sequence[Callable[[], list[dict[str, Any]]]]: ...
    def picture(self) -> dict[str, Any]: ...
    def batch(self) -> tuple[Any, Any]: ...
    def reset(self) -> None: ...


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

    `render` turns the experiment into what the page shows, with the share of the time that it may take, or None where
    everything is to be shown as it is now; it runs where the experiment runs.
    """

    def __init__(
        self,
        experiment: Experiment,
        render: Callable[[Any, float | None], Any] = lambda experiment, share: experiment.picture(),
        turns: Turns = TURNS,
    ) -> None:
        self.experiment = experiment
        self.key, self.session = token_urlsafe(16), ""  # who knows it may watch, and whose page it is on
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
        self._held: State | None = None  # what it goes back to after somebody else has acted
        self._error: Exception | None = None
        self._looked = perf_counter()
        self._left = False  # whether it paused because nobody looked
        self.finished = False  # whether it came to its end by itself, of which nobody knows yet
        self._due = 0.0  # when the next picture is
        self._picture: tuple[Any, int] | None = None
        self._fresh = False  # whether the picture shows everything as it is now
        self._whole = True  # whether it has to, since something else than training changed it
        self._speed = _Speed()

    @property
    def state(self) -> State:
        """What goes on now."""
        if self._error is not None:
            return "failed"
        if held := self._held:
            return held
        if not self._alive:
            return "paused"
        return "waiting" if self._queued else "running"

    @property
    def _alive(self) -> bool:
        thread = self._thread
        return thread is not None and thread.is_alive()

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
            self._fresh, self._whole = False, True

    @contextmanager
    def held(self) -> Iterator[Any]:
        """The experiment for oneself, between two batches; training then goes on."""
        with self._command:
            done, state = self._done, self.state
            self._held = state
            self._end(self._rest)
            try:
                yield self.experiment
            finally:
                self._held = None
                self._fresh, self._whole = False, True
                if state == "waiting":  # its turn may be long in coming
                    self._take_picture(None)
                if state in ("running", "waiting"):
                    self._begin(done)

    def look(self) -> Look:
        """What to show now; asking keeps the training awake."""
        if not self._fresh:
            with self._command:
                if self._error is not None:
                    self._end(self._rest)  # it is about to end by itself
                if not self._alive:
                    self._take_picture(None)
        return self.glance()

    def glance(self) -> Look:
        """The same, without waiting for a picture that is up to date."""
        self._looked = perf_counter()
        picture, version = self._picture or (None, 0)
        return Look(self.state, self._words(), self._error, picture, version)

    def _begin(self, done: Stop, queued: bool = True) -> None:
        with self._command:
            self._end(self._rest)
            if not queued:
                self._turns.leave(self)
            if self._error is not None:
                self._turns.leave(self)
            else:
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
        self._left = self.finished = False

    def _idle(self) -> bool:
        self._left = perf_counter() - self._looked > FORGOTTEN
        return self._left or self._rest.is_set()

    def _work(self, queued: bool) -> None:
        with (
            one_library_thread()
        ):  # two wait for each other whenever somebody else, like the browser, has a processor
            self._take_turns(queued)
        self.finished = not self._rest.is_set()

    def _take_turns(self, queued: bool) -> None:
        self._speed.restart()
        if not queued:
            self._guarded(lambda: self._train(lambda: False))
            return
        while not (self._idle() or self._done() or self._error is not None):
            self._queued = True
            mine = self._turns.take(self, self._idle)
            self._queued = False
            if mine:
                self._guarded(lambda: self._train(lambda: self._turns.over(self)))
            self._leave_the_line()
        self._leave_the_line()

    def _leave_the_line(self) -> None:
        """Let others train, unless this only stops to be held and then goes on in its place."""
        if not self._rest.is_set() or self._done() or self._error is not None:
            self._turns.leave(self)

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
            if (now := perf_counter()) >= self._due:
                self._due = max(
                    self._due + 1 / LOOKS, now + 0.5 / LOOKS
                )  # as many, also where batches take long
                share = SHARE if self.limit is None else LIMITED
                self._take_picture(None if staged or self._whole else share)
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

    def _take_picture(self, share: float | None) -> None:
        self._guarded(lambda: self._draw(share))
        self._fresh = share is None

    def _draw(self, share: float | None) -> None:
        version = self._picture[1] + 1 if self._picture else 1
        self._picture = self._render(self.experiment, share), version
        self._whole = self._whole and share is not None

    def _words(self) -> str:
        experiment, state = self.experiment, self.state
        loss, stage = experiment.loss, STAGES.get(experiment.stage or "")  # they may change meanwhile
        # While it runs the charts tell the loss, more often than these words come.
        quiet = loss is None or (state == "running" and not self._staged)
        place = f"epoch {experiment.epoch + 1} · batch {experiment.batch_index} of {experiment.epoch_length}"
        place += "" if quiet else f" · loss {loss:#.4g}"
        if self._phases is not None and stage:
            place += f" · next one: {stage}"
        if self._left and state == "paused":
            place += " · paused since the page no longer asked: Start goes on"
        if state == "running":
            return place if self._staged else f"{place} · {self._speed.text}"
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
