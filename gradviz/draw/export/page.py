"""Pages: the graph with its title above, the derivation and the sentence of the step below.

The zones of a page depend on the options and the drawing alone, never on the step: nothing moves between steps.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from gradviz.draw import maths
from gradviz.draw import text as measure
from gradviz.draw.export.marks import LINE_HEIGHT, Curve, Drawn, Mark, Page, Sign, Words, clean, flat
from gradviz.draw.export.options import Options
from gradviz.draw.export.picture import Camera, Emphasis, scene_marks
from gradviz.draw.stage import Stage
from gradviz.explain import derivation
from gradviz.explain.typeset import Formula

MARGIN = 12.0
_LARGEST = 2.4  # times; a graph of two nodes need not fill a slide
LARGEST_PAGE = 10_000.0  # px; PDF readers and rasterizers have limits a little above
_READABLE = 24.0  # px of letters on a slide: 18 pt, what the back row can read
_NARROWEST = 620.0  # px of a page with a derivation that is as large as its content


@dataclass(frozen=True)
class Telling:
    """What a page says beside the graph: a heading, formulas in rows, a sentence."""

    title: str = ""
    counter: str = ""
    rows: tuple[tuple[Formula, ...], ...] = ()
    sentence: str = ""
    notes: str = ""
    emphasis: Emphasis = field(default_factory=Emphasis)


@dataclass(frozen=True)
class Zones:
    """How a page is divided; `unit` is what a px of a 720 px high slide is here."""

    width: float
    height: float
    unit: float
    margin: float
    title: float
    derivation: float
    letters: float  # size of the sentence
    camera: Camera


def heading(stage: Stage, options: Options) -> str:
    """The title asked for: a text, the program's own, or none."""
    if isinstance(options.title, str):
        return options.title
    return stage.title if options.title else ""


def telling(stage: Stage, k: int, options: Options) -> Telling:
    """What is told after k steps."""
    count = len(stage.run.steps)
    title = heading(stage, options)
    if k == 0:
        return Telling(
            title,
            f"start · {count} {'step' if count == 1 else 'steps'}",
            (),
            "Nothing is computed yet: only the inputs have values.",
        )
    step = stage.run.steps[k - 1]
    stages = derivation.stages(step, stage.notation) if options.derivation else []
    note = derivation.note(step, stage.notation)
    sentence = derivation.sentence(step, stage.notation)
    row = tuple(made.formula for made in stages if made.label != "accumulated")
    total = tuple(made.formula for made in stages if made.label == "accumulated")
    counter = f"step {k} of {count} · {step.kind}"
    return Telling(title, counter, tuple(filter(None, (row, total))), sentence, note)


def step_page(stage: Stage, k: int, options: Options) -> Page:
    """The page of one step."""
    return compose(stage, k, options, telling(stage, k, options))


def compose(stage: Stage, k: int, options: Options, told: Telling) -> Page:
    """The graph after k steps with what is told beside it."""
    zones = divide(stage, options)
    marks = [*_told(told, zones, options), *scene_marks(stage.scene(k), options, zones.camera, told.emphasis)]
    return finished(stage, k, options, told, zones, marks)


def finished(
    stage: Stage, k: int, options: Options, told: Telling, zones: Zones, marks: Sequence[Mark]
) -> Page:
    """The page of these marks, with its texts for those who do not see it."""
    about = clean(told.title or stage.title) or "Computational graph"
    said = clean(" ".join(filter(None, (told.sentence, told.notes))), 2000)
    position = f"After {k} of {len(stage.run.steps)} steps. " if k else ""
    return Page(
        zones.width, zones.height, options.palette, tuple(marks), about, position + said,
        options.transparent, k, said,
    )  # fmt: skip


def divide(stage: Stage, options: Options) -> Zones:
    """The zones of every page of a stage."""
    left, top, right, bottom = _extent(stage, options)
    wide, high = right - left, bottom - top
    width, height = options.size
    unit = min(width / 1280, height / 720) if width and height else (width or 960) / 960
    slide = bool(width and height)
    margin = 28 * unit if slide else MARGIN
    title = (58 if slide else 48) * unit if options.title else 0.0
    below = (196 if slide else 142.5) * unit if options.derivation else 0.0
    letters = (_READABLE if slide else 14.25) * unit
    if not slide:
        unit *= 0.75
    frame_width = 2 * margin
    frame_height = 2 * margin + title + below
    if width and height:
        scale = min((width - frame_width) / wide, (height - frame_height) / high, _LARGEST * unit)
    elif width or height:
        scale = (width - frame_width) / wide if width else ((height or 0) - frame_height) / high
    else:
        scale = min(1.0, LARGEST_PAGE / max(wide, high))
    scale = max(scale, 0.01)
    page_width = width or max(wide * scale + frame_width, _NARROWEST if title or below else 0)
    page_height = height or high * scale + frame_height
    dx = (page_width - wide * scale) / 2 - left * scale
    room = page_height - frame_height
    dy = margin + title + (room - high * scale) / 2 - top * scale
    camera = Camera(scale, round(dx, 2), round(dy, 2))
    return Zones(round(page_width, 2), round(page_height, 2), unit, margin, title, below, letters, camera)


def _extent(stage: Stage, options: Options) -> tuple[float, float, float, float]:
    """The part of the drawing that is shown: all of it, or what surrounds the chosen nodes."""
    if not options.nodes:
        return (0.0, 0.0, *stage.size)
    return bounds(scene_marks(stage.scene(), options, Camera(1, 0, 0)))


def bounds(marks: Sequence[Mark]) -> tuple[float, float, float, float]:
    """Left, top, right and bottom of what the marks cover."""
    xs: list[float] = []
    ys: list[float] = []
    for x0, y0, x1, y1 in map(_box, flat(marks)):
        xs += [x0, x1]
        ys += [y0, y1]
    return (min(xs), min(ys), max(xs), max(ys)) if xs else (0.0, 0.0, 1.0, 1.0)


def _box(mark: Drawn) -> tuple[float, float, float, float]:
    if isinstance(mark, Words):
        wide = measure.width(mark.text, mark.size)
        x = mark.x - {"start": 0, "middle": wide / 2, "end": wide}[mark.anchor]
        top = mark.y - mark.size * 0.8
        return x, top, x + wide, top + measure.height(mark.text, mark.size)
    if isinstance(mark, Sign):
        drawn, size = maths.formula(mark.latex), mark.size / maths.EM
        return (
            mark.x,
            mark.y - drawn.ascent * size,
            mark.x + drawn.width * size,
            mark.y + drawn.descent * size,
        )
    if isinstance(mark, Curve):
        xs, ys = zip(*mark.points, strict=True)
        return min(xs), min(ys), max(xs), max(ys)
    return mark.x, mark.y, mark.x + mark.width, mark.y + mark.height


def _told(told: Telling, zones: Zones, options: Options) -> Iterator[Mark]:
    theme, unit, margin = options.palette, zones.unit, zones.margin
    counter = told.counter if options.title or options.derivation else ""
    counter_width = measure.width(counter, 18 * unit)
    if zones.title and told.title:
        room = zones.width - 2 * margin - counter_width - 20 * unit
        text, size = fitted(clean(told.title, 120), room, 28 * unit, 16 * unit)
        yield Words("title", text, margin, round(margin + 26 * unit, 2), size, theme.ink, True, "start")
    if counter and zones.title:
        right = zones.width - margin
        yield Words(
            "counter", counter, right, round(margin + 26 * unit, 2), 18 * unit, theme.muted, False, "end"
        )
    if not zones.derivation:
        return
    top = zones.height - margin - zones.derivation
    width = zones.width - 2 * margin
    lines, size = wrapped(clean(told.sentence), width, zones.letters, 3)
    sentence_height = len(lines) * size * LINE_HEIGHT
    baseline = zones.height - margin - sentence_height + size
    yield from formula_rows(
        told.rows, (margin, top + 8 * unit, width, baseline - size - top - 16 * unit), unit, theme.ink
    )
    if lines:
        yield Words("sentence", "\n".join(lines), zones.width / 2, round(baseline, 2), size, theme.muted)


def fitted(text: str, room: float, size: float, smallest: float) -> tuple[str, float]:
    """A line of text made smaller, and in the end shorter, until it fits."""
    wide = measure.width(text, size)
    size = round(max(min(size, size * room / max(wide, 1)), smallest), 2)
    if measure.width(text, size) <= room + 0.5:
        return text, size
    while text and measure.width(f"{text}…", size) > room:
        text = text[:-1]
    return f"{text.rstrip()}…", size


def wrapped(text: str, room: float, size: float, most: int) -> tuple[list[str], float]:
    """A text in at most so many lines of that width; smaller when it is long, cut when it is very long."""
    for factor in (1.0, 0.9, 0.8, 0.7, 0.6):
        lines = _broken(text, room, size * factor)
        if len(lines) <= most:
            return _balanced(lines, room, size * factor), round(size * factor, 2)
    return [*lines[: most - 1], lines[most - 1] + " …"], round(size * 0.6, 2)


def _balanced(lines: list[str], room: float, size: float) -> list[str]:
    """As many lines of about the same width, so that no last word stands alone."""
    tries = (_broken(" ".join(lines), room * share, size) for share in (0.5, 0.55, 0.6, 0.7, 0.8, 0.9))
    return next((made for made in tries if len(made) == len(lines)), lines)


def _broken(text: str, room: float, size: float) -> list[str]:
    lines: list[str] = []
    for word in text.replace(" × ", _STAYS).split():
        word = word.replace(_STAYS, " × ")
        while measure.width(word, size) > room and len(word) > 1:
            fit = max(1, int(len(word) * room / measure.width(word, size)) - 1)
            lines.append(word[:fit])
            word = word[fit:]
        if lines and measure.width(f"{lines[-1]} {word}", size) <= room:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def formula_rows(
    rows: Sequence[Sequence[Formula]], area: tuple[float, float, float, float], unit: float, colour: str
) -> Iterator[Sign]:
    """Formulas centred in an area: one row as large as is comfortable, else broken between formulas, else smaller."""
    if not any(rows):
        return
    x, y, width, height = area
    for size in (30, 26, 23, 20, 18, 16, 14, 12, 10, 8, 6, 4, 3):
        lines = [line for row in rows for line in _filled(row, width, size * unit)]
        heights = [_height(line, size * unit) for line in lines]
        widest = max(_width(line, size * unit) for line in lines)
        fits = sum(a + d for a, d in heights) + 0.5 * size * unit * (len(lines) - 1) <= height
        if fits and widest <= width and (len(lines) <= 2 * len(rows) or size <= 14):
            break
    gap = 0.5 * size * unit
    at = y + (height - sum(a + d for a, d in heights) - gap * (len(lines) - 1)) / 2
    for line, (ascent, descent) in zip(lines, heights, strict=True):
        left = x + (width - _width(line, size * unit)) / 2
        for formula in line:
            latex = formula.latex
            yield Sign("formula", latex, round(left, 2), round(at + ascent, 2), round(size * unit, 2), colour)
            left += (maths.formula(latex).width / maths.EM + _GAP) * size * unit
        at += ascent + descent + gap


_STAYS = "\0×\0"  # a shape is not broken; no cleaned text holds a NUL
_GAP = 0.5  # em between two formulas of a row


def _filled(row: Sequence[Formula], room: float, size: float) -> list[list[Formula]]:
    lines: list[list[Formula]] = []
    for formula in row:
        if lines and _width([*lines[-1], formula], size) <= room:
            lines[-1].append(formula)
        else:
            lines.append([formula])
    return lines


def _width(line: Sequence[Formula], size: float) -> float:
    ems = sum(maths.formula(formula.latex).width / maths.EM for formula in line)
    return (ems + _GAP * (len(line) - 1)) * size


def _height(line: Sequence[Formula], size: float) -> tuple[float, float]:
    drawn = [maths.formula(formula.latex) for formula in line]
    return max(d.ascent for d in drawn) * size / maths.EM, max(d.descent for d in drawn) * size / maths.EM
