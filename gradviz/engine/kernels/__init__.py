"""Operations once more, for training: the same mathematics on arrays that a tape keeps from step to step.

The rules in `engine/ops` say what is computed and are enough for every graph. A kernel says how the same numbers
come about without fresh memory and in an order that suits the processor; a test holds the two equal. An operation
without a kernel, or with shapes or options that its kernel does not take, runs by its rules.

Every file in this folder is read at import and adds to KERNELS.
"""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from gradviz.engine.kernels.table import KERNELS, Kernel, Scratch, Shared

for _module in sorted(module.name for module in iter_modules(__path__)):
    import_module(f"{__name__}.{_module}")

__all__ = ["KERNELS", "Kernel", "Scratch", "Shared"]
