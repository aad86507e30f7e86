"""How the nodes of a graph are written in formulas, drawings and sentences."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from gradviz.engine.graph import Graph, Node
from gradviz.engine.op import PRODUCT
from gradviz.explain import numbers
from gradviz.explain.fold import has_layers, layer_path
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula, Label, apply, constant, derivative, label, name, number


class Notation:
    """How the nodes of a graph are written: their own names, and u₁, u₂, … for the gates without one."""

    def __init__(self, graph: Graph, digits: int = 4) -> None:
        self.graph = graph
        self.digits = digits
        taken = {_stem(node.id) for node in graph.nodes if _named(node)}
        letter = next((c for c in "uqsvzrktpm" if c not in taken), "node")
        self._symbols: list[str] = []
        layered, around = has_layers(graph), _around(graph)
        unnamed = 0
        second_name = next((name for name, i in graph.aliases.items() if i == graph.output), "")
        for i, node in enumerate(graph.nodes):
            if i == graph.output and second_name:  # `L = h` on the last line: the output is called L
                self._symbols.append(second_name)
            elif layered and (symbol := _layer_symbol(graph, i, around)):
                self._symbols.append(symbol)
            elif node.is_constant or _named(node):
                self._symbols.append(node.id)
            elif i == graph.output:
                self._symbols.append("out" if "out" not in graph.index else "output")
            else:
                unnamed += 1
                self._symbols.append(f"{letter}_{unnamed}")

    def formula(self, position: int) -> Formula:
        """A node's symbol; a constant is its own value."""
        node = self.graph.nodes[position]
        return constant(node.value, node.text) if node.is_constant else name(self._symbols[position])

    def label(self, position: int) -> Label:
        """A node's symbol for drawings."""
        return label(self._symbols[position])

    def text(self, position: int) -> str:
        """A node's symbol in a sentence."""
        return self._texts[position]

    @cached_property
    def _texts(self) -> list[str]:
        return [
            node.text or numbers.lines(node.value, self.digits) if node.is_constant else str(self.label(i))
            for i, node in enumerate(self.graph.nodes)
        ]

    def number(self, value: Any) -> Formula:
        """A value with the chosen digits."""
        return number(value, self.digits)

    @cached_property
    def output(self) -> Formula:
        """The symbol of the output."""
        return self.formula(self.graph.output)

    def gradient(self, position: int) -> Formula:
        """∂output/∂node."""
        return derivative(self.output, self.formula(position))

    def local(self, edge: tuple[int, int]) -> Formula:
        """∂consumer/∂argument."""
        consumer, slot = edge
        return derivative(self.formula(consumer), self.formula(self.graph.nodes[consumer].args[slot]))

    def definition(self, run: Run, position: int) -> Formula:
        """The operation written on its arguments' symbols."""
        written = apply(self.graph, position, [self.formula(i) for i in self.graph.nodes[position].args])
        return averaged(run, position, written)


_PARAMETERS = {"w": "W", "mean": "mu"}


def _around(graph: Graph) -> str:
    """What the paths of all layers begin with, such as "noise." for one module around all: no index repeats it."""
    paths = {
        path
        for node in graph.nodes
        if (path := layer_path(node)) and (node.op is None or _is_output(node, path))
    }
    first = {path.partition(".")[0] for path in paths}
    return f"{first.pop()}." if len(first) == 1 and all("." in path for path in paths) else ""


def _is_output(node: Node, path: str) -> bool:
    """Whether this is what a layer of a network puts out."""
    return node.id == path and not path.isidentifier()


def _layer_symbol(graph: Graph, position: int, around: str) -> str:
    """In a network: W, b, γ… of its layer for a parameter, h of its layer for what a layer puts out, else nothing."""
    node = graph.nodes[position]
    path = layer_path(node)
    if node.op is not None:
        return f"h_{path.removeprefix(around)}" if _is_output(node, path) else ""
    if not path or not graph.consumers[position]:
        return ""
    consumer, slot = graph.consumers[position][0]
    op = graph.nodes[consumer].op
    assert op is not None
    letter = op.argument(slot)
    return f"{_PARAMETERS.get(letter, letter)}_{path.removeprefix(around)}"


def _named(node: Node) -> bool:
    """Whether a person chose the id. A number is only a place: the second gate of a line, the third layer."""
    path, _, last = node.id.rpartition(".")
    return not last.isdigit() and "/" not in last and (not path or node.id == node.line)


def _stem(id: str) -> str:
    return id.partition("_")[0].rstrip("0123456789")


def averaged(run: Run, position: int, formula: Formula) -> Formula:
    """The formula of one sample as that of a batch, where the operation averages over the batch."""
    node = run.graph.nodes[position]
    shape = run.tape.shapes[node.args[0]]
    if node.op is None or not node.op.averaged or len(shape) < 2:
        return formula
    return Formula(r"\frac{1}{@n} @(x)", {"n": number(float(shape[0])), "x": formula}, PRODUCT)
