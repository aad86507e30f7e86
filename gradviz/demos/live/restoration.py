"""A denoiser on images of any size, grey or colour, and the best that a Gaussian blur can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product
from math import ceil

import numpy as np

from gradviz import nn
from gradviz.nn.module import FloatArray

TILE = 192  # pixels along a side of what is denoised at a time
SIGMAS = np.linspace(0.4, 2.4, 21)  # widths of the blur that are tried, in pixels

Predict = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Denoised:
    """A clean image, the same with noise, and two ways back; all (h, w) or (h, w, 3) with black 0 and white 1."""

    clean: FloatArray
    noisy: FloatArray
    estimate: FloatArray
    blurred: FloatArray
    blur_sigma: float

    @property
    def noise(self) -> FloatArray:
        """The estimated noise: what the network took away."""
        return self.noisy - self.estimate

    @property
    def psnr(self) -> dict[str, float]:
        """In dB against the clean image."""
        versions = {"noisy": self.noisy, "best blur": self.blurred, "network": self.estimate}
        return {name: image_psnr(image, self.clean) for name, image in versions.items()}


def image_psnr(image: FloatArray, clean: FloatArray) -> float:
    """PSNR in dB of an image with white 1. It is cut off at black and white, the noisy one too: otherwise cutting alone
    would pass for denoising."""
    return nn.psnr(np.clip(image, 0, 1), clean, data_range=1.0)


def with_noise(clean: FloatArray, sigma: float, rng: np.random.Generator) -> FloatArray:
    """Normal noise on top; `sigma` of 255, as in the literature."""
    noise: FloatArray = rng.standard_normal(clean.shape, np.float32)
    noise *= np.float32(sigma / 255)
    noise += clean
    return noise


@dataclass(frozen=True)
class Piece:
    """A large image on its way: `done` of `total` pieces of `denoised.estimate` and `denoised.blurred` are ready, the others
    are still noisy."""

    done: int
    total: int
    denoised: Denoised


def denoise(
    predict: Predict, clean: FloatArray, sigma: float, rng: np.random.Generator, margin: int
) -> Denoised:
    """Put noise on an image, uint8 or float, and take it away again, channel by channel; `predict` maps
    (n, 1, h, w) to the same shape and looks at most `margin` pixels far."""
    *_, last = piece_by_piece(predict, clean, sigma, rng, margin)
    return last.denoised


def piece_by_piece(
    predict: Predict, clean: FloatArray, sigma: float, rng: np.random.Generator, margin: int, tile: int = TILE
) -> Iterator[Piece]:
    """`denoise`, with a look after each piece.

    The result is the same as in one go, since each piece brings along the `margin` pixels around it that its
    outputs look at; a large image then needs no more memory than a small one.
    """
    image = clean.astype(np.float32) / 255 if clean.dtype == np.uint8 else np.asarray(clean, np.float32)
    noisy = with_noise(image, sigma, rng)
    found = Denoised(image, noisy, noisy.copy(), noisy.copy(), best_sigma(noisy, image))
    margin = max(margin, _radius(found.blur_sigma))
    height, width = image.shape[:2]
    corners = list(product(range(0, height, tile), range(0, width, tile)))
    for done, (top, left) in enumerate(corners, 1):
        above, before = min(top, margin), min(left, margin)
        around = noisy[top - above : top + tile + margin, left - before : left + tile + margin]
        place = np.s_[top : top + tile, left : left + tile]
        inner = np.s_[above : above + tile, before : before + tile]
        size = found.estimate[place].shape[:2]
        for result, whole in (
            (from_planes(predict(to_planes(around))), found.estimate),
            (gaussian_blur(around, found.blur_sigma), found.blurred),
        ):
            whole[place] = result[inner][: size[0], : size[1]]
        yield Piece(done, len(corners), found)


def to_planes(image: FloatArray) -> FloatArray:
    """The colours of an image as samples of one channel: (h, w) or (h, w, 3) -> (1 or 3, 1, h, w)."""
    return image[None, None] if image.ndim == 2 else np.moveaxis(image, -1, 0)[:, None]


def from_planes(planes: FloatArray) -> FloatArray:
    """The inverse of `to_planes`."""
    return planes[0, 0] if len(planes) == 1 else np.moveaxis(planes[:, 0], 0, -1)


def gaussian_blur(image: FloatArray, sigma: float) -> FloatArray:
    """(h, w) or (h, w, 3) blurred down and across with a Gaussian of `sigma` pixels, mirrored at the border."""
    radius = _radius(sigma)
    kernel = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2).astype(np.float32)
    kernel /= kernel.sum()
    for axis in (0, 1):
        size = image.shape[axis]
        border = [(radius, radius) if i == axis else (0, 0) for i in range(image.ndim)]
        wide = np.moveaxis(np.pad(image, border, mode="symmetric"), axis, 0)
        blurred = sum(weight * wide[i : i + size] for i, weight in enumerate(kernel))
        image = np.moveaxis(np.asarray(blurred), 0, axis)
    return image


def _radius(sigma: float) -> int:
    return ceil(4 * sigma)


def best_sigma(noisy: FloatArray, clean: FloatArray) -> float:
    """Width in pixels of the Gaussian blur with the highest PSNR; found on the middle of a large image."""
    top, left = (max(0, (size - 256) // 2) for size in clean.shape[:2])
    middle = np.s_[top : top + 256, left : left + 256]
    quality = [image_psnr(gaussian_blur(noisy[middle], sigma), clean[middle]) for sigma in SIGMAS]
    return float(SIGMAS[int(np.argmax(quality))])


def best_blur(noisy: FloatArray, clean: FloatArray) -> tuple[FloatArray, float]:
    """The Gaussian blur with the highest PSNR, and its width in pixels."""
    sigma = best_sigma(noisy, clean)
    return gaussian_blur(noisy, sigma), sigma
