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
NORMS = 3  # whose statistics are drawn: as many as fit beside each other


def panels(experiment: Experiment, estimate: FloatArray) -> list[Panel]:
    """The panels of the view that the settings name."""
    return (_denoising if experiment.settings.view == VIEWS[0] else _batch_norm)(experiment, estimate)


def _denoising(e: Experiment, estimate: FloatArray) -> list[Panel]:
    noisy, found = image_psnr(e.noisy, e.clean, cut=False), e.qualities[-1][1]
    noise = _one_channel(e.noisy - estimate)
    steps, qualities = np.array(e.qualities).T
    return [
        _image("noisy", "Noisy", f"σ = {e.settings.sigma:g} of 255: {_decibels(noisy)}", e.noisy),
        _image("estimate", "Estimate", f"noisy − noise: {_decibels(found)}", estimate),
        _image("noise", "Estimated noise", "what the network puts out", noise, palette="signed"),
        _image("clean", f"Clean: {e.source}", f"the best blur reaches {_decibels(e.blur_psnr)}", e.clean),
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


def _one_channel(difference: FloatArray) -> FloatArray:
    """A signed picture has one value per pixel: the mean of its colours."""
    mean: FloatArray = difference.mean(axis=2) if difference.ndim == 3 else difference
    return mean


def _decibels(psnr: float) -> str:
    return f"{psnr:.2f} dB" if np.isfinite(psnr) else "no error at all"


def whole_image_panels(piece: Piece) -> list[Panel]:
    """A whole image, as far as it has been denoised; a large one is drawn with every second, third … pixel."""
    found, ready = piece.denoised, piece.done == piece.total
    step = -(-max(found.clean.shape[:2]) // DRAWN)
    size = f"{found.clean.shape[1]} × {found.clean.shape[0]}"
    shown = {
        "noisy": (found.noisy, size if step == 1 else f"{size}, drawn 1 : {step}"),
        "best blur": (found.blurred, f"{found.blur_sigma:.1f} pixels wide" if ready else "on its way"),
        "network": (found.estimate, "as it is now" if ready else "on its way"),
        "clean": (found.clean, "nothing of this is told to the network"),
    }
    quality = {name: _decibels(value) for name, value in found.psnr.items()} if ready else {}
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


RULE = (
    "y = (x − E[x]) / √(Var[x] + ε) · γ + β",
    "Training: E and Var of the batch, for each channel. Evaluation: the running ones, a tenth of each batch's added.",
    "The mean takes any bias of the convolution before it away again, so these have none; β stands in.",
)


def _batch_norm(e: Experiment, estimate: FloatArray) -> list[Panel]:
    trained = e.training_estimate()
    difference = _one_channel(trained - estimate)
    train, evaluated = (_decibels(image_psnr(image, e.clean)) for image in (trained, estimate))
    found = e.statistics()[:NORMS]
    return [
        *(_means(s) for s in found),
        *(_variances(s) for s in found),
        _image("train", "Training mode", f"this image's statistics: {train}", trained),
        _image("eval", "Evaluation mode", f"running statistics: {evaluated}", estimate),
        _image("difference", "Their difference", "the same weights, the same image", difference, "signed"),
        {"kind": "text", "id": "rule", "title": "Batch norm", "width": 3, "rows": 4, "lines": RULE},
    ]


def _means(s: Statistics) -> Panel:
    return _channels(s.path, "mean", s.batch_mean, s.running_mean)


def _variances(s: Statistics) -> Panel:
    return _channels(s.path, "variance", s.batch_var, s.running_var)


def _channels(path: str, name: str, batch: FloatArray | None, running: FloatArray) -> Panel:
    series = [] if batch is None else [{"label": "last batch", "y": batch, "style": "dashed"}]
    return {
        "kind": "lines",
        "id": f"{path}.{name}",
        "title": f"{path}: {name} of each channel",
        "width": 4,
        "rows": 2,
        "x_label": "channel",
        "series": [{"label": "running", "y": running, "style": "solid"}, *series],
    }
