"""The browser views: small ES modules and stylesheets, joined here into one script and one style, without a bundler.

`gradviz.mount(root, payload, options)` is all that a joined script defines; it needs no network and works under a
strict content security policy.
"""

from __future__ import annotations

import re
from functools import cache
from graphlib import TopologicalSorter
from importlib.resources import files
from importlib.resources.abc import Traversable

_IMPORT = re.compile(r'^import \{[^}]*\} from "\./([a-z]+)\.js";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (function|const) (\w+)", re.MULTILINE)


@cache
def script() -> str:
    """The step-through view as a script that defines `gradviz`."""
    return join("stepper", files(__package__))


def join(entry: str, *folders: Traversable) -> str:
    """The module `entry`, which exports `mount`, after all modules it needs, as one script that defines `gradviz`.

    Modules are looked up by name in the folders, and then here.
    """
    places = (*folders, files(__package__))
    modules: dict[str, str] = {}
    wanted = [entry]
    while wanted:
        name = wanted.pop()
        if name not in modules:
            found = next(place for place in places if place.joinpath(f"{name}.js").is_file())
            modules[name] = found.joinpath(f"{name}.js").read_text(encoding="utf-8")
            wanted += _IMPORT.findall(modules[name])
    order = TopologicalSorter({name: sorted(_IMPORT.findall(modules[name])) for name in sorted(modules)})
    joined = "\n\n".join(_scoped(modules[name]) for name in order.static_order())
    return f'const gradviz = (() => {{\n"use strict";\n\n{joined}\n\nreturn {{ mount }};\n}})();\n'


def _scoped(module: str) -> str:
    """A module's own names stay inside a function; what it exports becomes visible to the modules that follow."""
    names = ", ".join(match[2] for match in _EXPORT.finditer(module))
    body = _EXPORT.sub(r"\1 \2", _IMPORT.sub("", module)).strip()
    return f"const {{ {names} }} = (() => {{\n{body}\n\nreturn {{ {names} }};\n}})();"


@cache
def style() -> str:
    """The stylesheet of the step-through view."""
    return files(__package__).joinpath("stepper.css").read_text(encoding="utf-8")
