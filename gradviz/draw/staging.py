"""From a program and everything chosen beside it to its stage, in one call.

The app, the command line and scripts all draw from it, so that they draw the same.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from gradviz.draw.stage import FONT, Stage
from gradviz.engine.graph import Graph, shape_of
from gradviz.engine.limits import DEFAULT, Limits
from gradviz.engine.numeric import Array
from gradviz.engine.source import Source, as_graph
from gradviz.engine.tape import complete_inputs
from gradviz.errors import LimitError
from gradviz.explain.fold import View, has_layers, layer_groups, line_groups, open_nodes
from gradviz.explain.trace import Run, explore


def staged(
    source: Source,
    inputs: Mapping[str, Array] | None = None,
    *,
    wrt: Iterable[str] | None = None,
    seed: Array = None,
    opened: Iterable[str] = (),
    folded: Collection[str] = (),
    digits: int = 4,
    title: str = "",
    font_scale: float = 1.0,
    limits: Limits = DEFAULT,
) -> Stage:
    """Run a text, Graph or Expr and lay it out; `inputs`, `wrt` and `seed` are those of `explore`.

    `opened` names fused operations to be shown as their gates, `folded` lines to be shown as one box each.
    `font_scale` makes the letters larger beside the boxes. Raises what `explore` raises, and GradvizError for an
    operation that has no gates.
    """
    graph = as_graph(source, limits)
    values = complete_inputs(graph, inputs or {})
    gates = open_nodes(graph, {name: shape_of(value) for name, value in values.items()}, opened)
    if limits.operations is not None and len(gates.operations) > limits.operations:
        raise LimitError(f"opened up, this has more than {limits.operations} operations")
    run = explore(gates, values, wrt=wrt, seed=seed, limits=limits)
    view = View(gates, _groups(gates, folded))
    return Stage(run, view=view, digits=digits, title=title, font=FONT * font_scale)


def _groups(graph: Graph, folded: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Folded lines as boxes; a box is called after its line, with a mark that no name can have."""
    return {f"[{line}]": members for line, members in line_groups(graph, folded).items()}


def stage_of(source: Source | Run | Stage) -> Stage:
    """A stage as it is, or that of a run or program; a network is folded by its layers."""
    if isinstance(source, Stage):
        return source
    run = source if isinstance(source, Run) else explore(source)
    groups = layer_groups(run.graph) if has_layers(run.graph) else {}
    return Stage(run, view=View(run.graph, groups))
