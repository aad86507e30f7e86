"""The marks of a page as DrawingML: shapes, glued connectors, text boxes and pictures of a slide.

The elements are written as text and parsed once; building them one property at a time is ten times slower.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from xml.sax.saxutils import escape, quoteattr

from gradviz.draw import maths
from gradviz.draw import text as measure
from gradviz.draw.export import png
from gradviz.draw.export.marks import (
    LINE_HEIGHT,
    Cells,
    Curve,
    Mark,
    Node,
    Page,
    Point,
    Rect,
    Sign,
    Words,
)
from gradviz.draw.export.svg import drawing_of

EMU = 9525  # per px
_SHARP = 3.0  # pixels of a formula per px of the slide
_AROUND = 0.1  # em around a formula; the pixels of a dot that fills its picture run into a square
_SANS, _SERIF = "Arial", "Times New Roman"
_NAMESPACES = (
    'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" '
    'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main" '
    'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
)
_RIGHT, _LEFT = 3, 1  # connection sites of a rounded rectangle
_BASELINE = 0.97  # em from the top of a text box to its first baseline


class Picture(NamedTuple):
    """A picture of a slide: relations to its PNG and to its SVG."""

    png: str
    svg: str


class Pictures:
    """Pictures shared by all slides: each is drawn once."""

    def __init__(self, presentation: Any) -> None:
        self.package = presentation.part.package
        self.parts: dict[str, list[Any]] = {}  # drawing -> its PNG and its SVG in the package
        self.slide: Any = None

    def of(self, slide: Any) -> Pictures:
        """Adds to this slide from now on."""
        self.slide = slide
        return self

    def add(self, drawing: str) -> Picture:
        """A picture of an SVG on the current slide."""
        from pptx.opc.constants import RELATIONSHIP_TYPE
        from pptx.opc.package import Part
        from pptx.opc.packuri import PackURI

        if drawing not in self.parts:
            name, number = "/ppt/media/drawing", len(self.parts) + 1
            pixels = png.rasterized(drawing, _SHARP)
            self.parts[drawing] = [
                Part(PackURI(f"{name}{number}.png"), "image/png", self.package, pixels),
                Part(PackURI(f"{name}{number}.svg"), "image/svg+xml", self.package, drawing.encode()),
            ]
        relations = [self.slide.part.relate_to(part, RELATIONSHIP_TYPE.IMAGE) for part in self.parts[drawing]]
        return Picture(*relations)


def slide_shapes(page: Page, pictures: Pictures) -> tuple[str, list[str]]:
    """The background of a slide, and its shapes in drawing order."""
    fill = "<a:noFill/>" if page.transparent else _solid(page.theme.background)
    background = f"<p:bg {_NAMESPACES}><p:bgPr>{fill}<a:effectLst/></p:bgPr></p:bg>"
    return background, list(_Writer(page, pictures).shapes())


def transition() -> str:
    """Morph where it is known, a fade elsewhere."""
    return (
        '<mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        f"{_NAMESPACES}>"
        '<mc:Choice xmlns:p159="http://schemas.microsoft.com/office/powerpoint/2015/09/main" Requires="p159">'
        '<p:transition spd="slow" xmlns:p14="http://schemas.microsoft.com/office/powerpoint/2010/main" p14:dur="700">'
        '<p159:morph option="byObject"/></p:transition></mc:Choice>'
        '<mc:Fallback><p:transition spd="med"><p:fade/></p:transition></mc:Fallback></mc:AlternateContent>'
    )


class _Writer:
    """Gives every shape its number, and writes it."""

    def __init__(self, page: Page, pictures: Pictures) -> None:
        self.page, self.pictures = page, pictures
        self.number = 1
        self.seen: Counter[str] = Counter()
        self.cores = {
            mark.id: place + 2 for place, mark in enumerate(m for m in page.marks if isinstance(m, Node))
        }

    def shapes(self) -> Iterator[str]:
        """Every shape; the boxes take the first numbers, since lines are drawn before them but glued to them."""
        self.number = len(self.cores) + 1
        for mark in self.page.marks:
            if isinstance(mark, Node):
                yield from self._node(mark)
            else:
                yield self._shape(mark, f"{mark.role} {mark.of}" if isinstance(mark, Words) else mark.role)

    def _next(self) -> int:
        self.number += 1
        return self.number

    def _node(self, node: Node) -> Iterator[str]:
        texts = [mark for mark in node.marks if isinstance(mark, Words) and mark.role in ("symbol", "name")]
        for mark in node.marks:
            if isinstance(mark, Rect) and mark.role == "core":
                head = _properties(self.cores[node.id], f"node {node.id}", node.title)
                yield _rect(mark, head, _body([_paragraph([text]) for text in texts]))
            elif isinstance(mark, Rect):
                # The ring is one thing that travels from node to node.
                name = "ring" if mark.role == "ring" else f"{mark.role} {node.id}"
                yield _rect(mark, _properties(self._next(), name), _body([]))
            elif mark not in texts:
                yield self._shape(mark, f"{getattr(mark, 'role', '')} {node.id}")

    def _shape(self, mark: Mark, name: str) -> str:
        if isinstance(mark, Curve):
            return self._line(mark)
        if isinstance(mark, Words):
            ground = "" if self.page.transparent or not mark.halo else self.page.theme.background
            return _text_box(mark, _properties(self._next(), name), self.page.width, ground)
        if isinstance(mark, Sign):
            drawn, size = maths.formula(mark.latex), mark.size / maths.EM
            pad = _AROUND * mark.size
            area = (
                mark.x - pad,
                mark.y - drawn.ascent * size - pad,
                drawn.width * size + 2 * pad,
                (drawn.ascent + drawn.descent) * size + 2 * pad,
            )
            return self._picture(mark, area, mark.latex)
        assert isinstance(mark, Cells)
        return self._picture(mark, (mark.x, mark.y, mark.width, mark.height), mark.of)

    def _picture(self, mark: Sign | Cells, area: tuple[float, float, float, float], about: str) -> str:
        number = self._next()
        x, y, width, height = area
        alone = replace(
            mark, x=round(mark.x - x, 2), y=round(mark.y - y, 2)
        )  # so that equal formulas are equal pictures
        made = self.pictures.add(drawing_of([alone], max(width, 1), max(height, 1)))
        self.seen[about] += 1  # the same factor may stand twice on a slide
        name = f"{mark.role} {self.seen[about]} {about}"
        extension = (
            '<a:extLst><a:ext uri="{96DAC541-7B7A-43D3-8B79-37D633B846F1}"><asvg:svgBlip '
            'xmlns:asvg="http://schemas.microsoft.com/office/drawing/2016/SVG/main" '
            f'r:embed="{made.svg}"/></a:ext></a:extLst>'
        )
        return (
            f"<p:pic {_NAMESPACES}><p:nvPicPr>{_properties(number, name, about)}"
            '<p:cNvPicPr><a:picLocks noChangeAspect="1"/></p:cNvPicPr><p:nvPr/></p:nvPicPr>'
            f'<p:blipFill><a:blip r:embed="{made.png}">{extension}</a:blip><a:stretch><a:fillRect/></a:stretch></p:blipFill>'
            f'<p:spPr>{_frame(x, y, width, height)}<a:prstGeom prst="rect"><a:avLst/></a:prstGeom></p:spPr></p:pic>'
        )

    def _line(self, curve: Curve) -> str:
        """A connector glued to its boxes; a bent one carries its own path."""
        xs, ys = zip(*curve.points, strict=True)
        left, top, width, height = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
        straight = height < 0.5
        shape = (
            '<a:prstGeom prst="straightConnector1"><a:avLst/></a:prstGeom>'
            if straight
            else _path(curve.points)
        )
        arrow = '<a:{} type="triangle" w="med" len="med"/>'.format(
            "headEnd" if curve.head == "start" else "tailEnd"
        )
        dash = '<a:prstDash val="dash"/>' if curve.dashed else ""
        glue = "".join(
            f'<a:{tag} id="{self.cores[box]}" idx="{site}"/>'
            for tag, box, site in (("stCxn", curve.source, _RIGHT), ("endCxn", curve.target, _LEFT))
        )
        return (
            f"<p:cxnSp {_NAMESPACES}><p:nvCxnSpPr>{_properties(self._next(), f'edge {curve.id}')}"
            f"<p:cNvCxnSpPr>{glue}</p:cNvCxnSpPr><p:nvPr/></p:nvCxnSpPr>"
            f"<p:spPr>{_frame(left, top, width, height)}{shape}<a:noFill/>"
            f'<a:ln w="{_emu(curve.heavy)}">{_solid(curve.stroke)}{dash}<a:round/>{arrow}</a:ln></p:spPr></p:cxnSp>'
        )


def _properties(number: int, name: str, about: str = "") -> str:
    """Number, name and text alternative; names that begin with !! tell Morph what belongs together."""
    description = f" descr={quoteattr(about[:500])}" if about else ""
    return f'<p:cNvPr id="{number}" name={quoteattr("!!" + name[:200])}{description}/>'


def _rect(rect: Rect, properties: str, body: str) -> str:
    radius = min(50_000, round(100_000 * rect.corner / min(rect.width, rect.height)))
    line = f'<a:ln w="{_emu(rect.heavy)}">{_solid(rect.stroke)}' if rect.stroke else "<a:ln><a:noFill/>"
    dash = '<a:prstDash val="dash"/>' if rect.dashed else ""
    return (
        f"<p:sp {_NAMESPACES}><p:nvSpPr>{properties}<p:cNvSpPr/><p:nvPr/></p:nvSpPr>"
        f"<p:spPr>{_frame(rect.x, rect.y, rect.width, rect.height)}"
        f'<a:prstGeom prst="roundRect"><a:avLst><a:gd name="adj" fmla="val {radius}"/></a:avLst></a:prstGeom>'
        f"{_solid(rect.fill) if rect.fill else '<a:noFill/>'}{line}{dash}</a:ln></p:spPr>{body}</p:sp>"
    )


def _text_box(words: Words, properties: str, page_width: float, ground: str) -> str:
    """A text of its own; `ground` is the colour behind its letters, which keeps lines from striking through them."""
    wide = measure.width(words.text, words.size) * 1.08 + 4
    if words.role in ("title", "sentence", "lesson"):  # room for editing
        wide = max(wide, page_width * 0.6)
    left = words.x - {"start": 0.0, "middle": wide / 2, "end": wide}[words.anchor]
    high = measure.height(words.text, words.size)
    place = '<p:nvPr><p:ph type="title"/></p:nvPr>' if words.role == "title" else "<p:nvPr/>"
    box = "" if words.role == "title" else ' txBox="1"'
    paragraphs = [_paragraph([line], ground) for line in _lines(words)]
    align = {"start": "l", "middle": "ctr", "end": "r"}[words.anchor]
    return (
        f"<p:sp {_NAMESPACES}><p:nvSpPr>{properties}<p:cNvSpPr{box}/>{place}</p:nvSpPr>"
        f"<p:spPr>{_frame(left, words.y - _BASELINE * words.size, wide, high)}"
        '<a:prstGeom prst="rect"><a:avLst/></a:prstGeom><a:noFill/></p:spPr>'
        f"{_body(paragraphs, align, 't', words.size * LINE_HEIGHT)}</p:sp>"
    )


def _lines(words: Words) -> Iterator[Words]:
    for line in words.lines:
        yield Words(words.role, line, words.x, words.y, words.size, words.colour, words.bold, words.anchor)


def _paragraph(words: Sequence[Words], ground: str = "") -> str:
    return "".join(run for word in words for run in _runs(word, ground))


def _runs(words: Words, ground: str) -> Iterator[str]:
    size = f'sz="{max(100, round(words.size * 75))}"'
    if words.name is not None:
        yield _run(words.name.base, f'{size} i="1"', words.colour, _SERIF)
        if words.name.sub:
            yield _run(words.name.sub, f'{size} baseline="-25000"', words.colour, _SERIF)
    else:
        yield _run(words.text, f'{size} b="{int(words.bold)}"', words.colour, _SANS, ground)


def _run(text: str, style: str, colour: str, face: str, ground: str = "") -> str:
    behind = f'<a:highlight><a:srgbClr val="{ground[1:]}"/></a:highlight>' if ground else ""
    font = f'<a:latin typeface="{face}"/><a:ea typeface="{face}"/><a:cs typeface="{face}"/>'
    return f'<a:r><a:rPr lang="en-US" {style} dirty="0">{_solid(colour)}{behind}{font}</a:rPr><a:t>{escape(text)}</a:t></a:r>'


def _body(paragraphs: Sequence[str], align: str = "ctr", anchor: str = "ctr", spacing: float = 0) -> str:
    lines = f'<a:lnSpc><a:spcPts val="{round(spacing * 75)}"/></a:lnSpc>' if spacing else ""
    style = f'<a:pPr algn="{align}" marL="0" indent="0">{lines}<a:spcBef><a:spcPts val="0"/></a:spcBef><a:buNone/></a:pPr>'
    text = "".join(f"<a:p>{style}{runs}</a:p>" for runs in paragraphs) or f"<a:p>{style}</a:p>"
    insets = 'lIns="0" tIns="0" rIns="0" bIns="0"'
    return f'<p:txBody><a:bodyPr wrap="none" {insets} anchor="{anchor}"><a:noAutofit/></a:bodyPr><a:lstStyle/>{text}</p:txBody>'


def _frame(x: float, y: float, width: float, height: float) -> str:
    return (
        f'<a:xfrm><a:off x="{_emu(x)}" y="{_emu(y)}"/>'
        f'<a:ext cx="{max(0, _emu(width))}" cy="{max(0, _emu(height))}"/></a:xfrm>'
    )


def _path(points: Sequence[Point]) -> str:
    """Cubic Bézier pieces as a geometry of their own, relative to their frame."""
    left, top = min(x for x, _ in points), min(y for _, y in points)
    right, bottom = max(x for x, _ in points), max(y for _, y in points)
    places = [f'<a:pt x="{_emu(x - left)}" y="{_emu(y - top)}"/>' for x, y in points]
    pieces = "".join(
        f"<a:cubicBezTo>{''.join(places[i : i + 3])}</a:cubicBezTo>" for i in range(1, len(places), 3)
    )
    return (
        '<a:custGeom><a:avLst/><a:gdLst/><a:ahLst/><a:cxnLst/><a:rect l="0" t="0" r="r" b="b"/><a:pathLst>'
        f'<a:path w="{_emu(right - left)}" h="{_emu(bottom - top)}" fill="none">'
        f"<a:moveTo>{places[0]}</a:moveTo>{pieces}</a:path></a:pathLst></a:custGeom>"
    )


def _solid(colour: str | None) -> str:
    return f'<a:solidFill><a:srgbClr val="{(colour or "#000000")[1:]}"/></a:solidFill>'


def _emu(length: float) -> int:
    return round(length * EMU)
