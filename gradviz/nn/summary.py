"""A model at a glance: what each layer puts out, learns, costs and sees."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TYPE_CHECKING

from gradviz.engine.graph import Graph
from gradviz.engine.numeric import Shape
from gradviz.nn.arguments import instance, whole
from gradviz.nn.module import Module
from gradviz.nn.program import INPUT, LIMITS, Program, leaf_shapes
from gradviz.nn.receptive_field import Field, field_of_nodes

if TYPE_CHECKING:
    from rich.table import Table

_MULTIPLYING = {"linear", "conv2d", "conv_transpose2d", "matmul"}  # what counts as multiply-adds


@dataclass(frozen=True)
class Row:
    """One layer: its output for one sample, and what it takes to get there."""

    path: str
    kind: str
    shape: Shape
    parameters: int
    multiply_adds: int
    field: Field


@dataclass(frozen=True)
class Summary:
    """The layers of a model in the order in which they compute; printed, a table."""

    rows: tuple[Row, ...]

    @property
    def parameters(self) -> int:
        """How many numbers the model learns."""
        return sum(row.parameters for row in self.rows)

    @property
    def multiply_adds(self) -> int:
        """Multiplications, each with an addition, for one sample."""
        return sum(row.multiply_adds for row in self.rows)

    def __rich__(self) -> Table:
        from rich.table import Table

        table = Table(show_footer=True)
        table.add_column("layer", "total")
        table.add_column("kind")
        table.add_column("output")
        table.add_column("parameters", f"{self.parameters:,}", justify="right")
        table.add_column("multiply-adds", f"{self.multiply_adds:,}", justify="right")
        table.add_column("sees", justify="right")
        for row in self.rows:
            counts = f"{row.parameters:,}", f"{row.multiply_adds:,}"
            table.add_row(row.path, row.kind, " × ".join(map(str, row.shape)), *counts, _seen(row.field))
        return table

    def __str__(self) -> str:
        from rich.console import Console

        console = Console(width=160, color_system=None)
        with console.capture() as capture:
            console.print(self)
        return capture.get().rstrip()


def summary(model: Module, input_shape: Shape) -> Summary:
    """Rows and totals for one sample of this shape, such as (1, 28, 28), as the model predicts.

    Raises ShapeError at the layer that does not fit. Needs no values of the parameters.
    """
    instance("the model", model, Module, "a module, such as nn.Sequential(…)")
    instance("input_shape", input_shape, tuple | list, "sizes, such as (784,) or (1, 28, 28)")
    sample = tuple([whole("input_shape", size) for size in input_shape])
    with model.in_mode(training=False):
        graph = Program(model).graph
    leaves = leaf_shapes(model)
    shapes = graph.infer_shapes(leaves | {INPUT: (1, *sample)}, LIMITS)
    fields = field_of_nodes(graph, leaves)
    last = {graph.nodes[i].line: i for i in graph.operations}  # a layer's output is its last operation
    modules = dict(model.modules())
    rows = []
    for line, position in sorted(last.items(), key=lambda item: item[1]):
        path = line if line in modules else ""
        own = [i for i in graph.operations if graph.nodes[i].line == line]
        rows.append(
            Row(
                path,
                type(modules[path]).__name__,
                shapes[position][1:],
                sum(map(prod, modules[path].parameter_shapes().values())),
                sum(_multiply_adds(graph, i, shapes) for i in own),
                fields[position] or Field(1, 1, 0),
            )
        )
    return Summary(tuple(rows))


def _multiply_adds(graph: Graph, position: int, shapes: tuple[Shape, ...]) -> int:
    node = graph.nodes[position]
    if node.op is None or node.op.name not in _MULTIPLYING:
        return 0
    return node.op.cost([shapes[arg] for arg in node.args], shapes[position], node.options)


def _seen(field: Field) -> str:
    size = field.size if isinstance(field.size, tuple) else (field.size, field.size)
    return "all" if max(size) == float("inf") else " × ".join(f"{one:g}" for one in size)
