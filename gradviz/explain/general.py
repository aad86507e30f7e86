"""The Jacobian of an operation as one writes it, Wᵀ, diag(g), I ⊗ x, and written out entry by entry."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from gradviz.engine.op import LOOSE, POWER, PRODUCT, SUM
from gradviz.explain.derivation import local_formula
from gradviz.explain.jacobian import EdgeAt, Jacobian, Layout
from gradviz.explain.notation import Notation
from gradviz.explain.place import Place
from gradviz.explain.structure import Structure, structure
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula, number, option_formulas, sequence

_TIMES = r"\,"
_SYMBOL = re.compile(r"(\\[a-z]+)?[\w{}]+")
_BRACKETED = re.compile(r"\\left\((?!.*\\left\().*\\right\)")
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


class Forms(NamedTuple):
    """A Jacobian in both layouts."""

    denominator: Formula
    numerator: Formula

    def in_layout(self, layout: Layout) -> Formula:
        """The one asked for."""
        return self.denominator if layout == "denominator" else self.numerator


def general_form(run: Run, edge: EdgeAt, notation: Notation, layout: Layout = "denominator") -> Formula:
    """The Jacobian along an edge in terms of the graph's own names."""
    return _forms(run, edge, notation).in_layout(layout)


def chain_form(
    run: Run, edges: Sequence[EdgeAt], notation: Notation, layout: Layout = "denominator"
) -> Formula:
    """The product of the Jacobians along a path, in the direction of the graph, without those that are the identity;
    numerator layout transposes each and reverses them all."""
    forms = [general_form(run, edge, notation, layout) for edge in edges]
    factors = [form for form in forms if form.template not in ("1", "I")] or forms[:1]
    return sequence(factors if layout == "denominator" else factors[::-1], _TIMES)


def _forms(run: Run, edge: EdgeAt, notation: Notation) -> Forms:
    known = structure(run.graph, run.tape.shapes, edge)
    place, kind = known.place, known.kind
    if place.rule.jacobian is not None:
        return _repeated(known, _declared(run, edge, notation, place))
    if kind == "zero":
        return _same("0")
    if kind == "identity":
        return _same("1" if known.shape == (1, 1) else "I")
    if kind in ("permutation", "selection"):
        return _named("P" if kind == "permutation" else "S")
    if kind == "reduction" and place.links and (summed := _summed(known)):
        return summed
    if place.out == ():
        return _column(local_formula(run, edge, notation), known)
    if kind in ("scalar multiple", "diagonal", "copies") and place.rule.local:
        return _scaled(local_formula(run, edge, notation), known)
    if kind == "Toeplitz":
        weights = notation.formula(run.graph.nodes[edge[0]].args[1]) if known.operand else None
        inner = {"w": weights} if weights else {}
        template = r"T\left(@w\right)" if weights else "T"
        return Forms(Formula(template + r"^{\top}", inner), Formula(template, inner))
    symbol = notation.local(edge)
    return Forms(symbol, symbol)


def _same(text: str) -> Forms:
    return Forms(Formula(text), Formula(text))


def _named(letter: str) -> Forms:
    return Forms(Formula(rf"{letter}^{{\top}}"), Formula(letter))


def _column(gradient: Formula, known: Structure) -> Forms:
    """The derivative of a scalar: a column of as many entries as the argument has."""
    if known.shape == (1, 1):
        return Forms(gradient, gradient)
    bare = _SYMBOL.fullmatch(gradient.latex) or _BRACKETED.fullmatch(gradient.latex)
    return Forms(gradient, Formula(r"{@x}^{\top}" if bare else r"{\left(@x\right)}^{\top}", {"x": gradient}))


def _scaled(local: Formula, known: Structure) -> Forms:
    if known.shape == (1, 1):
        return Forms(local, local)
    if known.kind == "scalar multiple":
        made = (
            Formula("-I", precedence=SUM)
            if local.latex == "-1"
            else Formula(r"@(c)\,I", {"c": local}, PRODUCT)
        )
        return Forms(made, made)
    diagonal = Formula(r"\operatorname{diag}\left(@d\right)", {"d": local})
    if known.kind == "diagonal":
        return Forms(diagonal, diagonal)
    if known.shape[0] == 1:  # a scalar that is repeated: one row
        return Forms(Formula(r"{@[x]}^{\top}", {"x": local}, POWER), local)
    slots = {"d": diagonal}
    return Forms(Formula(r"S^{\top}\,@d", slots, PRODUCT), Formula(r"@d\,S", slots, PRODUCT))


def _declared(run: Run, edge: EdgeAt, notation: Notation, place: Place) -> Forms:
    """The declared matrix in the graph's names. A vector is a column: of a product with one there is no transpose
    where the matrix is a column, and one where it is a row."""
    consumer, _ = edge
    node, op = run.graph.nodes[consumer], place.op
    slots = {name: notation.formula(position) for name, position in zip(op.args, node.args, strict=False)}
    slots |= {"out": notation.formula(consumer)} | option_formulas(place.options)
    assert place.rule.jacobian is not None
    forms = place.rule.jacobian
    operand = Structure(place).operand
    if operand and len(place.shapes[op.args.index(operand)]) == 1:
        column, row = f"@{operand}", rf"{{@[{operand}]}}^{{\top}}"
        is_column = len(place.links) < len(place.shape)
        forms = (column, row) if is_column else (row, column)
    loose = SUM if any(" - " in form or form.startswith("-") for form in forms) else PRODUCT
    return Forms(*(Formula(form, slots, loose) for form in forms))


def _repeated(known: Structure, forms: Forms) -> Forms:
    """The matrix as a Kronecker product with the identity over the axes that are left alone."""
    place = known.place
    if not place.links or known.kind == "dense":
        return forms
    if known.kind == "block diagonal":
        template = r"\operatorname{blockdiag}\left(@m\right)"
        return Forms(*(Formula(template, {"m": form}) for form in forms))
    sides = {_side(place.shape, [i for i, _ in place.links]), _side(place.out, [j for _, j in place.links])}
    sides.discard("")
    template = r"@(m) \otimes @unit" if sides == {"last"} else r"@unit \otimes @(m)"
    unit = Formula(f"I_{{{prod(place.shape[i] for i, _ in place.links)}}}")
    made = [Formula(template, {"m": form, "unit": unit}, SUM) for form in forms]
    if len(sides) > 1:  # linked axes first on one side and last on the other: up to a change of places
        return Forms(
            Formula(r"K\,@(j)", {"j": made[0]}, PRODUCT), Formula(r"@(j)\,K^{\top}", {"j": made[1]}, PRODUCT)
        )
    return Forms(*made)


def _side(shape: tuple[int, ...], linked: list[int]) -> str:
    """Whether the linked axes come first or last; empty where there are no others."""
    if len(linked) == len(shape):
        return ""
    return "last" if min(linked) > 0 else "first"


def _summed(known: Structure) -> Forms | None:
    """A reduction with equal weights: for every axis the identity where it stays, a column of ones where it goes."""
    if known.place.reads:
        return None
    weights = np.unique(known.place.pull({}, np.ones((1, *known.place.out))))
    linked, sizes = {i for i, _ in known.place.links}, known.place.shape
    units = [
        f"I_{{{size}}}" if i in linked else rf"\mathbf{{1}}_{{{size}}}"
        for i, size in enumerate(sizes)
        if size > 1
    ]
    weight = "" if weights[0] == 1 else rf"\frac{{1}}{{{round(1 / weights[0])}}}\,"
    rows = [unit if unit.startswith("I") else rf"{unit}^{{\top}}" for unit in units]
    wrap = (r"\left(", r"\right)") if weight and len(units) > 1 else ("", "")
    return Forms(
        *(Formula(weight + wrap[0] + r" \otimes ".join(u) + wrap[1], precedence=SUM) for u in (units, rows))
    )


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
