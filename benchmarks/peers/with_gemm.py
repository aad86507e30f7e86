"""The fastest this machine multiplies matrices, through NumPy: what training steps are held against."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks import workloads as work


def prepare(task: work.Task) -> Callable[[], object]:
    """One product of two square matrices of the task's size."""
    rng = np.random.default_rng(0)
    left, right = (rng.standard_normal((task.size, task.size), np.float32) for _ in range(2))
    out = np.empty_like(left)
    return lambda: np.matmul(left, right, out=out)
