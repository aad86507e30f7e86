"""The scene as JSON: boxes, lines, and the texts at their slots."""

from __future__ import annotations

from dataclasses import asdict
from json import dumps

from gradviz.draw.stage import Scene
from gradviz.draw.theme import Theme

SUFFIX = ".json"


def render(scene: Scene, theme: Theme) -> str:
    """A scene as JSON text."""
    return dumps({"version": 1, "theme": asdict(theme), **asdict(scene)}, ensure_ascii=False, indent=1)
