"""The steps as a Markdown table, with the derivations in LaTeX between dollar signs."""

from __future__ import annotations

import re
from typing import Any

from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import clean
from gradviz.draw.export.page import heading, telling
from gradviz.explain import derivation, numbers

SUFFIX = ".md"
MANY = True
FROM_START = False
OUTLINED = False
USUAL: dict[str, Any] = {"title": True, "derivation": True}


def render(deck: Deck) -> bytes:
    """One row per step."""
    stage, options = deck.stage, deck.options
    title = heading(stage, options)
    first = [f"# {plain(title)}", ""] if title else []
    columns = ["step", "pass", "what happens", *(["derivation"] if options.derivation else []), "result"]
    rows = [f"| {' | '.join(columns)} |", f"| {' | '.join('---' for _ in columns)} |"]
    for k in deck.steps:
        told = telling(stage, k, options)
        if k == 0:
            cells = ["0", "start", plain(told.sentence), *([""] if options.derivation else []), ""]
        else:
            step = stage.run.steps[k - 1]
            latex = " ".join(made.latex for made in derivation.stages(step, stage.notation))
            math = [f"${_in_cell(latex)}$"] if options.derivation else []
            result = numbers.lines(step.after, stage.digits).replace("\n", " ")
            cells = [str(k), step.kind, plain(f"{told.sentence} {told.notes}"), *math, plain(result)]
        rows.append(f"| {' | '.join(cells)} |")
    return ("\n".join([*first, *rows]) + "\n").encode("utf-8", "replace")


def plain(text: str) -> str:
    """A text in which nothing is taken for Markdown or HTML."""
    shown = (
        clean(text, 2000)
        .replace("\n", " ")
        .strip()
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
    )
    return re.sub(r"[\\`*_{}\[\]#!|~$^]|[:@](?=\S)", _escaped, shown)


def _escaped(match: re.Match[str]) -> str:
    char = match[0]
    # An address is linked by itself, which a backslash does not prevent: entities do.
    return f"&#{ord(char)};" if char in ":@" else f"\\{char}"


def _in_cell(latex: str) -> str:
    """LaTeX that a table cell and a pair of dollar signs can hold."""
    latex = latex.replace(r"\|", r"\Vert ").replace("|", r"\vert ").replace("\n", " ").replace("$", "")
    return latex.replace("<", "< ")  # with a blank behind it, it opens no tag
