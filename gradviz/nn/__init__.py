"""Small neural networks on the same engine as the explorer: layers, initial values, training, and their measures."""

from gradviz.nn import augment, health, init, optim, schedules
from gradviz.nn.activations import (
    ELU,
    GELU,
    Identity,
    LeakyReLU,
    ReLU,
    Sigmoid,
    SiLU,
    Softmax,
    Softplus,
    Tanh,
)
from gradviz.nn.architectures import architectures
from gradviz.nn.containers import Concat, Residual, Sequential
from gradviz.nn.events import Diverged, Event
from gradviz.nn.layers import (
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    Dropout,
    LayerNorm,
    Linear,
)
from gradviz.nn.metrics import accuracy, psnr
from gradviz.nn.module import Module
from gradviz.nn.progress import progress
from gradviz.nn.receptive_field import receptive_field
from gradviz.nn.resize import AdaptiveAvgPool2d, AvgPool2d, Flatten, MaxPool2d, Upsample
from gradviz.nn.summary import summary
from gradviz.nn.trainer import Trainer

__all__ = [
    "ELU",
    "GELU",
    "AdaptiveAvgPool2d",
    "AvgPool2d",
    "BatchNorm2d",
    "Concat",
    "Conv2d",
    "ConvTranspose2d",
    "Diverged",
    "Dropout",
    "Event",
    "Flatten",
    "Identity",
    "LayerNorm",
    "LeakyReLU",
    "Linear",
    "MaxPool2d",
    "Module",
    "ReLU",
    "Residual",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Softmax",
    "Softplus",
    "Tanh",
    "Trainer",
    "Upsample",
    "accuracy",
    "architectures",
    "augment",
    "health",
    "init",
    "optim",
    "progress",
    "psnr",
    "receptive_field",
    "schedules",
    "summary",
]
