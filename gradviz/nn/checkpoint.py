"""Checkpoints: everything a training needs to go on, as plain arrays and numbers in one .npz file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from os import SEEK_END, PathLike, fspath
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

import numpy as np

from gradviz.errors import GradvizError
from gradviz.files import whole_file
from gradviz.nn.arguments import numbers, real
from gradviz.nn.events import Progress
from gradviz.nn.module import FloatArray

if TYPE_CHECKING:
    from gradviz.nn.trainer import Trainer

GENERATORS = {
    "PCG64": np.random.PCG64,
    "PCG64DXSM": np.random.PCG64DXSM,
}  # those whose state is a few integers


def save(trainer: Trainer, path: str | PathLike[str]) -> None:
    """Write a trainer's state to a .npz file; raises GradvizError for a random generator it cannot write down."""
    facts = {
        "optimizer": type(trainer.optimizer).__name__,
        "optimizer_steps": trainer.optimizer.steps,
        "lr": trainer.optimizer.lr,
        "base_lr": trainer.base_lr,
        "progress": asdict(trainer.progress),
        "random": _random_state(trainer.rng),
    }
    arrays = {
        **_prefixed("model", trainer.model.state_dict()),
        **_prefixed("optimizer", trainer.optimizer.state),
        **_prefixed("history", {name: np.array(values) for name, values in trainer.history.items()}),
    }
    try:
        with whole_file(
            _name(path, "written")
        ) as file:  # an open file, since NumPy would add a suffix to a name
            np.savez(file, allow_pickle=False, facts=np.array(json.dumps(facts)), **arrays)
    except OSError as error:
        raise _refusal(path, "written", error) from error


class _Saved(NamedTuple):
    """What a checkpoint says beside arrays, in the form in which a trainer holds it."""

    optimizer: str
    optimizer_steps: int
    lr: float
    base_lr: float
    progress: Progress
    rng: np.random.Generator | None
    history: dict[str, list[float]]


def resume(trainer: Trainer, path: str | PathLike[str]) -> None:
    """Put a saved state into a trainer built the same way; raises GradvizError when it does not fit, and changes
    nothing then."""
    with _read(path) as file:
        try:
            arrays = _arrays(file)
            saved = _saved(json.loads(str(arrays["facts"])), _under("history", arrays))
        except Exception as error:  # a file can be broken in any way
            raise GradvizError(
                "this file is no checkpoint", expected="a .npz file written by Trainer.save"
            ) from error
    memory = _memory(trainer, saved, _under("optimizer", arrays))
    trainer.model.load_state_dict(_under("model", arrays))
    trainer.optimizer.state = memory
    trainer.optimizer.steps, trainer.optimizer.lr = saved.optimizer_steps, saved.lr
    trainer.base_lr, trainer.history = saved.base_lr, saved.history
    trainer.progress, trainer.rng = saved.progress, saved.rng
    trainer.forget_step()


def _read(path: str | PathLike[str]) -> BinaryIO:
    try:
        return open(_name(path, "read"), "rb")
    except OSError as error:
        raise _refusal(path, "read", error) from error


def _name(path: str | PathLike[str], verb: str) -> str:
    try:
        return str(fspath(path))
    except TypeError as error:
        raise _refusal(path, verb, error) from error


def _refusal(path: object, verb: str, error: Exception) -> GradvizError:
    reason = error.strerror if isinstance(error, OSError) else "that is no path"
    return GradvizError(
        f"the checkpoint cannot be {verb}: {reason}",
        got=repr(path),
        expected="the path of a .npz file" + (" written by Trainer.save" if verb == "read" else ""),
    )


def _arrays(file: BinaryIO) -> dict[str, FloatArray]:
    """The arrays of an archive that is as large as what is in it: `save` does not compress, so nothing unfolds."""
    size = file.seek(0, SEEK_END)
    file.seek(0)
    archive = np.load(file, allow_pickle=False)
    if sum(entry.file_size for entry in archive.zip.infolist()) > size:
        raise ValueError("the archive is compressed")
    return {name: archive[name] for name in archive.files}


def _saved(facts: Mapping[str, Any], history: Mapping[str, FloatArray]) -> _Saved:
    progress = Progress(**facts["progress"])
    counts = progress.steps, progress.epoch, progress.batch, progress.samples, progress.order or 0
    if min(*counts, facts["optimizer_steps"]) < 0:
        raise ValueError("a count is negative")
    return _Saved(
        str(facts["optimizer"]),
        int(facts["optimizer_steps"]),
        float(real("lr", facts["lr"], least=0)),
        float(real("base_lr", facts["base_lr"], least=0)),
        progress,
        _generator(facts["random"]),
        {"loss": []} | {name: [float(value) for value in values] for name, values in history.items()},
    )


def _memory(trainer: Trainer, saved: _Saved, stored: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    """What the optimizer remembers; raises GradvizError for that of another optimizer or model."""
    optimizer, parameters = trainer.optimizer, trainer.model.flat_parameters()
    expected = type(optimizer).__name__
    if saved.optimizer != expected:
        raise GradvizError("this checkpoint is of another optimizer", got=saved.optimizer, expected=expected)
    names = optimizer.memory() if saved.optimizer_steps else ()
    if stored.keys() != set(names):
        raise GradvizError(
            f"this checkpoint is of another {expected}",
            got=f"a memory of {', '.join(stored) or 'nothing'}",
            expected=f"a memory of {', '.join(names) or 'nothing'}",
        )
    for name, array in stored.items():
        if array.shape != parameters.shape:
            raise GradvizError(
                f"the optimizer's {name} is of another model",
                got=str(array.shape),
                expected=str(parameters.shape),
            )
    return {name: numbers(stored[name], name).astype(parameters.dtype) for name in names}


def _random_state(rng: np.random.Generator | None) -> dict[str, Any] | None:
    if rng is None:
        return None
    state: dict[str, Any] = dict(rng.bit_generator.state)
    if state["bit_generator"] not in GENERATORS:
        raise GradvizError(
            "this random generator cannot be written to a checkpoint",
            got=state["bit_generator"],
            expected="np.random.default_rng(…)",
        )
    return state


def _generator(state: dict[str, Any] | None) -> np.random.Generator | None:
    if state is None:
        return None
    bits = GENERATORS[state["bit_generator"]]()
    bits.state = state
    return np.random.Generator(bits)


def _prefixed(kind: str, arrays: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {f"{kind}/{name}": array for name, array in arrays.items()}


def _under(kind: str, stored: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    return {name.partition("/")[2]: array for name, array in stored.items() if name.startswith(f"{kind}/")}
