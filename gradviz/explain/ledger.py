"""The shape ledger: the chain of a leaf as factors with their shapes, and whether they fit. Nothing here needs a value.

For w in R^P, x in R^N and y in R^M the chain w → x → y reads (P×N)(N×M) = P×M in denominator layout. Numerator
layout transposes every factor and reverses the product.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from math import prod

from gradviz.engine.limits import SHAPES_ONLY, Limits
from gradviz.engine.numeric import Shape
from gradviz.engine.op import PRODUCT
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import Tape
from gradviz.explain.chain import paths_from
from gradviz.explain.check import input_shapes
from gradviz.explain.derivation import local_formula
from gradviz.explain.jacobian import EdgeAt, Layout, check_layout
from gradviz.explain.notation import Notation
from gradviz.explain.place import Place, place_of
from gradviz.explain.structure import Kind, Structure
from gradviz.explain.trace import Run
from gradviz.explain.typeset import Formula, sequence

LETTERS = "NHMKPQRSTUVXYZ"  # for the sizes of a program, in the order in which it meets them
_SYMMETRIC: tuple[Kind, ...] = ("identity", "scalar multiple", "diagonal")


@dataclass(frozen=True, eq=False)
class Factor:
    """One Jacobian of a chain. `rows` and `columns` are the shapes that its two sides flatten."""

    of: str
    wrt: str
    rows: Shape
    columns: Shape
    place: Place
    edge: EdgeAt

    @property
    def name(self) -> str:
        """∂of/∂wrt in plain text."""
        return f"∂{self.of}/∂{self.wrt}"

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns as numbers."""
        return prod(self.rows), prod(self.columns)

    @cached_property
    def kind(self) -> Kind:
        """What is known of its entries."""
        return Structure(self.place).kind

    def shape_text(self, letters: Mapping[int, str]) -> str:
        """(HN×H), or (12×3) without letters."""
        return f"({_flat(self.rows, letters)}×{_flat(self.columns, letters)})"


@dataclass(frozen=True, eq=False)
class Product:
    """The factors along one path, in the order of the ledger's layout."""

    factors: tuple[Factor, ...]
    layout: Layout
    leaf_shape: Shape
    of_shape: Shape

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the product."""
        sides = prod(self.leaf_shape), prod(self.of_shape)
        return sides if self.layout == "denominator" else sides[::-1]

    def text(self, letters: Mapping[int, str] | None = None) -> str:
        """`(P×N)(N×M) = P×M ✓`, or where the leaf has several axes `(HN×H)(H×M) → reshape to H×N`."""
        letters = letters or {}
        ends = [self.leaf_shape, self.of_shape]
        if self.layout == "numerator":
            ends.reverse()
        whole = "×".join(_flat(shape, letters) for shape in ends)
        written = "".join(factor.shape_text(letters) for factor in self.factors) or f"({whole})"
        if len(self.leaf_shape) > 1:
            return f"{written} → reshape to {_axes(ends[0] + ends[1], letters)}"
        return f"{written} = {whole} ✓"

    def judge(self, order: Sequence[int], transposed: Iterable[int] = ()) -> Verdict:
        """Whether the factors make the chain in this order, those numbered in `transposed` turned over.

        Raises IndexError for a factor that is not there.
        """
        turned = set(transposed)
        placed = [(self.factors[i], i in turned) for i in order]
        if sorted(order) != list(range(len(self.factors))):
            missing = [self.factors[i].name for i in range(len(self.factors)) if i not in order]
            return Verdict(False, f"every factor once: {', '.join(missing) or 'one stands there twice'}")
        for k, ((left, left_turned), (right, right_turned)) in enumerate(pairwise(placed)):
            before, after = _turned(left, left_turned), _turned(right, right_turned)
            if before[1] != after[0]:
                names = [_written(left, left_turned), _written(right, right_turned)]
                sizes = [f"({rows}×{columns})" for rows, columns in (before, after)]
                return Verdict(
                    False,
                    f"{names[0]} {sizes[0]} times {names[1]} {sizes[1]}: {_counted(before[1], 'column')} "
                    f"{'meets' if before[1] == 1 else 'meet'} {_counted(after[0], 'row')}",
                    (k, k + 1),
                )
        return self._judge_meaning(order, turned)

    def _judge_meaning(self, order: Sequence[int], turned: set[int]) -> Verdict:
        """The shapes fit; is it the chain as well? A square factor fits in any place and either way round."""
        factors = self.factors
        free = {i for i, f in enumerate(factors) if 1 in f.size or f.kind in _SYMMETRIC} & {
            i for i, f in enumerate(factors) if f.size[0] == f.size[1]
        }
        whole = list(range(len(factors)))
        for direction, expected in ((whole, set[int]()), (whole[::-1], set(whole))):
            if list(order) == direction and turned - free == expected - free:
                other = "numerator" if self.layout == "denominator" else "denominator"
                words = "this is the chain" if not expected else f"this is the chain in {other} layout"
                return Verdict(True, words)
        if list(order) in (whole, whole[::-1]):
            stray = sorted(turned - free) if list(order) == whole else sorted(set(whole) - turned - free)
            what = "transposed without need" if list(order) == whole else "not transposed"
            return Verdict(False, f"the shapes fit, but {factors[stray[0]].name} is {what}")
        wrong = next(k for k, i in enumerate(order) if i != k)
        return Verdict(
            False,
            f"the shapes fit, but {factors[order[wrong]].name} stands where {factors[wrong].name} belongs",
        )


@dataclass(frozen=True)
class Verdict:
    """Whether an arrangement of factors is right, why, and which two neighbours fail."""

    ok: bool
    reason: str
    failing: tuple[int, int] | None = None


@dataclass(frozen=True)
class Cost:
    """One step of the chain done in two ways: with the Jacobian written out, and as the vector-Jacobian product."""

    name: str
    explicit_entries: int
    explicit_multiplications: int
    vjp_entries: int
    vjp_multiplications: int


class Ledger:
    """The chain rule for one leaf, in shapes: the sum of its products over the paths to the output."""

    def __init__(self, tape: Tape, leaf: str, layout: Layout = "denominator") -> None:
        check_layout(layout)
        self.layout: Layout = layout
        self.run = Run(tape, [], [])  # its formulas and paths need no values
        self.graph, self.shapes = tape.graph, tape.shapes
        self.leaf = leaf
        self.notation = Notation(tape.graph)
        self.position = tape.graph.position(leaf)

    @property
    def count(self) -> int:
        """How many paths lead to the output; only the first are listed."""
        return self.run.path_counts[self.position]

    @cached_property
    def products(self) -> tuple[Product, ...]:
        """One product of factors for every path."""
        shape, end = self.shapes[self.position], self.shapes[self.graph.output]
        found = []
        for edges in paths_from(self.run, self.position):
            factors = [self._factor(edge) for edge in edges]
            if self.layout == "numerator":
                factors.reverse()
            found.append(Product(tuple(factors), self.layout, shape, end))
        return tuple(found)

    @cached_property
    def letters(self) -> dict[int, str]:
        """A letter for every size of an axis of an input, in the order in which the program meets them: what an
        operation sums over, then what it gives, whatever the order of the inputs. None when they run out."""
        of_inputs = dict.fromkeys(
            size for i in self.graph.leaves.values() for size in self.shapes[i] if size > 1
        )
        met = [size for i in self.graph.operations for size in self._sizes_at(i) if size in of_inputs]
        distinct = list(dict.fromkeys([*met, *of_inputs]))
        return dict(zip(distinct, LETTERS, strict=False)) if len(distinct) <= len(LETTERS) else {}

    def _sizes_at(self, position: int) -> Iterator[int]:
        """The sizes that an operation does away with, then those of what it gives, the last axis first."""
        out = self.shapes[position]
        for arg in self.graph.nodes[position].args:
            yield from (size for size in self.shapes[arg] if size not in out)
        yield from reversed(out)

    def text(self, *, letters: bool = False) -> str:
        """The ledger in one line per path."""
        names = self.letters if letters else {}
        lines = [product.text(names) for product in self.products]
        more = self.count - len(lines)
        return (
            "\n+ ".join(lines + ([f"{more:,} more paths"] if more > 0 else []))
            or "0: the output does not depend on it"
        )

    def __str__(self) -> str:
        return self.text()

    def used(self, product: int = 0) -> Formula:
        """What is computed instead of the product: the upstream gradient, δ, pulled back through the first edge."""
        factor, delta = self._graph_order(product)[0], Formula(r"\delta")
        place = factor.place
        local = local_formula(self.run, factor.edge, self.notation, delta)
        if not self.run.tape.has_local_derivative(factor.edge):
            return local
        if local.template in ("1", "-1"):
            pulled = Formula(local.template.replace("1", r"\delta"), precedence=local.precedence)
        else:
            pulled = sequence(
                [delta, local], r" \odot " if place.op.elementwise and place.out else r" \cdot "
            )
        repeated = place.op.elementwise and prod(place.shape) < prod(place.out)
        return Formula(r"\textstyle\sum @(d)", {"d": pulled}, PRODUCT) if repeated else pulled

    def costs(self, product: int = 0) -> tuple[Cost, ...]:
        """Entries and multiplications of every factor of one path, from the output to the leaf."""
        seeds = prod(self.shapes[self.graph.output])
        return tuple(self._cost(factor, seeds) for factor in reversed(self._graph_order(product)))

    def _graph_order(self, product: int) -> tuple[Factor, ...]:
        factors = self.products[product].factors
        return factors if self.layout == "denominator" else factors[::-1]

    def _cost(self, factor: Factor, seeds: int) -> Cost:
        place = factor.place
        rows, columns = prod(place.shape), prod(place.out)
        work = 0
        if place.rule.structure not in ("permutation", "selection", "zero"):
            elementwise = place.op.elementwise or place.op.work is None
            work = max(rows, columns) if elementwise else place.op.cost(place.shapes, place.out, place.given)
        return Cost(factor.name, rows * columns, rows * columns * seeds, rows * seeds, work * seeds)

    def _factor(self, edge: EdgeAt) -> Factor:
        consumer, slot = edge
        argument = self.graph.nodes[consumer].args[slot]
        place = place_of(self.graph, self.shapes, edge)
        sides = [self.shapes[argument], self.shapes[consumer]]
        if self.layout == "numerator":
            sides.reverse()
        return Factor(
            self.notation.text(consumer), self.notation.text(argument), sides[0], sides[1], place, edge
        )


def ledger(
    source: Source,
    leaf: str,
    shapes: Mapping[str, Iterable[int]] | None = None,
    layout: Layout = "denominator",
    limits: Limits = SHAPES_ONLY,
) -> Ledger:
    """The ledger of a leaf, or of any node, from shapes alone; inputs not mentioned have the shape of their declared
    value, else (). Raises ShapeError at the operator whose arguments do not fit."""
    graph = as_graph(source, limits)
    return Ledger(Tape(graph, input_shapes(graph, shapes), (leaf,), limits), leaf, layout)


def ledger_of(run: Run, leaf: str, layout: Layout = "denominator") -> Ledger:
    """The ledger of a leaf of a run."""
    shapes = {name: run.tape.shapes[position] for name, position in run.graph.leaves.items()}
    return Ledger(Tape(run.graph, shapes, (leaf,), SHAPES_ONLY), leaf, layout)


def _turned(factor: Factor, turned: bool) -> tuple[int, int]:
    rows, columns = factor.size
    return (columns, rows) if turned else (rows, columns)


def _written(factor: Factor, turned: bool) -> str:
    return f"({factor.name})ᵀ" if turned else factor.name


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _flat(shape: Shape, letters: Mapping[int, str]) -> str:
    """The number of entries of a shape: a product of letters where every size has one."""
    sizes = [size for size in shape if size != 1]
    if sizes and all(size in letters for size in sizes):
        return "".join(letters[size] for size in sizes)
    return str(prod(shape))


def _axes(shape: Shape, letters: Mapping[int, str]) -> str:
    return "×".join(letters.get(size, str(size)) for size in shape)
