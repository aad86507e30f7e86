"""What a notebook shows: pictures of runs, steps, graphs and Jacobians that outlive the kernel, and the live stepper."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from html import escape
from typing import Any

from gradviz.draw.export import Options
from gradviz.draw.export.deck import Deck
from gradviz.draw.export.svg import draw
from gradviz.draw.plots import panel_svg
from gradviz.draw.stage import Stage
from gradviz.draw.staging import stage_of, staged
from gradviz.engine.graph import Graph
from gradviz.engine.source import Source
from gradviz.errors import GradvizError
from gradviz.explain import numbers
from gradviz.explain.jacobian import Jacobian
from gradviz.explain.trace import Run, Step

LARGEST = 150  # boxes that a picture in a notebook can hold
WRITTEN = 12  # rows and columns of a Jacobian that are written out
_NAMED = 8  # gradients listed under a run


def show(source: Source | Run | Stage, *, k: int = 0, height: int = 560, theme: str | None = None) -> Any:
    """The stepper in a notebook, starting after `k` steps; `.k` and `.node` tell what is on screen and what was
    clicked. Where anywidget is not installed it is a page of its own that reports nothing.

    `height` is in px; `theme` is "light" or "dark", by default the notebook's own.
    """
    stage = stage_of(source)
    try:
        from gradviz.draw.widget import Stepper
    except ModuleNotFoundError as missing:
        if missing.name not in ("anywidget", "traitlets"):
            raise
        return Page(stage, k, height, theme)
    return Stepper(stage, k=k, height=height, theme=theme)


class Page:
    """The stepper as a page inside the notebook, for where anywidget is not installed."""

    missing = "pip install 'gradviz[notebook]' lets Python read the step and the node on screen."

    def __init__(self, stage: Stage, k: int, height: int, theme: str | None) -> None:
        self.stage, self.k, self.height, self.theme = stage, k, height, theme

    def __repr__(self) -> str:
        return f"<stepper of {self.stage.run!r}; {self.missing}>"

    def _repr_html_(self) -> str:
        from gradviz.draw.export import rendered

        theme = self.theme or "light"
        ((_, page),) = rendered(
            self.stage, "stepper.html", min(self.k, len(self.stage.run.steps)), theme=theme
        )
        return (
            f'<iframe srcdoc="{escape(page.decode())}" width="100%" height="{self.height}" style="border: 0" '
            f'title="{escape(self.stage.title or "Computational graph")}"></iframe><p>{escape(self.missing)}</p>'
        )


def mimebundle(shown: Run | Step | Graph | Jacobian) -> dict[str, str]:
    """How a notebook shows it: HTML that needs neither kernel nor network, and plain text."""
    makers = {Run: _run, Step: _step, Graph: _graph, Jacobian: _jacobian}
    make = next(make for kind, make in makers.items() if isinstance(shown, kind))
    return {"text/html": make(shown), "text/plain": repr(shown)}  # type: ignore[operator]


def _run(run: Run) -> str:
    stage = stage_of(run)
    kinds = [step.kind for step in run.steps]
    counts = ", ".join(
        f"{kinds.count(kind)} {kind}" for kind in ("forward", "seed", "backward") if kind in kinds
    )
    rows = [f"{len(kinds)} steps: {counts}"]
    output = stage.notation.text(run.graph.output)
    for name in run.tape.wrt[:_NAMED]:
        leaf = stage.notation.text(run.graph.position(name))
        rows.append(f"∂{output}/∂{leaf} = {numbers.brief(run.grad(name), stage.digits)}")
    if len(run.tape.wrt) > _NAMED:
        rows.append(f"… {len(run.tape.wrt) - _NAMED} more")
    return _figure(stage, len(kinds), Options(), rows)


def _step(step: Step) -> str:
    return still(stage_of(step.run), step.index + 1)


def still(stage: Stage, k: int, theme: str = "light") -> str:
    """A stage after `k` steps as HTML: the graph, the derivation of the step and its sentence."""
    options = Options(derivation=True, title=True, theme=theme)
    return _figure(stage, k, options, (), stage.run.steps[k - 1].sentence if k else "")


def _graph(graph: Graph) -> str:
    """The structure alone: inputs without a declared value are taken for numbers, which may not fit."""
    try:
        free = {name: 1.0 for name in graph.inputs if name not in graph.defaults}
        stage = staged(graph, free, wrt=())
    except GradvizError:
        return _listing(graph)
    options = Options(values=False, gradients=False)
    return _figure(stage, 0, options, [f"{len(graph.operations)} operations on {', '.join(graph.inputs)}"])


def _figure(stage: Stage, k: int, options: Options, rows: Sequence[str], alt: str = "") -> str:
    if len(stage.view.boxes) > LARGEST:
        return _listing(stage.graph) + _words(rows or [alt])
    picture = draw(next(Deck(stage, (k,), options).pages()))
    return _image(picture, alt or f"Computational graph after {k} steps") + _words(rows)


def _image(picture: str, alt: str) -> str:
    """A picture as an <img>, which notebooks show even where they trust nothing."""
    data = base64.b64encode(picture.encode()).decode()
    return f'<img src="data:image/svg+xml;base64,{data}" alt="{escape(alt)}" style="max-width: 100%">'


def _words(rows: Sequence[str]) -> str:
    return "".join(f"<div>{escape(row)}</div>" for row in rows)


def _listing(graph: Graph) -> str:
    """The operations of a graph that is too large, or too incomplete, to be drawn."""
    lines = [
        (node.id, node.op.signature, ", ".join(graph.nodes[arg].id for arg in node.args))
        for node in graph.nodes
        if node.op is not None
    ]
    more = f"<div>… {len(lines) - LARGEST} more operations</div>" if len(lines) > LARGEST else ""
    return _table(("node", "operation", "arguments"), lines[:LARGEST]) + more


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def cells() -> Iterator[str]:
        yield "<tr>" + "".join(f"<th>{escape(head)}</th>" for head in heads) + "</tr>"
        for row in rows:
            yield "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>"

    return f"<table>{''.join(cells())}</table>"


def _jacobian(jacobian: Jacobian) -> str:
    rows, columns = jacobian.shape
    name = f"∂{jacobian.of}/∂{jacobian.wrt}: {rows} × {columns}"
    kind = f"{jacobian.structure}, {jacobian.layout} layout"
    about = f"{name}, {kind}"
    if not jacobian.is_shown:
        return _words(
            [about, f"{jacobian.entries:,} entries: read single rows and columns with .row(i), .column(j)"]
        )
    small = rows <= WRITTEN and columns <= WRITTEN
    panel = {
        "kind": "matrix",
        "title": name,
        "note": kind,
        "values": jacobian.matrix,
        "palette": "signed",
        "numbers": small,
        "row_labels": jacobian.row_names if small else (),
        "column_labels": jacobian.column_names if small else (),
    }
    size = (max(300, 90 + 62 * columns), 110 + 34 * rows) if small else (520, 540)
    return _image(panel_svg(panel, width=size[0], height=size[1]), about)
