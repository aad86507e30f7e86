"""U-Net: down to coarser scales and up again, with skips that are concatenated (Ronneberger et al. 2015)."""

from __future__ import annotations

from gradviz.nn.activations import ReLU
from gradviz.nn.architectures import Architecture
from gradviz.nn.arguments import whole
from gradviz.nn.containers import Concat, Sequential
from gradviz.nn.layers import Conv2d, ConvTranspose2d
from gradviz.nn.resize import MaxPool2d


def unet(base: int = 8, scales: int = 3, in_channels: int = 1, out_channels: int = 1) -> Sequential:
    """`scales` resolutions with `base` channels at the finest and twice as many at each coarser one; image sides must
    be multiples of 2^(scales − 1)."""
    whole("base", base)
    whole("scales", scales)
    channels = [base * 2**scale for scale in range(scales)]
    below = _block(channels[-2] if scales > 1 else in_channels, channels[-1])
    for scale in reversed(range(scales - 1)):
        width = channels[scale]
        up = ConvTranspose2d(2 * width, width, 2, stride=2)
        below = Sequential(
            {
                "encode": _block(channels[scale - 1] if scale else in_channels, width),
                "skip": Concat({"pool": MaxPool2d(2), "below": below, "up": up}),
                "decode": _block(2 * width, width),
            }
        )
    return Sequential({**below.children, "output": Conv2d(base, out_channels, 1)})


def _block(inputs: int, outputs: int) -> Sequential:
    return Sequential(
        Conv2d(inputs, outputs, 3, padding=1), ReLU(), Conv2d(outputs, outputs, 3, padding=1), ReLU()
    )


ARCHITECTURE = Architecture(
    "U-Net",
    "Several scales: coarse ones see far, concatenated skips keep the detail.",
    (1, 64, 64),
    unet,
)
