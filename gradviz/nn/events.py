"""What a training reports: its events, how far it is, and the arrays of its last step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from gradviz.engine.numeric import Array
from gradviz.errors import GradvizError
from gradviz.nn.module import FloatArray

Kind = Literal["batch", "epoch", "stopped"]
Reason = Literal["", "epochs", "patience", "stop"]


class Diverged(GradvizError):  # noqa: N818 - what happened, as with Stopped
    """The loss is no longer a finite number; `node` names the first node whose value is not."""

    node = ""


@dataclass(frozen=True)
class Event:
    """What `fit` has just done: a batch, the last batch of an epoch (with validation metrics), or its end.

    `step` counts all batches so far, `total` those there will be, `epoch` the epochs done; `loss` is that of the
    batch, or the epoch's mean.
    """

    kind: Kind
    step: int
    epoch: int
    loss: float
    metrics: Mapping[str, float] = field(default_factory=dict)
    reason: Reason = ""
    total: int = 0


@dataclass
class Progress:
    """How far a training is: all that a checkpoint needs beside arrays and the state of the random generator."""

    steps: int = 0
    epoch: int = 0
    batch: int = 0  # batches done in this epoch
    order: int | None = None  # the random state of this epoch's order; None before the epoch has begun
    loss: float = 0.0  # summed over the samples of this epoch
    samples: int = 0


class Views(Mapping[str, FloatArray]):
    """Registers by name, read-only; each is put together when it is asked for."""

    def __init__(self, registers: Sequence[Array], positions: Mapping[str, int]) -> None:
        self._registers, self._positions = registers, positions

    def __getitem__(self, name: str) -> FloatArray:
        seen = np.asarray(self._registers[self._positions[name]]).view()
        seen.flags.writeable = False
        return seen

    def __contains__(self, name: object) -> bool:
        return name in self._positions

    def __iter__(self) -> Iterator[str]:
        return iter(self._positions)

    def __len__(self) -> int:
        return len(self._positions)
