"""What a person copies from the 'For slides' panel: how to include a file, and how to make it again without the app."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np

from gradviz.demos import Demo, demos
from gradviz.engine.numeric import Array

PICTURES = (".svg", ".png", ".gif")
_ESCAPED = {ord(character): f"\\{character}" for character in "[]\\"}


@dataclass(frozen=True)
class Made:
    """How a stage was made: a text or a demo, the input values that differ from the declared ones, and the other
    arguments of `gradviz.draw.staging.staged` that differ from their defaults."""

    text: str
    demo: Demo | None = None
    inputs: Mapping[str, Array] = field(default_factory=dict)
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Wanted:
    """What is to be written: the file's name with its suffix, the steps, and every option that is not the usual one.

    `files` are the names that come out: several where a format holds one step only; `pages` counts their pages.
    """

    name: str
    step: int | str
    options: Mapping[str, Any] = field(default_factory=dict)
    title: str = ""
    files: tuple[str, ...] = ()
    pages: int = 1

    @property
    def suffix(self) -> str:
        """The suffix, which names the format."""
        return f".{self.name.rpartition('.')[2]}"


def snippets(made: Made | None, wanted: Wanted) -> dict[str, tuple[str, str]]:
    """By heading: the snippet and its language. A run that no text made has neither command nor Python call."""
    found = {
        "Markdown": (markdown(wanted), "text"),  # the colours of Markdown cannot be read on a dark page
        "HTML": (html(wanted), "html"),
        "LaTeX": (latex(wanted), "latex"),
    }
    if made is not None:
        found["Python"] = (python(made, wanted), "python")
        found["Command line"] = (command(made, wanted), "bash")
    return {heading: snippet for heading, snippet in found.items() if snippet[0]}


def markdown(wanted: Wanted) -> str:
    """Pictures as images, a page or document as a link; nothing for a format that no page shows."""
    alt = (wanted.title or "Computational graph").translate(_ESCAPED)
    names = wanted.files or (wanted.name,)
    if wanted.suffix in PICTURES:
        return "\n".join(f"![{alt}]({name})" for name in names)
    return f"[{alt}]({wanted.name})" if wanted.suffix in (".html", ".pdf") else ""


def html(wanted: Wanted) -> str:
    """An image or an iframe."""
    title = escape(wanted.title or "Computational graph")
    if wanted.suffix in PICTURES:
        return "\n".join(f'<img src="{name}" alt="{title}">' for name in wanted.files or (wanted.name,))
    if wanted.suffix in (".html", ".pdf"):
        return f'<iframe src="{wanted.name}" width="960" height="600" title="{title}"></iframe>'
    return ""


def latex(wanted: Wanted) -> str:
    r"""\input or \includegraphics; the pages of a PDF as the overlays of a Beamer frame. Nothing for the other formats."""
    name = wanted.name
    if wanted.suffix == ".tex":
        return f"% \\usepackage{{lmodern,amsmath,amssymb,tikz}}\n\\resizebox{{\\textwidth}}{{!}}{{\\input{{{name}}}}}"
    if wanted.suffix == ".png":
        names = wanted.files or (name,)
        return "\n".join(rf"\includegraphics[width=\textwidth]{{{file}}}" for file in names)
    if wanted.suffix != ".pdf":
        return ""
    if wanted.pages == 1:
        return rf"\includegraphics[width=\textwidth]{{{name}}}"
    overlays = rf"\includegraphics<\k>[page=\k,width=\textwidth]{{{name}}}"
    return f"% \\usepackage{{pgffor}}; in a Beamer frame, one overlay per page\n\\foreach \\k in {{1,...,{wanted.pages}}} {{{overlays}}}"


def command(made: Made, wanted: Wanted) -> str:
    """The command line that writes the same file."""
    words = ["gradviz", "export", made.demo.name if made.demo else made.text, "-o", wanted.name]
    if wanted.step != "last":
        words.append(f"--step={wanted.step}")
    words += [f"--set={name}={_declared(value)}" for name, value in made.inputs.items()]
    for name, value in made.arguments.items():
        if name == "digits":
            words.append(f"--digits={value}")
        elif name == "seed":
            words.append(f"--seed={_declared(value)}")
        elif name != "title":  # a demo's title comes with it
            words.append(f"--{ {'opened': 'open', 'folded': 'fold'}.get(name, name) }={','.join(value)}")
    lecture = wanted.options.get("lecture", False)
    usual_lecture = wanted.step == "all" and wanted.suffix == ".pptx"
    words += [] if lecture == usual_lecture else ["--lecture" if lecture else "--no-lecture"]
    words += [flag for name, value in wanted.options.items() for flag in _flags(name, value)]
    return shlex.join(words)


def _flags(name: str, value: Any) -> Iterator[str]:
    """An option as the command line spells it."""
    if name in ("lecture", "lesson"):
        return  # the command takes a demo's lesson by itself
    word = {"passes": "only"}.get(name, name.replace("_", "-"))
    if isinstance(value, bool):
        yield f"--{word}" if value else f"--no-{word}"
    else:
        text = (
            ",".join(value)
            if isinstance(value, tuple)
            else f"{value:g}"
            if isinstance(value, float)
            else value
        )
        yield f"--{word}={text}"


def _declared(value: Array) -> str:
    """A value as the text language writes it."""
    array = np.asarray(value)
    if array.ndim and array.size and np.all(array == 1):
        return f"ones({', '.join(map(str, array.shape))})"
    return repr(array.tolist())


def python(made: Made, wanted: Wanted) -> str:
    """The Python call that writes the same file."""
    lines = ["import gradviz as gv", "from gradviz.draw.staging import staged", ""]
    if made.demo:
        lines += [f"demo = gv.demos.get({made.demo.name!r})"]
    else:
        lines += [f"text = {_quoted(made.text)}"]
    given: dict[str, str] = {"wrt": "demo.wrt"} if made.demo and made.demo.wrt is not None else {}
    given |= {name: _written(value) for name, value in made.arguments.items()}
    given |= {"title": "demo.title"} if made.demo else {}
    if scale := wanted.options.get("font_scale"):
        given["font_scale"] = repr(scale)
    inputs = (
        [repr({name: np.asarray(value).tolist() for name, value in made.inputs.items()})]
        if made.inputs
        else []
    )
    arguments = [
        "demo.text" if made.demo else "text",
        *inputs,
        *(f"{name}={value}" for name, value in given.items()),
    ]
    options = {name: _written(value) for name, value in wanted.options.items()}
    if "lesson" in options:
        options["lesson"] = "demo.lesson"
    call = [
        "stage",
        repr(wanted.name),
        repr(wanted.step),
        *(f"{name}={value}" for name, value in options.items()),
    ]
    return "\n".join([*lines, f"stage = staged({', '.join(arguments)})", f"gv.export({', '.join(call)})", ""])


def _written(value: Any) -> str:
    return repr(value.tolist() if isinstance(value, (np.ndarray, np.generic)) else value)


def _quoted(text: str) -> str:
    """A program as a Python literal that reads like the program."""
    plain = text.isprintable() or text.replace("\n", "").isprintable()
    return (
        f'"""\\\n{text}"""'
        if plain and '"""' not in text and "\\" not in text and not text.endswith('"')
        else repr(text)
    )


def made_from(
    text: str,
    declared: Mapping[str, Array],
    values: Mapping[str, Array],
    arguments: Mapping[str, Any],
    inputs: tuple[str, ...],
) -> Made:
    """How the stage of a program is made, told by what differs from the program itself or from the demo it is.

    A text gets a line end, which tells the command line that it is a text, and no minus sign as its first character.
    """
    title = arguments["title"]
    demo = next((demo for demo in demos().values() if (demo.text, demo.title) == (text, title)), None)
    text = text if demo else f"{' ' if text.startswith('-') else ''}{text.rstrip()}\n"
    changed = {name: value for name, value in values.items() if not _equal(value, declared.get(name))}
    usual = {
        "wrt": demo.wrt if demo and demo.wrt is not None else inputs,
        "seed": None,
        "opened": (),
        "folded": (),
        "digits": 4,
    }
    told = {name: arguments[name] for name in usual if not _equal(arguments[name], usual[name])}
    return Made(text, demo, changed, told)


def _equal(left: Any, right: Any) -> bool:
    return (left is None) == (right is None) and (left is None or np.array_equal(left, right))
