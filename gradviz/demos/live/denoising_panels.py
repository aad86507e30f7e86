"""What the denoising experiment shows, view by view, as panels of plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradviz.demos.live.base import Panel, loss_panel
from gradviz.demos.live.restoration import Piece, image_psnr
from gradviz.nn.module import FloatArray

if TYPE_CHECKING:
    from gradviz.demos.live.denoising import Experiment, Statistics

VIEWS = ("denoising", "batch norm")
DRAWN = 512  # pixels along a side


def panels(experiment: Experiment, estimate: FloatArray) -> list[Panel]:
    """The panels of the view that the settings name."""
    return (_denoising if experiment.settings.view == VIEWS[0] else _batch_norm)(experiment, estimate)


def _denoising(e: Experiment, estimate: FloatArray) -> list[Panel]:
    noisy, found = image_psnr(e.noisy, e.clean, cut=False), e.qualities[-1][1]
    noise = e.noisy - estimate
    if noise.ndim == 3:  # a signed picture has one value per pixel
        noise = noise.mean(axis=2)
    steps, qualities = np.array(e.qualities).T
    return [
        _image("noisy", "Noisy", f"σ = {e.settings.sigma:g} of 255: {noisy:.2f} dB", e.noisy),
        _image("estimate", "Estimate = noisy − estimated noise", f"{found:.2f} dB", estimate),
        _image("noise", "Estimated noise", "what the network puts out", noise, palette="signed"),
        _image("clean", "Clean", f"held out; the best blur reaches {e.blur_psnr:.2f} dB", e.clean),
        {
            "kind": "lines",
            "id": "quality",
            "title": "PSNR in dB",
            "note": f"dashed: the best Gaussian blur, {e.blur_sigma:.1f} pixels wide",
            "width": 8,
            "rows": 4,
            "x_label": "batches",
            "y_range": (noisy - 3, None),
            "series": [
                {"label": "network", "x": steps, "y": np.maximum(qualities, noisy - 3)},
                {"label": "best blur", "x": steps[[0, -1]], "y": [e.blur_psnr] * 2, "style": "dashed"},
                {"label": "noisy", "x": steps[[0, -1]], "y": [noisy] * 2, "style": "dotted"},
            ],
        },
        loss_panel(e.trainer.history["loss"], width=4, rows=4),
    ]


def whole_image_panels(piece: Piece) -> list[Panel]:
    """A whole image, as far as it has been denoised; a large one is drawn with every second, third … pixel."""
    found, ready = piece.denoised, piece.done == piece.total
    step = -(-max(found.clean.shape[:2]) // DRAWN)
    size = f"{found.clean.shape[1]} × {found.clean.shape[0]}"
    shown = {
        "noisy": (found.noisy, size if step == 1 else f"{size}, drawn 1 : {step}"),
        "best blur": (found.blurred, f"{found.blur_sigma:.1f} pixels wide"),
        "network": (found.estimate, "" if ready else "on its way"),
        "clean": (found.clean, ""),
    }
    quality = {name: f"{value:.2f} dB" for name, value in found.psnr.items() if ready or name != "network"}
    return [
        _image(
            f"whole {name}",
            name.capitalize(),
            ", ".join(filter(None, [quality.get(name), note])),
            image[::step, ::step],
        )
        for name, (image, note) in shown.items()
    ]


def _image(id: str, title: str, note: str, image: FloatArray, palette: str = "grey") -> Panel:
    shown = image if palette == "signed" else np.clip(image, 0, 1)
    return {
        "kind": "images",
        "id": id,
        "title": title,
        "note": note,
        "width": 3,
        "rows": 4,
        "images": [shown],
        "palette": palette,
    }


def _batch_norm(e: Experiment, estimate: FloatArray) -> list[Panel]:
    modes = e.two_modes()
    difference = modes.train - modes.eval
    if difference.ndim == 3:
        difference = difference.mean(axis=2)
    train, evaluated = image_psnr(modes.train, e.clean), image_psnr(modes.eval, e.clean)
    found = [panel for statistics in e.statistics() for panel in _statistics(statistics)]
    return [
        *found[:6],
        _image("train", "Training mode: statistics of this very image", f"{train:.2f} dB", modes.train)
        | {"width": 4},
        _image("eval", "Evaluation mode: running statistics", f"{evaluated:.2f} dB", modes.eval)
        | {"width": 4},
        _image("difference", "Their difference", "the same weights, the same image", difference, "signed")
        | {"width": 4},
    ]


def _statistics(s: Statistics) -> list[Panel]:
    pairs = (("mean", s.batch_mean, s.running_mean), ("variance", s.batch_var, s.running_var))
    return [
        {
            "kind": "lines",
            "id": f"{s.path}.{name}",
            "title": f"Batch norm {s.path}: {name} of each channel",
            "width": 6,
            "rows": 2,
            "x_label": "channel",
            "series": [
                {"label": "running", "y": running, "style": "solid"},
                *([] if batch is None else [{"label": "last batch", "y": batch, "style": "dashed"}]),
            ],
        }
        for name, batch, running in pairs
    ]
