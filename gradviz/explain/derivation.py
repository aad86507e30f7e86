"""The derivation of a step: one plain sentence, and the formula in stages from the symbolic rule to the number."""

from __future__ import annotations

import re
from functools import cache, partial
from typing import NamedTuple

import numpy as np

from gradviz.engine.graph import Graph
from gradviz.engine.numeric import Array
from gradviz.engine.op import ATOM, LOOSE, PRODUCT, SUM
from gradviz.engine.parse import parse
from gradviz.explain import numbers
from gradviz.explain.notation import Notation, averaged
from gradviz.explain.trace import Run, Step
from gradviz.explain.typeset import (
    Formula,
    apply,
    constant,
    derivative,
    expression,
    option_formulas,
    sequence,
    written,
)

_TIMES, _ENTRYWISE = r" \cdot ", r" \odot "


class Stage(NamedTuple):
    """One stage of a derivation: what was just done, and the formula then."""

    label: str
    formula: Formula

    @property
    def latex(self) -> str:
        """The stage in LaTeX."""
        return self.formula.latex

    @property
    def mathml(self) -> str:
        """The stage as MathML."""
        return self.formula.mathml


def stages(step: Step, notation: Notation | None = None) -> list[Stage]:
    """The derivation of a step; its formulas chain: each stage is what the one before equals."""
    notation = notation or Notation(step.run.graph)
    if step.kind == "forward":
        return _forward(step, notation)
    if step.kind == "seed":
        rule = Formula("@d", {"d": derivative(notation.output, notation.output)})
        # A seed other than 1 is put there by whoever asked for it: it is no value of the derivative.
        result = _equals(notation.number(step.after)) if _is_one(step.after) else _given(step.after, notation)
        return [Stage("rule", rule), Stage("number", result)]
    return _backward(step, notation)


def _equals(formula: Formula) -> Formula:
    return Formula("= @x", {"x": formula})


def _given(value: Array, notation: Notation) -> Formula:
    return Formula(r"\mathrel{:=} @x", {"x": notation.number(value)})


def _is_one(seed: Array) -> bool:
    return np.ndim(seed) == 0 and bool(seed == 1)


def _over(axes: tuple[int, ...], formula: Formula) -> Formula:
    """The formula summed over the axes along which the argument was repeated."""
    if not axes:
        return formula
    return Formula(rf"\sum_{{\mathrm{{axis}}\,{', '.join(map(str, axes))}}} @(x)", {"x": formula}, SUM)


def _forward(step: Step, notation: Notation) -> list[Stage]:
    run, position = step.run, step.run.graph.position(step.node)
    node = run.graph.nodes[position]
    left = Formula("@a = @b", {"a": notation.formula(position), "b": notation.definition(run, position)})
    result = [Stage("rule", left)]
    if all(np.ndim(run.registers[arg]) == 0 for arg in node.args):
        plugged = apply(run.graph, position, [_plugged(run, notation, arg) for arg in node.args])
        result.append(Stage("numbers", _equals(plugged)))
    return [*result, Stage("value", _equals(notation.number(step.after)))]


def _plugged(run: Run, notation: Notation, position: int) -> Formula:
    node = run.graph.nodes[position]
    if node.is_constant:
        return constant(node.value, node.text)
    return notation.number(run.registers[position])


def _backward(step: Step, notation: Notation) -> list[Stage]:
    run = step.run
    edge = _position_edge(step)
    consumer, slot = edge
    node = run.graph.nodes[consumer]
    target = node.args[slot]
    op = node.op
    assert op is not None
    sums = run.summands[target] > 1
    left = notation.gradient(target)
    relation = r"@left \mathrel{+}= @right" if sums else "@left = @right"
    upstream = notation.number(step.upstream)
    whole = partial(_over, step.summed)
    if run.tape.has_local_derivative(edge):
        dot = _ENTRYWISE if run.tape.shapes[consumer] else _TIMES
        local, gradient = notation.local(edge), notation.gradient(consumer)
        rule = Formula(relation, {"left": left, "right": whole(sequence([local, gradient], dot))})
        result = [Stage("rule", rule), Stage("upstream", _equals(whole(sequence([local, upstream], dot))))]
        symbolic = local_formula(run, edge, notation)
        numeric = notation.number(step.local)
        substituted = _equals(whole(sequence([symbolic, upstream], dot)))
        if symbolic.latex != numeric.latex:
            slots = {"a": substituted, "b": _equals(whole(sequence([numeric, upstream], dot)))}
            substituted = Formula(r"@a \; @b", slots)
        result.append(Stage("local", substituted))
    else:
        right = whole(local_formula(run, edge, notation))
        result = [Stage("rule", Formula(relation, {"left": left, "right": right}))]
        plugged = whole(local_formula(run, edge, notation, upstream))
        result.append(Stage("upstream", _equals(plugged)))
    result.append(Stage("number", _equals(notation.number(step.contribution))))
    if step.before is not None:
        total = Formula(
            r"@left = @before + @(more) = @after",
            {
                "left": left,
                "before": notation.number(step.before),
                "more": notation.number(step.contribution),
                "after": notation.number(step.after),
            },
            SUM,
        )
        result.append(Stage("accumulated", total))
    return result


def local_formula(
    run: Run, edge: tuple[int, int], notation: Notation, upstream: Formula | None = None
) -> Formula:
    """The local derivative along an edge, as declared. Where it is no array to multiply by, it is the whole
    contribution, in which the upstream gradient stands as given or by its symbol."""
    consumer, slot = edge
    node = run.graph.nodes[consumer]
    op = node.op
    assert op is not None
    values = {"out": consumer} | ({} if op.variadic else dict(zip(op.args, node.args, strict=False)))
    slots = {key: notation.formula(position) for key, position in values.items()}
    slots |= option_formulas({**op.options, **node.options})
    rule = op.rule(slot)
    if not op.elementwise:
        if op.variadic:
            slots[op.args[0]] = notation.formula(node.args[slot])
        if run.tape.has_local_derivative(edge):
            return averaged(run, consumer, slope_formula(run, edge, notation))
        slots["g"] = upstream or notation.gradient(consumer)
        return Formula(rule.latex, slots, PRODUCT)
    if rule.local in _CONSTANT_RULES:
        return Formula(rule.local, precedence=LOOSE if rule.local.startswith("-") else ATOM)
    graph = _rule_graph(rule.local)
    return expression(graph, graph.output, {graph.index[key]: slots[key] for key in graph.inputs})


def slope_formula(run: Run, edge: tuple[int, int], notation: Notation) -> Formula:
    """What the declared contribution multiplies the upstream gradient by."""
    node = run.graph.nodes[edge[0]]
    op = node.op
    assert op is not None
    slots = {key: notation.formula(position) for key, position in zip(op.args, node.args, strict=False)}
    slots |= {"out": notation.formula(edge[0])} | option_formulas({**op.options, **node.options})
    return Formula(_without_upstream(op.rule(edge[1]).latex), slots, PRODUCT)


def equation_left(run: Run, edge: tuple[int, int], notation: Notation) -> Formula:
    """What `local_formula` equals: the local derivative, or the whole gradient where it is pulled back."""
    if run.tape.has_local_derivative(edge):
        return notation.local(edge)
    consumer, slot = edge
    return notation.gradient(run.graph.nodes[consumer].args[slot])


_CONSTANT_RULES = ("0", "1", "-1")


@cache
def _rule_graph(text: str) -> Graph:
    """A declared local derivative, read by the same parser as everything else."""
    return parse(text)


def _without_upstream(template: str) -> str:
    """The declared contribution of a scalar-valued operation without its factor g: the local derivative."""
    alone = re.sub(r"(\{|\\left\()@(?:\[g\]|g)(\}|\\right\))", r"\g<1>1\2", template)
    return re.sub(r"(\\,)?@(\(g\)|\[g\]|g\b)(\\,| \\cdot | \\odot )?", "", alone).strip() or "1"


def _position_edge(step: Step) -> tuple[int, int]:
    assert step.edge is not None
    return step.run.graph.position(step.edge.consumer), step.edge.argument


def sentence(step: Step, notation: Notation | None = None) -> str:
    """What happens in a step, in words."""
    run = step.run
    notation = notation or Notation(run.graph)
    position = run.graph.position(step.node)
    here = notation.text(position)
    if step.kind == "forward":
        return f"Forward: {_call_text(run.graph, position, notation)} gives {here} = {_shown(step.after, notation)}."
    if step.kind == "seed":
        if not _is_one(step.after):
            return f"The backward pass starts at the output {here} with the given seed {_shown(step.after, notation)}."
        return f"The backward pass starts at the output: {here} changes one for one with itself, so its gradient is 1."
    consumer = notation.text(_position_edge(step)[0])
    amount = _shown(step.contribution, notation)
    upstream = _shown(step.upstream, notation)
    text = f"Backward from {consumer} to {here}: "
    if run.tape.has_local_derivative(_position_edge(step)):
        text += f"local derivative {_shown(step.local, notation)} times upstream gradient {upstream}"
    else:
        text += f"the upstream gradient, {upstream}, pulled back through {consumer}"
    if step.summed:
        axes = _listed([str(axis) for axis in step.summed])
        text += f", summed over axis {axes} along which {here} was repeated,"
    text += f" {'gives' if run.summands[position] == 1 else 'contributes'} {amount}"
    if step.before is not None:
        already = _shown(step.before, notation).removeprefix("a ")
        text += f", added to the {already} already there: {_shown(step.after, notation)}"
    return text + "."


def _shown(value: Array, notation: Notation) -> str:
    return numbers.described(value, notation.digits)


def _call_text(graph: Graph, position: int, notation: Notation) -> str:
    """An operation on its arguments, in plain text: `w₁ × x`, `relu(f)`."""
    node = graph.nodes[position]
    assert node.op is not None
    words = [notation.text(arg) for arg in node.args]
    if len(words) == 2 and len(node.op.symbol) == 1:
        return f" {node.op.symbol} ".join(words)
    if node.op.name == "index":
        return f"{words[0]}[{written(node.options['key'])}]"
    usual = node.op.options
    words += [f"{key}={written(value)}" for key, value in node.options.items() if value != usual.get(key)]
    return f"{node.op.name}({', '.join(words)})"


def _listed(words: list[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def note(step: Step, notation: Notation) -> str:
    """What a careful reader would stumble over: a kink's convention, a value that is not finite, rounding."""
    run = step.run
    if step.kind == "forward" and step.node in run.nonfinite:
        return f"{notation.text(run.graph.position(step.node))} is where the first value that is not finite arises."
    if step.edge is None:
        return ""
    if step.edge.consumer in run.kinks:
        return f"Exactly at a kink: {run.kinks[step.edge.consumer]}"
    return _rounding(step, notation)


def _rounding(step: Step, notation: Notation) -> str:
    """Says so when the rounded factors on screen do not multiply to the rounded product on screen."""
    quantities = [step.local, step.upstream, step.contribution]
    if not all(isinstance(x, float) and np.isfinite(x) for x in quantities):
        return ""
    local, upstream, product = map(float, quantities)
    digits = notation.digits
    naive = round_shown(local, digits) * round_shown(upstream, digits)
    if round_shown(naive, digits) == round_shown(product, digits):
        return ""
    return (
        f"Rounded for display: {numbers.plain(local, digits)} × {numbers.plain(upstream, digits)} would give "
        f"{numbers.plain(naive, digits)}; computed with all digits it is {numbers.plain(product, digits + 2)}."
    )


def round_shown(value: float, digits: int) -> float:
    """The value that the displayed, rounded text stands for."""
    text = numbers.plain(value, digits).replace("−", "-").replace("∞", "inf")
    return float(text)
