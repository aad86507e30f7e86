"""A pen that writes SVG: lines, shapes, pictures made of pixels, and text that fits where it stands."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from typing import Any, Literal
from xml.sax.saxutils import escape

import numpy as np
import numpy.typing as npt

from gradviz.draw import maths
from gradviz.draw import text as measuring
from gradviz.draw.export.marks import clean
from gradviz.draw.export.svg import outline
from gradviz.draw.plots.palette import Colours, Table

SIZE = 13.0  # px of ordinary text, the smallest there is
_BOLD = 600
_MONO = 0.6  # em from letter to letter of code
_DRAWN_AS = {ord("✗"): "×"}  # signs that the letters of outlined text lack
Align = Literal["left", "center", "right"]


class Pen:
    """Draws inside a width and a height; `outlined` turns text into paths, for those who have no fonts."""

    def __init__(self, width: float, height: float, colours: Colours, outlined: bool = False) -> None:
        self.width, self.height, self.colours, self.outlined = width, height, colours, outlined
        self.parts: list[str] = []

    @contextmanager
    def inside(self, x: float, y: float, width: float, height: float) -> Iterator[Pen]:
        """A pen of its own for a part of the area, clipped to it, with (0, 0) at its corner."""
        pen = Pen(width, height, self.colours, self.outlined)
        yield pen
        self.parts += [
            f'<svg x="{x:.6g}" y="{y:.6g}" width="{width:.6g}" height="{height:.6g}">',
            *pen.parts,
            "</svg>",
        ]

    def measure(self, string: str, size: float = SIZE, weight: int = 400) -> float:
        """How wide a text is in px."""
        return measuring.width(string, size) * (1.06 if weight >= _BOLD else 1.0)

    def text(
        self,
        string: object,
        x: float,
        y: float,
        *,
        align: Align = "left",
        size: float = SIZE,
        weight: int = 400,
        colour: str = "",
        halo: str = "",
        room: float = math.inf,
        mono: bool = False,
    ) -> None:
        """A line of text around the height y, shortened to its room."""
        shown = self._fitted(clean(str(string), 200), room, size, weight)
        if not shown:
            return
        colour, baseline = colour or self.colours.text, y + 0.35 * size
        if self.outlined:
            self.parts += self._paths(shown, x, baseline, align, size, weight, colour, halo, mono)
            return
        anchor = {"left": "", "center": ' text-anchor="middle"', "right": ' text-anchor="end"'}[align]
        bold = f' font-weight="{weight}"' if weight != 400 else ""
        around = (
            f' paint-order="stroke" stroke="{halo}" stroke-width="4" stroke-linejoin="round"' if halo else ""
        )
        family = (
            ' font-family="ui-monospace, Menlo, Consolas, monospace" xml:space="preserve"' if mono else ""
        )
        self.parts.append(
            f'<text x="{x:.6g}" y="{baseline:.6g}" font-size="{size:g}" fill="{colour}"{anchor}{bold}{around}{family}>'
            f"{escape(shown)}</text>"
        )

    def _paths(
        self,
        shown: str,
        x: float,
        baseline: float,
        align: Align,
        size: float,
        weight: int,
        colour: str,
        halo: str,
        mono: bool,
    ) -> Iterator[str]:
        """A line of text as paths, letter by letter where all letters are equally wide."""
        pieces = [(letter, i * _MONO * size) for i, letter in enumerate(shown)] if mono else [(shown, 0.0)]
        for piece, dx in pieces:
            drawn = maths.words(piece.translate(_DRAWN_AS), weight >= _BOLD)
            left = x + dx - {"left": 0.0, "center": 0.5, "right": 1.0}[align] * drawn.width * size / maths.EM
            if halo:
                stroke = f' stroke="{halo}" stroke-width="{4 * maths.EM / size:g}" stroke-linejoin="round"'
                yield outline(drawn, left, baseline, size, halo, stroke)
            yield outline(drawn, left, baseline, size, colour)

    def _fitted(self, string: str, room: float, size: float, weight: int) -> str:
        if self.measure(string, size, weight) <= room:
            return string
        while len(string) > 1 and self.measure(f"{string}…", size, weight) > room:
            string = string[:-1]
        return f"{string}…" if len(string) > 1 else ""

    def line(
        self,
        points: Iterable[tuple[float, float]],
        stroke: str,
        width: float = 1.0,
        dash: Sequence[float] = (),
        *,
        fill: str = "none",
        opacity: float = 1.0,
        fill_opacity: float = 1.0,
        closed: bool = False,
    ) -> None:
        """A line through points; closed and filled where asked for."""
        path = "M" + " ".join(f"{x:.2f},{y:.2f}" for x, y in points) + ("z" if closed else "")
        self.path(path, stroke, width, dash, fill=fill, opacity=opacity, fill_opacity=fill_opacity)

    def path(
        self,
        path: str,
        stroke: str,
        width: float = 1.0,
        dash: Sequence[float] = (),
        *,
        fill: str = "none",
        opacity: float = 1.0,
        fill_opacity: float = 1.0,
    ) -> None:
        """A path as SVG writes it."""
        more = f' stroke-dasharray="{" ".join(f"{part:g}" for part in dash)}"' if dash else ""
        more += f' opacity="{opacity:.3g}"' if opacity != 1 else ""
        more += f' fill-opacity="{fill_opacity:.3g}"' if fill_opacity != 1 else ""
        self.parts.append(
            f'<path d="{path}" fill="{fill}" stroke="{stroke}" stroke-width="{width:g}" stroke-linejoin="round"{more}/>'
        )

    def rect(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str = "none",
        stroke: str = "none",
        heavy: float = 1.0,
        dash: Sequence[float] = (),
        corner: float = 0.0,
    ) -> None:
        """A rectangle."""
        more = f' stroke="{stroke}" stroke-width="{heavy:g}"' if stroke != "none" else ""
        more += f' stroke-dasharray="{" ".join(f"{part:g}" for part in dash)}"' if dash else ""
        more += f' rx="{corner:g}"' if corner else ""
        self.parts.append(
            f'<rect x="{x:.6g}" y="{y:.6g}" width="{width:.6g}" height="{height:.6g}" fill="{fill}"{more}/>'
        )

    def circle(self, x: float, y: float, radius: float, fill: str, stroke: str, heavy: float = 1.0) -> None:
        """A circle."""
        self.parts.append(
            f'<circle cx="{x:.6g}" cy="{y:.6g}" r="{radius:g}" fill="{fill}" stroke="{stroke}" stroke-width="{heavy:g}"/>'
        )

    def pixels(
        self,
        rgb: npt.NDArray[np.uint8],
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        smooth: bool = False,
    ) -> None:
        """A picture of shape (rows, columns, 3); its pixels stay squares unless `smooth`."""
        from PIL import Image

        rows, columns = rgb.shape[:2]
        factor = max(1, min(math.ceil(2 * width / columns), 4096 // max(rows, columns)))
        # Enlarged here, since not every reader of SVG leaves pixels square.
        how = Image.Resampling.BILINEAR if smooth else Image.Resampling.NEAREST
        out = BytesIO()
        Image.fromarray(np.ascontiguousarray(rgb)).resize((columns * factor, rows * factor), how).save(
            out, "PNG"
        )
        data = base64.b64encode(out.getvalue()).decode()
        self.parts.append(
            f'<image x="{x:.6g}" y="{y:.6g}" width="{width:.6g}" height="{height:.6g}" preserveAspectRatio="none" '
            f'href="data:image/png;base64,{data}"/>'
        )

    def scale(
        self, table: Table, signed: bool, ends: tuple[str, str], x: float, y: float, room: float
    ) -> None:
        """A bar of a palette with its two ends, and a mark at 0 where it is signed."""
        before, after = (self.measure(end) for end in ends)
        length = min(120.0, room - before - after - 16)
        if length < 24:
            return
        self.text(ends[0], x, y)
        start = x + before + 8
        self.pixels(table[None], start, y - 5, length, 10, smooth=True)
        self.rect(start - 0.5, y - 5.5, length + 1, 11, stroke=self.colours.strong)
        if signed:
            self.line([(start + length / 2, y - 8), (start + length / 2, y + 8)], self.colours.strong)
        self.text(ends[1], start + length + 8, y)


def number(value: Any, digits: int = 3) -> str:
    """A number as it is read: about `digits` significant digits, with a real minus sign."""
    if value is None or math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    size = abs(value)
    if size == 0:
        return "0"
    if size >= 1e5 or size < 1e-3:
        head, power = f"{value:.{max(0, digits - 1)}e}".split("e")
        return f"{float(head):g}e{int(power)}".replace("-", "−")
    shown = f"{value:.0f}" if size >= 10**digits else f"{float(f'{value:.{digits}g}'):.15g}"
    return shown.replace("-", "−")


def ticks(low: float, high: float, count: float) -> tuple[float, list[float]]:
    """The distance between round numbers, and those from `low` to `high`, about `count` of them."""
    rough = (high - low) / max(1.0, count)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return step, [k * step for k in range(first, last + 1)]


def coloured(values: npt.NDArray[Any], low: float, high: float, table: Table) -> npt.NDArray[np.uint8]:
    """An image in a palette's colours; one with a third axis holds red, green and blue itself."""
    span = high - low
    share = (np.asarray(values, dtype=np.float64) - low) * (255 / span if span > 0 else 0.0)
    levels = np.clip(np.nan_to_num(share, nan=127.5, posinf=255, neginf=0) + 0.5, 0, 255).astype(np.uint8)
    return levels if levels.ndim == 3 else np.asarray(table[levels])


def limits(arrays: Iterable[npt.NDArray[Any]], palette: str) -> tuple[float, float]:
    """The range of a palette over some arrays: 0…1 (bytes: 0…255) for greys, ± the largest for signed numbers,
    smallest to largest for heat."""
    parts = [np.asarray(array) for array in arrays if np.size(array)]
    if palette in ("grey", "ink"):
        return (0.0, 255.0) if parts and parts[0].dtype == np.uint8 else (0.0, 1.0)
    finite = [part[np.isfinite(part)] for part in parts]
    low = min((float(part.min()) for part in finite if part.size), default=0.0)
    high = max((float(part.max()) for part in finite if part.size), default=1.0)
    if palette == "signed":
        largest = max(-low, high) or 1.0  # zeros are neutral
        return -largest, largest
    return low, high
