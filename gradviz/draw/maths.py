"""Formulas and words as outlines: the same picture on every machine, whatever fonts it has.

ziamath sets LaTeX with its own STIX Two Math font; words are set with the sans-serif letters of the same font.
"""

from __future__ import annotations

import re
import unicodedata
import warnings
from collections.abc import Iterator
from functools import cache, lru_cache
from threading import RLock
from typing import Any, NamedTuple

from gradviz.explain.typeset import Label

EM = 1000.0  # outlines are in thousandths of the font size, from the start of the baseline, y downwards

# A minus that begins a number; the typesetter would set it apart like the one between two terms.
_SIGN = re.compile(r"((?:^|[=(\[{,&]|bmatrix\}|\\\\|\\cdot|\\odot|\\;|\\left\()\s*)-(?=\s*[\dA-Za-z\\(])")
_LONGEST = 3000  # characters of a formula; no slide can show more
_typesetter = RLock()  # its settings and its font file are shared by all threads


class Outline(NamedTuple):
    """An SVG path to be filled (non-zero rule) and its extent, all in units of 1/EM of the font size."""

    path: str
    width: float
    ascent: float
    descent: float


@lru_cache(maxsize=16384)
def formula(latex: str) -> Outline:
    """A formula in display style; what cannot be set is written out as the plain text it is."""
    if len(latex) > _LONGEST:
        return words(f"{latex[:80]}…")
    with _typesetter:
        config, typeset = _ziamath()
        before, config.svg2 = config.svg2, False  # paths in place instead of references to symbols
        try:
            root = typeset(_SIGN.sub(r"\1{-}", latex), size=EM, margin=0).svgxml()
        except Exception:  # a typesetter of free text raises whatever its parser meets
            return words(latex)
        finally:
            config.svg2 = before
    return _tight(" ".join(_part(element) for element in root.iter()))


@cache
def _ziamath() -> tuple[Any, Any]:
    """Its settings and its typesetter."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it looks its fonts up in an older way
        from ziafont.config import config
        from ziamath.zmath import Latex
    return config, Latex


def _tight(path: str) -> Outline:
    """Path data from its own left edge on; the typesetter's frame leaves room beside accents."""
    points = [float(token) for token in _TOKEN.findall(path) if not token.isalpha()]
    if not points:
        return Outline("", 0.0, 0.0, 0.0)
    xs, ys = points[::2], points[1::2]
    return Outline(_moved(path, -min(xs)), max(xs) - min(xs), -min(ys), max(ys))


def _tag(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _part(element: Any) -> str:
    """One drawn part as path data; a stroked frame becomes the area of its stroke."""
    tag, get = _tag(element), element.attrib.get
    if tag == "path":
        return str(get("d", ""))
    if tag != "rect":
        return ""
    x, y, width, height = (float(get(key, 0)) for key in ("x", "y", "width", "height"))
    if get("fill") != "none":
        return _rectangle(x, y, width, height)
    half = float(get("stroke-width", 40)) / 2
    x, y, width, height = x - half, y - half, width + 2 * half, height + 2 * half
    inner = (x + 2 * half, y + 2 * half, width - 4 * half, height - 4 * half)
    return _rectangle(x, y, width, height) + _rectangle(*inner, hole=True)


def _rectangle(x: float, y: float, width: float, height: float, *, hole: bool = False) -> str:
    """A closed rectangle; a hole runs the other way round."""
    corners = [(x, y), (x + width, y), (x + width, y + height), (x, y + height)]
    ordered = [corners[0], *reversed(corners[1:])] if hole else corners
    return "M" + "L".join(f"{a:g} {b:g} " for a, b in ordered) + "Z "


_TOKEN = re.compile(r"[MLQCZHV]|-?[\d.]+(?:e-?\d+)?")


def _moved(path: str, dx: float, dy: float = 0.0, scale: float = 1.0) -> str:
    """Absolute path data scaled, shifted and rounded to whole units."""
    out: list[str] = []
    shift = (dx, dy)
    axis = 0
    for token in _TOKEN.findall(path):
        if token.isalpha():
            out.append(token)
            axis = 0
        else:
            out.append(f"{float(token) * scale + shift[axis]:.0f}")
            axis = 1 - axis
    return " ".join(out).replace("-0 ", "0 ")


@cache
def _font() -> Any:
    from importlib.resources import files

    _ziamath()
    from ziafont.font import Font

    return Font(str(files("ziamath.fonts") / "STIXTwoMath-Regular.ttf"))


_SANS = ((0x1D5A0, 0x1D5BA, 0x1D7E2), (0x1D5D4, 0x1D5EE, 0x1D7EC))  # A, a and 0; plain and bold
_ASCENT, _DESCENT = 760.0, 240.0
_RISE, _SMALL = 320.0, 0.65  # of a raised letter


def _sans(char: str, bold: bool) -> str:
    upper, lower, digit = _SANS[bold]
    if "A" <= char <= "Z":
        return chr(upper + ord(char) - ord("A"))
    if "a" <= char <= "z":
        return chr(lower + ord(char) - ord("a"))
    return chr(digit + ord(char) - ord("0")) if "0" <= char <= "9" else char


@lru_cache(maxsize=2048)
def _known(char: str) -> bool:
    """Whether the font has the letter."""
    with _typesetter:
        return bool(_font().glyphindex(_sans(char, False)))


def _raised(char: str) -> str:
    """The letter of which this is the small raised one, as T of ᵀ; empty for others."""
    kind, _, code = unicodedata.decomposition(char).partition(" ")
    return chr(int(code, 16)) if kind == "<super>" and " " not in code else ""


def undrawn(text: str) -> str:
    """The letters of a text that have no outline, each once."""
    return "".join(
        char
        for char in dict.fromkeys(_letters(text))
        if not (char.isspace() or unicodedata.combining(char) or _known(_raised(char) or char))
    )


# They ask for another form of the letter before them and show nothing themselves.
_SELECTORS = dict.fromkeys(range(0xFE00, 0xFE10))


def _letters(text: str) -> str:
    return unicodedata.normalize("NFC", text.translate(_SELECTORS))


@lru_cache(maxsize=2048)
def _glyph(char: str, bold: bool) -> tuple[str, float]:
    """A letter's path at the origin and its advance; what the font lacks as a raised letter is made of its letter."""
    if not _known(char) and (letter := _raised(char)):
        path, advance = _glyph(letter, bold)
        return _moved(path, 0, -_RISE, _SMALL), advance * _SMALL
    with _typesetter:
        drawn = _font().glyph(_sans(char, bold))
        element = drawn.svgpath(scale_factor=EM / drawn.DFLT_SIZE_PT)
    return ("" if element is None else element.attrib["d"]), float(drawn.advance())


@lru_cache(maxsize=16384)
def words(text: str, bold: bool = False) -> Outline:
    """One line of plain text in sans-serif letters; accents and letters the font lacks show as its empty box."""
    x, parts = 0.0, []
    for char in _letters(text):
        path, advance = _glyph(char, bold)
        parts.append(_moved(path, x) if path else "")
        x += advance
    return Outline(" ".join(filter(None, parts)), x, _ASCENT, _DESCENT)


_SEGMENT = re.compile(r"([MLQCZ])([^MLQCZ]*)")


def cubic(path: str) -> Iterator[tuple[str, list[float]]]:
    """Path data of absolute M, L, Q, C and Z as commands with their numbers, quadratic pieces as cubic ones."""
    x = y = 0.0
    for command, tail in _SEGMENT.findall(path):
        v = [float(number) for number in tail.split()]
        if command == "Q":  # a cubic piece has its control points at two thirds of the way
            a, b, c, d = v
            command = "C"
            v = [x + (a - x) * 2 / 3, y + (b - y) * 2 / 3, c + (a - c) * 2 / 3, d + (b - d) * 2 / 3, c, d]
        if v:
            x, y = v[-2:]
        yield command, v


_ACCENTS = {"\u0302": r"\hat", "\u0304": r"\bar", "\u0303": r"\tilde"}


def label_latex(label: Label) -> str:
    """A name of a drawing in LaTeX; empty when it holds anything but letters that can be drawn, digits and an accent."""
    letters = unicodedata.normalize("NFD", label.base)
    accent = next((_ACCENTS[c] for c in letters if c in _ACCENTS), "")
    stem = "".join(c for c in letters if c not in _ACCENTS)
    if not re.fullmatch(r"\w{1,40}", stem) or not re.fullmatch(r"[\w,]{0,40}", label.sub):
        return ""
    if undrawn(stem + label.sub):
        return ""
    base = r"\mathcal{L}" if stem == "ℒ" else stem if len(stem) == 1 else rf"\mathit{{{_words(stem)}}}"
    if accent:
        base = rf"{accent}{{{base}}}"
    sub = label.sub if label.sub.isdigit() else rf"\mathrm{{{_words(label.sub)}}}"
    return rf"{base}_{{{sub}}}" if label.sub else base


def _words(text: str) -> str:
    return text.replace("_", r"\_")
