r"""A TikZ picture for LaTeX, to be \input in a document or, with several steps, in a Beamer frame as overlays.

It needs \usepackage{lmodern,amsmath,amssymb,tikz}; \resizebox{\textwidth}{!}{\input{graph.tex}} fits it to the slide.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import groupby
from typing import Any

from gradviz.draw import maths
from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import LINE_HEIGHT, Cells, Curve, Drawn, Page, Rect, Sign, Words, colours, flat
from gradviz.draw.export.svg import placed_lines
from gradviz.draw.theme import Theme

SUFFIX = ".tex"
MANY = True
FROM_START = False
OUTLINED = True
USUAL: dict[str, Any] = {}
_POINTS = 0.75  # pt per px
_HEADER = r"""% Drawn by gradviz. \usepackage{lmodern,amsmath,amssymb,tikz}, then \resizebox{\textwidth}{!}{\input{this file}}"""
_LAYERS = ("plain", "forward", "backward", "contribution", "ring", "core", "inner")  # the rest lies on top


def render(deck: Deck) -> bytes:
    r"""One picture; what changes from step to step is wrapped in \only<k>."""
    return write(list(deck.pages())).encode("ascii")


def write(pages: Sequence[Page]) -> str:
    """A TikZ picture of one page, or of several as overlays."""
    first = pages[0]
    shown: dict[Drawn, list[int]] = {}
    for number, page in enumerate(pages, 1):
        for mark in _in_rows(flat(page.marks)):
            shown.setdefault(mark, []).append(number)
    marks = sorted(shown, key=lambda mark: _LAYERS.index(mark.role) if mark.role in _LAYERS else len(_LAYERS))
    palette = _palette(marks, first.theme)
    lines = [_HEADER, r"\begin{tikzpicture}[x=0.75bp,y=-0.75bp,line cap=round,inner sep=0pt,outer sep=0pt]"]
    lines += [rf"\definecolor{{{name}}}{{HTML}}{{{code[1:]}}}" for code, name in palette.items()]
    size = f"(0,0) rectangle ({first.width:g},{first.height:g})"
    ground = palette.get(first.theme.background, "white")
    lines.append(rf"\useasboundingbox {size};" if first.transparent else rf"\fill[{ground}] {size};")
    for mark in marks:
        drawn = " ".join(_drawn(mark, palette))
        when = overlay(shown[mark], len(pages))
        lines.append(rf"\only<{when}>{{{drawn}}}" if when else drawn)
    return "\n".join([*lines, r"\end{tikzpicture}", ""])


def _in_rows(marks: Iterable[Drawn]) -> Iterator[Drawn]:
    """The marks, all formulas of a row as one: LaTeX leaves room between them however wide it sets them."""
    for height, group in groupby(marks, key=lambda mark: mark.y if isinstance(mark, Sign) else None):
        found = list(group)
        signs = [mark for mark in found if isinstance(mark, Sign)]
        if height is None:
            yield from found
        else:
            row = replace(signs[0], latex=r" \; ".join(sign.latex for sign in signs))
            middle = (row.x + signs[-1].x + _wide(signs[-1])) / 2
            yield replace(row, x=round(middle - _wide(row) / 2, 2))


def _wide(sign: Sign) -> float:
    """Width of a formula in px."""
    return maths.formula(sign.latex).width * sign.size / maths.EM


def overlay(numbers: Sequence[int], total: int) -> str:
    """Overlay numbers as Beamer reads them, `2-5,7`; empty for all."""
    if len(numbers) == total:
        return ""
    runs = [[n for _, n in run] for _, run in groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])]
    return ",".join(str(run[0]) if len(run) == 1 else f"{run[0]}-{run[-1]}" for run in runs)


def _palette(marks: Sequence[Drawn], theme: Theme) -> dict[str, str]:
    letters = "abcdefghijklmnopqrstuvwxyz"
    codes = dict.fromkeys([theme.background, *colours(marks)])
    return {code: f"gradviz{letters[i // 26]}{letters[i % 26]}" for i, code in enumerate(codes)}


def _drawn(mark: Drawn, palette: dict[str, str]) -> Iterator[str]:
    if isinstance(mark, Rect):
        yield _rect(mark, palette)
    elif isinstance(mark, Curve):
        yield _curve(mark, palette)
    elif isinstance(mark, Cells):
        yield from _cells(mark, palette)
    elif isinstance(mark, Sign):
        colour = palette[mark.colour]
        if _is_maths(mark.latex):
            middle = mark.x + _wide(mark) / 2  # LaTeX's letters are not as wide as ours
            yield _node("base", middle, mark.y, mark.size, colour, rf"$\displaystyle {mark.latex}$")
        else:
            yield _outline(maths.formula(mark.latex), mark.x, mark.y, mark.size, colour)
    else:
        yield from _words(mark, palette)


def _rect(rect: Rect, palette: dict[str, str]) -> str:
    style = [f"rounded corners={min(rect.corner, rect.width / 2, rect.height / 2) * _POINTS:.2f}bp"]
    if rect.fill:
        style.append(f"fill={palette[rect.fill]}")
    if rect.stroke:
        style.append(f"draw={palette[rect.stroke]},line width={rect.heavy * _POINTS:.2f}bp")
    if rect.dashed:
        style.append("dashed")
    corner = f"({rect.x + rect.width:.2f},{rect.y + rect.height:.2f})"
    return rf"\path[{','.join(style)}] ({rect.x:.2f},{rect.y:.2f}) rectangle {corner};"


def _cells(cells: Cells, palette: dict[str, str]) -> Iterator[str]:
    corners = (
        f"({cells.x:.2f},{cells.y:.2f}) rectangle ({cells.x + cells.width:.2f},{cells.y + cells.height:.2f})"
    )
    yield rf"\draw[{palette[cells.frame]},line width=0.75bp] {corners};"
    for colour, areas in cells.areas():
        squares = " ".join(
            f"({x:.2f},{y:.2f}) rectangle ({x + w + 0.2:.2f},{y + h + 0.2:.2f})" for x, y, w, h in areas
        )
        yield rf"\fill[{palette[colour]}] {squares};"


def _curve(curve: Curve, palette: dict[str, str]) -> str:
    colour, dashed = palette[curve.stroke], ",dashed" if curve.dashed else ""
    start, *rest = [f"({x:.2f},{y:.2f})" for x, y in curve.shaft]
    pieces = [
        f".. controls {a} and {b} .. {c}" for a, b, c in zip(rest[::3], rest[1::3], rest[2::3], strict=True)
    ]
    tip = " -- ".join(f"({x:.2f},{y:.2f})" for x, y in curve.tip)
    width = f"line width={curve.heavy * _POINTS:.2f}bp"
    return rf"\draw[{colour},{width}{dashed},line cap=butt] {start} {' '.join(pieces)}; \fill[{colour}] {tip} -- cycle;"


def _words(words: Words, palette: dict[str, str]) -> Iterator[str]:
    anchor = {"start": "base west", "middle": "base", "end": "base east"}[words.anchor]
    latex = maths.label_latex(words.name) if words.name else ""
    if latex and _is_maths(latex):
        yield _node("base", words.x, words.y, words.size, palette[words.colour], f"${latex}$")
        return
    for i, (line, (x, y, drawn)) in enumerate(zip(words.lines, placed_lines(words), strict=True)):
        text = escaped(line)
        if not all(char.isascii() or _command(char) for char in line):
            yield _outline(drawn, x, y, words.size, palette[words.colour])
        elif text.strip():
            style = r"\sffamily\bfseries " if words.bold else r"\sffamily "
            y = words.y + i * LINE_HEIGHT * words.size
            yield _node(anchor, words.x, y, words.size, palette[words.colour], style + text)


def _node(anchor: str, x: float, y: float, size: float, colour: str, content: str) -> str:
    points = size * _POINTS
    font = rf"\fontsize{{{points:.2f}}}{{{points * 1.2:.2f}}}\selectfont"
    return rf"\node[anchor={anchor},text={colour}] at ({x:.2f},{y:.2f}) {{{font}{ascii_latex(content)}}};"


def _outline(drawn: maths.Outline, x: float, y: float, size: float, colour: str) -> str:
    """The letters as shapes, for what LaTeX has no command for."""
    scale = size / maths.EM
    placed = f"shift={{({x:.2f},{y:.2f})}},x={scale * _POINTS:.6f}bp,y={-scale * _POINTS:.6f}bp"
    return rf"\fill[{colour},{placed}] {_path(drawn.path)};" if drawn.path else ""


def _path(path: str) -> str:
    """SVG path data of absolute M, L, Q, C and Z as TikZ writes it."""
    parts = []
    for command, numbers in maths.cubic(path):
        points = [f"({x:.0f},{y:.0f})" for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        if command == "C":
            parts.append(f".. controls {points[0]} and {points[1]} .. {points[2]}")
        else:
            parts.append({"M": "", "L": "-- ", "Z": "-- cycle"}[command] + "".join(points))
    return " ".join(parts)


_SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}",
    "-": "{-}", "\n": " ",
}  # fmt: skip
_MATHS = {
    "−": "-", "×": r"\times", "÷": r"\div", "·": r"\cdot", "∂": r"\partial", "ℒ": r"\mathcal{L}", "∞": r"\infty",
    "≤": r"\le", "≥": r"\ge", "≠": r"\ne", "⋯": r"\cdots", "…": r"\ldots", "∑": r"\sum", "Σ": r"\Sigma", "½": r"\tfrac12",
    "√": r"\surd", "→": r"\to", "←": r"\leftarrow", "↦": r"\mapsto", "⊙": r"\odot", "∗": "*", "⋆": r"\star", "ᵀ": "^{T}",
    "²": "^2", "³": "^3", "⁻": "^{-}", "¹": "^1", "‖": r"\|", "⚠": r"\triangle", "∏": r"\prod", "∫": r"\int",
    "α": r"\alpha", "β": r"\beta", "γ": r"\gamma", "δ": r"\delta", "ε": r"\varepsilon", "ζ": r"\zeta", "η": r"\eta",
    "θ": r"\theta", "ι": r"\iota", "κ": r"\kappa", "λ": r"\lambda", "μ": r"\mu", "ν": r"\nu", "ξ": r"\xi",
    "π": r"\pi", "ρ": r"\rho", "σ": r"\sigma", "τ": r"\tau", "υ": r"\upsilon", "φ": r"\varphi", "χ": r"\chi",
    "ψ": r"\psi", "ω": r"\omega", "Γ": r"\Gamma", "Δ": r"\Delta", "Θ": r"\Theta", "Λ": r"\Lambda", "Ξ": r"\Xi",
    "Π": r"\Pi", "Φ": r"\Phi", "Ψ": r"\Psi", "Ω": r"\Omega", "ŷ": r"\hat{y}",
    **{chr(0x2080 + i): f"_{i}" for i in range(10)},
}  # fmt: skip
_TEXT = {
    "—": "---",
    "–": "--",
    "’": "{'}",
    "‘": "{`}",
    "“": "``",
    "”": "''",
    "§": r"\S{}",
    "°": r"\textdegree{}",
}


def escaped(text: str) -> str:
    """A text in which LaTeX sees no command."""
    escaped = "".join(_SPECIAL.get(char) or char for char in text)
    return escaped.replace(" × ", r"\,×\,")  # sizes are narrower than words


def ascii_latex(text: str) -> str:
    """LaTeX with its letters from outside ASCII written as commands."""
    return re.sub(r"[^\x00-\x7f]", lambda match: _command(match[0]), text)


def _is_maths(latex: str) -> bool:
    """Whether LaTeX can set all letters of a formula."""
    return all(char.isascii() or char in _MATHS for char in latex)


def _command(char: str) -> str:
    """A letter as a command; empty where LaTeX has none."""
    if char in _TEXT:
        return _TEXT[char]
    if char in _MATHS:
        return rf"\ensuremath{{{_MATHS[char]}}}"
    base, *marks = list(unicodedata.normalize("NFD", char))
    accents = {
        "\u0300": r"\`",
        "\u0301": r"\'",
        "\u0302": r"\^",
        "\u0303": r"\~",
        "\u0308": r"\"",
        "\u0327": r"\c",
    }
    if base.isascii() and base.isalpha() and len(marks) == 1 and marks[0] in accents:
        return rf"{accents[marks[0]]}{{{base}}}"
    return ""
