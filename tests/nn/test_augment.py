"""Shifted images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradviz import nn
from gradviz.errors import ShapeError

shifts = nn.augment.shifts


def dot(n: int = 200) -> Any:
    """n images of 5 × 5, two channels, with one bright pixel in the middle."""
    x = np.zeros((n, 2, 5, 5), np.float32)
    x[:, 0, 2, 2], x[:, 1, 2, 2] = 1, 2
    return x


@pytest.mark.parametrize("pixels", [1, 2])
def test_every_move_occurs_and_moves_all_channels(pixels: int) -> None:
    out, y = shifts(dot(), np.arange(200), np.random.default_rng(0), pixels)
    places = {tuple(np.argwhere(image[0])[0] - 2) for image in out}
    assert len(places) == (2 * pixels + 1) ** 2
    assert max(max(map(abs, place)) for place in places) == pixels
    np.testing.assert_array_equal(out[:, 1], 2 * out[:, 0])
    np.testing.assert_array_equal(y, np.arange(200))
    assert out.dtype == np.float32


def test_what_leaves_the_image_is_gone_and_what_enters_is_black() -> None:
    x = np.arange(1.0, 10).reshape(1, 1, 3, 3)
    seen = {shifts(x, [0], np.random.default_rng(k))[0][0, 0].astype(int).tobytes() for k in range(60)}
    expected = set()
    padded = np.pad(np.arange(1, 10).reshape(3, 3), 1)
    for down in range(3):
        for across in range(3):
            expected.add(np.ascontiguousarray(padded[down : down + 3, across : across + 3]).tobytes())
    assert seen == expected


def test_flat_images_and_image_targets_move_alike() -> None:
    x = dot()[:, :1]
    whole, target = shifts(x, 3 * x, np.random.default_rng(0))
    flat, _ = shifts(x.reshape(200, 25), np.zeros(200), np.random.default_rng(0))
    np.testing.assert_array_equal(flat.reshape(x.shape), whole)
    np.testing.assert_array_equal(target, 3 * whole)


def test_the_batch_itself_is_left_alone() -> None:
    x = dot()
    shifts(x, np.zeros(200), np.random.default_rng(0))
    np.testing.assert_array_equal(x, dot())


@pytest.mark.parametrize("shape", [(3, 7), (3, 4, 4), (5,)])
def test_only_images_can_be_shifted(shape: tuple[int, ...]) -> None:
    with pytest.raises(ShapeError, match="only images"):
        shifts(np.zeros(shape), np.zeros(shape[0]), np.random.default_rng(0))
