"""A user's own image or points, checked for size before they are decoded and refused in plain words."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import numpy as np

from gradviz.data.shipped import Array

MAX_BYTES = 20_000_000
MAX_PIXELS = 4_000_000
MAX_TEXT = 1_000_000  # characters
MAX_POINTS = 10_000
MAX_CLASSES = 10

# Formats that Pillow decodes by itself; some others would start programs such as Ghostscript.
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")


class DataError(ValueError):
    """A file that cannot be used, or points that cannot be made, with the reason."""


def read_image(content: bytes) -> Array:
    """A picture file as uint8, (H, W) if it is grey and (H, W, 3) in colour; transparency is dropped.

    Raises DataError for more than 20 MB or 4 million pixels, and for what is no picture.
    """
    from PIL import Image, ImageOps

    if not isinstance(content, bytes | bytearray):
        raise DataError(f"content is {type(content).__name__}; the bytes of a picture file are needed")
    if len(content) > MAX_BYTES:
        raise DataError(f"the file has {len(content):,} bytes; at most {MAX_BYTES:,} are read")
    try:
        image = Image.open(BytesIO(content), formats=_FORMATS)  # reads the header only
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise DataError(f"the picture is far too large; at most {MAX_PIXELS:,} pixels are read") from None
    except (OSError, ValueError, SyntaxError):
        raise DataError(f"this is not a picture that can be read ({', '.join(_FORMATS)})") from None
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise DataError(f"the picture has {width} × {height} pixels; at most {MAX_PIXELS:,} are read")
    try:
        upright = ImageOps.exif_transpose(image)  # a phone stores how it was held beside the pixels
    except (OSError, ValueError, SyntaxError, EOFError):
        raise DataError("the picture is damaged or incomplete") from None
    return _eight_bit(upright)


def _eight_bit(image: Any) -> Array:
    if image.mode.startswith("I;16"):
        return (np.array(image) >> 8).astype(np.uint8)
    if image.mode in ("I", "F"):
        raise DataError("the picture has 32 bits per pixel and channel; save it with 8 or 16")
    return np.array(image.convert("L" if image.mode in ("1", "L", "LA", "La") else "RGB"))


def read_points(text: str) -> tuple[Array, Array]:
    """Points with classes from lines `x, y, class` (or tab, blank, semicolon; a header, a first line without any number, is skipped).

    Returns x (n, 2) float32 and y (n,) int64; classes may be numbers or words and are numbered in sorted order.
    Raises DataError, naming the line.
    """
    if not isinstance(text, str):
        raise DataError(f"text is {type(text).__name__}; a str is needed")
    if len(text) > MAX_TEXT:
        raise DataError(f"the text has {len(text):,} characters; at most {MAX_TEXT:,} are read")
    rows = [
        (i, _fields(line)) for i, line in enumerate(text.lstrip("\ufeff").splitlines(), 1) if line.strip()
    ]
    if rows and not any(map(_is_number, rows[0][1])):
        rows = rows[1:]
    if not 2 <= len(rows) <= MAX_POINTS:
        raise DataError(f"2 to {MAX_POINTS:,} points can be used, found {len(rows):,}")
    x = np.array([_point(number, fields) for number, fields in rows], dtype=np.float32)
    return x, _classes([fields[2] for _, fields in rows])


def _fields(line: str) -> list[str]:
    if ";" in line:  # spreadsheets that write 1,5 for one and a half separate by semicolons
        fields = line.replace(",", ".").split(";")
    else:
        fields = line.split(",") if "," in line else line.split()
    return [field.strip().strip('"') for field in fields]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _point(number: int, fields: list[str]) -> tuple[float, float]:
    if len(fields) != 3 or not fields[2]:
        raise DataError(f"line {number} has {len(fields)} columns; three are needed: x, y, class")
    for field in fields[:2]:
        # Beyond 10⁶ float32 no longer tells neighbouring points apart; NaN fails the comparison too.
        if not (_is_number(field) and abs(float(field)) <= 1e6):
            raise DataError(f"line {number}: {field[:20]!r} is not a number between −10⁶ and 10⁶")
    return float(fields[0]), float(fields[1])


def _classes(labels: list[str]) -> Array:
    numeric = all(map(_is_number, labels))
    names, y = np.unique([float(label) for label in labels] if numeric else labels, return_inverse=True)
    if not 2 <= len(names) <= MAX_CLASSES:
        raise DataError(f"2 to {MAX_CLASSES} classes can be used, found {len(names)}")
    return y.astype(np.int64)
