"""Pages as PDF: vector outlines, with the words as invisible text behind them, so that they can be searched and copied.

Every outline is written once and placed where it is needed, which keeps a deck of a hundred pages small and quick.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator, Sequence
from typing import Any

from gradviz.draw import maths
from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import Cells, Curve, Page, Point, Rect, Sign, Words, flat
from gradviz.draw.export.svg import placed_lines

SUFFIX = ".pdf"
MANY = True
FROM_START = False
OUTLINED = True
USUAL: dict[str, Any] = {}
_POINTS = 0.75  # pt per px
_LONGEST = 14_400.0  # pt of a side; readers take no more, so larger pages are drawn smaller


def render(deck: Deck) -> bytes:
    """One page per step, so that page k shows step k."""
    return write(list(deck.pages()))


def write(pages: Sequence[Page]) -> bytes:
    """A PDF file of these pages."""
    file = _File()
    for page in pages:
        file.add_page(page)
    return file.finish(pages[0].title)


class _File:
    """Numbered objects, and the cross-reference table at the end."""

    def __init__(self) -> None:
        self.objects: list[bytes] = [b"", b"", b""]  # catalog, page tree and information come last
        self.pages: list[int] = []
        self.forms: dict[tuple[str, str], int] = {}  # outline and painting operator -> object
        self.font = self._add_font()

    def add(self, content: bytes) -> int:
        """One more object; its number."""
        self.objects.append(content)
        return len(self.objects)

    def add_stream(self, data: bytes, entries: str = "") -> int:
        """One more stream, compressed; its number."""
        packed = zlib.compress(data, 6)
        head = f"<< {entries} /Filter /FlateDecode /Length {len(packed)} >>\nstream\n"
        return self.add(head.encode() + packed + b"\nendstream")

    def add_page(self, page: Page) -> None:
        """One page and what is drawn on it."""
        used: dict[int, None] = {}
        content = "\n".join(_Brush(self, page, used).operators())
        stream = self.add_stream(content.encode("ascii"))
        forms = " ".join(f"/X{number} {number} 0 R" for number in used)
        points = _points(page)
        self.pages.append(
            self.add(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {page.width * points:.8g} {page.height * points:.8g}] "
                f"/Contents {stream} 0 R /Resources << /XObject << {forms} >> /Font << /F1 {self.font} 0 R >> >> >>".encode()
            )
        )

    def form(self, drawn: maths.Outline, paint: str) -> int:
        """The object that draws an outline, in thousandths of the font size, in the colour set by its user."""
        key = drawn.path, paint
        if key not in self.forms:
            box = f"-200 {-drawn.ascent - 500:.0f} {drawn.width + 200:.0f} {drawn.descent + 500:.0f}"
            entries = f"/Type /XObject /Subtype /Form /BBox [{box}]"
            data = f"{pdf_path(drawn.path)} {paint}"
            self.forms[key] = self.add_stream(data.encode("ascii"), entries)
        return self.forms[key]

    def _add_font(self) -> int:
        """A font without glyphs whose codes are Unicode: for text that is found but not seen."""
        mapping = self.add_stream(_TO_UNICODE)
        descriptor = self.add(
            b"<< /Type /FontDescriptor /FontName /Invisible /Flags 4 /FontBBox [0 -250 500 750] /ItalicAngle 0 "
            b"/Ascent 750 /Descent -250 /CapHeight 700 /StemV 80 >>"
        )
        letters = self.add(
            b"<< /Type /Font /Subtype /CIDFontType2 /BaseFont /Invisible /DW 500 /CIDToGIDMap /Identity "
            b"/CIDSystemInfo << /Registry (Adobe) /Ordering (Identity) /Supplement 0 >> "
            b"/FontDescriptor %d 0 R >>" % descriptor
        )
        return self.add(
            b"<< /Type /Font /Subtype /Type0 /BaseFont /Invisible /Encoding /Identity-H "
            b"/DescendantFonts [%d 0 R] /ToUnicode %d 0 R >>" % (letters, mapping)
        )

    def finish(self, title: str) -> bytes:
        """The whole file."""
        kids = " ".join(f"{number} 0 R" for number in self.pages)
        self.objects[0] = (
            b"<< /Type /Catalog /Pages 2 0 R /Lang (en) /ViewerPreferences << /DisplayDocTitle true >> >>"
        )
        self.objects[1] = f"<< /Type /Pages /Kids [{kids}] /Count {len(self.pages)} >>".encode()
        self.objects[2] = f"<< /Title <feff{_utf16(title)}> /Producer (gradviz) >>".encode()
        out = bytearray(b"%PDF-1.5\n%\xe2\xe3\xcf\xd3\n")
        places = []
        for number, content in enumerate(self.objects, 1):
            places.append(len(out))
            out += b"%d 0 obj\n" % number + content + b"\nendobj\n"
        start = len(out)
        out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(places) + 1)
        out += b"".join(b"%010d 00000 n \n" % place for place in places)
        digest = hashlib.sha256(out).hexdigest()[:32].encode()
        out += b"trailer\n<< /Size %d /Root 1 0 R /Info 3 0 R " % (len(places) + 1)
        out += b"/ID [<%b> <%b>] >>\nstartxref\n%d\n%%%%EOF\n" % (digest, digest, start)
        return bytes(out)


_TO_UNICODE = b"""/CIDInit /ProcSet findresource begin
12 dict begin
begincmap
/CMapName /Identity-Unicode def
/CMapType 2 def
1 begincodespacerange
<0000> <ffff>
endcodespacerange
%d beginbfrange
%b
endbfrange
endcmap
end
end
""" % (100, b"\n".join(b"<%02x00> <%02xff> <%02x00>" % (high, high, high) for high in range(100)))


class _Brush:
    """Writes marks as operators of a page's content."""

    def __init__(self, file: _File, page: Page, used: dict[int, None]) -> None:
        self.file, self.page, self.used = file, page, used

    def operators(self) -> Iterator[str]:
        """The content of the page; px, with y downwards as in all marks."""
        page = self.page
        points = _points(page)
        yield f"{points:.8g} 0 0 -{points:.8g} 0 {page.height * points:.8g} cm 1 j"
        if not page.transparent:
            yield f"{_colour(page.theme.background)} rg 0 0 {page.width:g} {page.height:g} re f"
        for mark in flat(page.marks):
            if isinstance(mark, Rect):
                yield _rect(mark)
            elif isinstance(mark, Curve):
                yield _curve(mark)
            elif isinstance(mark, Cells):
                yield _cells(mark)
            elif isinstance(mark, Sign):
                yield self._outline(maths.formula(mark.latex), mark.x, mark.y, mark.size, mark.colour)
            else:
                yield from self._words(mark)

    def _words(self, words: Words) -> Iterator[str]:
        latex = maths.label_latex(words.name) if words.name else ""
        if latex:
            drawn = maths.formula(latex)
            x = words.x - drawn.width * words.size / maths.EM / 2
            yield self._outline(drawn, x, words.y, words.size, words.colour)
            yield _hidden(words.text, x, words.y, words.size, drawn.width)
            return
        for line, (x, y, drawn) in zip(words.lines, placed_lines(words), strict=True):
            if words.halo and not self.page.transparent:
                yield self._outline(
                    drawn, x, y, words.size, self.page.theme.background, f"{0.22 * maths.EM:g} w S"
                )
            yield self._outline(drawn, x, y, words.size, words.colour)
            yield _hidden(line, x, y, words.size, drawn.width)

    def _outline(
        self, drawn: maths.Outline, x: float, y: float, size: float, colour: str, paint: str = "f"
    ) -> str:
        if not drawn.path:
            return ""
        number = self.file.form(drawn, paint)
        self.used[number] = None
        scale = f"{size / maths.EM:.6f}"
        ink = f"{_colour(colour)} {'rg' if paint == 'f' else 'RG'}"
        return f"q {ink} {scale} 0 0 {scale} {x:.2f} {y:.2f} cm /X{number} Do Q"


def _points(page: Page) -> float:
    """pt per px of a page."""
    return min(_POINTS, _LONGEST / max(page.width, page.height))


def _hidden(text: str, x: float, y: float, size: float, width: float) -> str:
    """Text that is not painted, as wide as what is seen."""
    if not text.strip():
        return ""
    codes = _utf16(text)
    stretch = width / (len(codes) / 4 * 500) * 100
    return f"BT 3 Tr {stretch:.1f} Tz /F1 {size:g} Tf 1 0 0 -1 {x:.2f} {y:.2f} Tm <{codes}> Tj ET"


def _utf16(text: str) -> str:
    return text.encode("utf-16-be", "replace").hex()


def _colour(code: str) -> str:
    return " ".join(f"{int(code[i : i + 2], 16) / 255:.3g}" for i in (1, 3, 5))


def _rect(rect: Rect) -> str:
    path = rounded(rect)
    parts = ["q"]
    if rect.fill:
        parts.append(f"{_colour(rect.fill)} rg")
    if rect.stroke:
        parts.append(f"{_colour(rect.stroke)} RG {rect.heavy:g} w")
    if rect.dashed:
        parts.append(f"[{rect.heavy * 4:.3g} {rect.heavy * 2.2:.3g}] 0 d")
    paint = {(True, True): "B", (True, False): "f", (False, True): "S"}.get(
        (bool(rect.fill), bool(rect.stroke)), "n"
    )
    return " ".join([*parts, path, paint, "Q"])


def rounded(rect: Rect) -> str:
    """A rectangle with rounded corners as path operators."""
    x0, y0, x1, y1 = rect.x, rect.y, rect.x + rect.width, rect.y + rect.height
    r = max(0.0, min(rect.corner, rect.width / 2, rect.height / 2))
    c = r * 0.4477  # from the corner to the control point of a quarter circle
    numbers = [
        (x0 + r, y0, "m"), (x1 - r, y0, "l"), (x1 - c, y0, x1, y0 + c, x1, y0 + r, "c"),
        (x1, y1 - r, "l"), (x1, y1 - c, x1 - c, y1, x1 - r, y1, "c"),
        (x0 + r, y1, "l"), (x0 + c, y1, x0, y1 - c, x0, y1 - r, "c"),
        (x0, y0 + r, "l"), (x0, y0 + c, x0 + c, y0, x0 + r, y0, "c"),
    ]  # fmt: skip
    return " ".join(" ".join(n if isinstance(n, str) else f"{n:.2f}" for n in row) for row in numbers) + " h"


def _curve(curve: Curve) -> str:
    dashes = f"[{curve.heavy * 3.6:.3g} {curve.heavy * 2.8:.3g}] 0 d " if curve.dashed else ""
    ink = _colour(curve.stroke)
    start, *rest = [_pair(point) for point in curve.shaft]
    shaft = f"{start} m " + " ".join(f"{' '.join(rest[i : i + 3])} c" for i in range(0, len(rest), 3))
    tip = " ".join(f"{_pair(p)} {'l' if i else 'm'}" for i, p in enumerate(curve.tip))
    return f"q {ink} RG {ink} rg {curve.heavy:g} w {dashes}{shaft} S {tip} h f Q"


def _cells(cells: Cells) -> str:
    frame = f"{cells.x:.2f} {cells.y:.2f} {cells.width:.2f} {cells.height:.2f} re S"
    parts = [f"q {_colour(cells.frame)} RG 1 w {frame}"]
    for colour, areas in cells.areas():
        squares = " ".join(f"{x:.2f} {y:.2f} {w + 0.2:.2f} {h + 0.2:.2f} re" for x, y, w, h in areas)
        parts.append(f"{_colour(colour)} rg {squares} f")
    return " ".join([*parts, "Q"])


def _pair(point: Point) -> str:
    return f"{point[0]:.2f} {point[1]:.2f}"


def pdf_path(path: str) -> str:
    """SVG path data of absolute M, L, Q, C and Z as path operators."""
    operators = {"M": "m", "L": "l", "C": "c", "Z": "h"}
    pieces = (
        (" ".join(f"{n:.0f}" for n in numbers), operators[command]) for command, numbers in maths.cubic(path)
    )
    return " ".join(f"{numbers} {operator}" if numbers else operator for numbers, operator in pieces)
