"""The joined script and stylesheet of the browser view, as text; its behaviour is tested in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from gradviz.draw import web

FOLDER = Path(web.__file__).parent
MODULES = sorted(FOLDER.glob("*.js"))


def test_the_script_defines_one_global() -> None:
    script = web.script()
    assert script.startswith("const gradviz = (() => {")
    assert script.endswith("return { mount };\n})();\n")
    assert re.findall(r"^const (\w+) = ", script, re.MULTILINE)[0] == "gradviz"


def test_no_module_syntax_is_left() -> None:
    assert not re.search(r"^\s*(import|export)\b", web.script(), re.MULTILINE)


def test_every_module_is_in_the_script_after_those_it_imports() -> None:
    script = web.script()
    defined = {path: script.index(f"const {{ {_exports(path)[0]}") for path in MODULES}
    for path in MODULES:
        for name in re.findall(r'from "\./(\w+)\.js"', path.read_text(encoding="utf-8")):
            assert defined[FOLDER / f"{name}.js"] < defined[path], f"{path.name} stands before {name}.js"


def test_exported_names_are_unique() -> None:
    names = [name for path in MODULES for name in _exports(path)]
    assert len(names) == len(set(names))


def _exports(path: Path) -> list[str]:
    return re.findall(r"^export (?:function|const) (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    "forbidden",
    [
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment",
        r"\beval\(|new Function|setTimeout\(\s*[\"'`]",
        r"\bfetch\(|XMLHttpRequest|WebSocket|EventSource|\bimport\(",
        r"localStorage|sessionStorage|document\.cookie",
        r"setAttribute\(\s*[\"'](?:on\w+|style)[\"']",
        r"[\"']?\b(?:style|on[a-z]+)[\"']?: [\"'`]",
        r"</script|<!--",
    ],
)
def test_the_script_stays_within_a_strict_policy(forbidden: str) -> None:
    assert not re.search(forbidden, web.script())


def test_the_stylesheet_asks_for_nothing_outside() -> None:
    style = web.style()
    assert not re.search(r"url\(|@import|@font-face|</style", style)
    assert style.count("{") == style.count("}")


def test_no_text_is_smaller_than_twelve_pixels() -> None:
    sizes = re.findall(r"font(?:-size)?:[^;{}]*?(\d+(?:\.\d+)?)px", web.style())
    assert sizes
    assert min(map(float, sizes)) >= 12


def _contrast(first: str, second: str) -> float:
    lighter, darker = sorted((_luminance(first), _luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    """Relative luminance as WCAG 2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("theme", [".gv {", '.gv[data-theme="dark"] {'])
@pytest.mark.parametrize("name", ["value", "gradient", "warning", "text"])
def test_text_colours_reach_a_contrast_of_four_and_a_half(theme: str, name: str) -> None:
    rule = web.style().split(theme, 1)[1].split("}", 1)[0]
    colors = dict(re.findall(r"--(\w+):[^;]*?(#[0-9a-f]{6})", rule))
    assert _contrast(colors[name], colors["bg"]) >= 4.5


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_the_script_is_valid_javascript(tmp_path: Path) -> None:
    path = tmp_path / "gradviz.js"
    path.write_text(web.script(), encoding="utf-8")
    result = subprocess.run(["node", "--check", str(path)], capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
