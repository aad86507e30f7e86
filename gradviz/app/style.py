"""The little CSS that gives the picture the whole window."""

from __future__ import annotations

import re
from string import punctuation

import streamlit as st

_CSS = """
.stMainBlockContainer { padding: 0; max-width: none; }
.stAppHeader { background: transparent; height: 2.75rem; min-height: 0; pointer-events: none; }
.stAppHeader * { pointer-events: none; }
.stAppHeader :is(button, [role="button"]), .stAppHeader :is(button, [role="button"]) * { pointer-events: auto; }
.stMain { overflow-x: hidden; }
.stMain:focus, .stMain:focus-visible { outline: none; box-shadow: none; }
.stMainBlockContainer > .stVerticalBlock { gap: 0; }
.stSidebar [data-testid="stSidebarContent"] { padding: 0 0.9rem; }
.stSidebar [data-testid="stSidebarUserContent"] { padding: 0 0 1.5rem; }
.stSidebar [data-testid="stSidebarHeader"] { height: 2.25rem; padding: 0.25rem 1rem; margin: 0; }
.stSidebar [data-testid="stSidebarCollapseButton"] { visibility: visible; }
.stSidebar [data-testid="stSidebarNav"] { margin-top: -0.5rem; }
.stSidebar [data-testid="stSidebarNavItems"] > * { margin-top: 0.3rem; }
.stSidebar [data-testid="stNavSectionHeader"] { margin: 0.1rem 0; }
.stSidebar [data-testid="stSidebarNavItems"] li { margin: 0; }
.stSidebar [data-testid="stSidebarNavLinkContainer"], .stSidebar [data-testid="stSidebarNavLink"] { height: 1.5rem; margin: 0; }
.stSidebar .stVerticalBlock { gap: 0.6rem; }
.stSelectbox input { text-overflow: ellipsis; }
.st-key-train, .st-key-train-views, [class*="st-key-train-study"] { padding: 0.5rem 1rem 1rem; gap: 0.3rem; }
.st-key-vectors, .st-key-methods { padding: 0.6rem 1rem 2rem; gap: 0.6rem; }
.st-key-methods { padding-bottom: 0.6rem; }
.st-key-methods .katex-display { margin: 0.2rem 0 0.9rem; }
.st-key-methods .stColumn .stVerticalBlock { gap: 0.3rem; }
@media (max-width: 1000px) { .st-key-methods .stColumn { min-width: min(100%, 310px); } }
.stApp:has([data-testid="stExpandSidebarButton"]) :is(.st-key-vectors, .st-key-methods) { padding-top: 2.75rem; }
.st-key-train-views { padding-bottom: 0; }
.stApp:has(.st-key-train-views) { --lv-above: 150px; }
.st-key-slides-preview img { max-height: 46vh; object-fit: contain; border: 1px solid #8884; }
.st-key-train-buttons { gap: 0.4rem; padding-right: 2.2rem; }
.stApp:has([data-testid="stExpandSidebarButton"]) .st-key-train-buttons { padding-left: 2.6rem; }
.stApp:has([data-testid="stExpandSidebarButton"]) .st-key-train-views { padding-left: 3.6rem; }
.stApp:has(.st-key-train-views) .st-key-train-buttons { padding-left: 0 !important; }
@media (prefers-color-scheme: dark) { [data-testid="stBaseButton-primary"]:not(:disabled) { color: #08251c; } }
.st-key-train-buttons button { min-height: 2.1rem; padding: 0 0.7rem; font-size: 0.9rem; }
"""


def apply_style() -> None:
    """Remove the margins around the page and tighten the rail."""
    st.html(f"<style>{_CSS}</style>")


def verbatim(text: str) -> str:
    """A text as Markdown that shows just this text: a message may quote what a file or an address brought."""
    return re.sub(f"([{re.escape(punctuation)}])", r"\\\1", text)
