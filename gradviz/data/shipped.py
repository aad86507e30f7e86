"""The data files that come with gradviz, read when first used and shared read-only."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Split:
    """A training and a test set: `x_*` float32 in [0, 1], `y_*` class numbers."""

    x_train: Array
    y_train: Array
    x_test: Array
    y_test: Array

    @property
    def flat(self) -> Split:
        """The same samples as vectors, (N, 784) for digits."""
        return Split(
            self.x_train.reshape(len(self.x_train), -1),
            self.y_train,
            self.x_test.reshape(len(self.x_test), -1),
            self.y_test,
        )


@cache
def digits() -> Split:
    """4,000 training and 1,000 test digits of MNIST, images (N, 1, 28, 28), classes in the order 0, 1, …, 9, 0, 1, …

    All come from MNIST's training images: most writers of the test digits also wrote training digits, so the
    accuracy measured here is higher than on writers the network has never seen.
    """
    stored = arrays("mnist_5k.npz")
    images = {key: _shared(stored[key][:, None] / np.float32(255)) for key in ("x_train", "x_test")}
    labels = {key: _shared(stored[key].astype(np.int64)) for key in ("y_train", "y_test")}
    return Split(**images, **labels)


@cache
def _photos() -> dict[str, Array]:
    stored = arrays("photos_gray256.npz")
    return {str(name): _shared(image) for name, image in zip(stored["names"], stored["images"], strict=True)}


def photos() -> dict[str, Array]:
    """Ten grey photos by name, each (256, 256) uint8."""
    return dict(_photos())


@cache
def chelsea() -> Array:
    """The cat in colour, (256, 256, 3) uint8."""
    from PIL import Image

    with _file("chelsea_rgb256.png").open("rb") as file:
        return _shared(np.array(Image.open(file)))


def licences() -> str:
    """Where the shipped files come from and on which terms, as Markdown."""
    return str(_file("LICENSES.md").read_text(encoding="utf-8"))


def _file(name: str) -> Any:
    return files("gradviz.data").joinpath("files", name)


def arrays(name: str) -> dict[str, Array]:
    """The arrays of a shipped `.npz` file, freshly read."""
    with _file(name).open("rb") as file, np.load(file, allow_pickle=False) as stored:
        return dict(stored)


def _shared(array: Array) -> Array:
    array.flags.writeable = False
    return array
