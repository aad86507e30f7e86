"""What stands in a box: the symbol of a gate, of a layer, of a block."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gradviz.engine.graph import Graph, Node
from gradviz.explain import numbers
from gradviz.explain.typeset import written

_INFIX = frozenset("+−×÷<>≤≥@")


def gate_symbol(graph: Graph, node: Node) -> str:
    """What a gate shows: its symbol, with the literals among its arguments drawn in (`+1`, `×2`, `1−`)."""
    assert node.op is not None
    if node.op.name == "index":
        return f"[{written(node.options['key'])}]"
    symbol = node.op.symbol
    literals = [
        (slot, graph.nodes[arg]) for slot, arg in enumerate(node.args) if graph.nodes[arg].is_constant
    ]
    if not literals or len(literals) == len(node.args):
        return symbol
    slot, literal = literals[0]
    text = literal.text if 0 < len(literal.text) <= 6 else numbers.lines(literal.value, 3)
    text = text.replace("-", "−")
    if np.ndim(literal.value):
        text = "[…]"
    if node.op.name == "pow":
        return f"x^{text}" if slot else f"{text}^x"
    if symbol not in _INFIX:
        return f"{symbol} {text}"
    if text.startswith("−"):
        text = f"({text})"
    return f"{symbol}{text}" if slot or symbol in "+×" else f"{text}{symbol}"


def layer_symbol(graph: Graph, members: Sequence[str]) -> str:
    """What a folded layer shows: its operation; a block shows its first one on windows, and that there are more."""
    ops = [op for id in members if (op := graph[id].op) is not None]
    main = next((op for op in ops if op.element is not None), ops[0])
    return main.symbol if len(ops) == 1 else f"{main.symbol} ⋯"
