"""The tape for training: the same graph and the same registers, on arrays that are kept from step to step.

Where an operation has a kernel the tape calls that, else its rules. Kernels own their arrays, sums of several
contributions have one too, and the gradients of parameters can be written straight where an optimiser wants them,
so in the steady state no large array is made. The registers of a run are valid until the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import groupby
from typing import NamedTuple

import numpy as np

from gradviz.engine.edges import NOTHING
from gradviz.engine.graph import Graph
from gradviz.engine.kernels import KERNELS, Kernel, Scratch, Shared
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.tape import Call, Stop, Tape, until


class Forward(NamedTuple):
    """registers[write] = function(*registers[reads])."""

    function: Callable[..., Array]
    reads: tuple[int, ...]
    write: int


class Backward(NamedTuple):
    """One node on the way back: `function(*registers[reads])` gives a contribution for every register in `writes`."""

    function: Callable[..., Iterable[Array]]
    reads: tuple[int, ...]
    writes: tuple[int, ...]


class TrainingTape(Tape):
    """A tape that keeps its arrays. `gradients_into` names arrays that the gradients of inputs are written to."""

    def __init__(
        self,
        graph: Graph,
        shapes: Mapping[str, Shape],
        wrt: Iterable[str] | None = None,
        limits: Limits = DEFAULT,
        gradients_into: Mapping[str, Array] | None = None,
    ) -> None:
        super().__init__(graph, shapes, wrt, limits)
        self.shared = Shared()
        self.targets = {graph.position(name): array for name, array in (gradients_into or {}).items()}
        self.kernels = {i: kernel for i in graph.operations if (kernel := self._kernel(i))}
        self._scratch = {i: Scratch(self.shared, targets=self._direct_targets(i)) for i in self.kernels}
        self._sums: dict[int, Array] = {}
        self._values = [self._forward_step(call) for call in self.forward]
        self._pulls = self._backward_steps()

    def scratch(self, name: str) -> Scratch:
        """What a node keeps beside its value, such as the `mean` and `var` of a batch norm; raises KeyError for a
        node that runs by its rules."""
        return self._scratch[self.graph.position(name)]

    def _kernel(self, position: int) -> Kernel | None:
        node = self.graph.nodes[position]
        assert node.op is not None
        kernel = KERNELS.get(node.op.name)
        shapes = [self.shapes[arg] for arg in node.args]
        return kernel if kernel and kernel.fits(*shapes, **node.options) else None

    def _direct_targets(self, position: int) -> dict[int, Array]:
        """Where the kernel may write gradients itself: those with a target and no second contribution."""
        args = self.graph.nodes[position].args
        once = {arg for arg in args if len(self.graph.consumers[arg]) == 1}
        return {
            slot: self.targets[arg] for slot, arg in enumerate(args) if arg in self.targets and arg in once
        }

    def _forward_step(self, call: Call) -> Forward:
        function, first, second, rest, write, _ = call
        if kernel := self.kernels.get(write):
            function = partial(kernel.forward, self._scratch[write], **self.graph.nodes[write].options)
        reads = (first, *(() if second == NOTHING else (second,)), *rest)
        return Forward(function, reads, write)

    def _backward_steps(self) -> list[Backward]:
        n, steps = len(self.graph), []
        edges = zip(self.edges, self.backward, strict=True)
        for position, group in groupby(edges, key=lambda pair: pair[0][0]):
            node, calls = self.graph.nodes[position], list(group)
            if kernel := self.kernels.get(position):
                slots = [slot for (_, slot), _ in calls]
                need = tuple(slot in slots for slot in range(len(node.args)))
                pull = partial(kernel.backward, self._scratch[position], need, **node.options)
                reads = (n + position, position, *node.args)
                steps.append(
                    Backward(_only(pull, slots), reads, tuple(n + node.args[slot] for slot in slots))
                )
                continue
            for _, (function, g, second, rest, write, _) in calls:
                reads = (g, *(() if second == NOTHING else (second,)), *rest)
                steps.append(Backward(_alone(function), reads, (write,)))
        return steps

    def _play_forward(self, registers: list[Array], stop: Stop | None) -> None:
        for function, reads, write in self._values if stop is None else until(stop, self._values):
            registers[write] = function(*[registers[i] for i in reads])

    def _play_backward(self, registers: list[Array], watch: list[Array] | None, stop: Stop | None) -> None:
        n, output = len(self.graph), len(self.graph) + self.graph.output
        seed, registers[n:] = registers[output], [None] * n
        registers[output] = seed
        for function, reads, writes in self._pulls if stop is None else until(stop, self._pulls):
            found = function(*[registers[i] for i in reads])
            for write, contribution in zip(writes, found, strict=True):
                if watch is not None:
                    watch.append(contribution)
                self._add(registers, write, contribution)
        for position, target in self.targets.items():
            self._deliver(registers, len(self.graph) + position, target)

    def _replay_forward(self, registers: list[Array]) -> None:
        """By the rules, which name what refuses its values; where none does, by the kernels as well, since they
        keep what their way back reads."""
        super()._replay_forward(registers)
        self._play_forward(registers, None)

    def _replay_backward(self, registers: list[Array], watch: list[Array] | None) -> None:
        super()._replay_backward(registers, None)
        self._play_backward(registers, watch, None)

    def _add(self, registers: list[Array], write: int, contribution: Array) -> None:
        before = registers[write]
        if before is None:
            registers[write] = contribution
        elif not np.ndim(contribution):
            registers[write] = before + contribution
        else:
            total, dtype = self._sums.get(write), np.result_type(before, contribution)
            if total is None or total.dtype != dtype:
                total = self._sums[write] = np.empty_like(contribution, dtype)
            registers[write] = np.add(before, contribution, out=total)

    def _deliver(self, registers: list[Array], write: int, target: Array) -> None:
        """See to it that a gradient is in its target."""
        if registers[write] is None:
            target.fill(0)
        elif registers[write] is not target:
            np.copyto(target, registers[write])
        registers[write] = target


def _only(pull: Callable[..., Sequence[Array]], slots: list[int]) -> Callable[..., list[Array]]:
    """The contributions to these arguments alone."""
    if len(slots) == 1:
        slot = slots[0]
        return lambda *values: [pull(*values)[slot]]

    def pull_slots(*values: Array) -> list[Array]:
        found = pull(*values)
        return [found[slot] for slot in slots]

    return pull_slots


def _alone(function: Callable[..., Array]) -> Callable[..., list[Array]]:
    return lambda *values: [function(*values)]
