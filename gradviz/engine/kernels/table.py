"""What a kernel is, the table of them, and the arrays that they keep."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any

import numpy as np

from gradviz.engine.numeric import Array, Shape

Need = Sequence[bool]  # which arguments a gradient is wanted for
Gradients = Sequence[Array]  # one per argument, None where it is not wanted


@dataclass(frozen=True)
class Kernel:
    """How one operation runs on kept arrays.

    `forward(scratch, *args, **options)` returns the value, `backward(scratch, need, g, out, *args, **options)` the
    contributions to all arguments at once, so that what they have in common is computed once. `fits(*shapes,
    **options)` says whether the kernel takes a call; what it does not take runs by the rules.
    """

    forward: Callable[..., Array]
    backward: Callable[..., Gradients]
    fits: Callable[..., bool]


KERNELS: dict[str, Kernel] = {}


def kernel(
    *names: str,
    backward: Callable[..., Gradients],
    fits: Callable[..., bool] = lambda *shapes, **options: True,
) -> Callable[[Callable[..., Array]], Callable[..., Array]]:
    """Declare the decorated function as the forward half of a kernel for operations of these names."""

    def declare(forward: Callable[..., Array]) -> Callable[..., Array]:
        KERNELS.update(dict.fromkeys(names, Kernel(forward, backward, fits)))
        return forward

    return declare


def common_type(*values: Array) -> Any:
    """The type of number in which the rules would compute with these; None stands for an argument left out."""
    return np.result_type(*[value for value in values if value is not None])


@dataclass
class Shared:
    """Memory that all nodes of a tape use in turn: what one leaves there, the next overwrites.

    Where a batch is computed in parts, `meet` adds up over the parts what concerns the whole batch.
    """

    memory: dict[tuple[str, Any], Array] = field(default_factory=dict)
    meet: Callable[[Array], Array] = lambda x: x

    def array(self, name: str, shape: Shape, dtype: Any) -> Array:
        """An array of this shape in the memory of this name; it holds anything."""
        size, dtype = prod(shape), np.dtype(dtype)
        key = name, dtype
        found = self.memory.get(key)
        if found is None or found.size < size:
            found = self.memory[key] = np.empty(size, dtype)
        return found[:size].reshape(shape)


@dataclass
class Scratch:
    """The arrays that one node keeps: made at the first use of a name, the same array at every later one."""

    shared: Shared
    kept: dict[str, Array] = field(default_factory=dict)
    models: dict[str, Any] = field(default_factory=dict)  # what the arrays made by `like` are like
    targets: Mapping[int, Array] = field(
        default_factory=dict
    )  # argument slot -> where its gradient has to go

    def __getitem__(self, name: str) -> Array:
        return self.kept[name]

    def array(self, name: str, shape: Shape, dtype: Any) -> Array:
        """The array of this name; it holds what was last written there."""
        found = self.kept.get(name)
        if found is None or found.shape != shape or found.dtype != dtype:
            found = self.kept[name] = np.empty(shape, dtype)
        return found

    def like(self, name: str, x: Array, dtype: Any = None) -> Array:
        """The same, of the shape and the memory order of x."""
        model = x.shape, x.strides, dtype or x.dtype
        if self.models.get(name) != model:
            self.models[name] = model
            self.kept[name] = np.empty_like(x, dtype, subok=False)
        return self.kept[name]

    def gradient(self, slot: int, shape: Shape, dtype: Any) -> Array:
        """Where the gradient of a parameter goes: the array that the tape's owner gave, or one that is kept."""
        target = self.targets.get(slot)
        if target is not None and target.dtype == dtype:
            return target
        return self.array(f"gradient {slot}", shape, dtype)
