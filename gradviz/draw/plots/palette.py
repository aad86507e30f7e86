"""Colours of the charts: the tables of the live view for light and dark pages, and black on white for print."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz.errors import GradvizError

Table = npt.NDArray[np.uint8]  # (256, 3)
_HEAT = ("#0d1440", "#1d3f78", "#2c7390", "#4fa891", "#a5d28c", "#fff3b3")


@dataclass(frozen=True)
class Colours:
    """Named colours as CSS hexadecimal; `signed` are the anchors of the palette that diverges about 0."""

    text: str
    muted: str
    line: str
    strong: str
    background: str
    good: str
    bad: str
    lit: str
    series: tuple[str, ...]
    classes: tuple[str, ...]
    signed: tuple[str, ...]

    def table(self, palette: str) -> Table:
        """A palette as 256 colours: `grey`, `ink`, `heat` or `signed`."""
        anchors = {
            "grey": ("#000000", "#ffffff"),
            "ink": ("#ffffff", "#000000"),
            "heat": _HEAT,
            "signed": self.signed,
        }
        if palette not in anchors:
            raise GradvizError(f"palette {palette!r} is not known", expected=", ".join(anchors))
        return _table(anchors[palette])


_LIGHT = Colours(
    "#1b2330", "#5b6470", "#d3d9e0", "#8b95a1", "#ffffff", "#00785a", "#b34e00", "#f7e2d1",
    ("#0072b2", "#c24f00", "#00805c", "#9b3f7d", "#8a5a00", "#3485b8", "#4a4a4a", "#a03030"),
    ("#0072b2", "#d55e00", "#009e73", "#9b3f7d", "#b58900", "#56b4e9", "#4a4a4a", "#a03030", "#6b5bd2", "#7a8a00"),
    ("#004a80", "#2f86bd", "#9cc8e4", "#f6f6f4", "#f4b68f", "#d9691e", "#8f3400"),
)  # fmt: skip
_DARK = Colours(
    "#e9edf2", "#a9b1bc", "#343c48", "#7c8694", "#181715", "#4fd1a8", "#ffa366", "#3a2413",
    ("#6cb6ee", "#ff9d5c", "#4fd1a8", "#e79ac9", "#f0c05a", "#b9dcf7", "#d5d5d5", "#ff9c8f"),
    ("#6cb6ee", "#f2843a", "#2fbf92", "#e79ac9", "#f0c05a", "#b9dcf7", "#d5d5d5", "#ff9c8f", "#a99cf5", "#bccb4b"),
    ("#9ad4ff", "#4a9bd6", "#235580", "#15181d", "#80401a", "#d9762c", "#ffbd8a"),
)  # fmt: skip
_PRINT = Colours(
    "#000000", "#4d4d4d", "#cccccc", "#808080", "#ffffff", "#000000", "#000000", "#e6e6e6",
    ("#000000", "#707070", "#404040", "#909090", "#202020", "#808080", "#505050", "#a0a0a0"),
    ("#303030", "#8c8c8c", "#606060", "#b0b0b0", "#1a1a1a", "#9c9c9c", "#4a4a4a", "#c4c4c4", "#767676", "#2e2e2e"),
    ("#3a3a3a", "#707070", "#b0b0b0", "#ffffff", "#c8c8c8", "#8a8a8a", "#505050"),
)  # fmt: skip
THEMES = {"light": _LIGHT, "dark": _DARK, "print": _PRINT}


@cache
def _table(anchors: tuple[str, ...]) -> Table:
    points = np.array([channels(anchor) for anchor in anchors], dtype=np.float64)
    at = np.linspace(0, len(points) - 1, 256)
    mixed = [np.interp(at, np.arange(len(points)), points[:, c]) for c in range(3)]
    return np.rint(np.stack(mixed, axis=1)).astype(np.uint8)


def channels(code: str) -> tuple[int, int, int]:
    """Red, green and blue, 0 to 255, of #rrggbb."""
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def code(rgb: Any) -> str:
    """A colour as #rrggbb."""
    return "#" + "".join(f"{round(float(part)):02x}" for part in rgb)


def shade(table: Table, share: float) -> str:
    """A palette's colour; `share` is 0 to 1."""
    return code(table[_level(share)])


def ink_on(table: Table, share: float) -> str:
    """Black or white, whichever is read better on a palette's colour."""
    red, green, blue = (float(part) for part in table[_level(share)])
    return "#000000" if 0.299 * red + 0.587 * green + 0.114 * blue > 140 else "#ffffff"


def _level(share: float) -> int:
    return 127 if np.isnan(share) else round(255 * min(1.0, max(0.0, share)))


def mix(first: str, second: str, share: float) -> tuple[float, float, float]:
    """Two colours mixed; `share` of the second."""
    a, b = channels(first), channels(second)
    return a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]), a[2] + share * (b[2] - a[2])
