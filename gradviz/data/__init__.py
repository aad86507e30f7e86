"""Data to learn from: shipped digits and photos with their licences, seeded point sets, and users' own files.

The licences of the shipped files are in `files/LICENSES.md`; `python -m gradviz.data.rebuild` makes them again from
their sources. Nothing is read before it is asked for.
"""

from gradviz.data.points import blobs, circles, moons, spirals, xor
from gradviz.data.shipped import Split, chelsea, digits, licences, photos
from gradviz.data.uploads import DataError, read_image, read_points

__all__ = [
    "DataError",
    "Split",
    "blobs",
    "chelsea",
    "circles",
    "digits",
    "licences",
    "moons",
    "photos",
    "read_image",
    "read_points",
    "spirals",
    "xor",
]
