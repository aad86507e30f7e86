"""What the denoising experiment shows, view by view, as panels of plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from gradviz.demos.live.base import Panel, loss_panel
from gradviz.demos.live.restoration import Piece, image_psnr
from gradviz.nn.module import FloatArray

if TYPE_CHECKING:
    from gradviz.demos.live.denoising import Experiment, Statistics

DRAWN = 512  # pixels along a side
NORMS = 3  # whose statistics are drawn: as many as fit beside each other


def _noisy(e: Experiment) -> list[Panel]:
    note = f"σ = {e.settings.sigma:g} of 255: {_decibels(_noisy_psnr(e))}"
    return [_image("noisy", "Noisy", note, e.noisy)]


def _noisy_psnr(e: Experiment) -> float:
    return image_psnr(e.noisy, e.clean)


def _estimate(e: Experiment) -> list[Panel]:
    estimate = e.estimate()
    noise = _one_channel(e.noisy - estimate)
    quality = _decibels(image_psnr(estimate, e.clean))
    return [
        _image("estimate", "Estimate", f"noisy − noise: {quality}", estimate),
        _image("noise", "Estimated noise", "what the network puts out", noise, palette="signed"),
    ]


def _clean(e: Experiment) -> list[Panel]:
    return [_image("clean", f"Clean: {e.source}", f"the best blur reaches {_decibels(e.blur_psnr)}", e.clean)]


def _quality(e: Experiment) -> list[Panel]:
    noisy, found = _noisy_psnr(e), e.qualities.series()
    ends = found["x"][[0, -1]]
    return [
        {
            "kind": "lines",
            "id": "quality",
            "title": "PSNR in dB",
            "note": f"dashed: the best Gaussian blur, {e.blur_sigma:.1f} pixels wide; all cut off at black and white",
            "width": 8,
            "rows": 4,
            "x_label": "batches",
            "y_range": (noisy - 3, None),
            "series": [
                {"label": "network", "marker": True, **found},
                {"label": "best blur", "x": ends, "y": [e.blur_psnr] * 2, "style": "dashed"},
                {"label": "noisy", "x": ends, "y": [noisy] * 2, "style": "dotted"},
            ],
        }
    ]


def _loss(e: Experiment) -> list[Panel]:
    return [loss_panel(e.losses, width=4, rows=4)]


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


def _statistics(e: Experiment) -> list[Panel]:
    found = e.statistics()[:NORMS]
    return [*(_means(s) for s in found), *(_variances(s) for s in found)]


def _modes(e: Experiment) -> list[Panel]:
    trained, estimate = e.training_estimate(), e.estimate()
    difference = _one_channel(trained - estimate)
    train, evaluated = (_decibels(image_psnr(image, e.clean)) for image in (trained, estimate))
    return [
        _image("train", "Training mode", f"this image's statistics: {train}", trained),
        _image("eval", "Evaluation mode", f"running statistics: {evaluated}", estimate),
        _image("difference", "Their difference", "the same weights, the same image", difference, "signed"),
    ]


def _rule(_: Experiment) -> list[Panel]:
    return [{"kind": "text", "id": "rule", "title": "Batch norm", "width": 3, "rows": 4, "lines": RULE}]


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


PARTS = {
    "denoising": (_noisy, _estimate, _clean, _quality, _loss),
    "batch norm": (_statistics, _modes, _rule),
}
VIEWS = tuple(PARTS)
