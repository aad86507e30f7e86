"""The trainer: its steps against PyTorch's, its stages, events, stops, and what it refuses."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz import nn, optim
from gradviz.engine import shards
from gradviz.errors import GradvizError, ShapeError, Stopped
from gradviz.explain.fold import View
from gradviz.nn.program import TAPES_KEPT
from tests.conftest import require
from tests.nn.problems import image_net, image_trainer, point_net, stripes, two_classes


def state(trainer: nn.Trainer) -> dict[str, Any]:
    return trainer.model.state_dict() | trainer.optimizer.state


def same(left: dict[str, Any], right: dict[str, Any]) -> bool:
    return left.keys() == right.keys() and all(np.array_equal(left[key], right[key]) for key in left)


def images(**options: Any) -> dict[str, Any]:
    """Arguments of a fit of `image_trainer`."""
    return {"epochs": 3, "batch_size": 16, "rng": np.random.default_rng(1)} | options


@pytest.mark.parametrize("work", [0, 10**9], ids=["two halves", "whole"])
@pytest.mark.parametrize("seed", range(2))
def test_a_training_agrees_with_pytorch(seed: int, work: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch = require("torch")
    monkeypatch.setattr(shards, "WORK", work)
    torch.manual_seed(seed)
    twin = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3),
        torch.nn.BatchNorm2d(3),
        torch.nn.Tanh(),
        torch.nn.Flatten(),
        torch.nn.Linear(108, 2),
    ).double()
    model = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.Tanh(), nn.Flatten(), nn.Linear(108, 2))
    model.load_state_dict(twin.state_dict())
    trainer = nn.Trainer(model, "cross_entropy", optim.SGD(0.05, momentum=0.9, weight_decay=1e-3))
    optimizer = torch.optim.SGD(twin.parameters(), 0.05, momentum=0.9, weight_decay=1e-3)
    x, y = stripes()
    for step in range(20):
        batch = np.roll(np.arange(40), 7 * step)[:16]
        loss = torch.nn.functional.cross_entropy(
            twin(torch.tensor(x[batch]).double()), torch.tensor(y[batch])
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        assert trainer.step(x[batch], y[batch]) == pytest.approx(loss.item(), rel=1e-9)
    for key, value in twin.state_dict().items():
        np.testing.assert_allclose(model.state_dict()[key], value.numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("loss", ["mse", "l1", "huber", "half_squared_error", "bce_with_logits"])
def test_every_loss_by_name(loss: str) -> None:
    model = nn.Linear(2, 1).init(np.random.default_rng(0))
    trainer = nn.Trainer(model, loss, optim.SGD(0.1))
    x = two_classes()[0]
    y = (x[:, :1] > 0).astype(np.float32)
    losses = [trainer.step(x, y) for _ in range(30)]
    assert losses[-1] < losses[0]
    assert trainer.evaluate(x, y) == {"loss": pytest.approx(trainer.step(x, y), rel=1e-5)}


def test_a_loss_of_ones_own() -> None:
    def both(prediction: gv.Expr, target: gv.Expr) -> gv.Expr:
        return gv.ops.mse(prediction, target) + 0.1 * gv.ops.l1(prediction, target)

    model = nn.Linear(2, 1).init(np.random.default_rng(0))
    trainer = nn.Trainer(model, both, optim.SGD(0.0))
    x, y = two_classes()[0], np.zeros((96, 1), np.float32)
    out = model(x)
    assert trainer.step(x, y) == pytest.approx(np.mean(out**2) + 0.1 * np.mean(np.abs(out)), rel=1e-5)


def test_an_unknown_loss_is_refused() -> None:
    with pytest.raises(GradvizError, match="no loss is called 'crossentropy'") as caught:
        nn.Trainer(point_net(), "crossentropy", optim.SGD(0.1))
    assert "cross_entropy" in caught.value.expected


def test_the_four_stages() -> None:
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1))
    before = trainer.model.state_dict()
    x, y = two_classes()
    seen = []
    for phase in trainer.phases(x, y):
        changed = not same(before, trainer.model.state_dict())
        seen.append((phase, bool(trainer.activations), any(map(np.any, trainer.gradients.values())), changed))
    assert seen == [
        ("sample", False, False, False),
        ("forward", True, False, False),
        ("backward", True, True, False),
        ("update", True, True, True),
    ]
    weight = before["0.weight"] - 0.1 * trainer.gradients["0.weight"]
    np.testing.assert_allclose(trainer.model.parameters()["0.weight"], weight, rtol=1e-6)
    np.testing.assert_array_equal(trainer.activations["1"], np.maximum(trainer.activations["0"], 0))
    assert trainer.gradients["0"].shape == (96, 16)
    assert not trainer.activations["0"].flags.writeable and not trainer.gradients["0.bias"].flags.writeable


@pytest.mark.parametrize("work", [0, 10**9], ids=["two halves", "whole"])
def test_same_random_state_same_bits(work: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "WORK", work)
    x, y = stripes()
    first, second, third = image_trainer(), image_trainer(), image_trainer()
    for trainer, seed in ((first, 1), (second, 1), (third, 2)):
        list(trainer.fit(x, y, **images(rng=np.random.default_rng(seed))))
    assert first.history == second.history and same(state(first), state(second))
    assert first.history != third.history


def test_events_and_history() -> None:
    x, y = stripes()
    trainer = image_trainer()
    events = list(trainer.fit(x, y, **images(validation=(x, y))))
    assert [event.kind for event in events] == 3 * [*3 * ["batch"], "epoch"] + ["stopped"]
    assert [event.step for event in events if event.kind == "batch"] == list(range(1, 10))
    assert {event.total for event in events} == {9}
    assert events[-1].reason == "epochs"
    epoch = events[3]
    assert epoch.epoch == 1 and epoch.metrics.keys() == {"validation_loss", "validation_accuracy"}
    sizes = np.array([16, 16, 8])
    assert epoch.loss == pytest.approx(np.dot(sizes, trainer.history["loss"][:3]) / 40)
    assert {name: len(values) for name, values in trainer.history.items()} == {
        "loss": 9,
        "train_loss": 3,
        "learning_rate": 3,
        "validation_loss": 3,
        "validation_accuracy": 3,
    }
    assert trainer.history["learning_rate"] == [0.01, 0.01, 0.005]
    assert next(iter(trainer.fit(x, y, **images()))).reason == "epochs"


def test_every_sample_is_seen_once_per_epoch() -> None:
    x = np.arange(10, dtype=np.float32)[:, None]
    seen: list[float] = []

    def note(x: Any, y: Any, rng: np.random.Generator) -> Any:
        seen.extend(x.ravel())
        return x, y

    trainer = nn.Trainer(nn.Linear(1, 1).init(np.random.default_rng(0)), "mse", optim.SGD(0.0), augment=note)
    list(trainer.fit(x, x, epochs=2, batch_size=4, rng=np.random.default_rng(0)))
    assert sorted(seen[:10]) == sorted(seen[10:]) == list(range(10))
    assert seen[:10] != seen[10:]


def test_closing_and_going_on_changes_nothing() -> None:
    x, y = stripes()
    whole, broken = image_trainer(), image_trainer()
    list(whole.fit(x, y, **images()))
    for _ in range(20):
        events = broken.fit(x, y, **images())
        next(events)
        events.close()
    assert broken.progress == whole.progress
    assert broken.history == whole.history and same(state(broken), state(whole))


@pytest.mark.parametrize("calls", [1, 9, 14, 25, 68, 100])  # the fifth falls into the validation
def test_a_stop_between_operations_loses_nothing(calls: int) -> None:
    x, y = stripes()
    whole, stopped = image_trainer(), image_trainer()
    list(whole.fit(x, y, **images(validation=(x, y))))
    asked = 0

    def stop() -> bool:
        nonlocal asked
        asked += 1
        return asked == calls

    stopped.stop = stop
    first = list(stopped.fit(x, y, **images(validation=(x, y))))
    assert first[-1].reason == "stop"
    assert asked == calls
    list(stopped.fit(x, y, **images(validation=(x, y))))
    assert stopped.history == whole.history and same(state(stopped), state(whole))


def test_a_stopped_step_leaves_the_model_alone() -> None:
    x, y = stripes()
    for calls in (0, 3, 12):
        trainer = image_trainer()
        before = state(trainer)
        asked = iter([False] * calls + [True])
        trainer.stop = lambda asked=asked: next(asked)
        with pytest.raises(Stopped):
            trainer.step(x, y)
        assert same(state(trainer), before) and trainer.progress.steps == 0


@pytest.mark.parametrize("work", [0, 10**9], ids=["two halves", "whole"])
def test_a_stopped_step_is_never_mixed_with_another(work: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "WORK", work)
    x, y = stripes()
    seen = set()
    for calls in range(13):
        trainer = image_trainer()
        trainer.step(x[:16], y[:16])
        run = trainer.explore(x[16:32], y[16:32])
        asked = iter([False] * calls + [True])
        trainer.stop = lambda asked=asked: next(asked)
        with pytest.raises(Stopped):
            trainer.step(x[16:32], y[16:32])
        assert not trainer.gradients
        for name, value in trainer.activations.items():
            np.testing.assert_allclose(run.value(name), value, rtol=1e-4, atol=1e-5)
        with pytest.raises(GradvizError, match="nothing to examine"):
            nn.health.examine(trainer)
        seen.add(bool(trainer.activations))
        trainer.stop = None
        trainer.step(x[16:32], y[16:32])
        assert trainer.gradients and trainer.activations
    assert seen == {False, True}  # on the way there, and on the way back


def test_patience_ends_a_training_that_no_longer_improves() -> None:
    x, y = two_classes()
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.0))
    arguments = {"batch_size": 32, "rng": np.random.default_rng(0), "validation": (x, y)}
    events = list(trainer.fit(x, y, epochs=50, patience=3, **arguments))
    assert events[-1].reason == "patience"
    assert trainer.progress.epoch == 4
    learning = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1))
    assert list(learning.fit(x, y, epochs=8, patience=3, **arguments))[-1].reason == "epochs"


def test_it_learns() -> None:
    x, y = two_classes(400)
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.Adam(0.02))
    list(trainer.fit(x[:300], y[:300], epochs=40, batch_size=32, rng=np.random.default_rng(0)))
    found = trainer.evaluate(x[300:], y[300:])
    assert found["accuracy"] >= 0.95
    logits = trainer.predict(x[300:], batch_size=7)
    assert found["accuracy"] == nn.accuracy(logits, y[300:])
    assert trainer.model.training


def test_evaluation_in_parts_is_the_evaluation_of_all() -> None:
    x, y = stripes()
    trainer = image_trainer()
    trainer.step(x, y)
    before = state(trainer)
    whole = trainer.evaluate(x, y)
    assert trainer.evaluate(x, y, batch_size=7) == {
        name: pytest.approx(value) for name, value in whole.items()
    }
    assert same(state(trainer), before)


@pytest.mark.parametrize(
    ("spoil", "node"),
    [
        (lambda trainer, x: x.__setitem__((0, 0), np.nan), "x"),
        (lambda trainer, x: trainer.model.parameters()["2.weight"].__setitem__((0, 0), np.inf), "2.weight"),
        (lambda trainer, x: trainer.model.parameters()["0.weight"].fill(1e38), "0"),
        (lambda trainer, x: trainer.model.parameters()["2.weight"].fill(3e38), "2"),
    ],
)
def test_divergence_names_the_first_node(spoil: Any, node: str) -> None:
    x, y = two_classes()
    x = x + 5
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1))
    trainer.step(x, y)
    spoil(trainer, x)
    before = trainer.model.state_dict()
    with pytest.raises(nn.Diverged, match=rf"after 1 steps: the .* {node} is the first") as caught:
        trainer.step(x, y)
    assert caught.value.node == node
    assert trainer.progress.steps == 1 and len(trainer.history["loss"]) == 1
    assert all(
        np.array_equal(before[key], value, equal_nan=True)
        for key, value in trainer.model.state_dict().items()
    )


def test_an_infinite_gradient_is_named_before_it_does_harm() -> None:
    def root(prediction: gv.Expr, target: gv.Expr) -> gv.Expr:
        return gv.ops.sum(gv.ops.sqrt(prediction - target))

    model = nn.Linear(2, 1).init(np.random.default_rng(0))
    before = model.state_dict()
    trainer = nn.Trainer(model, root, optim.SGD(0.1))
    x = np.zeros((4, 2), np.float32)
    with pytest.raises(nn.Diverged, match=r"after 0 steps the gradient of \S+ is the first") as caught:
        trainer.step(x, np.zeros((4, 1)))
    run = trainer.explore(x, np.zeros((4, 1)))
    assert run.graph.nodes[run.graph[caught.value.node].args[0]].id == "output"  # prediction - target
    assert same(model.state_dict(), before) and trainer.progress.steps == 0


def test_a_rate_far_too_large_diverges() -> None:
    x, y = two_classes()
    trainer = nn.Trainer(point_net(), "half_squared_error", optim.SGD(1e6))
    targets = np.eye(2, dtype=np.float32)[y]
    with pytest.raises(nn.Diverged, match="lower the learning rate"):
        list(trainer.fit(x, targets, epochs=50, batch_size=16, rng=np.random.default_rng(0)))


@pytest.mark.parametrize("work", [0, 10**9], ids=["two halves", "whole"])
def test_exploring_a_batch_shows_the_step_that_comes(work: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shards, "WORK", work)
    x, y = stripes()
    trainer = image_trainer()
    trainer.step(x[:16], y[:16])
    before = state(trainer)
    run = trainer.explore(x[16:32], y[16:32])
    assert same(state(trainer), before)
    loss = trainer.step(x[16:32], y[16:32])
    assert float(run.value()) == pytest.approx(loss, rel=1e-5)
    for name, gradient in trainer.gradients.items():
        np.testing.assert_allclose(run.grad(name), gradient, rtol=1e-3, atol=1e-5)
    for name, value in trainer.activations.items():
        np.testing.assert_allclose(run.value(name), value, rtol=1e-4, atol=1e-5)
    assert {run.value(node.id).dtype.name for node in run.graph.nodes} == {"float32"}
    assert run.grad("x").shape == (16, 1, 8, 8)
    assert len(run.steps) == len(list(run.steps)) > 20
    assert not {"1.running_mean", "1.running_var"} & set(run.graph.inputs)


def test_the_values_of_a_run_stay_when_training_goes_on() -> None:
    x, y = two_classes()
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1))
    run = trainer.explore(x, y)
    weight = run.value("0.weight").copy()
    trainer.step(x, y)
    np.testing.assert_array_equal(run.value("0.weight"), weight)


def test_groups_fold_by_layers() -> None:
    x, y = stripes()
    trainer = image_trainer()
    run = trainer.explore(x, y)
    groups = trainer.groups(run)
    assert set(groups.values()) == {
        ("0.weight", "0"),
        ("1.weight", "1.bias", "1"),
        ("5.mask", "5"),
        ("6.weight", "6.bias", "6"),
    }
    assert len(View(run.graph, groups).boxes) == 10  # seven layers, x, target and the loss
    deep = nn.Trainer(
        nn.architectures()["unet"].build(2, 2).init(np.random.default_rng(0)), "mse", optim.SGD(0.1)
    )
    inner = deep.explore(x, x)
    assert len(View(inner.graph, deep.groups(inner)).boxes) < len(
        View(inner.graph, deep.groups(inner, ["skip"])).boxes
    )


def test_wrong_arguments_are_refused() -> None:
    x, y = two_classes()
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1))
    with pytest.raises(GradvizError, match="every sample needs its target"):
        next(trainer.fit(x, y[:5], epochs=1, batch_size=4))
    with pytest.raises(GradvizError, match="at least one"):
        trainer.evaluate(x[:0], y[:0])
    for size in (0, -1):
        with pytest.raises(GradvizError, match="batch_size is"):
            next(trainer.fit(x, y, epochs=1, batch_size=size))
        with pytest.raises(GradvizError, match="batch_size is"):
            trainer.evaluate(x, y, batch_size=size)
    with pytest.raises(GradvizError, match="patience watches the validation loss"):
        next(trainer.fit(x, y, epochs=1, batch_size=4, patience=2))
    with pytest.raises(ShapeError, match="linear: x has shape"):
        trainer.step(np.zeros((4, 3)), y[:4])
    with pytest.raises(GradvizError, match="not the number of a class"):
        trainer.step(x[:2], np.array([0, 5]))


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        (lambda prediction, target: prediction - prediction, "the loss of a batch is one number"),
        (lambda prediction, target: None, "a loss is written with gv"),
        (lambda prediction, target: gv.ops.sum(target), r"does not depend on 0\.weight, 0\.bias"),
    ],
)
def test_what_is_no_loss_is_refused(loss: Any, message: str) -> None:
    with pytest.raises(GradvizError, match=message):
        nn.Trainer(point_net(), loss, optim.SGD(0.1)).step(*two_classes())


def test_lists_and_the_order_of_the_interface() -> None:
    x, y = two_classes()
    first, second = (nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.1)) for _ in range(2))
    list(first.fit(x, y, 2, 32, np.random.default_rng(0)))
    list(second.fit(x.tolist(), y.tolist(), epochs=2, batch_size=32, rng=np.random.default_rng(0)))
    assert first.history == second.history and same(state(first), state(second))


def test_a_layer_shared_with_another_model_goes_on_learning() -> None:
    x, y = two_classes()
    encoder, heads = nn.Linear(2, 4), [nn.Linear(4, 2), nn.Linear(4, 2)]
    models = [nn.Sequential(encoder, head).init(np.random.default_rng(0)) for head in heads]
    first, second = (nn.Trainer(model, "cross_entropy", optim.SGD(0.5)) for model in models)
    for trainer in (first, second, first):
        before = encoder.state_dict()["weight"]
        lonely = nn.Sequential(nn.Linear(2, 4), nn.Linear(4, 2))
        lonely.load_state_dict(trainer.model.state_dict())
        nn.Trainer(lonely, "cross_entropy", optim.SGD(0.5)).step(x, y)
        trainer.step(x, y)
        assert not np.array_equal(encoder.state_dict()["weight"], before)
        assert same(trainer.model.state_dict(), lonely.state_dict())


def test_a_model_initialised_again_in_float64_is_the_one_that_learns() -> None:
    x, y = two_classes()
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.5))
    trainer.step(x, y)
    trainer.model.init(np.random.default_rng(3), dtype=np.float64)
    before = trainer.model.state_dict()
    loss = trainer.evaluate(x, y)["loss"]
    assert trainer.step(x, y) == pytest.approx(loss, rel=1e-12)
    after = trainer.model.state_dict()
    assert not any(np.array_equal(before[key], value) for key, value in after.items())
    assert trainer.explore(x, y).value("0").dtype == np.float64


def test_patience_is_kept_over_an_interruption() -> None:
    x, y = two_classes()
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.0))
    arguments = {"epochs": 50, "patience": 2, "batch_size": 96, "validation": (x, y)}
    events = trainer.fit(x, y, **arguments)
    while trainer.progress.epoch < 3:
        next(events)
    events.close()
    assert [event.reason for event in trainer.fit(x, y, **arguments)] == ["patience"]


def test_memory_does_not_grow() -> None:
    x, y = two_classes()
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.Adam(0.01))

    def held(steps: int) -> int:
        for _ in range(steps):
            trainer.step(x, y)
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        first = held(100)
        assert held(1000) - first < 100_000  # the losses of the history, and nothing else
    finally:
        tracemalloc.stop()


def test_only_the_latest_batch_shapes_are_remembered() -> None:
    x, y = two_classes()
    trainer = nn.Trainer(point_net(), "cross_entropy", optim.SGD(0.01))
    for size in range(2, 40):
        trainer.step(x[:size], y[:size])
        trainer.evaluate(x[:size], y[:size])
    assert len(trainer.program._tapes) == len(trainer._evaluation._tapes) == TAPES_KEPT


def test_batch_norm_moves_only_in_steps() -> None:
    x, y = stripes()
    trainer = nn.Trainer(image_net(), "cross_entropy", optim.SGD(0.1))
    trainer.step(x, y)
    state = trainer.model.state_dict()
    conv = trainer.activations["0"]
    np.testing.assert_allclose(state["1.running_mean"], 0.1 * conv.mean(axis=(0, 2, 3)), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(
        state["1.running_var"], 0.9 + 0.1 * conv.var(axis=(0, 2, 3), ddof=1), rtol=1e-4
    )
    assert not {"1.running_mean", "1.running_var"} & set(trainer.wrt)
