"""The decks in `examples/`: the script builds all they include, and both work with what it built."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import PATH, require, require_program

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("slides")
    command = [sys.executable, "-W", "error", str(EXAMPLES / "slides_lecture.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=EXAMPLES.parent)
    assert done.returncode == 0, done.stderr
    assert {line.split()[0] for line in done.stdout.splitlines()} == {path.name for path in folder.iterdir()}
    return folder


def test_the_lecture_in_two_formats(deck: Path) -> None:
    pdf, pptx = require("pypdf"), require("pptx")
    slides = pptx.Presentation(deck / "lecture.pptx").slides
    pages = pdf.PdfReader(deck / "lecture.pdf").pages
    assert len(slides) == len(pages) == 23
    notes = [slide.notes_slide.notes_text_frame.text for slide in slides]
    assert "re-uses ∂ℒ/∂ŷ" in notes[0], "the lesson, on the title page"
    assert "How much ℒ changes when ŷ changes." in notes, "the moving box of the chain rule"
    assert any(note.startswith("Plugging in") for note in notes)
    assert notes[-1].startswith("Re-use")
    assert len(pdf.PdfReader(deck / "steps.pdf").pages) == 10


def test_each_deck_finds_what_it_includes(deck: Path) -> None:
    html = (deck / "slides_reveal.html").read_text(encoding="utf-8")
    tex = (deck / "slides_beamer.tex").read_text(encoding="utf-8")
    body = html.partition("<body>")[2]
    wanted = re.findall(r'src="([^"]+)"', body) + re.findall(r"\{(\w+\.(?:tex|pdf))\}", tex)
    assert len(wanted) == 7
    assert all((deck / name).is_file() for name in wanted), wanted
    assert "//" not in re.sub(r"https?://www\.w3\.org\S*", "", body), "nothing from a network"


def test_the_beamer_deck_compiles(deck: Path) -> None:
    command = [require_program("pdflatex"), "-interaction=nonstopmode", "-halt-on-error", "slides_beamer.tex"]
    environment = {"PATH": PATH or "", "HOME": str(deck)}
    done = subprocess.run(
        command, cwd=deck, capture_output=True, encoding="utf-8", errors="replace", env=environment
    )
    assert done.returncode == 0, done.stdout[-2000:]
    assert len(require("pypdf").PdfReader(deck / "slides_beamer.pdf").pages) == 1 + 10 + 10 + 1
