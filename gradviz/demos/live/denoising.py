"""DnCNN learns to find the noise in photos: residual learning, batch norm, and images of any size (D22, D23)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from gradviz import data, nn
from gradviz.demos.live.base import BaseExperiment, BaseSettings, Batch, Part
from gradviz.demos.live.curve import Curve
from gradviz.demos.live.denoising_panels import PARTS, VIEWS
from gradviz.demos.live.restoration import (
    Denoised,
    Piece,
    best_blur,
    from_planes,
    image_psnr,
    piece_by_piece,
    to_planes,
    with_noise,
)
from gradviz.nn import optim
from gradviz.nn.architectures.dncnn import DnCNN
from gradviz.nn.module import FloatArray

HELD_OUT = ("astronaut", "camera")
COLOUR = ("chelsea in colour",)
CROP = 96  # pixels along a side of what is denoised again and again while it trains


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """The network, its patches, and the noise: `sigma` of 255. `photo` is the one that is shown, best a held-out one; `view` one of
    VIEWS."""

    learning_rate: float = 3e-3
    batch_size: int = 16
    sigma: float = 25.0
    depth: int = 5
    channels: int = 16
    patch: int = 40
    photo: str = HELD_OUT[0]
    view: str = VIEWS[0]


@dataclass(frozen=True)
class Statistics:
    """One batch norm: mean and variance of each channel over the last batch (None before the first), by which it
    normalised, and the running ones that replace them in evaluation (these average the unbiased variance)."""

    path: str
    running_mean: FloatArray
    running_var: FloatArray
    batch_mean: FloatArray | None
    batch_var: FloatArray | None


def photo(name: str) -> FloatArray:
    """A shipped photo by name."""
    return data.chelsea() if name in COLOUR else data.photos()[name]


def source_of(name: str) -> str:
    """Whether the network learns from this photo."""
    return "held out" if name in HELD_OUT else "one it learns from"


def training_photos() -> FloatArray:
    """The photos that are not held out, (8, 256, 256) in [0, 1]."""
    photos = [photo for name, photo in data.photos().items() if name not in HELD_OUT]
    return np.stack(photos).astype(np.float32) / 255


def random_patches(photos: FloatArray, count: int, side: int, rng: np.random.Generator) -> FloatArray:
    """Squares cut out anywhere, (count, 1, side, side)."""
    which = rng.integers(0, len(photos), count)
    corners = rng.integers(0, photos.shape[1] - side + 1, (count, 2))
    cut = [photos[i, y : y + side, x : x + side] for i, (y, x) in zip(which, corners, strict=True)]
    return np.stack(cut)[:, None]


def make_model(depth: int, channels: int, rng: np.random.Generator) -> DnCNN:
    """A DnCNN that starts by finding no noise: its last layer is 0, so that its first estimate is the noisy image.

    From random weights there it would first have to unlearn noise of its own: measured, it then ends 2 dB lower.
    """
    model = DnCNN(depth, channels)
    model.init(rng)
    *_, last_weight, _ = model.parameters().values()
    last_weight[...] = 0
    return model


class Experiment(BaseExperiment[Settings]):
    """A denoiser in training. `image` is what is shown: a held-out photo, or a user's own (`show`); `source` says which."""

    changeable = frozenset({"learning_rate", "view", "photo"})
    explored = 2

    def __init__(self, settings: Settings) -> None:
        self.image, self.source = photo(settings.photo), source_of(settings.photo)
        super().__init__(settings)

    def start(self) -> None:
        """Eight photos to learn from, a network, and an image to show it on."""
        chosen = self.settings
        self.photos = training_photos()
        # An epoch goes through as many pixels as the photos have.
        self.samples = self.photos.size // chosen.patch**2
        self.model = make_model(chosen.depth, chosen.channels, self.rng)
        self.trainer = nn.Trainer(self.model, "mse", optim.Adam(chosen.learning_rate))
        self._twin = self.twin()
        self.show(self.image, self.source)

    def sample(self, picked: FloatArray) -> Batch:
        """As many random patches, with noise, and clean."""
        clean = random_patches(self.photos, len(picked), self.settings.patch, self.rng)
        return with_noise(clean, self.settings.sigma, self.rng), clean

    def adopt(self, settings: Settings) -> bool:
        """As for every experiment; another photo replaces the image that is shown."""
        before = self.settings.photo
        adopted = super().adopt(settings)
        if adopted and settings.photo != before:
            self.show(photo(settings.photo), source_of(settings.photo))
        return adopted

    def show(self, image: FloatArray, source: str = "your picture") -> None:
        """Show this image from now on, uint8 (h, w) or (h, w, 3): its middle, with noise that stays the same."""
        self.image, self.source = image, source
        height, width = (max(0, (size - CROP) // 2) for size in image.shape[:2])
        middle = image[height : height + CROP, width : width + CROP]
        self.clean = middle.astype(np.float32) / 255
        self.noisy = with_noise(self.clean, self.settings.sigma, self._noise_rng())
        blurred, self.blur_sigma = best_blur(self.noisy, self.clean)
        self.blur_psnr = image_psnr(blurred, self.clean)
        self.qualities = Curve()

    def _noise_rng(self) -> np.random.Generator:
        return np.random.default_rng([self.settings.random_state, 1])

    def estimate(self) -> FloatArray:
        """The shown image without the noise that the network finds in it now; how good it is joins `qualities`."""
        found = from_planes(self.trainer.predict(to_planes(self.noisy)))
        self.qualities.add(self.trainer.progress.steps, image_psnr(found, self.clean))
        return found

    def denoise(self, image: FloatArray | None = None) -> Denoised:
        """A whole image of any size, grey or colour; the shown one by default."""
        *_, last = self.piece_by_piece(image)
        return last.denoised

    def piece_by_piece(self, image: FloatArray | None = None) -> Iterator[Piece]:
        """`denoise`, with a look after each piece. Works on a copy of the network, so that training can go on meanwhile."""
        twin, shown = self.twin().eval(), self.image if image is None else image
        return piece_by_piece(twin, shown, self.settings.sigma, self._noise_rng(), margin=self.settings.depth)

    def evaluate(self) -> dict[str, dict[str, float]]:
        """PSNR in dB on both whole held-out photos: noisy, best blur, network."""
        return {name: self.denoise(data.photos()[name]).psnr for name in HELD_OUT}

    def twin(self) -> DnCNN:
        """A copy of the network with its own running statistics."""
        twin = DnCNN(self.settings.depth, self.settings.channels)
        twin.load_state_dict(self.model.state_dict())
        return twin

    def statistics(self) -> list[Statistics]:
        """Of every batch norm, in order."""
        activations, buffers = self.trainer.activations, self.model.buffers()
        found, before = [], ""
        for path, layer in self.model.layers:
            if isinstance(layer, nn.BatchNorm2d):
                mean = var = None
                if before in activations:
                    mean, var = layer.statistics(activations[before])
                running_mean, running_var = (
                    buffers[f"{path}.running_{name}"].copy() for name in ("mean", "var")
                )
                found.append(Statistics(path, running_mean, running_var, mean, var))
            before = path
        return found

    def training_estimate(self) -> FloatArray:
        """`estimate` in training mode: batch norm by the image's own statistics. Nothing of the network changes. A
        single pixel has no statistics and is estimated as in evaluation."""
        if self.noisy.size == 1:
            return self.estimate()
        self._twin.load_state_dict(self.model.state_dict())
        return from_planes(self._twin.train()(to_planes(self.noisy)))

    def parts(self) -> list[Part]:
        """The view that the settings name."""
        return [partial(make, self) for make in PARTS[self.settings.view]]
