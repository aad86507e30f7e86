"""What the pages on vector calculus show, as plain data: strings, numbers, lists and dictionaries that JSON takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from gradviz.engine.limits import SHAPES_ONLY
from gradviz.engine.numeric import Array
from gradviz.engine.source import Source
from gradviz.engine.tape import Tape
from gradviz.errors import GradvizError
from gradviz.explain.chain import paths_from
from gradviz.explain.coarse import coarse
from gradviz.explain.entrywise import matrix_formula, written_out
from gradviz.explain.forward import DualRun
from gradviz.explain.general import chain_form, chain_words, general_form
from gradviz.explain.jacobian import EdgeAt, Jacobian, Layout, between_nodes, entry_names
from gradviz.explain.ledger import Ledger, Product, ledger_of
from gradviz.explain.methods import FORMULAS, METHODS, PRECISIONS, Curve, error_curve
from gradviz.explain.notation import Notation
from gradviz.explain.pairs import space
from gradviz.explain.structure import WORDS
from gradviz.explain.symbolic import swelling
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula, sequence

Json = Any
FACTORS_SHOWN = 8
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def jacobian_view(
    run: Run, wrt: str, of: str, layout: Layout = "denominator", digits: int = 4
) -> dict[str, Json]:
    """∂of/∂wrt for the heat map: names, space, structure, formulas and what their letters stand for, zero pattern and
    numbers.

    `matrix` and `pattern` are None for a Jacobian that is too large to be shown; `blocks` is there in their place, and
    `rows` and `columns` name the first entry of every block.
    """
    found, notation = between_nodes(run, wrt, of, layout), Notation(run.graph, digits)
    start, end = found.between.start, found.between.end
    shown, paths = found.is_shown, _readable_paths(found)
    blocks = None if shown else coarse(found)
    sides = [(notation.text(start), found.wrt_shape), (notation.text(end), found.of_shape)]
    rows, columns = (
        list(entry_names(*side, picked))
        for side, picked in zip(
            sides if layout == "denominator" else sides[::-1],
            (blocks.rows, blocks.columns) if blocks else (None, None),
            strict=True,
        )
    )
    written = written_out(run, found, notation) if shown else None
    return {
        "name": f"∂{notation.text(end)}/∂{notation.text(start)}",
        "symbol": notation_between(notation, found).mathml,
        "badge": badge(found.shape),
        "space": space(found.shape).mathml,
        "shape": list(found.shape),
        "layout": layout,
        "structure": found.structure,
        "words": WORDS[found.structure] if found.entries > 1 else "one number",
        "general": [chain_form(run, path, notation, layout).mathml for path in paths],
        "letters": list(dict.fromkeys(words for path in paths for words in chain_words(run, path, notation))),
        "rows": rows,
        "columns": columns,
        "shown": shown,
        "matrix": found.matrix.tolist() if shown else None,
        "pattern": found.pattern.astype(int).tolist() if shown else None,
        "blocks": (
            {"values": blocks.values.tolist(), "seen": blocks.seen, "total": blocks.total} if blocks else None
        ),
        "written": (
            {"symbols": matrix_formula(written[0]).mathml, "entries": matrix_formula(written[1]).mathml}
            if written
            else None
        ),
    }


def _readable_paths(jacobian: Jacobian) -> list[Sequence[EdgeAt]]:
    """The edges along the first paths between the two nodes, without paths of more factors than can be read."""
    between = jacobian.between
    shapes = {name: between.shapes[i] for name, i in between.graph.leaves.items()}
    tape = Tape(between.graph, shapes, (between.graph.nodes[between.start].id,), SHAPES_ONLY)
    paths = paths_from(Run(tape, [], []), between.start)
    return [edges for edges in paths if 0 < len(edges) <= FACTORS_SHOWN]


def notation_between(notation: Notation, jacobian: Jacobian) -> Formula:
    """∂of/∂wrt."""
    ends = [notation.formula(i) for i in (jacobian.between.end, jacobian.between.start)]
    return Formula(r"\frac{\partial @y}{\partial @x}", {"y": ends[0], "x": ends[1]})


def ledger_view(run: Run, leaf: str, layout: Layout = "denominator") -> dict[str, Json]:
    """The shape ledger of a leaf: its chain in numbers and letters, factor by factor, the product that is really
    computed, and what both cost."""
    found = ledger_of(run, leaf, layout)
    return {
        "leaf": leaf,
        "text": found.text(),
        "letters": found.text(letters=True),
        "sizes": {letter: size for size, letter in found.letters.items()},
        "paths": found.count,
        "products": [_product_view(run, found, k, product) for k, product in enumerate(found.products)],
    }


def _product_view(run: Run, found: Ledger, k: int, product: Product) -> dict[str, Json]:
    notation = found.notation
    symbols = [notation.local(factor.edge) for factor in product.factors]
    return {
        "text": product.text(),
        "letters": product.text(found.letters),
        "factors": [
            {
                "name": factor.name,
                "math": symbol.mathml,
                "general": general_form(run, factor.edge, notation, product.layout).mathml,
                "shape": factor.shape_text({}),
                "letters": factor.shape_text(found.letters),
                "size": list(factor.size),
                "kind": factor.kind,
            }
            for factor, symbol in zip(product.factors, symbols, strict=True)
        ],
        "math": sequence(symbols, r"\,").mathml,
        "used": found.used(k).mathml if product.factors else "",
        "costs": [vars(cost) for cost in found.costs(k)],
    }


def arrangement_view(
    run: Run,
    leaf: str,
    order: Sequence[int],
    transposed: Sequence[int] = (),
    layout: Layout = "denominator",
    product: int = 0,
) -> dict[str, Json]:
    """The verdict on an order of factors that a student dragged or typed: `failing` numbers two neighbours."""
    verdict = ledger_of(run, leaf, layout).products[product].judge(order, transposed)
    return {"ok": verdict.ok, "reason": verdict.reason, "failing": verdict.failing and list(verdict.failing)}


def read_arrangement(text: str, letters: Sequence[str]) -> tuple[list[int], list[int]]:
    """`a cT b` as an order of factors counted from 0 and those turned over; `letters` has the letter of every factor.
    Raises GradvizError for anything else."""
    order, transposed = [], []
    for word in text.replace(",", " ").replace("·", " ").split():
        turned = word.endswith(("T", "ᵀ", "'"))
        letter = (word[:-1] if turned else word).lower()
        if letter not in letters:
            raise GradvizError(
                f"{word[:20]} is no factor", expected="the letters of the cards, a T behind for transposed"
            )
        order.append(letters.index(letter))
        transposed += [order[-1]] if turned else []
    return order, transposed


def curves_view(
    source: Source, name: str, entry: Sequence[int] = (), inputs: Mapping[str, Array] | None = None
) -> list[dict[str, Json]]:
    """Error against step for every method in both precisions; a method that cannot be used says why."""
    found: list[dict[str, Json]] = []
    for method in METHODS:
        for precision in PRECISIONS:
            facts = {"method": method, "precision": precision, "formula": Formula(FORMULAS[method]).mathml}
            try:
                curve = error_curve(source, name, entry, inputs, method=method, precision=precision)
            except GradvizError as error:
                found.append({**facts, "refused": error.args[0]})
            else:
                found.append({**facts, **_curve(curve)})
    return found


def _curve(curve: Curve) -> dict[str, Json]:
    step, error = curve.optimum
    return {
        "steps": list(curve.steps),
        "slopes": [slope if np.isfinite(slope) else None for slope in curve.slopes],
        "errors": [error if np.isfinite(error) else None for error in curve.errors],
        "exact": curve.exact,
        "optimum": {"step": step, "error": error},
        "expected": curve.expected,
    }


def swelling_view(text: str, depths: int = 8) -> list[dict[str, Json]]:
    """Expression size against depth for a function composed with itself, beside the operations of a tape."""
    return [
        {
            "depth": row.depth,
            "value": row.value_nodes,
            "symbolic": row.derivative.nodes,
            "automatic": row.automatic,
            "math": Formula(row.derivative.latex).mathml if row.derivative.latex else "",
        }
        for row in swelling(text, depths)
    ]


def dual_view(run: DualRun) -> list[dict[str, Json]]:
    """Forward mode step by step."""
    return [
        {
            "kind": step.kind,
            "node": step.node,
            "value": np.asarray(step.value).tolist(),
            "tangent": np.asarray(step.tangent).tolist(),
            "sentence": step.sentence,
            "stages": [{"label": stage.label, "math": stage.mathml} for stage in step.stages],
        }
        for step in run.steps
    ]


def badge(shape: tuple[int, int]) -> str:
    """ℝ³ˣ², for a text: among formulas it is `gradviz.explain.pairs.space`."""
    rows, columns = (str(size).translate(_SUPERSCRIPTS) for size in shape)
    return f"ℝ{rows}ˣ{columns}"
