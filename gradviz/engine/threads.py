"""One thread of the linear algebra library per thread of ours, for as long as we compute on two of our own."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from os import cpu_count
from threading import Lock

import numpy as np

# As NumPy's wheels, conda and Debian build OpenBLAS.
_PREFIXES = ("scipy_openblas", "openblas")
_SUFFIXES = ("64_", "")

_lock = Lock()
_users, _before = 0, 0


@cache
def _controls() -> tuple[Callable[[], int], Callable[[int], None]] | None:
    """OpenBLAS's own functions to read and set its number of threads; None where NumPy uses another library."""
    try:
        library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # type: ignore[attr-defined]
    except (AttributeError, OSError):
        return None
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            try:
                read = library[f"{prefix}_get_num_threads{suffix}"]
                return read, library[f"{prefix}_set_num_threads{suffix}"]
            except AttributeError:
                continue
    return None


def two_threads_pay() -> bool:
    """Whether there are two processors to use and a library that can be told to use one per call."""
    return (cpu_count() or 1) > 1 and _controls() is not None


@contextmanager
def one_library_thread() -> Iterator[None]:
    """OpenBLAS with one thread until the last of those who asked for it is done."""
    global _users, _before
    controls = _controls()
    if controls is None:
        yield
        return
    read, write = controls
    with _lock:
        if not _users:
            _before = read()
            write(1)
        _users += 1
    try:
        yield
    finally:
        with _lock:
            _users -= 1
            if not _users:
                write(_before)
