"""A model written once as a graph, and its tapes, one per batch shape."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import prod
from threading import Lock
from typing import Any

import numpy as np

from gradviz.engine.expr import Expr, graph_of, ops
from gradviz.engine.limits import Limits
from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import TABLE
from gradviz.engine.shards import ShardedTape, training_tape
from gradviz.engine.tape import Tape
from gradviz.engine.training import TrainingTape
from gradviz.errors import GradvizError, ShapeError
from gradviz.nn.arguments import generator, numbers, whole
from gradviz.nn.layers import BatchNorm2d, Dropout
from gradviz.nn.module import FloatArray, Module

AnyTape = Tape | ShardedTape
Loss = Callable[[Expr, Expr], Expr]

LIMITS = Limits(elements=10**9, held=None, work=10**15)  # a batch is larger than what one types
TAPES_KEPT = 4  # batch shapes whose tapes are remembered, the latest ones: each keeps arrays of its own

INPUT, TARGET, LOSS = "x", "target", "loss"
_NODES = {INPUT: "input", TARGET: "target", LOSS: "loss"}


class Program:
    """A model in its present mode, with or without a loss, as one graph of the leaves `x` (and `target`), the
    parameters, and the masks of dropout. The output is the prediction, or the loss.
    """

    def __init__(self, model: Module, loss: Loss | None = None) -> None:
        _check_names(model, (INPUT,) if loss is None else (INPUT, TARGET, LOSS))
        self.model = model
        self.loss = loss
        out = prediction = model(Expr(None, name=INPUT))
        if loss is not None:
            out = loss(prediction, Expr(None, name=TARGET))
            if not isinstance(out, Expr):
                raise GradvizError(
                    "a loss is written with gv.ops, as an expression of the prediction and the target",
                    got=type(out).__name__,
                    expected="an expression",
                )
            out = out.named(LOSS)
        self.graph = graph_of(out)
        self.prediction = prediction.name
        leaves = self.graph.leaves
        self.masks = {
            name: module
            for path, module in model.modules()
            if isinstance(module, Dropout) and (name := f"{path}.mask" if path else "mask") in leaves
        }
        self.norms = [
            (module, path or self.prediction)
            for path, module in model.modules()
            if isinstance(module, BatchNorm2d) and module.uses_batch and module.track_running_stats
        ]
        self._tapes: dict[tuple[Any, ...], TrainingTape | ShardedTape] = {}
        self.lock = Lock()  # a tape has one set of arrays, so one thread at a time predicts with it

    def shapes(self, given: Mapping[str, Shape]) -> dict[str, Shape]:
        """Shape of every leaf from those of the data; raises ShapeError at the layer that does not fit."""
        known = leaf_shapes(self.model) | dict(given)
        if not self.masks:
            return known
        # A scalar mask broadcasts: with scalars for masks, every mask's own shape comes out.
        found = self.graph.infer_shapes(known | dict.fromkeys(self.masks, ()), LIMITS)
        for name in self.masks:
            (consumer, _), *_ = self.graph.consumers[self.graph.position(name)]
            known[name] = found[consumer]
        return known

    def constants(self) -> dict[str, Array]:
        """Parameters and buffers by leaf."""
        state = self.model.parameters() | self.model.buffers()
        return {name: value for name, value in state.items() if name in self.graph.leaves}

    def tape(
        self, data: Mapping[str, Shape], gradients_into: Mapping[str, Array] | None = None
    ) -> TrainingTape | ShardedTape:
        """The tape for data of these shapes, compiled at their first use, with the gradients of what is named in
        `gradients_into`. Its registers are valid until its next run."""
        into = gradients_into or {}
        key = (*data.items(), *into)
        tape = self._tapes.pop(key, None)
        if tape is None:
            samples = (*data, *self.masks)
            tape = training_tape(self.graph, self.shapes(data), tuple(into), LIMITS, into, samples)
            shape = tape.shapes[self.graph.output]
            if self.loss is not None and shape:
                raise ShapeError(
                    "the loss of a batch is one number", got=str(shape), expected="mean(…) of it"
                )
        self._tapes[key] = tape
        if len(self._tapes) > TAPES_KEPT:
            del self._tapes[next(iter(self._tapes))]
        return tape

    def compile(self, data: Mapping[str, Shape], wrt: tuple[str, ...]) -> Tape:
        """A plain tape for data of these shapes: the registers of a run are its own."""
        return Tape(self.graph, self.shapes(data), wrt, LIMITS)

    def draw_masks(self, tape: AnyTape, rng: np.random.Generator | None, dtype: Any) -> dict[str, FloatArray]:
        """New masks for every dropout of a tape."""
        if not self.masks:
            return {}
        if rng is None:
            raise GradvizError(
                "dropout draws its masks at random in training mode",
                hint="model.eval() to predict, or pass rng=",
            )
        return {
            name: module.mask(tape.shapes[self.graph.position(name)], generator(rng), dtype)
            for name, module in self.masks.items()
        }

    def statistics(
        self, tape: TrainingTape | ShardedTape, registers: Sequence[Array]
    ) -> list[tuple[BatchNorm2d, FloatArray, FloatArray]]:
        """Mean and unbiased variance that the batch norms will add to their running statistics after a forward
        pass."""
        found = []
        for norm, name in self.norms:
            position = self.graph[name].args[0]
            try:
                kept = tape.scratch(name)
                mean, var = kept["mean"], kept["var"]
            except KeyError:  # this one runs by its rules
                mean, var = norm.statistics(registers[position])
            n = prod(tape.shapes[position]) // norm.num_features
            found.append((norm, mean, var * (n / (n - 1))))
        return found


def _check_names(model: Module, taken: tuple[str, ...]) -> None:
    """Raise GradvizError where a layer, or what it learns, is called like a node that every graph has."""
    for name in taken:
        if name in model.children or name in model.declared():
            raise GradvizError(
                f"a part of this model is called {name!r}, as the {_NODES[name]} is",
                got=name,
                expected="another name",
            )


def loss_of(name: str | Loss) -> Loss:
    """The function of a loss that is given by its name, or is one already; raises GradvizError for anything else."""
    if callable(name):
        return name
    losses = sorted(op.name for op in TABLE.values() if op.family == "loss")
    if name not in losses:
        raise GradvizError(
            f"no loss is called {name!r}", got=repr(name), expected=f"a function, or {', '.join(losses)}"
        )
    loss: Loss = getattr(ops, name)
    return loss


def leaf_shapes(model: Module) -> dict[str, Shape]:
    """Shape of every parameter and buffer by its key, whether it has a value yet or not."""
    return {key: place.shape for key, place in model.declared().items()}


def program_of(model: Module) -> Program:
    """The program of a model in its present mode, written once per mode and choice of its attributes."""
    mode = tuple((module.training, module._changes) for _, module in model.modules())
    if mode not in model._programs:
        model._programs[mode] = Program(model)
    program: Program = model._programs[mode]
    return program


def dtype_of(model: Module, x: Array) -> Any:
    """The model's own type of number; without parameters that of x, where it is one with a point."""
    for array in model.parameters().values():
        return array.dtype
    dtype = np.asarray(x).dtype
    return dtype if dtype.kind == "f" else np.dtype(np.float32)


def predict(model: Module, x: Array, batch_size: int | None, rng: np.random.Generator | None) -> FloatArray:
    """The model's output on x, `batch_size` samples at a time; in training mode the running statistics of its
    batch norms move, as in PyTorch."""
    program = program_of(model)
    x = numbers(x, "the input", dtype_of(model, x))
    if batch_size is not None:
        whole("batch_size", batch_size)
    if batch_size is None or x.ndim < 2 or len(x) <= batch_size:  # one axis: the entries of a single sample
        return _run(program, x, rng)
    parts = [_run(program, x[start : start + batch_size], rng) for start in range(0, len(x), batch_size)]
    return np.concatenate(parts)


def _run(program: Program, x: FloatArray, rng: np.random.Generator | None) -> FloatArray:
    if program.graph.nodes[program.graph.output].is_input:
        return x.copy()
    with program.lock:
        tape = program.tape({INPUT: x.shape})
        values = {INPUT: x, **program.constants(), **program.draw_masks(tape, rng, x.dtype)}
        registers = tape.forward_pass(values)
        for norm, mean, var in program.statistics(tape, registers):
            norm.track(mean, var)
        return np.array(registers[program.graph.output])  # the tape may use its own array again
