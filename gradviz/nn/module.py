"""What a layer is: arrays with names, and a few operations written into an expression.

A module computes nothing itself. It writes its operations on an Expr; the engine runs them, for a prediction,
for a training step and for the explorer alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any, NamedTuple, overload

import numpy as np
import numpy.typing as npt

from gradviz.engine.expr import Expr, writing
from gradviz.engine.numeric import Shape
from gradviz.errors import GradvizError, ShapeError
from gradviz.nn.arguments import generator, numbers
from gradviz.nn.init import Scheme, he_normal

FloatArray = npt.NDArray[Any]

_nested: ContextVar[bool] = ContextVar(
    "nested", default=False
)  # whether a module is being written inside another


class Place(NamedTuple):
    """Where an array of a model lives: its module's store, and the name it has there."""

    store: dict[str, FloatArray]
    name: str
    shape: Shape
    counts: bool = False  # a whole number, such as how many batches were seen


class Module:
    """A layer, or a model made of layers: every attribute that is a Module is a part of it.

    A layer of one's own declares `parameter_shapes` and writes its operations in `build`. As in PyTorch it
    starts in training mode; `eval()` switches to predicting.
    """

    training = True
    path = ""  # its place in the model that is being written, such as "3.conv"
    _changes = 0  # how often an attribute was set, so that no program outlives a change

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name not in ("path", "training"):
            self.__dict__["_changes"] = self._changes + 1

    def __getstate__(self) -> dict[str, Any]:
        """What a copy takes over: everything but what is compiled."""
        return {name: value for name, value in vars(self).items() if name != "_programs"}

    def build(self, x: Expr) -> Expr:
        """Write this module's operations on x."""
        raise GradvizError(f"{type(self).__name__} does not say what it computes", expected="a build method")

    def parameter_shapes(self) -> dict[str, Shape]:
        """What is learned: name -> shape, in PyTorch's order."""
        return {}

    def initial(self, name: str, shape: Shape, rng: np.random.Generator, weights: Scheme) -> FloatArray:
        """The first value of a parameter."""
        return np.zeros(shape)

    def initial_buffers(self) -> dict[str, FloatArray]:
        """What is kept but not learned, such as running statistics."""
        return {}

    @cached_property
    def _parameters(self) -> dict[str, FloatArray]:
        return {}

    @cached_property
    def _buffers(self) -> dict[str, FloatArray]:
        return {}

    @cached_property
    def _programs(self) -> dict[Any, Any]:
        return {}  # this module as the root of a model: modes of its parts -> what is compiled for them

    def leaf(self, name: str) -> Expr:
        """The leaf of a parameter or buffer, called by its state-dict key."""
        return Expr(None, name=_join(self.path, name))

    def parameter_leaves(self) -> tuple[Expr, ...]:
        """The leaves of all parameters of this module itself, in order."""
        return tuple(map(self.leaf, self.parameter_shapes()))

    @overload
    def __call__(self, x: Expr) -> Expr: ...
    @overload
    def __call__(
        self, x: Any, *, batch_size: int | None = None, rng: np.random.Generator | None = None
    ) -> FloatArray: ...
    def __call__(
        self, x: Any, *, batch_size: int | None = None, rng: np.random.Generator | None = None
    ) -> Expr | FloatArray:
        """On an Expr: the module written on it, with leaves called by state-dict keys. On an array of samples: the
        output.

        `batch_size` runs so many samples at a time; `rng` draws the masks of dropout in training mode.
        Raises ShapeError naming the layer that does not fit.
        """
        if not isinstance(x, Expr):
            from gradviz.nn.program import predict

            return predict(self, x, batch_size, rng)
        if not _nested.get():
            for path, module in self.modules():
                module.path = path
        token = _nested.set(True)
        try:
            with writing(self.path):
                out = self.build(x)
        finally:
            _nested.reset(token)
        return out if out.name or out is x else out.named(self.path or "output")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self.children.values()))})"

    @property
    def children(self) -> dict[str, Module]:
        """The parts of this module by name."""
        return {name: value for name, value in vars(self).items() if isinstance(value, Module)}

    def modules(self) -> list[tuple[str, Module]]:
        """Every module with its path, each before its parts; raises GradvizError when one stands in two places."""
        found: list[tuple[str, Module]] = []
        places: dict[int, str] = {}
        stack: list[tuple[str, Module]] = [("", self)]
        while stack:
            path, module = stack.pop()
            if id(module) in places:
                raise GradvizError(
                    f"the same layer stands at {places[id(module)]!r} and at {path!r}",
                    hint="give each place a layer of its own",
                )
            places[id(module)] = path
            found.append((path, module))
            stack += [(_join(path, name), child) for name, child in reversed(module.children.items())]
        return found

    @property
    def layers(self) -> list[tuple[str, Module]]:
        """The modules without parts of their own, with their paths, in order."""
        return [(path, module) for path, module in self.modules() if not module.children]

    def train(self, training: bool = True) -> Module:
        """Switch this module and its parts to training mode."""
        for _, module in self.modules():
            module.training = training
        return self

    def eval(self) -> Module:
        """Switch to predicting: no dropout, and batch norm uses its running statistics."""
        return self.train(False)

    @contextmanager
    def in_mode(self, training: bool) -> Iterator[None]:
        """Training mode on or off for a while; every part has its own mode back afterwards."""
        before = [(module, module.training) for _, module in self.modules()]
        self.train(training)
        try:
            yield
        finally:
            for module, mode in before:
                module.training = mode

    def init(
        self,
        rng: np.random.Generator,
        weights: Scheme = he_normal,
        dtype: npt.DTypeLike = np.float32,
    ) -> Module:
        """Draw all weights with a scheme of `nn.init` and reset everything else.

        Raises GradvizError for what is no random generator, scheme or type of number with a point.
        """
        generator(rng)
        if not callable(weights):
            raise GradvizError(
                "weights is no scheme", got=repr(weights), expected="such as nn.init.he_normal"
            )
        dtype = _floating(dtype)
        for path, module in self.modules():
            for name, shape in module.parameter_shapes().items():
                if min(shape, default=1) < 1:
                    raise ShapeError(
                        f"{_join(path, name)} would have no entries",
                        got=str(shape),
                        expected="sizes from 1 on",
                    )
                value = np.asarray(module.initial(name, shape, rng, weights), dtype)
                if value.shape != shape:
                    raise ShapeError(
                        f"{_join(path, name)} would start with another shape",
                        got=str(value.shape),
                        expected=str(shape),
                    )
                _put(module._parameters, name, value)
            for name, value in module.initial_buffers().items():
                _put(module._buffers, name, value if value.dtype.kind == "i" else np.asarray(value, dtype))
        return self

    def parameters(self) -> dict[str, FloatArray]:
        """What is learned, by state-dict key; raises GradvizError before `init` or `load_state_dict`."""
        return self._present(lambda module: (module._parameters, module.parameter_shapes()))

    def buffers(self) -> dict[str, FloatArray]:
        """What is kept but not learned, by state-dict key; raises GradvizError like `parameters`."""
        return self._present(lambda module: (module._buffers, module.initial_buffers()))

    def _present(
        self, stored: Callable[[Module], tuple[dict[str, FloatArray], Mapping[str, Any]]]
    ) -> dict[str, FloatArray]:
        found = {}
        for path, module in self.modules():
            store, names = stored(module)
            for name in names:
                if name not in store:
                    raise GradvizError(
                        f"the model has no {_join(path, name)} yet",
                        hint="call model.init(rng) or model.load_state_dict(…)",
                    )
                found[_join(path, name)] = store[name]
        return found

    def state_dict(self) -> dict[str, FloatArray]:
        """Copies of all parameters and buffers under PyTorch's keys, in PyTorch's order."""
        values = self.parameters() | self.buffers()
        return {key: values[key].copy() for key in self.declared()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over values, also those of a PyTorch state-dict; an initialised model keeps its dtype.

        Raises GradvizError for missing or unknown keys and for what is no number, ShapeError for an array of
        another shape; then nothing has changed.
        """
        if not isinstance(state, Mapping):
            raise GradvizError(
                "a state maps keys to arrays", got=type(state).__name__, expected="such as model.state_dict()"
            )
        expected = self.declared()
        missing, unknown = expected.keys() - state.keys(), state.keys() - expected.keys()
        if missing or unknown:
            raise GradvizError(
                f"the state does not belong to this model: {_listed('missing', missing)}{_listed('unknown', unknown)}",
                got=", ".join(state),
                expected=", ".join(expected),
            )
        arrays = {key: numbers(state[key], key) for key in expected}
        for key, place in expected.items():
            if arrays[key].shape != place.shape:
                raise ShapeError(
                    f"{key} has another shape in this model",
                    got=str(arrays[key].shape),
                    expected=str(place.shape),
                )
        for key, place in expected.items():
            array, current = arrays[key], place.store.get(place.name)
            if current is not None:
                array = array.astype(current.dtype)
            elif array.dtype.kind != "f" and not place.counts:
                array = array.astype(np.float32)
            _put(place.store, place.name, array)

    def declared(self) -> dict[str, Place]:
        """Every state-dict key, and where its array lives."""
        found: dict[str, Place] = {}
        for path, module in self.modules():
            for name, shape in module.parameter_shapes().items():
                found[_join(path, name)] = Place(module._parameters, name, shape)
            for name, value in module.initial_buffers().items():
                counts = value.dtype.kind == "i"
                found[_join(path, name)] = Place(module._buffers, name, value.shape, counts)
        return found

    def flat_parameters(self) -> FloatArray:
        """All parameters as one vector, of which each parameter becomes a view: one call updates them all."""
        parameters = self.parameters()
        whole = next(iter(parameters.values())).base if parameters else None
        if isinstance(whole, np.ndarray) and _fill(whole, parameters):
            return whole
        flat = np.concatenate([array.ravel() for array in parameters.values()] or [np.zeros(0, np.float32)])
        views = iter(split(flat, parameters).values())
        for _, module in self.modules():
            for name in module.parameter_shapes():
                module._parameters[name] = next(views)
        return flat


def split(flat: FloatArray, like: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """Views into a flat vector with the names and shapes of these arrays, in order."""
    views, start = {}, 0
    for name, array in like.items():
        views[name] = flat[start : start + array.size].reshape(array.shape)
        start += array.size
    return views


def _fill(flat: FloatArray, arrays: Mapping[str, FloatArray]) -> bool:
    """Whether these arrays lie in a flat vector one after the other, from its first entry to its last."""
    if flat.shape != (sum(array.size for array in arrays.values()),):
        return False
    places = zip(arrays.values(), split(flat, arrays).values(), strict=True)
    return all(
        array.base is flat and array.__array_interface__["data"] == place.__array_interface__["data"]
        for array, place in places
    )


def _floating(given: npt.DTypeLike) -> np.dtype[Any]:
    try:
        dtype = np.dtype(given)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind != "f":
        raise GradvizError(f"dtype is {given!r}", got=repr(given), expected="np.float32 or np.float64")
    return dtype


def _put(store: dict[str, FloatArray], name: str, value: FloatArray) -> None:
    """Set a value, in place where there is one of this kind: others may hold a view of it."""
    current = store.get(name)
    if current is not None and current.dtype == value.dtype:
        current[...] = value
    else:
        store[name] = value.copy()


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _listed(what: str, keys: set[str]) -> str:
    return f" {what} {', '.join(sorted(keys))};" if keys else ""
