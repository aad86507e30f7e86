"""The house rules that a program can check: who may import whom, and what must not be there."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import gradviz

ROOT = Path(gradviz.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))

# What each room may import beside itself; `gradviz` is the public names, which the command line and the app use.
ROOMS = {
    "errors": set(),
    "files": set(),
    "engine": {"errors"},
    "explain": {"errors", "engine"},
    "demos": {"errors", "engine", "explain", "nn", "data"},
    "nn": {"errors", "files", "engine", "explain"},
    "data": {"errors"},
    "draw": {"errors", "files", "engine", "explain"},
    "app": {"errors", "engine", "explain", "demos", "draw", "nn", "data"},
}
TOP = {"__init__", "cli", "export_command", "launch"}  # they tie the rooms together


def module(path: Path) -> str:
    return ".".join(("gradviz", *path.relative_to(ROOT).with_suffix("").parts))


def imported(path: Path) -> Iterator[tuple[ast.stmt, str]]:
    """Every module that a file imports, at its top or inside a function; a relative import counts in full."""
    package = module(path).split(".")[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*start, *([node.module] if node.module else [])])
            yield node, base
            yield from ((node, f"{base}.{alias.name}") for alias in node.names)


def rooms_imported(path: Path) -> set[str]:
    names = (name.split(".") for _, name in imported(path))
    return {parts[1] for parts in names if parts[0] == "gradviz" and len(parts) > 1 and _is_room(parts[1])}


def _is_room(name: str) -> bool:
    return name in ROOMS or (ROOT / name).is_dir() or (ROOT / f"{name}.py").is_file()


@pytest.mark.parametrize("path", FILES, ids=module)
def test_imports_point_one_way(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0].removesuffix(".py")
    if room not in TOP:
        assert rooms_imported(path) <= ROOMS[room] | {room}


@pytest.mark.parametrize("path", FILES, ids=module)
def test_only_the_app_knows_streamlit(path: Path) -> None:
    room = path.relative_to(ROOT).parts[0]
    if any(name.split(".")[0] == "streamlit" for _, name in imported(path)):
        assert room in ("app", "cli.py", "launch.py")  # the last two start it


def test_every_room_is_known() -> None:
    found = {path.relative_to(ROOT).parts[0].removesuffix(".py") for path in FILES}
    assert found <= ROOMS.keys() | TOP
    assert {"errors", "engine", "explain", "draw", "demos", "app"} <= found


@pytest.mark.parametrize("path", FILES, ids=module)
def test_every_module_says_what_it_is(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert text
    assert text.split("\n")[0].endswith((".", "…"))


FORBIDDEN = {"eval", "exec", "compile", "__import__"}


@pytest.mark.parametrize("path", FILES, ids=module)
def test_nothing_typed_is_ever_executed(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    calls = [
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN
    ]
    # The declared derivatives of the table, which are part of the source, are compiled in one place.
    assert calls == (["eval"] if module(path) == "gradviz.engine.local" else [])
    modules = {name.split(".")[0] for _, name in imported(path)}
    assert not modules & {"pickle", "marshal", "shelve", "dill", "code"}


@pytest.mark.parametrize("path", FILES, ids=module)
def test_nothing_is_left_open(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for word in ("TODO", "FIXME", "XXX", "NotImplemented"):
        assert word not in text


def loaded_after(statement: str) -> set[str]:
    script = f"{statement}\nimport sys\nprint(*sorted({{name.split('.')[0] for name in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True, cwd=ROOT.parent
    )
    return set(done.stdout.split())


HEAVY = {
    "streamlit",
    "plotly",
    "networkx",
    "rich",
    "latex2mathml",
    "pandas",
    "matplotlib",
    "torch",
    "hypothesis",
    "ziamath",
    "resvg_py",
    "pptx",
    "PIL",
}


def test_importing_gradviz_is_light() -> None:
    loaded = loaded_after("import gradviz")
    assert "gradviz" in loaded
    assert not loaded & HEAVY


def test_exploring_is_light_too() -> None:
    work = "import gradviz as g\nr = g.explore('y = relu(x)*2', x=1.0)\n[s.contribution for s in r.steps]\nr.kinks"
    assert not loaded_after(work) & HEAVY


def test_every_public_name_is_there() -> None:
    for name in gradviz.__all__:
        assert getattr(gradviz, name).__doc__
