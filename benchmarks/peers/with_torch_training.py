"""Training steps of PyTorch as one writes them: default threads, default Adam."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks import workloads as work
from benchmarks.networks import LEARNING_RATE, NETWORKS
from gradviz import nn
from gradviz.nn.architectures.dncnn import DnCNN

LOSSES: dict[str, Any] = {"mse": torch.nn.MSELoss, "cross_entropy": torch.nn.CrossEntropyLoss}


class Residual(torch.nn.Module):
    """The input minus the noise found in it."""

    def __init__(self, noise: torch.nn.Module) -> None:
        super().__init__()
        self.noise = noise

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x - self.noise(x)


class Concat(torch.nn.Sequential):
    """x and what the parts make of x, side by side along the channels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, super().forward(x)], dim=1)


def mirrored(module: nn.Module) -> torch.nn.Module:
    """The same model in PyTorch, whose layers have the same names and settings."""
    if isinstance(module, DnCNN):
        return Residual(mirrored(module.noise))
    if isinstance(module, nn.Sequential):
        made = Concat() if isinstance(module, nn.Concat) else torch.nn.Sequential()
        for name, part in module.children.items():
            made.add_module(name, mirrored(part))
        return made
    settings = {name: value for name, value in vars(module).items() if name in _options(module)}
    return getattr(torch.nn, type(module).__name__)(**settings)  # type: ignore[no-any-return]


def _options(module: nn.Module) -> set[str]:
    return set(getattr(type(module), "__dataclass_fields__", {}))


def model_of(index: int) -> torch.nn.Module:
    """A network of the benchmark in PyTorch, with the weights that gradviz starts from."""
    ours = list(NETWORKS.values())[index].model()
    model = mirrored(ours)
    model.load_state_dict({name: torch.tensor(value) for name, value in ours.state_dict().items()})
    return model


def prepare(task: work.Task) -> Callable[[], object]:
    """The call that a task measures."""
    network = list(NETWORKS.values())[task.size]
    model, loss = model_of(task.size), LOSSES[network.loss]()
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE)
    x, y = map(torch.tensor, network.data())

    def step() -> float:
        optimizer.zero_grad()
        error = loss(model(x), y)
        error.backward()
        optimizer.step()
        return error.item()

    return step
