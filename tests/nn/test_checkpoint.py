"""Checkpoints: what follows a resume is what would have followed without it."""

from __future__ import annotations

import json
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest

from gradviz import nn, optim
from gradviz.errors import GradvizError
from tests.nn.problems import image_trainer, point_net, stripes, two_classes


def fit(trainer: nn.Trainer, epochs: int = 3) -> Any:
    x, y = stripes()
    return trainer.fit(x, y, epochs=epochs, batch_size=16, rng=np.random.default_rng(1), validation=(x, y))


@pytest.mark.parametrize("events", [0, 1, 3, 4, 6, 12])
def test_resuming_is_exact(events: int, tmp_path: Path) -> None:
    whole, first, second = image_trainer(), image_trainer(), image_trainer()
    list(fit(whole))
    running = fit(first)
    for _ in range(events):
        next(running)
    first.save(tmp_path / "half.npz")
    second.resume(tmp_path / "half.npz")
    assert second.progress == first.progress
    list(fit(second))
    assert second.history == whole.history
    expected = whole.model.state_dict() | whole.optimizer.state
    for key, value in (second.model.state_dict() | second.optimizer.state).items():
        np.testing.assert_array_equal(value, expected[key])
    list(running)  # saving did not disturb the trainer that was saved
    assert first.history == whole.history


def test_the_arrays_of_the_step_before_do_not_pass_for_those_of_the_checkpoint(tmp_path: Path) -> None:
    trainer = image_trainer()
    running = fit(trainer)
    next(running)
    trainer.save(tmp_path / "saved.npz")
    next(running)
    trainer.resume(tmp_path / "saved.npz")
    assert not trainer.activations and not trainer.gradients


def test_the_learning_rate_is_that_of_the_checkpoint(tmp_path: Path) -> None:
    first, second = image_trainer(), image_trainer()
    next(fit(first))
    first.save(tmp_path / "saved.npz")
    second.base_lr = second.optimizer.lr = 0.5
    second.resume(tmp_path / "saved.npz")
    for trainer in (first, second):
        list(fit(trainer))
    assert second.history == first.history


def test_a_file_is_written_under_exactly_its_name(tmp_path: Path) -> None:
    image_trainer().save(tmp_path / "checkpoint")
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint"]
    image_trainer().resume(str(tmp_path / "checkpoint"))


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "saved.npz"
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1, momentum=0.9))
    trainer.step(*two_classes())
    trainer.save(path)
    with pytest.raises(GradvizError, match="another optimizer") as caught:
        nn.Trainer(point_net(), "cross_entropy", optim.Adam(0.1)).resume(path)
    assert (caught.value.got, caught.value.expected) == ("SGD", "Adam")
    wider = nn.Sequential(nn.Linear(2, 17), nn.ReLU(), nn.Linear(17, 2)).init(np.random.default_rng(0))
    with pytest.raises(GradvizError, match="of another model"):
        nn.Trainer(wider, "cross_entropy", optim.SGD(0.1, momentum=0.9)).resume(path)


def test_a_full_disk_costs_no_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: Any, **arrays: Any) -> None:
        file.write(b"half of it")
        raise OSError(28, "No space left on device")

    path, trainer = tmp_path / "saved.npz", image_trainer()
    trainer.save(path)
    before = path.read_bytes()
    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(GradvizError, match="No space left"):
        trainer.save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def edited(path: Path, **changes: Any) -> Path:
    """The checkpoint with other arrays (None leaves one out) and other facts."""
    stored = dict(np.load(path))
    facts = json.loads(str(stored["facts"])) | changes.pop("facts", {})
    stored |= {"facts": np.array(json.dumps(facts))} | changes.pop("arrays", {})
    np.savez(path, **{name: array for name, array in stored.items() if array is not None})
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"facts": {"lr": "fast"}},
        {"facts": {"lr": float("nan")}},
        {"facts": {"base_lr": -1}},
        {"facts": {"optimizer_steps": -1}},
        {"facts": {"progress": {"epoch": "last"}}},
        {"facts": {"progress": {"speed": 1}}},
        {"facts": {"random": {"bit_generator": "MT19937"}}},
        {"arrays": {"facts": np.array("[]")}},
        {"arrays": {"facts": None}},
        {"arrays": {"facts": np.array("[" * 10**5)}},
        {"arrays": {"history/loss": np.array(1.0)}},
        {"arrays": {"optimizer/mean": None}},
        {"arrays": {"optimizer/third": np.zeros(2)}},
        {"arrays": {"optimizer/mean": np.full(82, "a")}},
        {"arrays": {"model/0.weight": np.full((16, 2), "a")}},
        {"arrays": {"model/0.weight": None}},
    ],
    ids=str,
)
def test_a_damaged_checkpoint_changes_nothing(changes: dict[str, Any], tmp_path: Path) -> None:
    saved, trainer = (nn.Trainer(point_net(), "cross_entropy", optim.Adam(0.01)) for _ in range(2))
    for one in (saved, trainer):
        one.rng = np.random.default_rng(0)
    saved.step(*two_classes())
    saved.save(tmp_path / "saved.npz")
    before, rng, progress = trainer.model.state_dict(), trainer.rng, trainer.progress
    with pytest.raises(GradvizError):
        trainer.resume(edited(tmp_path / "saved.npz", **changes))
    assert all(np.array_equal(before[key], value) for key, value in trainer.model.state_dict().items())
    assert not trainer.optimizer.state and trainer.optimizer.steps == 0
    assert trainer.rng is rng and trainer.progress is progress and trainer.history == {"loss": []}


def test_another_rule_of_the_same_optimizer_is_refused(tmp_path: Path) -> None:
    plain = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1))
    plain.step(*two_classes())
    plain.save(tmp_path / "saved.npz")
    with pytest.raises(GradvizError, match="another SGD") as caught:
        nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1, momentum=0.9)).resume(tmp_path / "saved.npz")
    assert caught.value.expected == "a memory of velocity"


def announced(count: int) -> bytes:
    """The start of an array file that promises so many numbers."""
    header = BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "<f4", "fortran_order": False, "shape": (count,)})
    return header.getvalue()


def test_a_small_file_does_not_become_large(tmp_path: Path) -> None:
    path, count = tmp_path / "bomb.npz", 10**7
    with ZipFile(path, "w", ZIP_DEFLATED) as archive:
        archive.writestr("facts.npy", announced(count) + b"\0" * 4 * count)
    trainer = image_trainer()
    tracemalloc.start()
    try:
        with pytest.raises(GradvizError, match="no checkpoint"):
            trainer.resume(path)
        assert tracemalloc.get_traced_memory()[1] < count
    finally:
        tracemalloc.stop()


def test_an_array_that_is_only_announced_is_refused(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "short.npz", "w") as archive:
        archive.writestr("facts.npy", announced(10**15))
    with pytest.raises(GradvizError, match="no checkpoint"):
        image_trainer().resume(tmp_path / "short.npz")


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken", b"\x93NUMPY\x01\x00"])
def test_other_files_are_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "other.npz"
    path.write_bytes(content)
    with pytest.raises(GradvizError, match="no checkpoint"):
        image_trainer().resume(path)


def test_a_lone_array_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(GradvizError, match="no checkpoint"):
        image_trainer().resume(tmp_path / "array.npy")


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "evil.npz"
    np.savez(path, facts=np.array([object()], dtype=object), allow_pickle=True)
    with pytest.raises(GradvizError, match="no checkpoint"):
        image_trainer().resume(path)


def test_a_generator_without_a_plain_state_is_refused(tmp_path: Path) -> None:
    trainer = image_trainer()
    trainer.rng = np.random.Generator(np.random.MT19937(0))
    with pytest.raises(GradvizError, match="random generator") as caught:
        trainer.save(tmp_path / "saved.npz")
    assert caught.value.got == "MT19937"
