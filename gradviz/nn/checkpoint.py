"""Checkpoints: everything a training needs to go on, as plain arrays and numbers in one .npz file."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from os import PathLike
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from gradviz.errors import GradvizError
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
    with open(path, "wb") as file:  # an open file, since NumPy would add a suffix to a name
        np.savez(file, allow_pickle=False, facts=np.array(json.dumps(facts)), **arrays)


def resume(trainer: Trainer, path: str | PathLike[str]) -> None:
    """Put a saved state into a trainer built the same way; raises GradvizError when it does not fit."""
    try:
        with open(path, "rb") as file:
            archive = np.load(file, allow_pickle=False)
            stored = {name: archive[name] for name in archive.files}
        facts = json.loads(str(stored.pop("facts")))
    except (ValueError, KeyError, AttributeError, EOFError, BadZipFile) as error:
        raise GradvizError(
            "this file is no checkpoint", expected="a .npz file written by Trainer.save"
        ) from error
    _check(trainer, facts, stored)
    trainer.model.load_state_dict(_under("model", stored))
    trainer.optimizer.state = _under("optimizer", stored)
    trainer.optimizer.steps, trainer.optimizer.lr = facts["optimizer_steps"], facts["lr"]
    trainer.base_lr = facts["base_lr"]
    trainer.history = {name: values.tolist() for name, values in _under("history", stored).items()}
    trainer.progress = type(trainer.progress)(**facts["progress"])
    trainer.rng = _generator(facts["random"])


def _check(trainer: Trainer, facts: Mapping[str, Any], stored: Mapping[str, FloatArray]) -> None:
    """Refuse what belongs to another optimizer before anything is changed."""
    expected = type(trainer.optimizer).__name__
    if facts["optimizer"] != expected:
        raise GradvizError(
            "this checkpoint is of another optimizer", got=facts["optimizer"], expected=expected
        )
    size = trainer.model.flat_parameters().shape
    for name, array in _under("optimizer", stored).items():
        if array.shape != size:
            raise GradvizError(
                f"the optimizer's {name} is of another model", got=str(array.shape), expected=str(size)
            )


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
