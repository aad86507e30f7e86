"""What every export can be asked for, in one place, and which steps of a run it shows."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np

from gradviz.draw.stage import Stage
from gradviz.draw.theme import THEMES, Theme
from gradviz.errors import GradvizError

Passes = Literal["both", "forward", "backward"]
ASPECTS = {"16:9": (1280.0, 720.0), "4:3": (960.0, 720.0)}
LONGEST_SIDE = 20_000.0  # px of a page; a picture of more than that is a slip of the finger


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a picture or deck looks. None means what is usual for the format: slides carry a title and the
    derivation, single pictures only the graph. `title` is a text, or True for the program's own title.

    `width` and `height` are in px and win over `aspect`; without any of them the page is as large as its
    content. `scale` is the number of pixels per px in PNG (2) and GIF (1), less for pictures of very many
    pixels; `seconds` how long the GIF shows a step. `nodes` draws only these nodes and the lines between
    them, and of several steps shows those that concern them. `lecture` puts title, graph, chain rule and re-use around the steps.
    """

    theme: str | Theme = "light"
    aspect: str | None = None
    width: float | None = None
    height: float | None = None
    font_scale: float = 1.0
    scale: float | None = None
    seconds: float = 1.5
    digits: int = 4
    passes: Passes = "both"
    title: str | bool | None = None
    lesson: str = ""
    derivation: bool | None = None
    values: bool = True
    gradients: bool = True
    transparent: bool = False
    lecture: bool = False
    nodes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.theme, Theme):
            _one_of("theme", self.theme, THEMES)
        _one_of("aspect", self.aspect, (None, *ASPECTS))
        _one_of("passes", self.passes, get_args(Passes))
        _within("font_scale", self.font_scale, 0.25, 4)
        if self.scale is not None:
            _within("scale", self.scale, 0.1, 10)
        _within("seconds", self.seconds, 0.05, 60)
        _within("digits", self.digits, 1, 12, whole=True)
        for side in ("width", "height"):
            if (size := getattr(self, side)) is not None:
                _within(side, size, 100, LONGEST_SIDE)

    @property
    def palette(self) -> Theme:
        """The colours asked for."""
        return THEMES[self.theme] if isinstance(self.theme, str) else self.theme

    @property
    def size(self) -> tuple[float | None, float | None]:
        """Width and height of the page, None where the content decides."""
        if self.aspect is None:
            return self.width, self.height
        wide, high = ASPECTS[self.aspect]
        if self.width is not None:
            return self.width, self.height or self.width * high / wide
        return (self.height * wide / high, self.height) if self.height is not None else (wide, high)


def _one_of(name: str, value: object, allowed: Collection[str | None]) -> None:
    if not isinstance(value, str | None) or value not in allowed:
        known = ", ".join(str(entry) for entry in allowed if entry is not None)
        raise GradvizError(f"{name} {value!r} is not known", expected=known)


def _within(name: str, value: float, low: float, high: float, *, whole: bool = False) -> None:
    kind = int if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kind) or not low <= value <= high:
        words = "a whole number from " if whole else ""
        raise GradvizError(f"{name} {value!r} is out of range", expected=f"{words}{low:g} to {high:g}")


def _names(given: object) -> tuple[str, ...]:
    """Names of nodes; a single one may come on its own."""
    names = (given,) if isinstance(given, str) or not isinstance(given, Iterable) else tuple(given)
    if not all(isinstance(name, str) for name in names):
        raise GradvizError("nodes are names", got=repr(given), expected='such as ("x", "y")')
    return names


SLIDES: dict[str, Any] = {"aspect": "16:9", "title": True, "derivation": True}


def make_options(options: Options | None, changes: dict[str, Any], usual: dict[str, Any]) -> Options:
    """Options from an object and single changes; what is still None becomes what is usual for the format."""
    if not isinstance(options, Options | None):
        raise GradvizError(
            "these are no options",
            got=repr(options),
            expected='Options(theme="dark"), or theme="dark" by itself',
        )
    known = {field.name for field in fields(Options)}
    for name in changes:
        _one_of("the option", name, sorted(known))
    given = {field: getattr(options, field) for field in known} if options else {}
    merged = {**given, **changes}
    if "nodes" in merged:
        merged["nodes"] = _names(merged["nodes"])
    if merged.get("lecture"):
        usual = {**usual, **SLIDES}
    if merged.get("passes") == "forward":
        merged["gradients"] = False
    sized = any(merged.get(key) is not None for key in ("aspect", "width", "height"))
    for name, value in usual.items():
        if merged.get(name) is None and not (name == "aspect" and sized):
            merged[name] = value
    return Options(**merged)


def chosen_steps(stage: Stage, step: int | str, options: Options) -> tuple[int, ...]:
    """The numbers of steps done to show: one for an index or "last", several for "all" or a range "3-7".

    Several leave out what changes nothing on the drawing: steps inside a folded box or beside the chosen nodes.
    Raises GradvizError for a step that the run, or the pass asked for, does not have.
    """
    count = len(stage.run.steps)
    low = first_state(stage, options)
    high = len(stage.graph.operations) if options.passes == "forward" else count
    if step == "last":
        return (high,)
    if isinstance(step, str) and re.fullmatch(r"\d{1,9}", step):
        step = int(step)
    if isinstance(step, (int, np.integer)) and not isinstance(step, bool):
        step = int(step)
        if not low <= step <= high:
            raise GradvizError(f"there is no step {step}", expected=f"{low} to {high}, a range, last or all")
        return (step,)
    first, final = 0, count
    if step != "all":
        match = re.fullmatch(r"(\d{1,9})-(\d{1,9})", str(step))
        if not match or not (first := int(match[1])) <= (final := int(match[2])) <= count:
            raise GradvizError(f"there is no step {step}", expected=f"0 to {count}, a range 3-7, last or all")
    ks = [k for k in range(max(first, low), min(final, high) + 1) if k == low or shows(stage, k, options)]
    if not ks:
        raise GradvizError(f"no step in {step} is shown", expected=f"steps from {low} to {high}")
    return tuple(ks)


def first_state(stage: Stage, options: Options) -> int:
    """How many steps are done before the pass asked for; the backward pass starts from all values known."""
    return len(stage.graph.operations) if options.passes == "backward" else 0


def shows(stage: Stage, k: int, options: Options) -> bool:
    """Whether the k-th step changes anything on the drawing asked for."""
    step = stage.run.steps[k - 1]
    if stage.hidden(step):
        return False
    if not options.nodes:
        return True
    concerned = {stage.view.box_of[step.node]}
    if step.edge is not None:
        concerned.add(stage.view.box_of[step.edge.consumer])
    return concerned <= set(options.nodes)
