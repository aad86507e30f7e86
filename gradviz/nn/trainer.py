"""Training: batches through the tape forward and backward, and a step of the optimizer after each."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from math import ceil, isfinite
from os import PathLike
from typing import Any, Literal

import numpy as np

from gradviz.engine.numeric import Array
from gradviz.engine.op import TABLE
from gradviz.engine.shards import ShardedTape
from gradviz.engine.training import TrainingTape
from gradviz.errors import GradvizError, Stopped
from gradviz.explain.fold import layer_groups
from gradviz.explain.trace import Run
from gradviz.nn.arguments import generator, instance, numbers, real, samples, two, whole
from gradviz.nn.augment import Augment
from gradviz.nn.divergence import diverged_gradient, diverged_loss
from gradviz.nn.events import Event, Kind, Progress, Reason, Views
from gradviz.nn.module import FloatArray, Module, split
from gradviz.nn.optim import Optimizer
from gradviz.nn.program import INPUT, TARGET, Loss, Program, loss_of
from gradviz.nn.schedules import Schedule

Phase = Literal["sample", "forward", "backward", "update"]


class Trainer:
    """A model, a loss and an optimizer that learn together.

    `loss` is the name of a loss operation or a function of two expressions; `schedule` maps the first learning
    rate and the epoch to the present one; `augment` changes every batch of `fit`; `stop` is asked between
    operations. A step that is stopped leaves the model as it was before; `activations` and `gradients` never mix it
    with another one. A model and its trainers belong to one thread at a time.
    """

    registers: Sequence[Array]  # of the last step
    _received: Sequence[tuple[int, int]]  # the edges along which gradients came in it

    def __init__(
        self,
        model: Module,
        loss: str | Loss,
        optimizer: Optimizer,
        *,
        schedule: Schedule | None = None,
        augment: Augment | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> None:
        instance("the model", model, Module, "a module, such as nn.Sequential(…)")
        instance("the optimizer", optimizer, Optimizer, "an optimizer, such as optim.Adam(1e-3)")
        for name, given in {"schedule": schedule, "augment": augment, "stop": stop}.items():
            instance(name, given, Callable | None, "a function")
        self.model = model
        self.optimizer = optimizer
        self.schedule = schedule
        self.augment = augment
        self.stop = stop
        self.base_lr = optimizer.lr
        self.rng: np.random.Generator | None = None
        self.progress = Progress()
        self.history: dict[str, list[float]] = {"loss": []}
        self._loss = loss_of(loss)
        self._total = 0  # steps when the running fit is done
        self._bind()
        self._classifies = self.program.graph.nodes[self.program.graph.output].op is TABLE["cross_entropy"]

    def _bind(self) -> None:
        """Write the model and hold on to its arrays as they are now, with a gradient beside them."""
        self.forget_step()
        with self.model.in_mode(training=True):
            self.program = Program(self.model, self._loss)
        with self.model.in_mode(training=False):
            self._evaluation = Program(self.model, self._loss)
        self._parameters = self.model.flat_parameters()
        parameters = self.model.parameters()
        self.wrt = tuple(parameters)
        if idle := [name for name in self.wrt if name not in self.program.graph.leaves]:
            raise GradvizError(
                f"the loss does not depend on {', '.join(idle)}", hint="only what takes part in it can learn"
            )
        self._gradient = np.zeros_like(self._parameters)
        self._parts = split(self._gradient, parameters)
        self._values: dict[str, Array] = self.program.constants()
        places = self.model.declared()
        self._held = [(places[name].store, places[name].name, array) for name, array in parameters.items()]

    def step(self, x: Array, y: Array) -> float:
        """Learn from one batch and return its loss before the step.

        Raises Diverged when the loss or a gradient is not finite and Stopped when `stop` says so; both leave the
        model alone.
        """
        for _ in self.phases(x, y):
            pass
        return self.history["loss"][-1]

    def phases(self, x: Array, y: Array) -> Iterator[Phase]:
        """One step in its four stages, each named when it is done; `registers` can be read in between."""
        tape = self._place(x, y)
        yield "sample"
        self.forget_step()  # its arrays are written over from here on, whether this step comes to an end or not
        registers: Any = tape.forward_pass(self._values, self.stop)
        self.registers = registers
        loss = float(registers[tape.graph.output])
        if not isfinite(loss):
            raise diverged_loss(tape.graph, registers, self.progress.steps)
        statistics = self.program.statistics(tape, registers)
        yield "forward"
        tape.backward_pass(registers, stop=self.stop)
        self._received = tape.edges
        with np.errstate(all="ignore"):
            length = np.dot(self._gradient, self._gradient)  # the cheapest look at all of it
        if not isfinite(length) and not np.isfinite(self._gradient).all():
            raise diverged_gradient(self.gradients, self.progress.steps)
        yield "backward"
        self.optimizer.step(self._parameters, self._gradient)
        for norm, mean, var in statistics:
            norm.track(mean, var)
        self.progress.steps += 1
        self.history["loss"].append(loss)
        yield "update"

    def _place(self, x: Array, y: Array) -> TrainingTape | ShardedTape:
        """The tape for this batch, with the batch and new masks among the values it will read."""
        self._follow_the_model()
        data = self._data(x, y)
        tape = self.program.tape({name: value.shape for name, value in data.items()}, self._parts)
        if self.program.masks:
            data |= self.program.draw_masks(tape, self._random(), self._parameters.dtype)
        self._values.update(data)
        return tape

    def _data(self, x: Array, y: Array) -> dict[str, FloatArray]:
        dtype = self._parameters.dtype
        data = {INPUT: numbers(x, "the input", dtype), TARGET: numbers(y, "the target", dtype)}
        if not data[INPUT].size:
            raise GradvizError(
                "the batch is empty",
                got=f"an input of shape {data[INPUT].shape}",
                expected="at least one sample",
            )
        return data

    def _follow_the_model(self) -> None:
        """Bind again where the model has other arrays by now: another dtype, or a layer that joined another model
        with a trainer of its own."""
        if any(store[name] is not array for store, name, array in self._held):
            self._bind()

    def _random(self) -> np.random.Generator:
        if self.rng is None:
            self.rng = np.random.default_rng(0)
        return self.rng

    def fit(
        self,
        x: Array,
        y: Array,
        epochs: int,
        batch_size: int,
        rng: np.random.Generator | None = None,
        *,
        validation: tuple[Array, Array] | None = None,
        patience: int | None = None,
    ) -> Iterator[Event]:
        """Train in random order until `epochs` epochs are done in all, an event after each batch and epoch.

        Closing the iterator, or `stop`, interrupts; the next call goes on where this one was, with the same
        bits as without the interruption. `rng` counts at the first call; later ones continue it. With
        `patience` the training ends after so many epochs without a lower validation loss.
        """
        x, y = samples(x, y, batch_size)
        whole("epochs", epochs, least=0)
        _check_validation(validation, patience)
        if self.rng is None and rng is not None:
            self.rng = generator(rng)
        batches = ceil(len(x) / batch_size)
        self._total = epochs * batches
        try:
            while not (reason := self._reason_to_end(epochs, patience)):
                order = self._order(len(x))
                while self.progress.batch < batches:
                    picked = order[self.progress.batch * batch_size :][:batch_size]
                    yield self._batch(x[picked], y[picked])
                yield self._close_epoch(validation)
            yield self._event("stopped", reason=reason)
        except Stopped:
            yield self._event("stopped", reason="stop")

    def _order(self, samples: int) -> FloatArray:
        """The order of this epoch: a function of one number, drawn when the epoch begins."""
        progress = self.progress
        if progress.order is None:
            progress.order = int(self._random().integers(2**63))
            if self.schedule is not None:
                lr = self.schedule(self.base_lr, progress.epoch)
                self.optimizer.lr = real("the schedule's learning rate", lr, least=0)
        return np.random.default_rng(progress.order).permutation(samples)

    def _batch(self, x: Array, y: Array) -> Event:
        rng = self._random()
        before = rng.bit_generator.state
        try:
            if self.augment is not None:
                x, y = two("what augment returns", self.augment(x, y, rng))
            loss = self.step(x, y)
        except Stopped:
            rng.bit_generator.state = before  # so that the batch can be taken again as it was
            raise
        self.progress.batch += 1
        self.progress.loss += loss * len(x)
        self.progress.samples += len(x)
        return self._event("batch", loss)

    def _close_epoch(self, validation: tuple[Array, Array] | None) -> Event:
        progress = self.progress
        loss = progress.loss / progress.samples
        metrics = {}
        if validation is not None:
            found = self.evaluate(*validation, stop=self.stop)
            metrics = {f"validation_{name}": value for name, value in found.items()}
        for name, value in {"train_loss": loss, "learning_rate": self.optimizer.lr, **metrics}.items():
            self.history.setdefault(name, []).append(value)
        self.progress = Progress(progress.steps, progress.epoch + 1)
        return self._event("epoch", loss, metrics)

    def _event(
        self,
        kind: Kind,
        loss: float | None = None,
        metrics: Mapping[str, float] | None = None,
        reason: Reason = "",
    ) -> Event:
        if loss is None:
            loss = self.history["loss"][-1] if self.history["loss"] else float("nan")
        return Event(kind, self.progress.steps, self.progress.epoch, loss, metrics or {}, reason, self._total)

    def _reason_to_end(self, epochs: int, patience: int | None) -> Reason:
        losses = self.history.get("validation_loss", [])
        if patience is not None and losses and len(losses) - 1 - int(np.argmin(losses)) >= patience:
            return "patience"
        return "epochs" if self.progress.epoch >= epochs else ""

    def predict(self, x: Array, batch_size: int | None = 256) -> FloatArray:
        """The model's output when predicting, whatever its present mode."""
        with self.model.in_mode(training=False):
            return self.model(x, batch_size=batch_size)

    def evaluate(
        self, x: Array, y: Array, batch_size: int = 256, stop: Callable[[], bool] | None = None
    ) -> dict[str, float]:
        """Mean loss when predicting, and for class numbers the share that is right (`accuracy`)."""
        x, y = samples(x, y, batch_size)
        self._follow_the_model()
        program, loss, right = self._evaluation, 0.0, 0
        predicted = program.graph.position(program.prediction)
        for start in range(0, len(x), batch_size):
            data = self._data(x[start : start + batch_size], y[start : start + batch_size])
            tape = program.tape({name: value.shape for name, value in data.items()})
            registers = tape.forward_pass(program.constants() | data, stop)
            loss += float(registers[program.graph.output]) * len(data[INPUT])
            if self._classifies:
                right += int(np.count_nonzero(np.argmax(registers[predicted], axis=-1) == data[TARGET]))
        found = {"loss": loss / len(x)}
        return found | {"accuracy": right / len(x)} if self._classifies else found

    def explore(self, x: Array, y: Array) -> Run:
        """This very batch as an inspectable run of the training graph, with the values and masks that the next
        step would use and the gradients of all parameters and of the input. Nothing changes."""
        self._follow_the_model()
        data = self._data(x, y)
        tape = self.program.compile({name: value.shape for name, value in data.items()}, (*self.wrt, INPUT))
        values = {name: value.copy() for name, value in (self.program.constants() | data).items()}
        if self.program.masks:
            values |= self.program.draw_masks(tape, deepcopy(self._random()), self._parameters.dtype)
        watch: list[Array] = []
        return Run(tape, tape.run(values, None, watch), watch)

    def groups(self, run: Run, opened: Collection[str] = ()) -> dict[str, tuple[str, ...]]:
        """The nodes of each layer with its parameters, for `explain.fold.View`; layers whose path is in `opened`
        show the parts in them instead."""
        return layer_groups(run.graph, opened)

    def forget_step(self) -> None:
        """Let go of the last step's arrays: `activations` and `gradients` are empty until the next one."""
        self.registers = ()
        self._received = ()

    @property
    def activations(self) -> Mapping[str, FloatArray]:
        """Values of all operations in the last step, by node: a layer's output by the layer's path. None when it was
        stopped before the end of its forward pass."""
        graph = self.program.graph
        positions = {graph.nodes[i].id: i for i in graph.operations if self.registers}
        return Views(self.registers, positions)

    @property
    def gradients(self) -> Mapping[str, FloatArray]:
        """Gradients of the last step, once its backward pass is done: those of all parameters, and of every
        operation that one came to. None when it was stopped before, so whoever sees any sees a whole step."""
        graph, n = self.program.graph, len(self.program.graph)
        nodes = {graph.nodes[consumer].args[slot] for consumer, slot in self._received}
        if self._received:
            nodes.add(graph.output)
        return Views(self.registers, {graph.nodes[i].id: n + i for i in sorted(nodes)})

    def save(self, path: str | PathLike[str]) -> None:
        """Write a checkpoint (.npz): model, optimizer, history, progress and random state."""
        from gradviz.nn.checkpoint import save

        save(self, path)

    def resume(self, path: str | PathLike[str]) -> None:
        """Take over a checkpoint of the same model and optimizer: what follows is the same to the bit as if
        nothing had been saved. Raises GradvizError when it belongs to another one, or is none."""
        from gradviz.nn.checkpoint import resume

        resume(self, path)


def _check_validation(validation: Any, patience: Any) -> None:
    if validation is not None:
        two("validation", validation)
    if patience is not None:
        whole("patience", patience, least=0)
        if validation is None:
            raise GradvizError("patience watches the validation loss", hint="give validation=(x, y)")
