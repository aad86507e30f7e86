"""The scene and the trace as JSON, described by scene.schema.json beside this file."""

from __future__ import annotations

from dataclasses import asdict
from json import dumps
from typing import Any

from gradviz.draw.export.deck import Deck
from gradviz.draw.export.page import telling
from gradviz.draw.scene import selected
from gradviz.draw.slots import edge_id
from gradviz.draw.stage import Stage
from gradviz.explain import derivation, numbers
from gradviz.explain.trace import Step

SUFFIX = ".json"
MANY = True
FROM_START = False
OUTLINED = False
USUAL: dict[str, Any] = {}
VERSION = 1


def render(deck: Deck) -> bytes:
    """The picture after the last step asked for, and every step asked for with the texts it writes."""
    stage, last = deck.stage, deck.steps[-1]
    data = {
        "version": VERSION,
        "program": stage.identity,
        "title": stage.title,
        "source": stage.graph.source,
        "theme": asdict(deck.options.palette),
        **asdict(selected(stage.scene(last), deck.options.nodes)),
        "trace": [_step(stage, stage.run.steps[k - 1], deck) for k in deck.steps if k],
    }
    return (dumps(data, ensure_ascii=False, indent=1) + "\n").encode("utf-8", "replace")


def _step(stage: Stage, step: Step, deck: Deck) -> dict[str, Any]:
    k = step.index + 1
    quantities = {"upstream": step.upstream, "contribution": step.contribution, "before": step.before}
    return {
        "k": k,
        "kind": step.kind,
        "node": step.node,
        "edge": edge_id(step.edge) if step.edge else None,
        "sentence": telling(stage, k, deck.options).sentence,
        "latex": [{"label": s.label, "latex": s.latex} for s in derivation.stages(step, stage.notation)],
        **{name: None if value is None else numbers.exact(value) for name, value in quantities.items()},
        "after": numbers.exact(step.after),
        "texts": {
            slot: text for slot, entries in stage.timeline.items() for at, text, _ in entries if at == k
        },
    }
