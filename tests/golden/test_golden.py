"""D1 and D2 step by step and formula by formula, compared with the texts in this folder.

After a wanted change, `GRADVIZ_UPDATE_GOLDEN=1 pytest tests/golden` writes the texts anew; read the difference
before you keep it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import gradviz as gv
from gradviz.demos import get
from gradviz.explain.chain import chain

HERE = Path(__file__).parent
ROWS = ["D1", "D2"]


def explored(row: str) -> gv.Run:
    demo = get(row)
    return gv.explore(demo.text, wrt=demo.wrt)


def exact(value: Any) -> str:
    """Twelve digits: the last bits of an exponential differ between machines."""
    return "nothing" if value is None else f"{float(value):.12g}"


def tape_lines(run: gv.Run) -> Iterator[str]:
    for step in run.steps:
        if step.edge is None:
            yield f"{step.index + 1} {step.kind} {step.node} = {exact(step.after)}"
            continue
        yield (
            f"{step.index + 1} backward {step.node} via {step.edge.consumer}[{step.edge.argument}]: "
            f"{exact(step.local)} * {exact(step.upstream)} = {exact(step.contribution)}, "
            f"from {exact(step.before)} to {exact(step.after)}"
        )
    for node in run.graph.nodes:
        if saved := run.saved(node.id):
            yield f"saved by {node.id}: {saved}"


def latex_lines(run: gv.Run) -> Iterator[str]:
    for step in run.steps:
        yield f"{step.index + 1} {step.sentence}"
        yield from (f"  {stage.label}: {stage.latex}" for stage in step.stages)


def chain_lines(run: gv.Run) -> Iterator[str]:
    for leaf in run.grads:
        found = chain(run, leaf)
        yield f"{leaf}: {found.total.latex} = {found.value.latex}, paths: {found.count}"
        for path in found.paths:
            for i in range(len(path.factors)):
                yield f"  {path.product(i).latex}"
                yield f"    {path.boxed_derivative(i).latex}, shared with {', '.join(path.shared_with(i)) or 'none'}"
            numbers = path.numbers(len(path.factors) - 1)
            assert numbers is not None
            yield f"  {numbers.latex} = {exact(path.value)}"


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("what", [tape_lines, latex_lines, chain_lines], ids=["tape", "latex", "chain"])
def test_golden(row: str, what: Any) -> None:
    path = HERE / f"{row}_{what.__name__.removesuffix('_lines')}.txt"
    lines = list(what(explored(row)))
    if os.environ.get("GRADVIZ_UPDATE_GOLDEN"):
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines == path.read_text(encoding="utf-8").splitlines()
