"""The little CSS that gives the picture the whole window."""

from __future__ import annotations

import streamlit as st

_CSS = """
.stMainBlockContainer { padding: 0; max-width: none; }
.stAppHeader { background: transparent; height: 2.75rem; min-height: 0; pointer-events: none; }
.stAppHeader button, .stAppHeader [role="button"] { pointer-events: auto; }
.stMain { overflow-x: hidden; }
.stMain:focus, .stMain:focus-visible { outline: none; box-shadow: none; }
.stMainBlockContainer > .stVerticalBlock { gap: 0; }
.stSidebar [data-testid="stSidebarContent"] { padding: 0 0.9rem; }
.stSidebar [data-testid="stSidebarUserContent"] { padding: 0 0 1.5rem; }
.stSidebar [data-testid="stSidebarHeader"] { height: 2.75rem; padding: 0.25rem 1rem; margin: 0; }
.stSidebar .stVerticalBlock { gap: 0.6rem; }
"""


def apply_style() -> None:
    """Remove the margins around the page and tighten the rail."""
    st.html(f"<style>{_CSS}</style>")
