"""Receptive fields: how much of the input an entry can see, and how far apart its neighbours look."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import inf
from typing import Any, NamedTuple

from gradviz.engine.expr import Expr, graph_of
from gradviz.engine.graph import Graph, Node
from gradviz.engine.numeric import Shape
from gradviz.engine.windows import Pair, pair
from gradviz.errors import GradvizError
from gradviz.nn.arguments import instance
from gradviz.nn.containers import Sequential
from gradviz.nn.layers import Conv2d
from gradviz.nn.module import Module
from gradviz.nn.program import INPUT, leaf_shapes

Number = int | float


class Field(NamedTuple):
    """What one entry sees of the input, in pixels: `size` of its window, `stride` to its neighbour's window, and
    `padding`, how far the first window reaches over the edge. A pair (height, width) where the axes differ; size ∞
    for the whole input."""

    size: Number | tuple[Number, Number]
    stride: Number | tuple[Number, Number]
    padding: Number | tuple[Number, Number]


class _Axis(NamedTuple):
    """The same along one axis."""

    size: Fraction | float = Fraction(1)
    stride: Fraction = Fraction(1)
    padding: Fraction = Fraction(0)

    def windowed(self, span: int, stride: int, padding: int) -> _Axis:
        """Seen through windows of `span` entries."""
        return _Axis(
            self.size + (span - 1) * self.stride, self.stride * stride, self.padding + padding * self.stride
        )

    def stretched(self, scale: int, span: int, padding: Fraction) -> _Axis:
        """Seen through an image `scale` times as large, each of whose entries mixes `span` of the old ones."""
        return _Axis(
            self.size + (span - 1) * self.stride, self.stride / scale, self.padding + padding * self.stride
        )


# Entries keep to their place, or move without mixing; batch norm counts as it predicts.
_IN_PLACE = {"batch_norm", "concat", "flatten", "reshape", "index"}


def receptive_field(layers: Module | Iterable[Module | Mapping[str, Any]]) -> list[Field]:
    """The receptive field after each layer, or each part of a model; where a path leads around, the larger counts.

    A layer is a module or a mapping with `kernel` and, if they are not 1, 0 and 1, `stride`, `padding` and
    `dilation`.
    """
    instance("layers", layers, Iterable | Module, "modules, or mappings with kernel")
    parts = list(layers.children.values()) or [layers] if isinstance(layers, Module) else list(layers)
    model = _Recorder(*(part if isinstance(part, Module) else _convolution(part) for part in parts))
    with model.in_mode(training=False):
        x = model(Expr(None, name=INPUT))
    graph = graph_of(x)
    fields = field_of_nodes(graph, leaf_shapes(model))
    return [fields[graph.position(name)] or Field(1, 1, 0) for name in model.outputs]


class _Recorder(Sequential):
    """Parts in order that remembers the node of each one's output."""

    def build(self, x: Expr) -> Expr:
        """The parts in order."""
        self.outputs = []
        for part in self.children.values():
            x = part(x)
            self.outputs.append(x.name)
        return x


def _convolution(layer: Mapping[str, Any]) -> Module:
    if (
        not isinstance(layer, Mapping)
        or "kernel" not in layer
        or layer.keys() - {"kernel", "stride", "padding", "dilation"}
    ):
        raise GradvizError(
            "this is no layer",
            got=repr(layer),
            expected="a module, or a mapping with kernel, and perhaps stride, padding, dilation",
        )
    return Conv2d(1, 1, layer["kernel"], **{name: value for name, value in layer.items() if name != "kernel"})


def field_of_nodes(graph: Graph, shapes: Mapping[str, Shape]) -> list[Field | None]:
    """The receptive field of every node on the leaf `x`; None for what does not depend on it.

    `shapes` are those of the parameters.
    """
    found: list[tuple[_Axis, _Axis] | None] = []
    for node in graph.nodes:
        below = [axes for arg in node.args if (axes := found[arg]) is not None]
        if node.op is None:
            found.append((_Axis(), _Axis()) if node.id == INPUT else None)
        elif not below:
            found.append(None)
        else:
            down, across = (_widest([axes[i] for axes in below]) for i in (0, 1))
            found.append(_through(node, graph, shapes, (down, across)))
    return [axes and _field(axes) for axes in found]


def _widest(axes: Sequence[_Axis]) -> _Axis:
    return _Axis(*(max(values) for values in zip(*axes, strict=True)))


def _through(
    node: Node, graph: Graph, shapes: Mapping[str, Shape], axes: tuple[_Axis, _Axis]
) -> tuple[_Axis, _Axis]:
    """What an operation makes of the fields of its input."""
    assert node.op is not None
    options = {**node.op.options, **node.options}
    name = node.op.name
    if node.op.elementwise or name in _IN_PLACE:
        return axes
    if name in ("conv2d", "max_pool2d", "avg_pool2d"):
        kernel: Pair = options.get("kernel_size") or _kernel(node, graph, shapes)
        stride = kernel if options["stride"] is None else options["stride"]
        spans = _spans(kernel, options.get("dilation", 1))
        steps = zip(axes, spans, pair(stride), pair(options["padding"]), strict=True)
        down, across = (axis.windowed(*step) for axis, *step in steps)
    elif name == "conv_transpose2d":
        spans = _spans(_kernel(node, graph, shapes), options["dilation"])
        steps = zip(axes, spans, pair(options["stride"]), pair(options["padding"]), strict=True)
        down, across = (
            axis.stretched(stride, (span - 1) // stride + 1, Fraction(span - 1 - padding, stride))
            for axis, span, stride, padding in steps
        )
    elif name in ("upsample_nearest", "upsample_bilinear"):
        span = 1 if name == "upsample_nearest" else 2
        down, across = (
            axis.stretched(scale, min(span, scale), Fraction(0))
            for axis, scale in zip(axes, pair(options["scale"]), strict=True)
        )
    elif name == "pad2d":
        sides = options["pad"]
        left, _, top, _ = sides if isinstance(sides, tuple) else (sides,) * 4
        down, across = (axis.windowed(1, 1, more) for axis, more in zip(axes, (top, left), strict=True))
    else:  # it mixes entries from anywhere
        down, across = (axis._replace(size=inf) for axis in axes)
    return down, across


def _kernel(node: Node, graph: Graph, shapes: Mapping[str, Shape]) -> tuple[int, int]:
    height, width = shapes[graph.nodes[node.args[1]].id][2:]
    return height, width


def _spans(kernel: Pair, dilation: Pair) -> tuple[int, int]:
    (height, width), (down, across) = pair(kernel), pair(dilation)
    return (height - 1) * down + 1, (width - 1) * across + 1


def _field(axes: tuple[_Axis, _Axis]) -> Field:
    columns = [tuple(map(_plain, values)) for values in zip(*axes, strict=True)]
    return Field(*(down if down == across else (down, across) for down, across in columns))


def _plain(value: Fraction | float) -> Number:
    if isinstance(value, Fraction) and value.denominator == 1:
        return int(value)
    return float(value)
