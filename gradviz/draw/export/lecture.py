"""A whole lecture on one graph: title, graph, chain rule, plugging in, forward, backward, re-use."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from gradviz.draw.export.marks import Page, Words, clean
from gradviz.draw.export.options import Options
from gradviz.draw.export.page import (
    Telling,
    compose,
    divide,
    finished,
    fitted,
    formula_rows,
    heading,
    step_page,
    wrapped,
)
from gradviz.draw.export.picture import Emphasis
from gradviz.draw.slots import edge_id
from gradviz.draw.stage import Stage
from gradviz.engine.op import PRODUCT
from gradviz.explain.chain import Path, chain
from gradviz.explain.typeset import Formula, boxed

Maker = Callable[[], Page]


def plan(stage: Stage, steps: Sequence[int], options: Options) -> list[Maker]:
    """What makes each page, in order; `steps` are the ones shown of the two passes."""
    title = heading(stage, options)
    forward = len(stage.graph.operations)
    show = [(k, partial(step_page, stage, k, options)) for k in steps if k]
    return [
        partial(title_page, stage, options),
        partial(compose, stage, 0, options, _graph(title)),
        *(partial(compose, stage, k, options, told) for k, told in _chain_rule(stage, title)),
        *(make for k, make in show if k <= forward),
        *(partial(compose, stage, k, options, told) for k, told in _plugging_in(stage, title)),
        *(make for k, make in show if k > forward),
        *(partial(compose, stage, k, options, told) for k, told in _reuse(stage, title)),
    ]


def title_page(stage: Stage, options: Options) -> Page:
    """The first page: what the lecture is about, and its program."""
    zones, theme = divide(stage, options), options.palette
    unit, middle = zones.unit, zones.width / 2
    title = heading(stage, options)
    text, size = fitted(
        clean(title or "Backpropagation, step by step", 160), zones.width * 0.86, 52 * unit, 24 * unit
    )
    marks: list[Words] = [Words("title", text, middle, round(zones.height * 0.3, 2), size, theme.ink, True)]
    lines, small = wrapped(clean(options.lesson), zones.width * 0.8, 24 * unit, 3)
    if lines:
        marks.append(
            Words("lesson", "\n".join(lines), middle, round(zones.height * 0.42, 2), small, theme.muted)
        )
    area = zones.width * 0.08, zones.height * 0.6, zones.width * 0.84, zones.height * 0.3
    rows = formula_rows([[formula] for formula in _definitions(stage)], area, unit, theme.ink)
    return finished(stage, 0, options, Telling(title, sentence=options.lesson), zones, [*marks, *rows])


def _definitions(stage: Stage) -> Iterator[Formula]:
    """What each named operation is, as one writes the program."""
    named = [
        i
        for i in stage.graph.operations
        if "." not in stage.graph.nodes[i].id and "/" not in stage.graph.nodes[i].id
    ]
    for i in named[:6]:
        yield Formula(
            "@a = @b", {"a": stage.notation.formula(i), "b": stage.notation.definition(stage.run, i)}
        )


def _graph(title: str) -> Telling:
    sentence = "The computational graph: inputs on the left, one gate per operation, the output on the right."
    return Telling(title, "the graph", (), sentence)


def _lead(stage: Stage) -> Path | None:
    """The path that the chain rule is told on: the first of the wanted leaf that lies deepest."""
    paths = [path for leaf in stage.run.tape.wrt for path in chain(stage.run, leaf, stage.notation).paths[:1]]
    return max(paths, key=lambda path: len(path.factors), default=None)


def _marked(path: Path, index: int | None = None) -> Emphasis:
    edges = [edge_id(factor.edge) for factor in path.factors]
    return Emphasis(frozenset(edges), "" if index is None else edges[index])


def _product(path: Path, box: int | None = None) -> tuple[Formula, ...]:
    """∂ℒ/∂w = ∂f/∂w · …, factor by factor: each is drawn once and stays in its place from slide to slide."""
    return _row(path, [factor.symbol for factor in path.factors], box)


def _numbers(path: Path, box: int | None = None) -> tuple[Formula, ...]:
    return _row(path, [factor.number or Formula("1") for factor in path.factors], box)


def _row(path: Path, factors: Sequence[Formula], box: int | None) -> tuple[Formula, ...]:
    row = [Formula("@left =", {"left": path.left})]
    for i, factor in enumerate(factors):
        shown = (
            boxed(factor)
            if i == box
            else factor
            if len(factors) == 1
            else Formula("@(f)", {"f": factor}, PRODUCT)
        )
        row += [Formula(r"\cdot"), shown] if i else [shown]
    return tuple(row)


def _chain_rule(stage: Stage, title: str) -> Iterator[tuple[int, Telling]]:
    """The product along the path, its factors boxed one after the other from the output back."""
    path = _lead(stage)
    if path is None:
        return
    name = _name(stage, path.leaf)
    leaf = chain(stage.run, path.leaf, stage.notation)
    sentence = (
        f"The chain rule: ∂{_output(stage)}/∂{name} is the product of the local derivatives along the way."
    )
    if leaf.count > 1:
        sentence = f"{leaf.count} paths lead from {name} to the output: their products add up. One of them:"
    yield 0, Telling(title, "chain rule", (_product(path),), sentence, emphasis=_marked(path))
    for i in reversed(range(len(path.factors))):
        edge = path.factors[i].edge
        below = _name(stage, stage.graph.nodes[stage.graph[edge.consumer].args[edge.argument]].id)
        sentence = f"How much {_name(stage, edge.consumer)} changes when {below} changes."
        rows = _product(path, i), (path.boxed_derivative(i),)
        yield 0, Telling(title, "chain rule", rows, sentence, emphasis=_marked(path, i))


def _plugging_in(stage: Stage, title: str) -> Iterator[tuple[int, Telling]]:
    """The same product in numbers, once the forward pass has computed them."""
    path = _lead(stage)
    if path is None or path.value is None:
        return
    done = len(stage.graph.operations)
    for i in reversed(range(len(path.factors))):
        sentence = "Plugging in what the forward pass computed, factor by factor."
        rows = _product(path, i), _numbers(path, i)
        yield done, Telling(title, "plugging in", rows, sentence, emphasis=_marked(path, i))
    value = Formula("= @value", {"value": stage.notation.number(path.value)})
    sentence = "Their product is the gradient along this path."
    yield (
        done,
        Telling(
            title, "plugging in", (_product(path), (*_numbers(path), value)), sentence, emphasis=_marked(path)
        ),
    )


def _reuse(stage: Stage, title: str) -> Iterator[tuple[int, Telling]]:
    """What the chains of two leaves share is computed once."""
    lead = _lead(stage)
    if lead is None:
        return
    others = (chain(stage.run, leaf, stage.notation) for leaf in stage.run.tape.wrt if leaf != lead.leaf)
    other = next((made.paths[0] for made in others if made.paths), None)
    if other is None:
        return
    shared = {factor.place for factor in lead.factors} & {factor.place for factor in other.factors}
    edges = frozenset(edge_id(factor.edge) for factor in lead.factors if factor.place in shared)
    names = f"{_name(stage, lead.leaf)} and {_name(stage, other.leaf)}"
    if edges:
        sentence = f"Re-use: the marked factors stand in the chains of both {names}; each is computed once."
    else:
        sentence = f"The chains of {names} meet only at the output."
    rows = _product(lead), _product(other)
    yield len(stage.run.steps), Telling(title, "re-use", rows, sentence, emphasis=Emphasis(edges))


def _name(stage: Stage, id: str) -> str:
    return stage.notation.text(stage.graph.position(id))


def _output(stage: Stage) -> str:
    return stage.notation.text(stage.graph.output)
