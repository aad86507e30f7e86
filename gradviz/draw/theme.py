"""Colours of a drawing: light, dark, and black on white for print.

Okabe and Ito's bluish green and vermillion, which colour-blind readers tell apart, for shapes; darker or lighter
tones of them for text, since the palette's own reach a contrast of only 3.9 and 3.4 to 1 on white. Colour is
never the only signal: values stand above a node in medium weight, gradients below it in bold.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Theme:
    """Named colours, as CSS hexadecimal."""

    background: str
    ink: str
    muted: str
    line: str
    leaf: str
    gate: str
    value: str
    gradient: str
    forward: str
    backward: str


LIGHT = Theme(
    background="#FFFFFF", ink="#2B2B2B", muted="#6B6B6B", line="#8C8C8C", leaf="#F6F6F3", gate="#FFFFFF",
    value="#00785A", gradient="#B34E00", forward="#009E73", backward="#D55E00",
)  # fmt: skip
DARK = Theme(
    background="#181715", ink="#F2F0EC", muted="#A8A49C", line="#7F7B74", leaf="#2A2825", gate="#181715",
    value="#4FD1A8", gradient="#FFA366", forward="#1FB88A", backward="#F0843C",
)  # fmt: skip
PRINT = Theme(
    background="#FFFFFF", ink="#000000", muted="#4D4D4D", line="#666666", leaf="#F2F2F2", gate="#FFFFFF",
    value="#262626", gradient="#000000", forward="#000000", backward="#000000",
)  # fmt: skip
THEMES = {"light": LIGHT, "dark": DARK, "print": PRINT}
