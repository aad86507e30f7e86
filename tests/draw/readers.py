"""Independent readers of exported files: each says what it found, or fails where a file is damaged."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from html.parser import HTMLParser
from importlib.resources import files
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

from tests.conftest import require

SVG = "{http://www.w3.org/2000/svg}"
_DRAWN = {"svg", "title", "desc", "g", "rect", "path", "polygon", "text", "tspan"}


def svg(data: bytes) -> ElementTree.Element:
    """The root of a drawing in which nothing can act and nothing comes from outside."""
    root = ElementTree.fromstring(data)
    for element in root.iter():
        assert element.tag.removeprefix(SVG) in _DRAWN
        assert not [
            name for name in element.attrib if name.startswith("on") or "href" in name or name == "style"
        ]
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert len(ids) == len(set(ids))
    assert root.find(f"{SVG}title") is not None and root.find(f"{SVG}desc") is not None
    return root


def picture(data: bytes) -> Any:
    """A PNG or GIF as Pillow reads it, every frame decoded."""
    image = require("PIL.Image").open(BytesIO(data))
    for frame in range(getattr(image, "n_frames", 1)):
        image.seek(frame)
        image.load()
    return image


def pdf(data: bytes) -> Any:
    """A PDF as pypdf reads it without mending anything, every page unpacked."""
    reader = require("pypdf").PdfReader(BytesIO(data), strict=True)
    assert not reader.get_fields()
    reader.pages[0].extract_text()
    for page in reader.pages:
        page.get_contents().get_data()
        assert "/Annots" not in page and "/AA" not in page
    assert "/OpenAction" not in reader.trailer["/Root"]
    return reader


def pptx(data: bytes) -> Any:
    """A presentation as python-pptx reads it, every XML part parsed, without links, macros or outside parts."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        assert archive.testzip() is None
        for name in archive.namelist():
            content = archive.read(name)
            if name.endswith((".xml", ".rels")):
                ElementTree.fromstring(content)
                assert b"hlinkClick" not in content and b'TargetMode="External"' not in content
            elif name.endswith(".svg"):
                ElementTree.fromstring(content)
    return require("pptx").Presentation(BytesIO(data))


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self.inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.inside = tag

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.inside, []).append(data)


def html(data: bytes) -> dict[str, Any]:
    """The story inside a page that has only the elements we wrote."""
    page = _Page()
    page.feed(data.decode("utf-8"))
    expected = ["html", "head", "meta", "meta", "meta", "title", "style", "body", "div", "script", "script"]
    assert [tag for tag, _ in page.tags] == expected
    assert not any({"src", "href"} & attributes.keys() for _, attributes in page.tags)
    policy = next(
        a["content"] or "" for _, a in page.tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy.startswith("default-src 'none'") and "unsafe" not in policy and "http" not in policy
    story = data.decode("utf-8").partition('id="story">')[2].partition("</script>")[0]
    read = json.loads(story)
    assert isinstance(read, dict)
    return read


_COMMANDS = set(
    re.findall(
        r"\w+",
        r"""begin end definecolor useasboundingbox fill draw path node only fontsize selectfont sffamily bfseries displaystyle
    frac partial mathcal mathrm mathit mathbf mathbb mathsf hat bar tilde left right cdot cdots odot times div sum max min exp
    log sin cos tanh sigma sqrt text boxed ensuremath infty lVert rVert lvert rvert mathrel bmatrix in le ge lt gt ne
    textbackslash textasciicircum textasciitilde textless textgreater textbar textquotedbl textasciigrave textquotesingle
    textdegree tfrac surd to leftarrow mapsto star prod int triangle top operatorname Vert vert big Big ldots dots quad det
    alpha beta gamma delta varepsilon epsilon zeta eta theta iota kappa lambda mu nu xi pi rho tau upsilon varphi phi chi
    psi omega Gamma Delta Theta Lambda Xi Sigma Pi Phi Psi Omega S c erf ln varnothing langle rangle mid colon limits
    overline underbrace substack tr operatornamewithlimits circ prime nabla bigl bigr mathbin ast""",
    )
)


def tex(data: bytes) -> str:
    """A TikZ picture with balanced braces and environments, and no command but those that draw."""
    text = data.decode("ascii")
    assert not set(text) - {"\n"} & set(map(chr, range(32)))
    body = text.partition("\n")[2]  # after the comment
    depth = 0
    for token in re.findall(r"\\.|[{}%]", body, re.DOTALL):
        assert token != "%", "a comment would swallow the rest of the line"
        depth += {"{": 1, "}": -1}.get(token, 0)
        assert depth >= 0
    assert depth == 0
    unknown = set(re.findall(r"\\([A-Za-z]+)", body)) - _COMMANDS
    assert not unknown
    assert body.startswith(r"\begin{tikzpicture}") and body.endswith("\\end{tikzpicture}\n")
    return text


_DOT_TOKEN = re.compile(r'\s*(?:("(?:[^"\\]|\\.)*")|(->|[{}\[\];,=])|([A-Za-z_][\w]*|-?[\d.]+))')


def dot(data: bytes) -> tuple[list[str], list[tuple[str, str]]]:
    """Nodes and edges of a graph, by a small reader of the DOT language."""
    nodes: list[str] = []
    edges: list[tuple[str, str]] = []
    tokens = list(_tokens(data.decode("utf-8")))
    assert tokens[:3] == ["digraph", "gradviz", "{"] and tokens[-1] == "}"
    body, statement, depth = tokens[3:-1], list[str](), 0
    for token in body:
        depth += {"[": 1, "]": -1}.get(token, 0)
        if token == ";" and depth == 0:
            if statement[0].startswith('"'):
                if statement[1] == "->":
                    edges.append((_unquoted(statement[0]), _unquoted(statement[2])))
                else:
                    nodes.append(_unquoted(statement[0]))
            statement = []
        else:
            statement.append(token)
    assert depth == 0 and not statement
    return nodes, edges


def _tokens(text: str) -> Iterator[str]:
    at = 0
    text = text.rstrip()
    while at < len(text):
        match = _DOT_TOKEN.match(text, at)
        assert match, text[at : at + 40]
        yield match[1] or match[2] or match[3]
        at = match.end()


def _unquoted(token: str) -> str:
    return re.sub(r"\\(.)", r"\1", token[1:-1])


def md(data: bytes) -> list[list[str]]:
    """The rows of the table; every one has as many cells as the first."""
    lines = data.decode("utf-8").rstrip("\n").split("\n")
    if lines[0].startswith("# "):
        lines = lines[2:]
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    assert {len(row) for row in rows} == {len(rows[0])}
    assert set(rows[1]) == {"---"}
    text = data.decode("utf-8")
    assert "<" not in text and "://" not in text and not re.search(r"(?<!\\)\]\(", text)
    return rows[2:]


def json_(data: bytes) -> dict[str, Any]:
    """A scene that its schema describes."""
    jsonschema = require("jsonschema")
    schema = json.loads(
        files("gradviz.draw.export").joinpath("scene.schema.json").read_text(encoding="utf-8")
    )
    jsonschema.Draft202012Validator.check_schema(schema)
    read = json.loads(data.decode("utf-8"))
    jsonschema.Draft202012Validator(schema).validate(read)
    assert isinstance(read, dict)
    return read


READERS = {
    ".svg": svg, ".png": picture, ".gif": picture, ".pdf": pdf, ".pptx": pptx, ".html": html, ".tex": tex,
    ".dot": dot, ".md": md, ".json": json_,
}  # fmt: skip
