"""Modules made of modules: one after the other, and with a way around."""

from __future__ import annotations

from collections.abc import Mapping

from gradviz.engine.expr import Expr, ops
from gradviz.errors import GradvizError
from gradviz.nn.module import Module


class Sequential(Module):
    """One module after the other, called "0", "1", … or by the names of a mapping."""

    def __init__(self, *modules: Module | Mapping[str, Module]) -> None:
        named: dict[str, Module] = {}
        given = [
            pair
            for i, module in enumerate(modules)
            for pair in (module.items() if isinstance(module, Mapping) else [(str(i), module)])
        ]
        for name, part in given:
            if not isinstance(name, str) or not name or "." in name:
                raise GradvizError(
                    f"{name!r} cannot name a part", hint="use a word: the dots of a path stand between names"
                )
            if name in named:
                raise GradvizError(f"two parts are called {name!r}", hint="give each a name of its own")
            if not isinstance(part, Module):
                raise GradvizError(
                    f"part {name} is no module",
                    got=type(part).__name__,
                    expected="modules, such as nn.ReLU()",
                )
            named[name] = part
        self._parts = named

    @property
    def children(self) -> dict[str, Module]:
        """The parts of this module by name."""
        return self._parts

    def build(self, x: Expr) -> Expr:
        """The parts in order."""
        for module in self._parts.values():
            x = module(x)
        return x

    def __len__(self) -> int:
        return len(self._parts)

    def __getitem__(self, index: int | str) -> Module:
        """A part by position or name."""
        return self._parts[index] if isinstance(index, str) else list(self._parts.values())[index]


class Residual(Sequential):
    """x plus what its parts make of x: they only learn the difference."""

    def build(self, x: Expr) -> Expr:
        """The parts in order, and a sum."""
        return x + super().build(x)


class Concat(Sequential):
    """x and what its parts make of x, side by side along the channels: U-Net's skip."""

    def build(self, x: Expr) -> Expr:
        """The parts in order, and a concatenation along axis 1."""
        return ops.concat(x, super().build(x), axis=1)
