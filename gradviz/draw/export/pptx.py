"""A slide deck for PowerPoint: native boxes, glued arrows and texts that can be edited, formulas as pictures.

What is the same thing on two slides has the same `!!` name, and the slides change by Morph: rings travel, numbers grow.
"""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import Page
from gradviz.draw.export.options import SLIDES
from gradviz.draw.export.shapes import EMU, Pictures, slide_shapes, transition
from gradviz.errors import GradvizError

SUFFIX = ".pptx"
MANY = True
FROM_START = False
OUTLINED = False
USUAL: dict[str, Any] = SLIDES
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)  # equal decks are equal files
_TITLE_ONLY, _BLANK = 5, 6  # layouts of the built-in template
_SMALLEST, _LARGEST = 96.0, 5376.0  # px of a side: PowerPoint takes 1 to 56 inches


def render(deck: Deck) -> bytes:
    """One slide per page."""
    from pptx import Presentation

    presentation = Presentation()
    pictures = Pictures(presentation)
    for i, page in enumerate(deck.pages()):
        if i == 0:
            _prepare(presentation, page)
        _add_slide(presentation, page, pictures)
    out = BytesIO()
    presentation.save(out)
    return _timeless(out.getvalue())


def _prepare(presentation: Any, page: Page) -> None:
    """Slides of the page's size, the template's own placeholders moved along, and who made the file.

    Raises GradvizError for a size that PowerPoint does not take.
    """
    if not _SMALLEST <= min(page.width, page.height) <= max(page.width, page.height) <= _LARGEST:
        raise GradvizError(
            "PowerPoint has no slides of this size",
            got=f"{page.width:g} × {page.height:g} px",
            expected=f"{_SMALLEST:g} to {_LARGEST:g} px on each side",
        )
    across = page.width * EMU / presentation.slide_width
    down = page.height * EMU / presentation.slide_height
    presentation.slide_width, presentation.slide_height = round(page.width * EMU), round(page.height * EMU)
    master = presentation.slide_master
    for shapes in (master.shapes, *(layout.shapes for layout in master.slide_layouts)):
        for shape in shapes:
            if shape.element.spPr.find(f"{{{_DRAWING}}}xfrm") is not None:
                shape.left, shape.width = round(shape.left * across), round(shape.width * across)
                shape.top, shape.height = round(shape.top * down), round(shape.height * down)
    about = presentation.core_properties
    about.title, about.author, about.last_modified_by = page.title[:250], "gradviz", "gradviz"
    about.created = about.modified = _LONG_AGO
    package = presentation.part.package
    for id, relation in list(package._rels.items()):
        if relation.reltype.endswith("/thumbnail"):  # it shows the template's empty slide
            package.drop_rel(id)


_DRAWING = "http://schemas.openxmlformats.org/drawingml/2006/main"


def _add_slide(presentation: Any, page: Page, pictures: Pictures) -> None:
    from pptx.oxml import parse_xml

    titled = any(getattr(mark, "role", "") == "title" for mark in page.marks)
    layout = presentation.slide_layouts[_TITLE_ONLY if titled else _BLANK]
    slide = presentation.slides.add_slide(layout)
    tree = slide.shapes._spTree
    for shape in list(slide.placeholders):
        tree.remove(shape.element)
    background, shapes = slide_shapes(page, pictures.of(slide))
    tree.addprevious(parse_xml(background))
    for shape in shapes:
        tree.append(parse_xml(shape))
    slide.element.append(parse_xml(transition()))
    slide.notes_slide.notes_text_frame.text = page.notes or page.description


def _timeless(packed: bytes) -> bytes:
    """The same archive without the time at which it was packed."""
    out = BytesIO()
    with zipfile.ZipFile(BytesIO(packed)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(zipfile.ZipInfo(name), old.read(name), zipfile.ZIP_DEFLATED)
    return out.getvalue()
