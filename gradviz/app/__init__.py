"""The Streamlit app: pages hold widgets and calls only; all mathematics and drawing happens below this room."""

from __future__ import annotations

import sys
from importlib import import_module
from pkgutil import iter_modules
from types import ModuleType


def discover_pages() -> list[ModuleType]:
    """Every module in `pages/` (each has TITLE, SECTION, ORDER and show), in the order of the menu."""
    import gradviz.app.pages as folder

    names = sorted(module.name for module in iter_modules(folder.__path__))
    found = [import_module(f"{folder.__name__}.{name}") for name in names]
    return sorted(found, key=lambda page: (page.ORDER, page.TITLE))


def main() -> None:
    """Draw the app: the menu of pages by section, and the page chosen."""
    import streamlit as st

    from gradviz.app.style import apply_style

    sys.setswitchinterval(1e-4)  # a training gets the interpreter back soon after each operation
    st.set_page_config(page_title="gradviz", page_icon="∂", layout="wide", initial_sidebar_state="auto")
    apply_style()
    sections: dict[str, list[st.Page]] = {}
    pages: dict[str, st.Page] = {}
    for page in discover_pages():
        name = page.__name__.rpartition(".")[2]
        entry = st.Page(page.show, title=page.TITLE, url_path=name.replace("_", "-"), default=not sections)
        pages[name] = entry
        sections.setdefault(page.SECTION, []).append(entry)
    st.session_state.pages = pages  # for buttons that lead from one page to another
    chosen = st.navigation(sections, position="hidden" if len(pages) == 1 else "sidebar")
    st.session_state.here = next(name for name, entry in pages.items() if entry == chosen)
    chosen.run()
