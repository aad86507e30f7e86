"""Arrays as images: bytes between two ends, what is left out, and thumbnails in a few levels."""

from __future__ import annotations

import base64

import numpy as np
import pytest

import gradviz as gv
from gradviz.draw.pictures import CELLS, Kind, Picture, kind_of, picture, thumbnail

RNG = np.random.default_rng(0)


def decoded(made: Picture) -> np.ndarray:
    """What a reader of the picture gets back."""
    levels = np.frombuffer(base64.b64decode(made.data), np.uint8).reshape(made.shape).astype(float)
    return made.low + levels / (254 if made.signed else 255) * (made.high - made.low)


@pytest.mark.parametrize(
    ("shape", "kind", "frames"),
    [
        ((3, 4, 5, 6), "batch", (3, 4, 5, 6)),
        ((3, 4, 5, 6), "filters", (1, 12, 5, 6)),
        ((4, 5, 6), "stack", (1, 4, 5, 6)),
        ((5, 6), "matrix", (1, 1, 5, 6)),
        ((6,), "vector", (1, 1, 1, 6)),
    ],
)
@pytest.mark.parametrize("low", [0.0, -1.0])
def test_bytes_stand_for_values(
    shape: tuple[int, ...], kind: Kind, frames: tuple[int, ...], low: float
) -> None:
    array = RNG.uniform(low, 1, shape)
    made = picture(array, kind)
    assert made.shape == frames
    assert made.signed == (low < 0)
    assert made.left_out == ""
    np.testing.assert_allclose(decoded(made).reshape(shape), array, atol=1.01 * (made.high - made.low) / 508)


def test_zero_is_zero_in_a_signed_picture() -> None:
    made = picture(np.array([[-0.3, 0.0], [0.0, 0.7]]), "matrix", signed=True)
    assert (made.low, made.high) == (-0.7, 0.7)
    assert decoded(made)[0, 0, 0, 1] == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("value", [0.0, 2.5, -2.5, np.nan, np.inf])
def test_constant_and_broken_arrays(value: float) -> None:
    made = picture(np.full((2, 3, 4, 5), value), "batch", signed=True)
    assert made.shape == (2, 3, 4, 5)
    assert np.isfinite(decoded(made)).all()
    assert thumbnail(np.full((2, 3, 4, 5), value), "batch")


def test_numbers_near_the_largest_there_are() -> None:
    array = np.where(RNG.random((2, 3, 40, 40)) < 0.5, -1.7e308, 1.7e308)
    made = picture(array, "batch")
    levels = np.frombuffer(base64.b64decode(made.data), np.uint8)
    assert set(levels.tolist()) == {0, 254}
    np.testing.assert_array_equal(levels.reshape(made.shape) == 254, array[: made.shape[0]] > 0)
    assert len(set("".join(thumbnail(array, "batch")))) > 1


@pytest.mark.parametrize(
    ("shape", "kind", "words"),
    [
        ((64, 8, 14, 14), "batch", "the first 6 samples of 64"),
        ((2, 64, 64, 64), "batch", "the first sample of 2"),
        ((1, 3, 512, 512), "batch", "every"),
        ((256, 256, 3, 3), "filters", "kernels"),
        ((4000, 784), "matrix", "of 4000 rows"),
        ((100_000,), "vector", "shown"),
    ],
)
def test_what_does_not_fit_is_left_out_and_said(shape: tuple[int, ...], kind: Kind, words: str) -> None:
    made = picture(np.ones(shape), kind, room=10_000)
    assert words in made.left_out
    assert len(base64.b64decode(made.data)) <= 10_000
    assert len(base64.b64decode(made.data)) == np.prod(made.shape)


def kinds(text: str, **inputs: object) -> dict[str, object]:
    run = gv.explore(text, inputs, wrt=())
    return {node.id: kind_of(run.graph, i, run.tape.shapes) for i, node in enumerate(run.graph.nodes)}


def test_kinds() -> None:
    found = kinds(
        "h = conv2d(x, w)\nf = flatten(h)\ny = linear(f, v)\nz = linear(t, u)\nout = sum(y) + sum(z)",
        x=np.ones((2, 1, 8, 8)), w=np.ones((3, 1, 3, 3)), v=np.ones((10, 108)), t=np.ones((5, 64)), u=np.ones((7, 64)),
    )  # fmt: skip
    assert found["x"] == ("batch", ())
    assert found["w"] == ("filters", ())
    assert found["f"] == ("images", (3, 6, 6))
    assert found["v"] == ("images", (3, 6, 6))
    assert found["u"] == found["t"] == ("images", (1, 8, 8))
    assert found["y"] == ("matrix", ())
    assert found["out"] is None


def test_thumbnails_are_small_and_show_the_liveliest_tile() -> None:
    array = np.zeros((2, 3, 40, 30))
    array[0, 1, :20] = 1
    rows = thumbnail(array, "batch")
    assert len(rows) == len(rows[0]) == CELLS
    assert rows[0] == "8" * CELLS
    assert rows[-1] == "0" * CELLS
    assert set(thumbnail(-array, "batch", signed=True)[-1]) == {"4"}
