"""Networks of the lecture in toy size: one file each; a file that defines ARCHITECTURE is found by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from gradviz.engine.numeric import Shape
from gradviz.nn.module import Module


@dataclass(frozen=True)
class Architecture:
    """A function that builds a model, what it is for, and the shape of one sample that its defaults expect."""

    name: str
    description: str
    input_shape: Shape
    build: Callable[..., Module]


@cache
def architectures() -> dict[str, Architecture]:
    """Every architecture by the name of its file, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: import_module(f"{__name__}.{name}").ARCHITECTURE for name in names}
