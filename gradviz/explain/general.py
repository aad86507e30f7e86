"""The Jacobian of an operation as one writes it: Wᵀ, diag(g), I ⊗ x, and what its letters stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from math import prod
from typing import NamedTuple

import numpy as np

from gradviz.engine.op import POWER, PRODUCT, SUM
from gradviz.explain.derivation import local_formula, slope_formula
from gradviz.explain.jacobian import EdgeAt, Layout
from gradviz.explain.notation import Notation
from gradviz.explain.place import Place
from gradviz.explain.structure import Structure, structure
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula, option_formulas, sequence

_TIMES = r"\,"
_SYMBOL = re.compile(r"(\\[a-z]+)?[\w{}]+")
_BRACKETED = re.compile(r"\\left\((?!.*\\left\().*\\right\)")
_COPIES = "S: 0 and 1, in each row a 1 at the entry that is copied"
_MOVES = "P: 0 and 1, it moves every entry to its new place"
_ADDS = "Σ: 0 and 1, each row adds up what one output entry reads"
_BAND = "T: the same few weights in every row, moved on from window to window"
_REORDERS = "K: 0 and 1, it changes the order of the entries"


class Forms(NamedTuple):
    """A Jacobian in both layouts, and in words what its letters stand for."""

    denominator: Formula
    numerator: Formula
    words: tuple[str, ...] = ()

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


def chain_words(run: Run, edges: Sequence[EdgeAt], notation: Notation) -> tuple[str, ...]:
    """What the letters in a `chain_form` stand for, each once."""
    return tuple(dict.fromkeys(words for edge in edges for words in _forms(run, edge, notation).words))


def _forms(run: Run, edge: EdgeAt, notation: Notation) -> Forms:
    known = structure(run.graph, run.tape.shapes, edge)
    place, kind = known.place, known.kind
    if place.rule.jacobian is not None and place.out != ():
        return _repeated(known, _declared(run, edge, notation, place))
    if kind == "zero":
        return _same("0")
    if kind == "identity":
        return _same("1" if known.shape == (1, 1) else "I")
    if kind in ("permutation", "selection"):
        return _named("P", _MOVES) if kind == "permutation" else _named("S", _COPIES)
    if kind == "reduction" and place.out != () and (summed := _summed(known)):
        return summed
    if kind == "reduction" and place.out != () and place.op.family == "reduce":
        return _weighted(slope_formula(run, edge, notation))
    if place.out == ():
        return _column(local_formula(run, edge, notation), known)
    if kind in ("scalar multiple", "diagonal", "copies") and place.rule.local:
        return _scaled(local_formula(run, edge, notation), known)
    if kind == "Toeplitz":
        weights = notation.formula(run.graph.nodes[edge[0]].args[1]) if known.operand else None
        inner = {"w": weights} if weights else {}
        template = r"T\left(@w\right)" if weights else "T"
        return Forms(Formula(template + r"^{\top}", inner), Formula(template, inner), (_BAND,))
    symbol = notation.local(edge)
    return Forms(symbol, symbol)


def _same(text: str) -> Forms:
    return Forms(Formula(text), Formula(text))


def _named(letter: str, words: str) -> Forms:
    return Forms(Formula(rf"{letter}^{{\top}}"), Formula(letter), (words,))


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
    return _copied(Forms(diagonal, diagonal))


def _copied(forms: Forms) -> Forms:
    """The matrix behind one that repeats the argument's entries."""
    denominator = Formula(r"S^{\top}\,@d", {"d": forms.denominator}, PRODUCT)
    numerator = Formula(r"@d\,S", {"d": forms.numerator}, PRODUCT)
    return Forms(denominator, numerator, (*forms.words, _COPIES))


def _weighted(slope: Formula) -> Forms:
    """A sum of entries times the slope of each."""
    slots = {"d": Formula(r"\operatorname{diag}\left(@d\right)", {"d": slope})}
    return Forms(
        Formula(r"@d\,\Sigma^{\top}", slots, PRODUCT), Formula(r"\Sigma\,@d", slots, PRODUCT), (_ADDS,)
    )


def _declared(run: Run, edge: EdgeAt, notation: Notation, place: Place) -> Forms:
    """The declared matrix in the graph's names. A vector is a column: of a product with one there is no transpose
    where the matrix is a column, and one where it is a row."""
    consumer, _ = edge
    node, op = run.graph.nodes[consumer], place.op
    slots = {name: notation.formula(position) for name, position in zip(op.args, node.args, strict=False)}
    slots |= {"out": notation.formula(consumer)} | option_formulas(place.options)
    declared = place.rule.jacobian
    assert declared is not None
    whole = declared(*place.shapes, **place.options) if callable(declared) else declared
    forms, words = whole[:2], whole[2:]
    operand = Structure(place).operand
    if operand and len(place.shapes[op.args.index(operand)]) == 1:
        column, row = f"@{operand}", rf"{{@[{operand}]}}^{{\top}}"
        is_column = len(place.links) < len(place.shape)
        forms = (column, row) if is_column else (row, column)
    loose = (
        SUM if any(" - " in form or r"\otimes" in form or form.startswith("-") for form in forms) else PRODUCT
    )
    denominator, numerator = (Formula(form, slots, loose) for form in forms)
    return Forms(denominator, numerator, words)


def _repeated(known: Structure, forms: Forms) -> Forms:
    """The matrix as a Kronecker product with the identity over the axes that are left alone."""
    place = known.place
    if known.kind == "copies":
        return _copied(forms)
    if place.links and (known.kind == "block diagonal" or place.rule.structure == "reduction"):
        return _in_blocks(forms, _leads(place))
    if not place.links or known.kind in ("dense", "diagonal"):
        return forms
    denominator, numerator, words = forms
    sides = {_side(place.shape, [i for i, _ in place.links]), _side(place.out, [j for _, j in place.links])}
    sides.discard("")
    template = r"@(m) \otimes @unit" if sides == {"last"} else r"@unit \otimes @(m)"
    unit = Formula(f"I_{{{prod(place.shape[i] for i, _ in place.links)}}}")
    denominator, numerator = (
        Formula(template, {"m": form, "unit": unit}, SUM) for form in (denominator, numerator)
    )
    if len(sides) > 1:  # linked axes first on one side and last on the other: up to a change of places
        denominator = Formula(r"K\,@(j)", {"j": denominator}, PRODUCT)
        numerator = Formula(r"@(j)\,K^{\top}", {"j": numerator}, PRODUCT)
        words = (*words, _REORDERS)
    return Forms(denominator, numerator, words)


def _in_blocks(forms: Forms, in_order: bool) -> Forms:
    """One block for each group of entries, which lie side by side or are gathered first."""
    template = r"\operatorname{blockdiag}\left(@m\right)"
    if not in_order:
        template = rf"K\,{template}\,K^{{\top}}"
    denominator, numerator = (Formula(template, {"m": form}, PRODUCT) for form in forms[:2])
    return Forms(denominator, numerator, forms.words if in_order else (*forms.words, _REORDERS))


def _leads(place: Place) -> bool:
    """Whether the axes that are not mixed come before all others, so that a block's entries lie side by side."""
    linked = [i for i, _ in place.links]
    mixed = [i for i, size in enumerate(place.shape) if size > 1 and i not in linked]
    return not mixed or min(mixed) > max(linked)


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
    denominator, numerator = (
        Formula(weight + wrap[0] + r" \otimes ".join(u) + wrap[1], precedence=SUM) for u in (units, rows)
    )
    return Forms(denominator, numerator)
