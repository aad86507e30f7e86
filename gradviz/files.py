"""Files that are written whole or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from os import PathLike, fspath
from pathlib import Path
from typing import BinaryIO


@contextmanager
def whole_file(path: str | PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write, which takes the place of the one at `path` when it is whole: neither Ctrl-C nor a full disk
    costs what was there. Raises OSError where it cannot be written."""
    part = Path(f"{fspath(path)}.part")
    try:
        with open(part, "wb") as file:
            yield file
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink()
