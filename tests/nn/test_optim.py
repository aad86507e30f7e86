"""Optimizers and schedules against PyTorch's, step by step."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np
import pytest

from gradviz import optim
from gradviz.errors import GradvizError, ShapeError
from tests.conftest import require

RULES: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.4, "weight_decay": 0.05}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.05}),
    ("Adam", {}),
    ("Adam", {"lr": 0.02, "betas": (0.8, 0.99), "eps": 1e-3, "weight_decay": 0.1}),
    ("AdamW", {}),
    ("AdamW", {"lr": 0.02, "betas": (0.8, 0.99), "weight_decay": 0.3}),
    ("RMSprop", {}),
    ("RMSprop", {"alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.8}),
    ("RMSprop", {"centered": True, "momentum": 0.8, "weight_decay": 0.1}),
]

SIZE = 1000


@pytest.mark.parametrize(
    ("dtype", "rtol", "atol"),
    [(np.float64, 1e-9, 1e-12), (np.float32, 2e-4, 2e-5)],
    ids=["float64", "float32"],
)
@pytest.mark.parametrize("rule", RULES, ids=str)
def test_a_hundred_steps_agree_with_pytorch(
    rule: tuple[str, dict[str, Any]], dtype: Any, rtol: float, atol: float
) -> None:
    torch = require("torch")
    name, options = rule
    rng = np.random.default_rng(0)
    ours = rng.standard_normal(SIZE).astype(dtype)
    theirs = torch.tensor(ours, requires_grad=True)
    optimizer, twin = getattr(optim, name)(**options), getattr(torch.optim, name)([theirs], **options)
    for _ in range(100):
        gradient = (rng.standard_normal(SIZE) + ours).astype(dtype)
        kept = gradient.copy()
        theirs.grad = torch.tensor(gradient)
        optimizer.step(ours, gradient)
        twin.step()
        np.testing.assert_array_equal(gradient, kept)
        np.testing.assert_allclose(ours, theirs.detach().numpy(), rtol=rtol, atol=atol)
    assert all(array.dtype == dtype for array in optimizer.state.values())


def test_a_copy_goes_its_own_way() -> None:
    optimizer, p, g = optim.Adam(0.1), np.ones(3), np.array([1.0, -2.0, 3.0])
    optimizer.step(p, g)
    copy, q = optimizer.copy(), p.copy()
    copy.step(q, g)
    assert (optimizer.steps, copy.steps) == (1, 2)
    optimizer.step(p, g)
    np.testing.assert_array_equal(p, q)


@pytest.mark.parametrize("lr", [-0.1, float("nan"), -inf])
def test_a_learning_rate_is_not_negative(lr: float) -> None:
    with pytest.raises(GradvizError, match="learning rate"):
        optim.SGD(lr)


@pytest.mark.parametrize("options", [{}, {"momentum": 0.9, "dampening": 0.1}])
def test_nesterov_needs_momentum(options: dict[str, float]) -> None:
    with pytest.raises(GradvizError, match="momentum"):
        optim.SGD(0.1, nesterov=True, **options)


def test_a_gradient_of_another_shape_is_refused() -> None:
    with pytest.raises(ShapeError, match="gradient"):
        optim.SGD(0.1).step(np.zeros(3), np.zeros(4))


def test_an_optimizer_follows_one_model() -> None:
    optimizer = optim.Adam()
    optimizer.step(np.zeros(3), np.ones(3))
    with pytest.raises(ShapeError, match="another model"):
        optimizer.step(np.zeros(4), np.ones(4))


@pytest.mark.parametrize(
    ("schedule", "name", "options"),
    [
        (optim.StepLR(3), "StepLR", {"step_size": 3}),
        (optim.StepLR(2, 0.5), "StepLR", {"step_size": 2, "gamma": 0.5}),
        (optim.CosineLR(10), "CosineAnnealingLR", {"T_max": 10}),
        (optim.CosineLR(7, 0.01), "CosineAnnealingLR", {"T_max": 7, "eta_min": 0.01}),
    ],
    ids=str,
)
def test_schedules_agree_with_pytorch(schedule: Any, name: str, options: dict[str, Any]) -> None:
    torch = require("torch")
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.3)
    twin = getattr(torch.optim.lr_scheduler, name)(optimizer, **options)
    for epoch in range(10):
        assert schedule(0.3, epoch) == pytest.approx(twin.get_last_lr()[0], abs=1e-12)
        optimizer.step()
        twin.step()
