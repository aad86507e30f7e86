"""What every live experiment does: one batch at a time, in stages if asked, stoppable, and shown as plain data."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from math import ceil
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from gradviz.demos.live.curve import Curve
from gradviz.explain.trace import Run
from gradviz.nn.module import FloatArray
from gradviz.nn.trainer import Phase, Trainer

Batch = tuple[FloatArray, FloatArray]
Stop = Callable[[], bool]
Panel = dict[str, Any]
Part = Callable[[], list[Panel]]


@dataclass(frozen=True, kw_only=True)
class BaseSettings:
    """What all experiments let a person choose."""

    random_state: int = 0
    learning_rate: float = 0.01
    batch_size: int = 32


S = TypeVar("S", bound=BaseSettings)


class BaseExperiment(ABC, Generic[S]):
    """A model in training. A kind of experiment says how it starts (`start`) and what its batches are (`sample`).

    `epoch` and `batch_index` count what is done; `loss` is that of the last batch. Settings named in
    `changeable` can change while it trains. `explored` samples of a batch are enough to step through.
    """

    changeable: ClassVar[frozenset[str]] = frozenset({"learning_rate"})
    explored: ClassVar[int] = 8
    settings: S
    trainer: Trainer
    samples: int  # how many one epoch goes through

    def __init__(self, settings: S) -> None:
        self.settings = settings
        self.reset()

    def reset(self) -> None:
        """Back to the first batch, with the weights drawn anew from the same random state."""
        self.rng = np.random.default_rng(self.settings.random_state)
        self.epoch = self.batch_index = 0
        self.loss: float | None = None
        self.losses = Curve()
        self.stage: Phase | None = None
        self._current: Batch | None = None
        self._order = np.zeros(0, np.int64)
        self.start()
        self._masks = self.trainer.rng = np.random.default_rng([self.settings.random_state, 2])  # of dropout

    @abstractmethod
    def start(self) -> None:
        """Set `samples` and `trainer`, and whatever else belongs to a new training."""

    @abstractmethod
    def sample(self, picked: FloatArray) -> Batch:
        """The batch of these samples, with whatever is random about it drawn from `rng`."""

    @abstractmethod
    def parts(self) -> Sequence[Part]:
        """Functions that make what is shown now, some panels of plain data and arrays each, in their order. A view of
        a running training may call the dear ones less often; how many there are changes with the settings only."""

    def picture(self) -> dict[str, list[Panel]]:
        """All that is shown now."""
        return {"panels": [panel for make in self.parts() for panel in make()]}

    @property
    def epoch_length(self) -> int:
        """Batches in one epoch."""
        return ceil(self.samples / self.settings.batch_size)

    def advance(self, stop: Stop | None = None) -> None:
        """Learn from one batch; raises Stopped or Diverged, and the same batch is then taken again."""
        for _ in self.phases(stop):
            pass

    def phases(self, stop: Stop | None = None) -> Iterator[Phase]:
        """Learn from one batch in four stages, each named when it is done."""
        if self._current is None or self.stage == "update":
            self._current = self._next()
        self.stage = "sample"  # a batch that is given up half-way is not drawn again
        x, y = self.batch()
        self.trainer.stop = stop
        masks = self._masks.bit_generator.state
        try:
            for stage in self.trainer.phases(x, y):
                if stage == "update":
                    self._count()
                self.stage = stage
                yield stage
        finally:
            if self.stage != "update":  # nor are its masks
                self._masks.bit_generator.state = masks

    def batch(self) -> Batch:
        """The batch in work, or the last one; the first one before training has begun."""
        if self._current is None:
            self._current = self._next()
        return self._current

    def explore(self) -> Run:
        """The first samples of this batch as a run to step through."""
        x, y = self.batch()
        return self.trainer.explore(x[: self.explored], y[: self.explored])

    def _next(self) -> Batch:
        if len(self._order) != self.samples:
            self.batch_index = 0
        if self.batch_index == 0:
            self._order = self.rng.permutation(self.samples)
        size = self.settings.batch_size
        return self.sample(self._order[self.batch_index * size :][:size])

    def _count(self) -> None:
        self.loss = self.trainer.history["loss"][-1]
        self.losses.add(self.trainer.progress.steps - 1, self.loss)
        self.batch_index += 1
        if self.batch_index >= self.epoch_length:
            self.epoch, self.batch_index = self.epoch + 1, 0

    def adopt(self, settings: S) -> bool:
        """Take over settings that may change during training; False if another experiment is needed."""
        before = self.settings
        changed = {f.name for f in fields(settings) if getattr(settings, f.name) != getattr(before, f.name)}
        if type(settings) is not type(before) or not changed <= self.changeable:
            return False
        self.settings = settings
        self.adapt()
        return True

    def adapt(self) -> None:
        """Hand changed settings on."""
        self.trainer.optimizer.lr = self.settings.learning_rate


def loss_panel(losses: Curve, width: int, rows: int) -> Panel:
    """The loss of every batch so far."""
    return {
        "kind": "lines",
        "id": "loss",
        "title": "Loss of each batch",
        "width": width,
        "rows": rows,
        "x_label": "batches",
        "y_range": (0, None),
        "series": [{"label": "loss", **losses.series()}],
    }
