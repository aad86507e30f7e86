"""What the browser view tells beside the picture: steps, nodes, edges and chains, all as data."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod
from typing import Any

import numpy as np

from gradviz.draw.pictures import picture
from gradviz.draw.slots import edge_id
from gradviz.draw.stage import Stage
from gradviz.engine.graph import Node
from gradviz.engine.op import Op
from gradviz.explain import numbers
from gradviz.explain.chain import Chain, Factor, chain
from gradviz.explain.codegen import operation_code
from gradviz.explain.derivation import equation_left, note, sentence, stages
from gradviz.explain.element import has_element
from gradviz.explain.trace import Step
from gradviz.explain.typeset import Formula, written

Json = dict[str, Any]


def payload(stage: Stage, k: int = 0) -> Json:
    """The whole story of a run for the browser view, which steps through it alone, starting after k steps."""
    factors: dict[tuple[int, int], Factor] = {}  # shared by the chains of all leaves
    return {
        "version": 1,
        "program": stage.identity,
        "title": stage.title,
        "k": min(max(k, 0), len(stage.run.steps)),
        "scene": stage.picture(),
        "timeline": stage.timeline,
        "steps": [_step(stage, step) for step in stage.run.steps],
        "nodes": {node.id: _node(stage, i, node) for i, node in _drawn(stage)},
        "edges": dict(_edge(stage, k, factors) for k in range(len(stage.run.tape.edges)))
        | _silent_edges(stage),
        "chains": {leaf: _chain(stage, leaf, factors) for leaf in stage.run.tape.wrt},
        "pictures": _pictures(stage),
        "layered": stage.layered,
        "code": {op.name: operation_code(op) for op in _operations(stage)},
        "conventions": conventions(stage),
    }


PICTURE_BYTES = 420_000  # of all pictures of a run together, before they are written in base64
LARGEST_PICTURE = 48_000


def _pictures(stage: Stage) -> dict[str, Json]:
    """Values and gradients of what is drawn, and of all parameters, as images."""
    run = stage.run
    shown = {stage.shown_node(box) for box in stage.view.boxes} | set(run.graph.leaves)
    slots = [
        (node, which)
        for node in stage.kinds
        if node in shown
        for which in ("value", "gradient")
        if f"{which}:{node}" in stage.timeline
    ]
    slots.sort(key=lambda slot: prod(run.shape(slot[0])))  # what the small ones leave is for the large ones
    left, found = PICTURE_BYTES, dict[str, Json]()
    for number, (node, which) in enumerate(slots):
        room = min(LARGEST_PICTURE, left // (len(slots) - number))
        left -= min(room, prod(run.shape(node)))
        kind, image = stage.kinds[node]
        array = run.value(node) if which == "value" else run.grad(node)
        made = picture(array, kind, image, signed=which == "gradient", room=room)
        statistics = numbers.statistics(array)
        found.setdefault(node, {})[which] = {**made.to_json(), "statistics": statistics}
    return found


def _operations(stage: Stage) -> list[Op]:
    """The operations of a graph, each once, in order of appearance."""
    return list(dict.fromkeys(node.op for node in stage.graph.nodes if node.op is not None))


def conventions(stage: Stage) -> list[str]:
    """What a reader must know to read the numbers on screen."""
    return [
        "Values stand above a node, its accumulated gradient below it, contributions on the edges.",
        f"Numbers are rounded to {stage.digits} significant digits for display only; exact ones show no trailing zeros.",
        *(f"{op.name}: {op.convention}" for op in _operations(stage) if op.convention),
    ]


def _drawn(stage: Stage) -> list[tuple[int, Node]]:
    return [(i, node) for i, node in enumerate(stage.graph.nodes) if not node.is_constant]


def _step(stage: Stage, step: Step) -> Json:
    notation = stage.notation
    here = notation.text(stage.graph.position(step.node))
    output = notation.text(stage.graph.output)
    titles = {"forward": here, "seed": f"∂{output}/∂{output} = {numbers.brief(step.after, stage.digits)}"}
    if step.edge is not None:
        consumer = notation.text(stage.graph.position(step.edge.consumer))
        title = f"∂{output}/∂{here} via {consumer}"
    else:
        title = titles[step.kind]
    return {
        **stage.step(step.index),
        "title": title,
        "sentence": sentence(step, notation),
        "stages": [{"label": s.label, "math": s.mathml} for s in stages(step, notation)],
        "note": note(step, notation),
        "hidden": stage.hidden(step),
    }


def _node(stage: Stage, position: int, node: Node) -> Json:
    run, graph, notation = stage.run, stage.graph, stage.notation
    op = node.op
    symbol = notation.formula(position)
    kept = run.tape.saved(position)
    warning = "The first value that is not finite arises here." if node.id in run.nonfinite else ""
    if node.id in run.kinks:
        warning = f"Evaluated exactly at a kink. {run.kinks[node.id]}"
    return {
        "title": notation.text(position),
        "math": (
            Formula("@a = @b", {"a": symbol, "b": notation.definition(run, position)}) if op else symbol
        ).mathml,
        "role": stage.role(node.id),
        "operation": op.signature if op else "input",
        "op": op.name if op else "",
        "shape": numbers.shape_text(run.shape(node.id)),
        "why": op.why if op else "",
        "convention": op.convention if op else "",
        "value": numbers.exact(run.value(node.id)),
        "saved": [
            {"name": notation.text(i), "bytes": size}
            for i, size in zip(kept.values(), run.saved(node.id).values(), strict=False)
        ],
        "arguments": [
            f"{node.id}:{slot}" for slot, arg in enumerate(node.args) if not graph.nodes[arg].is_constant
        ],
        "used_by": [f"{graph.nodes[user].id}:{slot}" for user, slot in graph.consumers[position]],
        "line": _source_line(stage, node),
        "openable": bool(op and op.fused),
        "foldable": stage.foldable(node),
        "element": _entries(stage, node),
        "warning": warning,
        "options": ", ".join(f"{key}={written(value)}" for key, value in node.options.items()),
    }


def _entries(stage: Stage, node: Node) -> str:
    """What opening one entry of a node shows: the products of its window, the operation on numbers, or nothing."""
    if not has_element(node) or not stage.run.shape(node.id):
        return ""
    return "products" if node.op is not None and node.op.element is not None else "entry"


def _source_line(stage: Stage, node: Node) -> str:
    source = stage.graph.source
    if not node.span or not source:
        return ""
    start = source.rfind("\n", 0, node.span[0]) + 1
    end = source.find("\n", node.span[1])
    return source[start : end if end >= 0 else len(source)].strip()


def _edge(stage: Stage, k: int, factors: dict[tuple[int, int], Factor]) -> tuple[str, Json]:
    run, notation = stage.run, stage.notation
    consumer, slot = edge = run.tape.edges[k]
    factor = factors.setdefault(edge, Factor(run, edge, notation))
    node = run.graph.nodes[consumer]
    assert node.op is not None
    rule = node.op.rule(slot)
    index = run.steps.index_of(run.tape.edge(k))
    assert index is not None
    step = run.steps[index]
    leaves = run.leaves_through[edge]
    local, short = _local(factor, step, stage.digits)
    return f"{node.id}:{slot}", {
        "math": notation.local(edge).mathml,
        "left": equation_left(run, edge, notation).mathml,
        "formula": factor.formula.mathml,
        "local": local,
        "short": short,
        "shape": numbers.shape_text(run.tape.shapes[consumer]),
        "structure": rule.structure,
        "step": index,
        "summed": ", ".join(str(axis) for axis in step.summed),
        "zero": False,
        "leaves": _texts(stage, leaves[:LEAVES_NAMED]),
        "leaves_count": len(leaves),
        "jacobian": "" if factor.is_number else " × ".join(map(str, factor.jacobian.shape)),
    }


LEAVES_NAMED = 6  # of the leaves that share a factor; a sum of 500 terms shares its last one 500 times


def _local(factor: Factor, step: Step, digits: int) -> tuple[str, str]:
    """The numbers of a local derivative with all digits, and rounded where they take one line of a few entries."""
    if not factor.run.tape.has_local_derivative(factor.place):
        return f"{factor.jacobian.kind} Jacobian, not formed: the gradient is pulled through it", ""
    in_full = factor.in_text(step.local, numbers.exact)
    row = factor.in_text(
        step.local, lambda x: numbers.lines(x, digits) if np.ndim(x) < 2 and numbers.fits(np.shape(x)) else ""
    )
    return in_full or f"{numbers.exact(step.local)}, on copies of the argument's entries", row


def _silent_edges(stage: Stage) -> dict[str, Json]:
    """Edges that carry no gradient: nothing wanted lies behind them, or the operation passes none."""
    run, graph, live = stage.run, stage.graph, set(stage.run.tape.edges)
    found = {}
    for edge, _ in graph.edges():
        place = graph.position(edge.consumer), edge.argument
        op = graph.nodes[place[0]].op
        if place in live or op is None:
            continue
        rule = op.rule(edge.argument)
        formula = Formula("0") if rule.is_zero else Factor(run, place, stage.notation).formula
        found[f"{edge.consumer}:{edge.argument}"] = {
            "math": stage.notation.local(place).mathml,
            "left": (
                stage.notation.local(place) if rule.is_zero else equation_left(run, place, stage.notation)
            ).mathml,
            "formula": formula.mathml,
            "short": "0" if rule.is_zero else "",
            "local": "0" if rule.is_zero else "not asked for: no wanted gradient lies behind this edge",
            "shape": numbers.shape_text(run.tape.shapes[place[0]]),
            "structure": rule.structure,
            "step": None,
            "summed": "",
            "zero": rule.is_zero,
        }
    return found


def _chain(stage: Stage, leaf: str, factors: dict[tuple[int, int], Factor]) -> Json:
    made: Chain = chain(stage.run, leaf, stage.notation, factors)
    position = stage.graph.position(leaf)
    return {
        "math": stage.notation.gradient(position).mathml,
        "value": numbers.lines(stage.run.grad(leaf), stage.digits),
        "count": made.count,
        "paths": [
            {
                "edges": [_key(factor) for factor in path.factors],
                "value": "" if path.value is None else numbers.plain(path.value, stage.digits),
            }
            for path in made.paths
        ],
    }


def _key(factor: Factor) -> str:
    return edge_id(factor.edge)


def _texts(stage: Stage, names: Iterable[str]) -> list[str]:
    return [stage.notation.text(stage.graph.position(name)) for name in names]
