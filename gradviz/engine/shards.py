"""A batch in two halves, each on a tape and a thread of its own.

NumPy lets other threads run while it computes, so two halves take little more time than one. The samples of a batch
meet in three places only: in the mean that is the loss, in the gradients of what they share, which add up, and in
the statistics of a batch norm, for which the two threads wait for each other.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Literal, overload

import numpy as np

from gradviz.engine.graph import Graph
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.tape import Stop
from gradviz.engine.threads import one_library_thread, two_threads_pay
from gradviz.engine.training import TrainingTape

# What a value is to a batch: the same for all samples, one row per sample, or a mean over the samples.
Kind = Literal["same", "samples", "mean"]

WORK = 15 * 10**6  # multiply-adds in convolutions from which on a second thread is worth waking

_ROW_BY_ROW = frozenset(
    {
        "linear",
        "conv2d",
        "conv_transpose2d",
        "max_pool2d",
        "avg_pool2d",
        "global_avg_pool2d",
        "upsample_nearest",
    }
    | {"upsample_bilinear", "pad2d", "flatten", "layer_norm", "batch_norm"}
)
_MEANS = frozenset({"mse", "l1", "huber", "bce_with_logits", "half_squared_error", "cross_entropy"})


def training_tape(
    graph: Graph,
    shapes: Mapping[str, Shape],
    wrt: Iterable[str],
    limits: Limits = DEFAULT,
    gradients_into: Mapping[str, Array] | None = None,
    samples: Sequence[str] = (),
) -> TrainingTape | ShardedTape:
    """The tape to train with: in two halves where that is possible and pays. `samples` names the inputs that hold
    one row per sample."""
    wrt = tuple(wrt)
    tape = TrainingTape(graph, shapes, wrt, limits, gradients_into)
    if two_threads_pay() and work_of(tape) >= WORK and not set(samples).intersection(wrt):
        kinds = kinds_of(tape, samples)
        if kinds is not None:
            return ShardedTape(graph, shapes, wrt, limits, gradients_into, samples)
    return tape


def work_of(tape: TrainingTape) -> int:
    """Multiply-adds of a forward pass in convolutions; the large products of dense layers are shared out between
    threads by the linear algebra library."""
    total = 0
    for i in tape.graph.operations:
        node = tape.graph.nodes[i]
        if node.op is not None and node.op.family == "conv":
            total += node.op.cost([tape.shapes[arg] for arg in node.args], tape.shapes[i], node.options)
    return total


def kinds_of(tape: TrainingTape, samples: Sequence[str]) -> list[Kind] | None:
    """What every value is to the batch; None where the output is not a mean over samples that meet nowhere else."""
    graph, shapes, kinds = tape.graph, tape.shapes, list[Kind]()
    for i, node in enumerate(graph.nodes):
        if node.op is None:
            kinds.append("samples" if node.id in samples else "same")
            continue
        kind = _kind(tape, i, [kinds[arg] for arg in node.args])
        if kind is None:
            return None
        kinds.append(kind)
    first = [shapes[i] for i, kind in enumerate(kinds) if kind == "samples"]
    together = {shape[0] if shape else 0 for shape in first}
    return kinds if kinds[graph.output] == "mean" and len(together) == 1 and min(together) > 1 else None


def _kind(tape: TrainingTape, position: int, kinds: list[Kind]) -> Kind | None:
    node, out = tape.graph.nodes[position], tape.shapes[position]
    op, shapes = node.op, [tape.shapes[arg] for arg in node.args]
    assert op is not None
    found = set(kinds)
    if found == {"same"}:
        return "same"
    if "mean" in found:
        linear = op.name in ("add", "sub", "neg") or (op.name in ("mul", "div") and kinds[1:] == ["same"])
        return "mean" if linear and "samples" not in found else None
    if op.name in _MEANS:
        return "mean" if found == {"samples"} and len(shapes[0]) > 1 else None
    if op.elementwise:
        fits = [
            len(shape) == len(out) if kind == "samples" else len(shape) < len(out) or shape[0] == 1
            for kind, shape in zip(kinds, shapes, strict=True)
        ]
        return "samples" if all(fits) else None
    if op.name in ("concat", "softmax", "log_softmax"):
        axis = {**op.options, **node.options}["axis"] % len(out)
        return "samples" if axis and found == {"samples"} else None
    if op.name == "batch_norm" and position not in tape.kernels:
        return None
    return (
        "samples" if op.name in _ROW_BY_ROW and kinds[0] == "samples" and "samples" not in kinds[1:] else None
    )


class Cut(Exception):  # noqa: N818 - an end, not an error of its own
    """The other half has ended, so nothing will come from it any more."""


_END = object()


class Exchange:
    """How the halves add up what both of them need, in one pass."""

    def __init__(self) -> None:
        self._boxes: tuple[SimpleQueue[Any], SimpleQueue[Any]] = (SimpleQueue(), SimpleQueue())

    def total(self, half: int, x: Array) -> Array:
        """The sum of what both halves call this with, the same to the bit for both."""
        self._boxes[1 - half].put(x)
        other = self._boxes[half].get()
        if other is _END:
            raise Cut
        return x + other

    def end(self, half: int) -> None:
        """Say that this half is done, so that the other one never waits for it."""
        self._boxes[1 - half].put(_END)


class Registers(Sequence[Array]):
    """The registers of both halves as those of the whole batch; rows are put together when they are read."""

    def __init__(self, tape: ShardedTape, halves: list[list[Array]]) -> None:
        self._tape, self.halves = tape, halves

    def __len__(self) -> int:
        return len(self.halves[0])

    @overload
    def __getitem__(self, position: int) -> Array: ...
    @overload
    def __getitem__(self, position: slice) -> list[Array]: ...
    def __getitem__(self, position: int | slice) -> Array:
        if isinstance(position, slice):
            return [self[i] for i in range(*position.indices(len(self)))]
        position = range(len(self))[position]
        one, other = (half[position] for half in self.halves)
        node, is_gradient = position % len(self._tape.graph), position >= len(self._tape.graph)
        kind = self._tape.kinds[node]
        if one is None or other is None:
            return one
        if kind == "samples":
            return np.concatenate([one, other])
        if is_gradient:
            return self._tape.targets[node] if node in self._tape.targets else one + other
        if kind == "mean":
            return self._tape.weights[0] * one + self._tape.weights[1] * other
        return one


class ShardedTape:
    """A training tape whose batch is computed in two halves; used like one."""

    def __init__(
        self,
        graph: Graph,
        shapes: Mapping[str, Shape],
        wrt: Iterable[str],
        limits: Limits = DEFAULT,
        gradients_into: Mapping[str, Array] | None = None,
        samples: Sequence[str] = (),
    ) -> None:
        self.graph = graph
        self.wrt = tuple(wrt)
        whole = TrainingTape(graph, shapes, self.wrt, limits)
        kinds = kinds_of(whole, samples)
        if kinds is None:
            raise ValueError("the samples of this graph's batch do not go separate ways")
        self.kinds, self.shapes, self.edges = kinds, whole.shapes, whole.edges
        self.samples = tuple(samples)
        count = shapes[samples[0]][0]
        self.parts = slice(0, count // 2), slice(count // 2, count)
        self.weights = (count // 2) / count, (count - count // 2) / count
        given = gradients_into or {}
        self.targets = {graph.position(name): array for name, array in given.items()}
        into = given, {name: np.empty_like(array) for name, array in given.items()}
        self.tapes = [
            TrainingTape(graph, self._half(shapes, part), self.wrt, limits, own)
            for part, own in zip(self.parts, into, strict=True)
        ]
        self._start()

    def _start(self) -> None:
        """A thread for the second half, and the queue of what it does, until this tape is gone."""
        self._jobs = SimpleQueue[Any]()
        weakref.finalize(self, self._jobs.put, None)
        self._thread = Thread(target=_work, args=(self._jobs,), daemon=True, name="second half")
        self._thread.start()

    def _half(self, shapes: Mapping[str, Shape], part: slice) -> dict[str, Shape]:
        rows = part.stop - part.start
        return {name: (rows, *shape[1:]) if name in self.samples else shape for name, shape in shapes.items()}

    def scratch(self, name: str) -> Any:
        """What a node keeps beside its value; the statistics of a batch norm are those of the whole batch."""
        return self.tapes[0].scratch(name)

    def run(
        self,
        inputs: Mapping[str, Array],
        seed: Array = None,
        watch: None = None,
        stop: Stop | None = None,
    ) -> Registers:
        """A forward and a backward pass."""
        registers = self.forward_pass(inputs, stop)
        self.backward_pass(registers, seed, stop=stop)
        return registers

    def forward_pass(self, inputs: Mapping[str, Array], stop: Stop | None = None) -> Registers:
        """The registers with every value and no gradient yet."""

        def forward(half: int) -> list[Array]:
            part = self.parts[half]
            values = {name: x[part] if name in self.samples else x for name, x in inputs.items()}
            return self.tapes[half].forward_pass(values, stop if half == 0 else None)

        return Registers(self, self._both(forward))

    def backward_pass(
        self, registers: Registers, seed: Array = None, watch: None = None, stop: Stop | None = None
    ) -> None:
        """Put the gradients into registers that a forward pass has filled."""

        def backward(half: int) -> None:
            own = registers.halves[half]
            output = own[self.graph.output]
            start = output.dtype.type(self.weights[half]) * (1 if seed is None else seed)
            self.tapes[half].backward_pass(own, output.dtype.type(start), None, stop if half == 0 else None)

        self._both(backward)
        for position, target in self.targets.items():
            target += self.tapes[1].targets[position]

    def gradient(self, registers: Registers, position: int) -> Array:
        """The gradient of a node after `run`; zeros where the output does not depend on it."""
        found = registers[len(self.graph) + position]
        return np.zeros(self.shapes[position]) if found is None else found

    def _both(self, work: Callable[[int], Any]) -> list[Any]:
        """`work(0)` here and `work(1)` on the other thread; what fails in either is raised here, when both are done."""
        exchange, done = Exchange(), Event()
        found: list[Any] = [None, None]
        for half, tape in enumerate(self.tapes):
            tape.shared.meet = partial(exchange.total, half)

        def guarded(half: int) -> None:
            try:
                found[half] = work(half)
            except BaseException as error:
                found[half] = _Failed(error)
            finally:
                exchange.end(half)

        def other() -> None:
            guarded(1)
            done.set()

        if not self._thread.is_alive():  # a forked process starts with one thread
            self._start()
        with one_library_thread():
            try:
                self._jobs.put(other)
                guarded(0)
            finally:
                exchange.end(0)
                _wait_for(done)
        failures = [one.error for one in found if isinstance(one, _Failed)]
        for error in sorted(failures, key=lambda error: isinstance(error, Cut)):
            raise error
        return found


def _wait_for(done: Event) -> None:
    """Until it is done, so that nothing is written behind one's back; an interrupt comes out afterwards."""
    try:
        done.wait()
    except BaseException:
        _wait_for(done)
        raise


class _Failed:
    def __init__(self, error: BaseException) -> None:
        self.error = error


def _work(jobs: SimpleQueue[Any]) -> None:
    for job in _until_none(jobs):
        job()
        del job  # an idle thread keeps no tape alive


def _until_none(jobs: SimpleQueue[Any]) -> Iterator[Callable[[], None]]:
    while (job := jobs.get()) is not None:
        yield job
        del job
