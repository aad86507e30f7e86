"""A student's arrangement of the factors of a chain, and what the chain would cost with sizes somebody types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any
from zlib import crc32

import numpy as np

from gradviz.engine.graph import Graph
from gradviz.errors import GradvizError
from gradviz.explain.jacobian import Layout
from gradviz.explain.ledger import Ledger, Product, ledger, ledger_of
from gradviz.explain.trace import Run

LARGEST_SIZE = 10**6
_SHUFFLES = 30
_EXACT = 10**7  # larger numbers are shown as powers of ten
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Json = dict[str, Any]


@dataclass(frozen=True)
class Arrangement:
    """Factors in an order, counted from 0 as the ledger has them, and those that are turned over."""

    order: tuple[int, ...]
    transposed: frozenset[int] = frozenset()

    @classmethod
    def scrambled(cls, product: Product) -> Arrangement:
        """The factors of a product shuffled, always in the same way, so that they are to be put right; in some
        products every order is right."""
        rng = np.random.default_rng(crc32(" ".join(factor.name for factor in product.factors).encode()))
        for _ in range(_SHUFFLES):
            order = rng.permutation(len(product.factors)).tolist()
            if not product.judge(order).ok:
                break
        return cls(tuple(order))

    def in_other_layout(self) -> Arrangement:
        """The same product in the other layout, (ABC)ᵀ = CᵀBᵀAᵀ: there factors are counted from the other end."""
        last = len(self.order) - 1
        order = tuple(last - i for i in reversed(self.order))
        return Arrangement(order, frozenset(last - i for i in self.transposed))

    def letters(self) -> list[str]:
        """A letter for every factor, a, b, c … as they lie here: given at the start, it tells nothing about the place
        where the factor belongs."""
        names = {factor: ascii_lowercase[at % 26] * (1 + at // 26) for at, factor in enumerate(self.order)}
        return [names[factor] for factor in range(len(names))]

    def text(self, letters: Sequence[str]) -> str:
        """The order as one types it: `b aT c`, a T behind a letter for transposed."""
        return " ".join(f"{letters[i]}T" if i in self.transposed else letters[i] for i in self.order)


def factor_ends(
    run: Run, leaf: str, layout: Layout = "denominator", product: int = 0
) -> list[tuple[str, str]]:
    """For every factor of a product, the nodes (of, wrt) whose Jacobian it is."""
    nodes = run.graph.nodes
    edges = [factor.edge for factor in ledger_of(run, leaf, layout).products[product].factors]
    return [(nodes[consumer].id, nodes[nodes[consumer].args[slot]].id) for consumer, slot in edges]


def costs_view(found: Ledger, product: int = 0) -> Json:
    """Jacobians written out beside the vector–Jacobian products that are really used: counts as text, and how many
    times as many entries."""
    costs = found.costs(product)
    whole = [sum(getattr(cost, name) for cost in costs) for name in _COUNTED]
    ratio = whole[0] / max(1, whole[2])
    return {
        "names": [cost.name for cost in costs],
        "rows": [[count_text(getattr(cost, name)) for name in _COUNTED] for cost in costs],
        "total": [count_text(count) for count in whole],
        "largest": [
            count_text(max((cost.explicit_entries for cost in costs), default=0)),
            count_text(max((cost.vjp_entries for cost in costs), default=0)),
        ],
        "times": count_text(round(ratio)) if ratio >= 10 else f"{ratio:.2g}",
    }


_COUNTED = ("explicit_entries", "explicit_multiplications", "vjp_entries", "vjp_multiplications")


def resized(graph: Graph, found: Ledger, sizes: Mapping[str, int]) -> Ledger:
    """The ledger of the same leaf where the letters of `found` have these sizes.

    Raises GradvizError for a size that is out of range, or where the program does not fit sizes like these.
    """
    for letter, size in sizes.items():
        if not 1 <= size <= LARGEST_SIZE:
            raise GradvizError(f"{letter} = {size} is no size", expected=f"1 to {LARGEST_SIZE:,}")
    shapes = {
        name: tuple(sizes.get(found.letters.get(size, ""), size) for size in found.shapes[position])
        for name, position in found.graph.leaves.items()
    }
    return ledger(graph, found.leaf, shapes, found.layout)


def count_text(count: int) -> str:
    """A count to be read: `2,400`, `10⁹`, `1.05·10⁹`."""
    if count < _EXACT:
        return f"{count:,}"
    head, power = f"{count:.3e}".split("e")
    head = head.rstrip("0").rstrip(".")
    times = "" if head == "1" else f"{head}·"
    return f"{times}10{str(int(power)).translate(_SUPERSCRIPTS)}"
