"""The layout on real graphs, all demos and 200 generated programs: nothing lies on anything else, and few lines cross."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import pytest

import gradviz as gv
from gradviz.demos import demos
from gradviz.draw import maths
from gradviz.draw.export.marks import Cells, Curve, Node, Point, Rect, Words
from gradviz.draw.export.options import Options
from gradviz.draw.export.picture import Camera, scene_marks
from gradviz.draw.export.svg import placed_lines
from gradviz.draw.stage import Stage
from tests.conftest import require_program
from tests.draw.graphs import FEWEST, MOST, program

NAMES = [*demos(), *map(str, range(200))]
HAIR = 0.5  # px
FloatArray = npt.NDArray[np.float64]


@cache
def stage(name: str) -> Stage:
    if name in demos():
        return Stage(gv.explore(demos()[name].text, wrt=demos()[name].wrt))
    return Stage(gv.explore(program(int(name))))


def test_programs_have_every_size() -> None:
    sizes = [len(stage(name).graph.operations) for name in NAMES if name.isdigit()]
    assert (min(sizes), max(sizes)) == (FEWEST, MOST)
    assert len(set(sizes)) > 70


def occupied(made: Stage) -> Iterator[tuple[str, tuple[float, float, float, float]]]:
    """Every box, number, thumbnail and label: whose it is, and its area as it is really drawn."""
    for mark in scene_marks(made.scene(), Options(), Camera(1, 0, 0)):
        if isinstance(mark, Words):
            yield f"label {mark.of}", written(mark)
        elif isinstance(mark, Node):
            for part in mark.marks:
                if isinstance(part, Words) and part.role in ("value", "gradient"):
                    yield mark.id, written(part)
                elif isinstance(part, Cells) or (isinstance(part, Rect) and part.role == "core"):
                    yield mark.id, (part.x, part.y, part.x + part.width, part.y + part.height)


def written(words: Words) -> tuple[float, float, float, float]:
    lines = [(x, x + drawn.width * words.size / maths.EM) for x, _, drawn in placed_lines(words)]
    below = words.y + 1.2 * words.size * (len(lines) - 1)
    return min(x for x, _ in lines), words.y - 0.7 * words.size, max(x for _, x in lines), below


def curves(made: Stage) -> list[Curve]:
    marks = scene_marks(made.scene(0), Options(), Camera(1, 0, 0))
    return [mark for mark in marks if isinstance(mark, Curve)]


def sampled(points: Sequence[Point]) -> FloatArray:
    """Points along cubic pieces."""
    corners, t = np.array(points), np.linspace(0, 1, 9)[:, None]
    pieces = (corners[k : k + 4] for k in range(0, len(corners) - 1, 3))
    return np.concatenate(
        [
            (1 - t) ** 3 * a + 3 * t * (1 - t) ** 2 * b + 3 * t * t * (1 - t) * c + t**3 * d
            for a, b, c, d in pieces
        ]
    )


@pytest.mark.parametrize("name", NAMES)
def test_nothing_lies_on_anything_else(name: str) -> None:
    owners, places = zip(*occupied(stage(name)), strict=True)
    whose, areas = np.array(owners), np.array(places)
    low = np.maximum(areas[:, None, :2], areas[None, :, :2])
    high = np.minimum(areas[:, None, 2:], areas[None, :, 2:])
    shared = ((high - low) > HAIR).all(axis=2) & (whose[:, None] != whose[None])
    assert not [(owners[i], owners[j]) for i, j in np.argwhere(shared) if i < j]
    for curve in curves(stage(name)):
        points = sampled(curve.points)[:, None]
        inside = ((points > areas[:, :2] + HAIR) & (points < areas[:, 2:] - HAIR)).all(axis=2).any(axis=0)
        assert set(whose[inside]) <= {curve.source, curve.target}, curve.id


def test_fewer_crossings_than_dot() -> None:
    dot = require_program("dot")
    ours = theirs = 0
    for name in NAMES:
        made = stage(name)
        if made.lines:
            ours += crossings([sampled(curve.points) for curve in curves(made)])
            theirs += crossings(drawn_by(dot, made))
    assert theirs > 1000
    assert ours <= 1.05 * theirs
    print(f"\ncrossings in {len(NAMES)} graphs: {ours}, dot {theirs}, ratio {ours / theirs:.2f}")


def crossings(lines: Sequence[FloatArray], step: float = 4.0, apart: float = 1.0) -> int:
    """How often lines change sides, seen from left to right. Lines that still run together have no side yet."""
    corners = np.array([(line.min(axis=0), line.max(axis=0)) for line in lines])
    xs = np.arange(corners[:, 0, 0].min(), corners[:, 1, 0].max(), step)
    heights = []
    for line in lines:
        x, y = line[np.argsort(line[:, 0], kind="stable")].T
        heights.append(np.interp(xs, x, y, left=np.nan, right=np.nan))
    total = 0
    for i, height in enumerate(heights[1:], 1):
        near = ((corners[:i, 0] < corners[i, 1]) & (corners[:i, 1] > corners[i, 0])).all(axis=1)
        at = np.isfinite(height)
        differences = height[at] - np.array(heights[:i])[near][:, at]
        for row in np.nan_to_num(differences):
            sides = np.sign(row[np.abs(row) > apart])
            total += int(np.count_nonzero(np.diff(sides)))
    return total


def drawn_by(dot: str, made: Stage) -> list[FloatArray]:
    """The same boxes and lines as Graphviz draws them."""
    number = {box.id: i for i, box in enumerate(made.boxes)}
    text = ['digraph {rankdir=LR; node [shape=box, fixedsize=true, label=""]; edge [arrowhead=none]']
    text += [
        f"{i} [width={width / 72:.3f}, height={height / 72:.3f}]"
        for i, (width, height) in enumerate(sizes(made))
    ]
    text += [f"{number[line.source]} -> {number[line.target]}" for line in made.lines]
    done = subprocess.run(
        [dot, "-Tplain"], input="\n".join([*text, "}"]), capture_output=True, text=True, check=True
    )
    found: list[FloatArray] = []
    for row in (line.split() for line in done.stdout.splitlines()):
        if row[0] == "edge":
            points = np.array(row[4 : 4 + 2 * int(row[3])], dtype=float).reshape(-1, 2) * 72
            found.append(sampled([(float(x), float(y)) for x, y in points]))
    assert len(found) == len(made.lines)
    return found


def sizes(made: Stage) -> Iterator[tuple[float, float]]:
    """Width and height of every node with the numbers above and below it."""
    areas: dict[str, list[tuple[float, float, float, float]]] = {}
    for owner, area in occupied(made):
        areas.setdefault(owner, []).append(area)
    for box in made.boxes:
        left, top, right, bottom = np.array(areas[box.id]).T
        yield right.max() - left.min(), bottom.max() - top.min()
