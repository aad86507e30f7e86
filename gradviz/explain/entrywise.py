"""A small Jacobian written out entry by entry: the symbols ∂y_j/∂x_i, and what each of them is."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from gradviz.engine.op import LOOSE, PRODUCT
from gradviz.explain.derivation import local_formula
from gradviz.explain.jacobian import EdgeAt, Jacobian
from gradviz.explain.notation import Notation
from gradviz.explain.structure import structure
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula, number

WRITTEN_OUT = 4  # rows and columns of a Jacobian that is written out entry by entry
# Operations to a scalar whose declared gradient, read entry by entry, is the derivative by that entry.
_ENTRYWISE = {
    "dot",
    "half_squared_error",
    "mse",
    "l1",
    "huber",
    "bce_with_logits",
    "norm1",
    "norm2",
    "logsumexp",
}
_ENTRYWISE |= {"max", "min"}


def written_out(
    run: Run, jacobian: Jacobian, notation: Notation
) -> tuple[tuple[tuple[Formula, ...], ...], tuple[tuple[Formula, ...], ...]] | None:
    """Entry by entry, in the layout of the Jacobian: the symbols ∂y_j/∂x_i, and what each is, in the graph's names
    where that is known and otherwise its number. None for a Jacobian with too many rows or columns."""
    if max(jacobian.shape) > WRITTEN_OUT:
        return None
    between = jacobian.between
    of = _entry_formulas(notation.formula(between.end), jacobian.of_shape)
    wrt = _entry_formulas(notation.formula(between.start), jacobian.wrt_shape)
    symbols = [
        [Formula(r"\frac{\partial @y}{\partial @x}", {"y": y, "x": x}, PRODUCT) for y in of] for x in wrt
    ]
    known = _symbolic(run, between.edges[0], notation) if len(between.edges) == 1 else None
    matrix = jacobian.matrix if jacobian.layout == "denominator" else jacobian.matrix.T
    entries = [
        [known(i, j) if known else notation.number(matrix[i, j]) for j in range(len(of))]
        for i in range(len(wrt))
    ]
    if jacobian.layout == "numerator":
        symbols, entries = [list(row) for row in zip(*symbols, strict=True)], _turned(entries)
    return tuple(map(tuple, symbols)), tuple(map(tuple, entries))


def _turned(rows: list[list[Formula]]) -> list[list[Formula]]:
    return [list(row) for row in zip(*rows, strict=True)]


def matrix_formula(rows: Sequence[Sequence[Formula]]) -> Formula:
    """Formulas as the entries of one matrix."""
    slots = {f"e{i}x{j}": entry for i, row in enumerate(rows) for j, entry in enumerate(row)}
    body = r" \\ ".join(" & ".join(f"@e{i}x{j}" for j in range(len(row))) for i, row in enumerate(rows))
    return Formula(rf"\begin{{bmatrix}} {body} \end{{bmatrix}}", slots)


def _symbolic(run: Run, edge: EdgeAt, notation: Notation) -> Callable[[int, int], Formula] | None:
    """What entry (i, j) of a local Jacobian is in the graph's names, where the declaration says so."""
    known = structure(run.graph, run.tape.shapes, edge)
    place = known.place
    args = run.graph.nodes[edge[0]].args
    if known.operand:
        position = args[place.op.args.index(known.operand)]
        named = _entry_formulas(notation.formula(position), run.tape.shapes[position])
        return lambda i, j: named[known.operand_entries[i, j] - 1] if known.labels[i, j] else Formula("0")
    if (values := known.known) is not None:
        return lambda i, j: number(values[i, j])
    if place.rule.local:
        return lambda i, j: _slope(run, edge, notation, j) if known.labels[i, j] else Formula("0")
    if place.out == () and place.op.name in _ENTRYWISE:
        return lambda i, j: _slope(run, edge, notation, i)
    return None


def _slope(run: Run, edge: EdgeAt, notation: Notation, entry: int) -> Formula:
    """The local derivative at one entry: the declared text over indexed names."""
    return local_formula(run, edge, _Indexed(run, edge, notation, entry))


class _Indexed(Notation):
    """A notation in which the nodes around an operation stand for their entries at one place."""

    def __init__(self, run: Run, edge: EdgeAt, notation: Notation, entry: int) -> None:
        super().__init__(run.graph, notation.digits)
        consumer, slot = edge
        args, shapes = run.graph.nodes[consumer].args, run.tape.shapes
        wide = shapes[consumer] or shapes[args[slot]]
        index = np.unravel_index(entry, wide) if wide else ()
        self._entries: dict[int, Formula] = {}
        for position in {consumer, *args}:
            own = index[len(index) - len(shapes[position]) :] if shapes[position] else ()
            at = tuple(0 if size == 1 else int(i) for i, size in zip(own, shapes[position], strict=True))
            self._entries[position] = _subscripted(super().formula(position), at)

    def formula(self, position: int) -> Formula:
        """The entry's symbol where the node has one at this place."""
        return self._entries.get(position) or super().formula(position)


def _entry_formulas(symbol: Formula, shape: tuple[int, ...]) -> list[Formula]:
    return [_subscripted(symbol, index) for index in np.ndindex(shape)]


def _subscripted(symbol: Formula, index: Sequence[int]) -> Formula:
    """x, (1, 2) -> x with the indices 2, 3; a name that has an index gets brackets around it."""
    if not index:
        return symbol
    text = ", ".join(str(i + 1) for i in index)
    inner = r"\left(@x\right)" if "_" in symbol.template or symbol.precedence == LOOSE else "@x"
    return Formula(rf"{{{inner}}}_{{{text}}}", {"x": symbol})
