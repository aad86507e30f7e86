"""Files made beside the page: a thread that can be watched and stopped between two pages."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO

from gradviz.errors import Stopped

Report = Callable[[int, int], None]
Files = Iterator[tuple[str, bytes]]
_LONG_AGO = (2000, 1, 1, 0, 0, 0)  # equal files make equal archives


class Making:
    """Files being made; `done` of `total` pages are drawn, `files` is complete once `busy` is False."""

    def __init__(self, make: Callable[[Report], Files]) -> None:
        self.make = make
        self.done, self.total = 0, 0
        self.files: list[tuple[str, bytes]] = []
        self.error: Exception | None = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gradviz slides", daemon=True)

    def start(self) -> Making:
        """Begin."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Give up before the next page."""
        self._stop.set()

    def wait(self, seconds: float) -> bool:
        """Whether it is finished within so many seconds."""
        self._thread.join(seconds)
        return not self.busy

    @property
    def busy(self) -> bool:
        """Whether pages are still being drawn."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            files = list(self.make(self._report))
        except Exception as error:  # shown on the page, which no exception of a thread reaches
            self.error = error
        else:
            self.files = files

    def _report(self, done: int, total: int) -> None:
        if self._stop.is_set():
            raise Stopped("stopped")
        self.done, self.total = done, total


def packed(files: Sequence[tuple[str, bytes]]) -> bytes:
    """One file as it is, several as a ZIP archive."""
    if len(files) == 1:
        return files[0][1]
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), content, zipfile.ZIP_DEFLATED)
    return out.getvalue()
