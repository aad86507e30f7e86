"""Losses: one number that says how far a prediction is from its target."""

from __future__ import annotations

import numpy as np

from gradviz.engine.numeric import Array, Shape
from gradviz.engine.op import PRODUCT, Sample, operation
from gradviz.engine.ops.activation import softplus, stable_sigmoid
from gradviz.engine.ops.network import log_softmax_array
from gradviz.errors import GradvizError, ShapeError

PAIRS = (
    Sample(((), ())),
    Sample(((4,), (4,))),
    Sample(((4,), ())),
    Sample(((3, 4), (3, 4))),
    Sample(((2, 3, 4), (2, 3, 4))),
)


def pair_shape(pred: Shape, target: Shape, **_options: float) -> Shape:
    """() for a target of the prediction's shape, or a scalar one.

    Broadcasting further would compare every prediction of a column with every target of a row.
    """
    if target and pred != target:
        raise ShapeError(f"the prediction has shape {pred}, the target {target}", expected="equal shapes")
    return ()


def _count(x: Array) -> int:
    return getattr(x, "size", 1)


def _mse_vjp(g: Array, pred: Array, target: Array) -> Array:
    difference = pred - target
    return g * 2 * difference / _count(difference)


@operation(
    vjp={
        "pred": _mse_vjp,
        "target": lambda g, pred, target: _mse_vjp(g, target, pred),
    },
    vjp_latex={
        "pred": r"\frac{2}{n}\,@g\left(@pred - @(target)\right)",
        "target": r"\frac{2}{n}\,@g\left(@target - @(pred)\right)",
    },
    structure="reduction",
    shape=pair_shape,
    latex=r"\frac{1}{n}\left\|@pred - @(target)\right\|^{2}",
    precedence=PRODUCT,
    symbol="MSE",
    why="Squaring makes the pull grow with the error: each entry is drawn to its target by 2/n times its error.",
    expand="mean((pred - target)**2)",
    samples=PAIRS,
)
def mse(pred: Array, target: Array) -> Array:
    difference = pred - target
    return np.mean(difference * difference)


def _l1_vjp(g: Array, pred: Array, target: Array) -> Array:
    difference = pred - target
    return g * np.sign(difference) / _count(difference)


@operation(
    vjp={
        "pred": _l1_vjp,
        "target": lambda g, pred, target: _l1_vjp(g, target, pred),
    },
    vjp_latex={
        "pred": r"\frac{1}{n}\,@g\,\operatorname{sgn}\left(@pred - @(target)\right)",
        "target": r"\frac{1}{n}\,@g\,\operatorname{sgn}\left(@target - @(pred)\right)",
    },
    structure="reduction",
    shape=pair_shape,
    latex=r"\frac{1}{n}\left\|@pred - @(target)\right\|_{1}",
    precedence=PRODUCT,
    symbol="L1",
    why="Absolute errors pull with the same strength however large they are; only their sign matters.",
    kink="pred - target",
    convention="Where prediction and target agree exactly the slope is taken as 0.",
    expand="mean(abs(pred - target))",
    samples=PAIRS,
)
def l1(pred: Array, target: Array) -> Array:
    return np.mean(np.abs(pred - target))


def _huber_vjp(g: Array, pred: Array, target: Array, delta: float) -> Array:
    difference = pred - target
    return g * np.clip(difference, -delta, delta) / _count(difference)


def _huber_program(*_shapes: Shape, delta: float) -> str:
    return f"d = pred - target\nL = mean(where(abs(d) <= {delta}, d**2/2, {delta}*(abs(d) - {delta / 2})))"


@operation(
    vjp={
        "pred": _huber_vjp,
        "target": lambda g, pred, target, delta: _huber_vjp(g, target, pred, delta),
    },
    vjp_latex={
        "pred": r"\frac{1}{n}\,@g\,\operatorname{clip}\left(@pred - @(target)\right)",
        "target": r"\frac{1}{n}\,@g\,\operatorname{clip}\left(@target - @(pred)\right)",
    },
    structure="reduction",
    shape=pair_shape,
    latex=r"\operatorname{Huber}\left(@pred, @target\right)",
    symbol="Huber",
    why="Small errors pull in proportion, large ones no harder than δ, so that outliers cannot dominate.",
    convention="At |error| = δ both pieces have the slope ±δ; only the curvature jumps.",
    expand=_huber_program,
    samples=(*PAIRS, Sample(((3, 4), (3, 4)), {"delta": 0.5})),
)
def huber(pred: Array, target: Array, delta: float = 1.0) -> Array:
    distance = np.abs(pred - target)
    near = np.minimum(distance, delta)
    return np.mean(near * (distance - near / 2))


@operation(
    vjp={
        "logits": lambda g, logits, target: g * (stable_sigmoid(logits) - target) / _count(logits),
        "target": lambda g, logits: -g * logits / _count(logits),
    },
    vjp_latex={
        "logits": r"\frac{1}{n}\,@g\left(\sigma\left(@logits\right) - @(target)\right)",
        "target": r"-\frac{1}{n}\,@g\,@(logits)",
    },
    structure="reduction",
    shape=lambda logits, target: pair_shape(logits, target),
    latex=r"\operatorname{BCE}\left(\sigma\left(@logits\right), @target\right)",
    symbol="BCE",
    why="The logarithm undoes the sigmoid's flat ends: what remains is predicted probability minus target.",
    expand="mean(softplus(logits) - logits*target)",
    domain={"target": (0.0, 1.0)},
    samples=PAIRS,
)
def bce_with_logits(logits: Array, target: Array) -> Array:
    return np.mean(softplus.forward(logits) - logits * target)


def _class_shape(logits: Shape, target: Shape) -> Shape:
    if len(logits) not in (1, 2) or not logits[-1]:
        raise ShapeError(
            f"the logits have shape {logits}", expected="(classes,) for one sample or (samples, classes)"
        )
    if target != logits[:-1]:
        raise ShapeError(
            f"logits of shape {logits} need targets of shape {logits[:-1]}, not {target}",
            expected="one class number per sample",
        )
    return ()


def classes(target: Array, number: int) -> Array:
    """Class numbers as integers; raises GradvizError for one that names no class."""
    given = np.asarray(target)
    wrong = given[(given != np.floor(given)) | (given < 0) | (given >= number)]
    if wrong.size:
        raise GradvizError(
            f"{wrong.flat[0]:g} is not the number of a class",
            got=f"{wrong.flat[0]:g}",
            expected=f"a whole number from 0 to {number - 1}",
        )
    return given.astype(np.intp)


def _cross_entropy_vjp(g: Array, logits: Array, target: Array) -> Array:
    error = np.exp(log_softmax_array(logits, -1))
    chosen = classes(target, logits.shape[-1])[..., None]
    np.put_along_axis(error, chosen, np.take_along_axis(error, chosen, -1) - 1, -1)
    return g * error / chosen.size


def _cross_entropy_program(logits: Shape, target: Shape) -> str:
    number, samples = logits[-1], f"reshape(target, ({target[0]}, 1))" if target else "target"
    return (
        f"chosen = abs(linspace(0, {number - 1}, {number}) - {samples}) < 0.5\n"
        f"L = -sum(chosen*log_softmax(logits))/{target[0] if target else 1}"
    )


@operation(
    vjp={"logits": _cross_entropy_vjp, "target": lambda g, target_shape: np.zeros(target_shape)},
    vjp_latex={
        "logits": r"\frac{1}{N}\,@g\left(\operatorname{softmax}\left(@logits\right)"
        r" - \operatorname{onehot}\left(@target\right)\right)",
        "target": "0",
    },
    structure={"logits": "reduction", "target": "zero"},
    shape=_class_shape,
    latex=r"\operatorname{CE}\left(@logits, @target\right)",
    symbol="CE",
    why="Each class is pushed by its predicted probability, and the right class is pulled up by 1.",
    convention="The target holds class numbers, counted from 0; they are labels, so no gradient reaches them.",
    expand=_cross_entropy_program,
    samples=(
        Sample(((3,), 2.0)),
        Sample(((4, 3), np.array([0.0, 2.0, 1.0, 1.0]))),
        Sample(((1, 5), np.array([4.0]))),
    ),
)
def cross_entropy(logits: Array, target: Array) -> Array:
    chosen = classes(target, np.shape(logits)[-1])[..., None]
    # 0 − mean rather than −mean, which makes a perfect prediction's loss −0.
    return 0 - np.mean(np.take_along_axis(log_softmax_array(logits, -1), chosen, -1))


def _batch(shape: Shape) -> int:
    return shape[0] if len(shape) > 1 else 1


def _half_squared_vjp(g: Array, pred: Array, target: Array) -> Array:
    difference = pred - target
    return g * difference / _batch(getattr(difference, "shape", ()))


def _half_squared_program(pred: Shape, _target: Shape) -> str:
    return f"sum((pred - target)**2)/{2 * _batch(pred)}" if pred else "(pred - target)**2/2"


@operation(
    vjp={
        "pred": _half_squared_vjp,
        "target": lambda g, pred, target: _half_squared_vjp(g, target, pred),
    },
    vjp_latex={
        "pred": r"@g\left(@pred - @(target)\right)",
        "target": r"@g\left(@target - @(pred)\right)",
    },
    structure="reduction",
    shape=pair_shape,
    latex=r"\frac{1}{2}\left\|@pred - @(target)\right\|^{2}",
    precedence=PRODUCT,
    symbol="½‖·‖²",
    why="The ½ cancels the 2 that the square brings down, so the gradient is simply prediction minus target.",
    convention="Summed over one sample; with two or more axes averaged over the first, the batch.",
    expand=_half_squared_program,
    averaged=True,
    samples=PAIRS,
)
def half_squared_error(pred: Array, target: Array) -> Array:
    difference = pred - target
    if type(difference) is float:
        return difference * difference / 2
    return np.sum(difference * difference) / (2 * _batch(np.shape(difference)))
