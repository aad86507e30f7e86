"""All steps as an animated GIF."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt

from gradviz.draw.export import png
from gradviz.draw.export.deck import Deck
from gradviz.draw.export.marks import Page, colours

IntArray = npt.NDArray[np.int32]
SUFFIX = ".gif"
MANY = True
FROM_START = True
OUTLINED = True
USUAL: dict[str, Any] = {"scale": 1.0}
_MOST = 1e7  # pixels of a frame
_CLEAR = 0  # of the palette
_LAST = 2  # times as long stays the last picture, so that one sees that it is the end


def render(deck: Deck) -> bytes:
    """One frame per step; it starts again by itself."""
    from PIL import Image

    options = deck.options
    pages = list(deck.pages())
    palette = _palette(pages)
    pictures = []
    for page in pages:
        drawn = Image.open(BytesIO(png.draw(page, options.scale or 1.0, _MOST))).convert("RGBA")
        picture = Image.fromarray(_indexed(np.asarray(drawn, dtype=np.int32), palette), "P")
        picture.putpalette(palette.astype(np.uint8).tobytes())
        pictures.append(picture)
    times = [round(options.seconds * 1000)] * len(pictures)
    times[-1] *= _LAST
    more: dict[str, Any] = {"transparency": _CLEAR} if options.transparent else {}
    out = BytesIO()
    pictures[0].save(
        out, "GIF", save_all=True, append_images=pictures[1:], duration=times, loop=0, optimize=False, disposal=2, **more
    )  # fmt: skip
    return out.getvalue()


def _palette(pages: Sequence[Page]) -> IntArray:
    """A place for what is clear, the background, then every colour in use in shades towards the background."""
    ground = _rgb(pages[0].theme.background)
    found = dict.fromkeys(colour for page in pages for colour in colours(page.marks))
    inks = [ink for ink in map(_rgb, found) if ink != ground][:254]
    shades = max(1, min(16, 254 // max(1, len(inks))))
    shares = np.arange(shades)[:, None] / shades
    mixed = [np.rint(np.array(ink) * (1 - shares) + np.array(ground) * shares) for ink in inks]
    return np.vstack([[ground], [ground], *mixed]).astype(np.int32)


def _indexed(pixels: IntArray, palette: IntArray) -> npt.NDArray[np.uint8]:
    """For every pixel of red, green, blue and opacity the nearest colour before the background, or clear; Pillow's own
    search takes near-white for white."""
    opacity = pixels[..., 3:]
    solid = (pixels[..., :3] * opacity + palette[_CLEAR] * (255 - opacity)) // 255
    codes = solid[..., 0] << 16 | solid[..., 1] << 8 | solid[..., 2]
    values, where = np.unique(codes, return_inverse=True)
    rgb = np.stack([values >> 16, values >> 8 & 255, values & 255], axis=1)
    nearest = ((rgb[:, None] - palette[None, 1:]) ** 2).sum(axis=2).argmin(axis=1) + 1
    return np.where(opacity[..., 0] < 128, _CLEAR, nearest[where].reshape(codes.shape)).astype(np.uint8)


def _rgb(colour: str) -> list[int]:
    return [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
