"""Where a training left the finite numbers: the first node in the order of computation, named in the error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradviz.engine.graph import Graph
from gradviz.engine.numeric import Array
from gradviz.nn.events import Diverged
from gradviz.nn.module import FloatArray


def diverged_loss(graph: Graph, registers: Sequence[Array], steps: int) -> Diverged:
    """The error for a loss that is not finite."""
    loss = float(registers[graph.output])
    first = next(i for i in range(len(graph)) if not np.all(np.isfinite(registers[i])))
    node = graph.nodes[first]
    what = f"the {node.op.name} of {node.id}" if node.op else f"the values given for {node.id}"
    error = Diverged(
        f"the loss is {loss:g} after {steps} steps: {what} is the first that is not finite",
        got=f"{loss:g}",
        expected="a finite loss",
        hint="lower the learning rate, or look for extreme values in the data",
    )
    error.node = node.id
    return error


def diverged_gradient(gradients: Mapping[str, FloatArray], steps: int) -> Diverged:
    """The error for a finite loss whose gradient is not finite, as at the root of 0; nodes come in forward order."""
    first = next(name for name in reversed(list(gradients)) if not np.all(np.isfinite(gradients[name])))
    error = Diverged(
        f"after {steps} steps the gradient of {first} is the first on the way back that is not finite",
        expected="a finite gradient",
        hint="lower the learning rate, or look for an infinite slope, such as that of a root at 0",
    )
    error.node = first
    return error
