"""The browser view: small ES modules and one stylesheet, joined here into one script and one style, without a bundler.

`gradviz.mount(root, payload, options)` is all that the script defines; it needs no network and works under a strict
content security policy.
"""

from __future__ import annotations

import re
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (function|const) (\w+)", re.MULTILINE)


@cache
def script() -> str:
    """All modules as one script that defines `gradviz`, each module after those it imports."""
    modules = {
        entry.name.removesuffix(".js"): entry.read_text(encoding="utf-8")
        for entry in sorted(files(__package__).iterdir(), key=lambda entry: entry.name)
        if entry.name.endswith(".js")
    }
    order = TopologicalSorter({name: _IMPORT.findall(text) for name, text in modules.items()}).static_order()
    joined = "\n\n".join(_scoped(modules[name]) for name in order)
    return f'const gradviz = (() => {{\n"use strict";\n\n{joined}\n\nreturn {{ mount }};\n}})();\n'


def _scoped(module: str) -> str:
    """A module's own names stay inside a function; what it exports becomes visible to the modules that follow."""
    names = ", ".join(match[2] for match in _EXPORT.finditer(module))
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub("", module)).strip()
    return f"const {{ {names} }} = (() => {{\n{body}\n\nreturn {{ {names} }};\n}})();"


@cache
def style() -> str:
    """The stylesheet of the view."""
    return files(__package__).joinpath("stepper.css").read_text(encoding="utf-8")
