"""Training steps of gradviz: `Trainer.step` with Adam."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from benchmarks import workloads as work
from benchmarks.networks import LEARNING_RATE, NETWORKS
from gradviz import nn, optim


def prepare(task: work.Task) -> Callable[[], object]:
    """The call that a task measures."""
    network = list(NETWORKS.values())[task.size]
    trainer = nn.Trainer(network.model(), network.loss, optim.Adam(LEARNING_RATE))
    return partial(trainer.step, *network.data())
