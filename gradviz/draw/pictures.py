"""Arrays as images: what the browser draws of the values and gradients of a batch, small enough to be sent.

A Picture is a stack of frames (samples), each made of tiles (channels), as bytes between two printed ends. What
does not fit into the bytes allowed is left out, and `left_out` says so. A thumbnail is one tile in a few levels.
"""

from __future__ import annotations

import base64
from dataclasses import asdict, dataclass
from math import ceil, isqrt, sqrt
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from gradviz.engine.graph import Graph
from gradviz.engine.numeric import Shape
from gradviz.explain import numbers

CELLS = 16  # rows and columns of a thumbnail at most
LEVELS = 9  # of a thumbnail; of a gradient the middle one is 0

# How frame, tile, row and column of a picture find their entry in the array:
# batch [frame, tile, row, column], filters [tile // columns, tile % columns, row, column], stack [tile, row, column],
# images [frame, (tile, row, column) counted through], matrix [row, column], vector [column].
Kind = Literal["batch", "filters", "stack", "images", "matrix", "vector"]
FloatArray = npt.NDArray[Any]
Json = dict[str, Any]


@dataclass(frozen=True)
class Picture:
    """One array as bytes: 0…255 stand for low…high, or 0…254 for −high…high where it is `signed`."""

    kind: Kind
    shape: tuple[int, int, int, int]  # frames, tiles, rows, columns that are sent
    columns: int  # tiles side by side; 0 for as many as fit
    step: int  # every how manyth row and column is sent
    low: float
    high: float
    signed: bool
    data: str  # base64
    ends: tuple[str, str]
    left_out: str

    def to_json(self) -> Json:
        """The picture as the browser reads it."""
        return asdict(self)


def picture(
    value: Any, kind: Kind, image: Shape = (), *, signed: bool = False, room: int = 24_000
) -> Picture:
    """An array as a picture of at most about `room` bytes; `image` is what a row of `images` is reshaped to."""
    array = np.asarray(value, dtype=np.float64)
    frames, columns = _frames(array, kind, image)
    sent, step, left_out = _cut(frames, kind, room)
    finite = array[np.isfinite(array)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    signed = signed or low < 0
    if signed:
        high = max(abs(low), abs(high))
        low = -high
    unit = max(high, -low) or 1.0  # the difference of two huge numbers is infinite
    span = high / unit - low / unit or 1.0
    shares = (np.nan_to_num(sent, nan=low, posinf=high, neginf=low) / unit - low / unit) / span
    scaled = shares * (254 if signed else 255)
    if signed and high == 0:
        scaled = np.full(sent.shape, 127.0)
    data = base64.b64encode(np.rint(scaled).clip(0, 255).astype(np.uint8).tobytes()).decode()
    ends = numbers.plain(low, 3), numbers.plain(high, 3)
    shape = (sent.shape[0], sent.shape[1], sent.shape[2], sent.shape[3])
    return Picture(kind, shape, columns, step, low, high, signed, data, ends, left_out)


def _frames(array: FloatArray, kind: Kind, image: Shape) -> tuple[FloatArray, int]:
    """The array as (frames, tiles, rows, columns), and how many tiles stand side by side."""
    if kind == "filters":
        return array.reshape(1, -1, *array.shape[2:]), array.shape[1] if array.shape[1] > 1 else 0
    if kind == "images":
        return array.reshape(len(array), *image), 0
    if kind == "stack":
        return array[None], 0
    return array.reshape((1,) * (4 - array.ndim) + array.shape), 0


def _cut(frames: FloatArray, kind: Kind, room: int) -> tuple[FloatArray, int, str]:
    """As much as fits: first fewer frames, then coarser or fewer tiles, rows and columns; and what that means."""
    count, tiles, rows, columns = frames.shape
    words = []
    kept = max(1, room // max(1, tiles * rows * columns))
    if kept < count:
        frames = frames[:kept]
        one = "row" if kind == "images" else "sample"
        words.append(f"the first {one if kept == 1 else f'{kept} {one}s'} of {count}")
    step = 1
    if tiles * rows * columns > room:
        if kind in ("batch", "images", "stack") and rows > CELLS:
            step = min(ceil(sqrt(tiles * rows * columns / room)), rows // CELLS + 1)
            frames = frames[:, :, ::step, ::step]
            words.append(f"every {_ordinal(step)} row and column")
        inside = frames.shape[2] * frames.shape[3]
        if tiles * inside > room and tiles > 1:
            fewer = max(1, room // inside)
            frames = frames[:, :fewer]
            words.append(f"the first {fewer} of {tiles} {'kernels' if kind == 'filters' else 'channels'}")
        elif inside > room:
            frames = frames[:, :, : max(1, room // frames.shape[3]), :room]
            words.append(f"the first {frames.shape[2]} of {rows} rows")
    return frames, step, "shown: " + ", ".join(words) if words else ""


def _ordinal(number: int) -> str:
    return {2: "2nd", 3: "3rd"}.get(number, f"{number}th")


def kind_of(graph: Graph, position: int, shapes: tuple[Shape, ...]) -> tuple[Kind, Shape] | None:
    """How to draw what stands at a position: None for numbers and small matrices, which are written out. A row of
    weights or of data that is an image laid out flat is drawn as that image."""
    shape = shapes[position]
    if not shape or 0 in shape or len(shape) > 4 or (numbers.fits(shape) and len(shape) < 3):
        return None
    if len(shape) == 4:
        return ("filters" if _is_weight(graph, position) else "batch"), ()
    if len(shape) == 3:
        return "stack", ()
    if len(shape) == 2 and (image := _image_behind(graph, position, shapes)):
        return "images", image
    return ("matrix" if len(shape) == 2 else "vector"), ()


def _is_weight(graph: Graph, position: int) -> bool:
    return any(
        (op := graph.nodes[consumer].op) is not None and op.argument(slot) == "w"
        for consumer, slot in graph.consumers[position]
    )


def _image_behind(graph: Graph, position: int, shapes: tuple[Shape, ...]) -> Shape:
    """(channels, height, width) of the image that each row is, where that can be told: of what flatten made flat,
    of weights that read it, and of data whose width is a square."""
    if _is_weight(graph, position):
        consumer, _ = graph.consumers[position][0]
        position = graph.nodes[consumer].args[0]
    node, width = graph.nodes[position], shapes[position][-1]
    if node.op is not None and node.op.name in ("flatten", "reshape"):
        before = shapes[node.args[0]]
        return before[1:] if len(before) == 4 and before[2] > 1 else ()
    side = isqrt(width)
    return (1, side, side) if node.op is None and side * side == width and side >= 8 else ()


def thumbnail(value: Any, kind: Kind, image: Shape = (), *, signed: bool = False) -> tuple[str, ...]:
    """The liveliest tile of the first sample in at most CELLS rows of digits, one per entry, each below LEVELS."""
    array = np.nan_to_num(np.asarray(value, dtype=np.float64), posinf=0.0, neginf=0.0)
    array = array / (np.abs(array).max(initial=0.0) or 1.0)  # the sum of a few huge numbers is infinite
    frames, _ = _frames(array, kind, image)
    tiles = frames[0]
    tile = tiles[int(np.argmax(np.ptp(tiles.reshape(len(tiles), -1), axis=1)))]
    tile = _shrunk(_shrunk(tile, 0), 1)
    low, high = float(tile.min()), float(tile.max())
    if signed:
        high = max(-low, high)
        low = -high
    levels = np.rint((tile - low) / (high - low or 1.0) * (LEVELS - 1)).astype(int)
    if high == low:
        levels = np.full(tile.shape, (LEVELS - 1) // 2 if signed else 0)
    return tuple("".join(map(str, row)) for row in levels)


def _shrunk(tile: FloatArray, axis: int) -> FloatArray:
    """At most CELLS entries along an axis, each the mean of its neighbours."""
    size = tile.shape[axis]
    if size <= CELLS:
        return tile
    starts = np.linspace(0, size, CELLS, endpoint=False).astype(int)
    sums = np.add.reduceat(tile, starts, axis=axis)
    counts = np.diff([*starts.tolist(), size])
    return np.asarray(sums / (counts[:, None] if axis == 0 else counts))
