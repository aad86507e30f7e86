"""Links: the axes that an operation does not mix.

Along a link (i, j) an entry at index k of the argument's axis i reaches only entries at index k of the output's
axis j. That is what makes a Jacobian diagonal, block diagonal or a Kronecker product, and it follows from shapes alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gradviz.engine.axes import normal_axes
from gradviz.engine.numeric import Shape

Links = tuple[tuple[int, int], ...]
LinkRule = Callable[
    [Sequence[Shape], Shape, Mapping[str, Any]], Links
]  # argument shapes, output shape, options


def aligned(shape: Shape, out: Shape) -> Links:
    """Axes that broadcasting lays against each other, counted from the right; repeated axes are no links."""
    extra = len(out) - len(shape)
    return tuple((i, i + extra) for i, size in enumerate(shape) if size == out[i + extra])


def kept(shape: Shape, out: Shape, options: Mapping[str, Any]) -> Links:
    """The axes that a reduction leaves alone."""
    if "axis" not in options:
        return aligned(shape, out) if out else ()
    gone = normal_axes(options["axis"], len(shape))
    stay = [i for i in range(len(shape)) if i not in gone]
    return tuple((i, i if options.get("keepdims") else j) for j, i in enumerate(stay))
