"""Numbers as a reader sees them: rounded to significant digits, with true minus signs.

An exact number loses its trailing zeros (0.5); a rounded one keeps them (0.5000), so that rounding shows.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

NOT_YET = "—"
MAX_ROWS, MAX_COLUMNS = 4, 4  # a larger array is shown by its shape


def plain(value: float, digits: int = 4) -> str:
    """A number in Unicode text with this many significant digits."""
    mantissa, exponent = _parts(value, digits)
    return mantissa.replace("-", "−") + (f"e{exponent}".replace("-", "−") if exponent else "")


def latex(value: float, digits: int = 4) -> str:
    """A number in LaTeX with this many significant digits."""
    mantissa, exponent = _parts(value, digits)
    special = {"∞": r"\infty", "-∞": r"-\infty", "NaN": r"\mathrm{NaN}"}
    mantissa = special.get(mantissa, mantissa)
    return mantissa + (rf" \cdot 10^{{{exponent}}}" if exponent else "")


def _parts(value: float, digits: int) -> tuple[str, int]:
    value = float(value)
    if math.isnan(value):
        return "NaN", 0
    if math.isinf(value):
        return ("∞" if value > 0 else "-∞"), 0
    if value == 0:
        return "0", 0
    if value == int(value) and abs(value) < 1e6:
        return str(int(value)), 0
    exponent = int(f"{value:.{digits - 1}e}".partition("e")[2])  # of the rounded number: 0.99999 reads 1.000
    if -4 <= exponent < max(digits, 5):
        return _trim(f"{value:.{max(digits - 1 - exponent, 0)}f}", value), 0
    rounded = f"{value:.{digits - 1}e}"
    mantissa, _, power = rounded.partition("e")
    return (mantissa.rstrip("0").rstrip(".") if float(rounded) == value else mantissa), int(power)


def _trim(text: str, value: float) -> str:
    if "." in text and float(text) == value:
        return text.rstrip("0").rstrip(".")
    return text


def clipped(text: str, limit: int) -> str:
    """A text of at most this many characters; a longer one ends in `…`."""
    return text if len(text) <= limit else f"{text[: limit - 1]}…"


def shape_text(shape: tuple[int, ...]) -> str:
    """A shape in words: `scalar`, `vector of 3`, `3 × 4`."""
    if not shape:
        return "scalar"
    return f"vector of {shape[0]}" if len(shape) == 1 else " × ".join(map(str, shape))


def fits(shape: tuple[int, ...]) -> bool:
    """Whether an array of this shape, a single image at most, is small enough to be written out entry by entry."""
    rows, columns = (1, *shape)[-2:] if shape else (1, 1)
    return set(shape[:-2]) <= {1} and 0 < rows <= MAX_ROWS and 0 < columns <= MAX_COLUMNS


def lines(value: Any, digits: int = 4) -> str:
    """A value for the picture: a number, a small array row by row in two digits less, or only the shape of a
    large one."""
    array = np.asarray(value)
    if array.shape == ():
        return plain(float(array), digits)
    if not fits(array.shape):
        return _extent(array.shape)
    short = max(digits - 2, 1)
    rows = [
        [plain(float(x), short) for x in row] for row in np.atleast_2d(array).reshape(-1, array.shape[-1])
    ]
    return "\n".join("[" + " ".join(row) + "]" for row in rows)


def brief(value: Any, digits: int = 4) -> str:
    """A value for the narrow place on an edge: an array of more than three entries by its shape only."""
    return _extent(np.shape(value)) if np.size(value) > 3 else lines(value, digits)


def _extent(shape: tuple[int, ...]) -> str:
    """How much is in an array that is not written out, so that nobody takes it for a number."""
    return f"{shape[0]} numbers" if len(shape) == 1 else " × ".join(map(str, shape))


def _article(count: int) -> str:
    """As it is spoken: an eight, an eleven, an eighteen."""
    return "an" if f"{count:,}".split(",")[0] in ("11", "18") or str(count).startswith("8") else "a"


def described(value: Any, digits: int = 4) -> str:
    """A value in a sentence: a number, or what kind of array it is."""
    shape = np.shape(value)
    if not shape:
        return plain(float(value), digits)
    return f"a vector of {shape[0]}" if len(shape) == 1 else f"{_article(shape[0])} {shape_text(shape)} array"


def exact(value: Any) -> str:
    """A value with every digit it has; a large matrix by its first entries, a large batch by its extent."""
    array = np.asarray(value)
    if array.shape == ():
        return _all_digits(float(array))
    if array.ndim > 2 and array.size > 64:
        return f"{shape_text(array.shape)}: {statistics(array)}"
    shown = np.array2string(
        array, max_line_width=60, threshold=64, formatter={"float_kind": lambda x: f"{x:.8g}"}
    )
    return shown.replace("-", "−")


def statistics(array: Any) -> str:
    """The extent of a large array in words: smallest, largest and mean entry, and the share of zeros."""
    array = np.asarray(array)
    finite = array[np.isfinite(array)]
    if not finite.size:
        return "no finite entry"
    low, high, mean = (
        plain(float(x), 3) for x in (finite.min(), finite.max(), finite.mean(dtype=np.float64))
    )
    zeros = float(np.mean(array == 0))
    words = f"min {low}, max {high}, mean {mean}"
    if zeros:
        words += f", {zeros:.0%} zeros".replace("%", " %") if zeros >= 0.005 else ", few zeros"
    bad = array.size - finite.size
    return f"{words}, {bad} not finite" if bad else words


def _all_digits(value: float) -> str:
    """Every digit a number has; a whole number without a point."""
    if not np.isfinite(value):
        return plain(value)
    whole = value == int(value) and abs(value) < 1e15
    return (str(int(value)) if whole else repr(value)).replace("-", "−")


def latex_array(value: Any, digits: int = 4) -> str:
    """A value in LaTeX: a number, a column or matrix when it is small, else its shape in brackets."""
    array = np.asarray(value)
    if array.shape == ():
        return latex(float(array), digits)
    if not fits(array.shape if array.ndim > 1 else (array.shape[0], 1)):
        return rf"\,\text{{[{shape_text(array.shape)}]}}"
    rows = array.reshape(-1, 1) if array.ndim == 1 else array.reshape(-1, array.shape[-1])
    short = max(digits - 1, 1)
    body = r" \\ ".join(" & ".join(latex(float(x), short) for x in row) for row in rows)
    return rf"\begin{{bmatrix}} {body} \end{{bmatrix}}"
