"""General forms of Jacobians, multiplied out as mathematics and compared with what is computed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import numpy as np
import pytest

import gradviz as gv
from gradviz.explain.general import chain_words, general_form
from gradviz.explain.jacobian import local_jacobian
from gradviz.explain.notation import Notation
from tests.engine.samples import CASES, Case


def run_of(case: Case) -> gv.Run:
    leaves = [gv.variable(name, arg) for name, arg in zip("xwbmv", case.args, strict=False)]
    return gv.explore(getattr(gv.ops, case.op.name)(*leaves, **case.options).named("y"), seed=case.g)


def blocks(matrices: list[Any]) -> Any:
    rows, columns = (sum(m.shape[axis] for m in matrices) for axis in (0, 1))
    whole, row, column = np.zeros((rows, columns)), 0, 0
    for matrix in matrices:
        whole[row : row + len(matrix), column : column + matrix.shape[1]] = matrix
        row, column = row + len(matrix), column + matrix.shape[1]
    return whole


def pair(value: Any) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def meetings(case: Case, image: tuple[int, ...], windows: tuple[int, ...]) -> Iterator[tuple[int, int, int]]:
    """(window, tap, place in the image), all flattened, wherever a window's tap does not lie in the padding."""
    given = {**case.op.options, **case.options}
    kernel = case.shapes[1][2:] if len(case.args) > 1 else pair(given["kernel_size"])
    stride = pair(given["stride"]) if given["stride"] is not None else kernel
    padding, dilation = pair(given["padding"]), pair(given["dilation"])
    for window in product(*map(range, windows)):
        for tap in product(*map(range, kernel)):
            place = [
                w * s - p + t * d
                for w, s, p, t, d in zip(window, stride, padding, tap, dilation, strict=True)
            ]
            if all(0 <= i < n for i, n in zip(place, image, strict=True)):
                sides = (windows, window), (kernel, tap), (image, place)
                w, t, i = (int(np.ravel_multi_index(tuple(at), size)) for size, at in sides)
                yield w, t, i


def unfolded_patches(case: Case) -> Any:
    """By the weights of a convolution: K blockdiag(I ⊗ U)."""
    x, w = (np.asarray(arg) for arg in case.args[:2])
    out, groups = np.shape(case.g), case.options.get("groups", 1)
    patches = np.zeros((len(x), out[2] * out[3], x.shape[1], w.shape[2] * w.shape[3]))
    for window, tap, place in meetings(case, x.shape[2:], out[2:]):
        patches[:, window, :, tap] = x.reshape(*x.shape[:2], -1)[:, :, place]
    per_group = [
        np.reshape(part, (len(x) * out[2] * out[3], -1)) for part in np.split(patches, groups, axis=2)
    ]
    whole = blocks([np.kron(np.eye(len(w) // groups), part) for part in per_group])
    return np.reshape(whole.reshape(len(w), len(x), -1, w.size).swapaxes(0, 1), (-1, w.size))


def stamping_entries(case: Case) -> Any:
    """By the weights of a transposed convolution: K blockdiag(I ⊗ U) L."""
    x, w = (np.asarray(arg) for arg in case.args[:2])
    out, groups = np.shape(case.g), case.options.get("groups", 1)
    stamps = np.zeros((len(x), out[2] * out[3], x.shape[1], w.shape[2] * w.shape[3]))
    for window, tap, place in meetings(case, out[2:], x.shape[2:]):
        stamps[:, place, :, tap] = x.reshape(*x.shape[:2], -1)[:, :, window]
    inputs, outputs = len(w) // groups, w.shape[1]
    made = []
    for part in np.split(stamps, groups, axis=2):
        block = np.kron(np.eye(outputs), part.reshape(len(x) * out[2] * out[3], -1))
        made.append(np.reshape(block.reshape(len(block), outputs, inputs, -1).swapaxes(1, 2), block.shape))
    whole = blocks(made)
    return np.reshape(whole.reshape(out[1], len(x), -1, w.size).swapaxes(0, 1), (-1, w.size))


def winners(case: Case) -> Any:
    """By the argument of max pooling: a 1 in each row."""
    x, out = np.asarray(case.args[0]), np.shape(case.g)
    images = x.reshape(-1, x.shape[2] * x.shape[3])
    best: dict[tuple[int, int], int] = {}
    for window, _, place in meetings(case, x.shape[2:], out[2:]):
        for i, image in enumerate(images):
            if (i, window) not in best or image[place] > image[best[i, window]]:
                best[i, window] = place
    chosen = np.zeros((len(images), out[2] * out[3], x.size))
    for (i, window), place in best.items():
        chosen[i, window, i * images.shape[1] + place] = 1
    return chosen.reshape(-1, x.size)


def normalised(x: Any, eps: float) -> tuple[Any, Any]:
    deviation = np.sqrt(np.var(x) + eps)
    return (x - np.mean(x)) / deviation, deviation


def centred(x: Any, eps: float) -> Any:
    """(I − 11ᵀ/n − x̂x̂ᵀ/n)/σ."""
    xhat, deviation = normalised(x.reshape(-1), eps)
    n = x.size
    return (np.eye(n) - np.ones((n, n)) / n - np.outer(xhat, xhat) / n) / deviation


def eps_of(case: Case) -> float:
    return float({**case.op.options, **case.options}["eps"])


def layer_norm_x(case: Case) -> Any:
    x = np.asarray(case.args[0])
    gamma = np.diag(np.reshape(case.args[1], -1)) if len(case.args) > 1 else np.eye(x[0].size)
    return blocks([gamma @ centred(sample, eps_of(case)) for sample in x])


def layer_norm_gamma(case: Case) -> Any:
    x = np.asarray(case.args[0])
    return np.concatenate([np.diag(normalised(sample.reshape(-1), eps_of(case))[0]) for sample in x])


def by_channel(case: Case) -> tuple[Any, Any]:
    """The channels as rows, and for every entry of x in its own order the place among them."""
    x = np.asarray(case.args[0])
    numbers = np.moveaxis(np.arange(x.size).reshape(x.shape), 1, 0).reshape(x.shape[1], -1)
    return np.moveaxis(x, 1, 0).reshape(x.shape[1], -1), np.argsort(numbers.reshape(-1))


def statistics(case: Case) -> tuple[Any, Any, Any]:
    """x̂ as channels in rows, γ and √(σ² + ε)."""
    channels, _ = by_channel(case)
    gamma = np.asarray(case.args[1])
    mean, var = case.args[3:] if len(case.args) > 3 else (channels.mean(axis=1), channels.var(axis=1))
    deviation = np.sqrt(var + eps_of(case))
    return (channels - np.reshape(mean, (-1, 1))) / deviation[:, None], gamma, deviation


def batch_norm_x(case: Case) -> Any:
    channels, order = by_channel(case)
    _, gamma, deviation = statistics(case)
    if len(case.args) > 3:
        return np.diag(np.repeat(gamma / deviation, channels.shape[1])[order])
    whole = blocks([g * centred(row, eps_of(case)) for g, row in zip(gamma, channels, strict=True)])
    return whole[np.ix_(order, order)]


def batch_norm_parameter(values: Callable[..., Any]) -> Callable[[Case], Any]:
    """diag(…) S, the entries given by the channels' x̂, γ and √(σ² + ε)."""

    def matrix(case: Case) -> Any:
        channels, order = by_channel(case)
        xhat, gamma, deviation = statistics(case)
        repeated = np.repeat(np.eye(len(channels)), channels.shape[1], axis=0)
        entries = np.broadcast_to(values(xhat, gamma[:, None], deviation[:, None]), channels.shape)
        return (np.diag(entries.reshape(-1)) @ repeated)[order]

    return matrix


# The slope of each entry x of a group of n, whose reduction is y and whose mean is m.
SLOPES: dict[str, Callable[[Any, Any, Any, float], Any]] = {
    "max": lambda x, y, m, n: x == y,
    "min": lambda x, y, m, n: x == y,
    "prod": lambda x, y, m, n: y / x,
    "var": lambda x, y, m, n: 2 / n * (x - m),
    "logsumexp": lambda x, y, m, n: np.exp(x - y),
    "norm1": lambda x, y, m, n: np.sign(x),
    "norm2": lambda x, y, m, n: x / y,
}


def weighted_sum(case: Case) -> Any:
    """By the argument of a reduction: Σ diag(slopes)."""
    x, axis = np.asarray(case.args[0]), case.options.get("axis")
    numbers = np.arange(np.size(case.g)).reshape(np.shape(case.g))
    if not case.options.get("keepdims"):
        numbers = np.expand_dims(numbers, axis) if axis is not None else numbers
    group = np.broadcast_to(numbers, x.shape).reshape(-1)
    adds = (group == np.arange(np.size(case.g))[:, None]).astype(float)
    entries, members = x.reshape(-1), adds.sum(axis=1)[0]
    mean, y = (adds @ entries / members)[group], np.reshape(case.forward(), -1)[group]
    return adds @ np.diag(SLOPES[case.op.name](entries, y, mean, members) * 1.0)


def of_each_matrix(gradient: Callable[[Any], Any]) -> Callable[[Case], Any]:
    """By a stack of matrices, of one number for each: blockdiag(vec(…)ᵀ)."""

    def matrix(case: Case) -> Any:
        x = np.asarray(case.args[0])
        return blocks([gradient(one).reshape(1, -1) for one in x.reshape(-1, *x.shape[-2:])])

    return matrix


MATRICES: dict[tuple[str, int], Callable[[Case], Any]] = {
    ("conv2d", 1): unfolded_patches,
    ("conv_transpose2d", 1): stamping_entries,
    ("max_pool2d", 0): winners,
    ("layer_norm", 0): layer_norm_x,
    ("layer_norm", 1): layer_norm_gamma,
    ("batch_norm", 0): batch_norm_x,
    ("batch_norm", 1): batch_norm_parameter(lambda xhat, gamma, deviation: xhat),
    ("batch_norm", 3): batch_norm_parameter(lambda xhat, gamma, deviation: -gamma / deviation),
    ("batch_norm", 4): batch_norm_parameter(
        lambda xhat, gamma, deviation: -gamma * xhat / (2 * deviation**2)
    ),
    ("det", 0): of_each_matrix(lambda a: np.linalg.det(a) * np.linalg.inv(a).T),
    ("logdet", 0): of_each_matrix(lambda a: np.linalg.inv(a).T),
    **{(name, 0): weighted_sum for name in SLOPES},
}
PLACES = [
    (case, slot)
    for case in CASES
    for slot in range(len(case.args))
    if (case.op.name, slot) in MATRICES and np.shape(case.g)
]


@pytest.mark.parametrize(("case", "slot"), PLACES, ids=str)
def test_the_general_form_multiplied_out_is_the_jacobian(case: Case, slot: int) -> None:
    run = run_of(case)
    edge, notation = (run.graph.output, slot), Notation(run.graph)
    found = local_jacobian(run, edge, "numerator").matrix
    np.testing.assert_allclose(MATRICES[case.op.name, slot](case), found, rtol=1e-9, atol=1e-12)
    for layout in ("denominator", "numerator"):
        assert r"\partial" not in general_form(run, edge, notation, layout).latex  # type: ignore[arg-type]
    assert chain_words(run, [edge], notation) or case.op.name == "batch_norm"


def test_every_operation_has_a_general_form() -> None:
    for case in CASES:
        run = run_of(case)
        for slot in range(len(case.args)):
            edge, notation = (run.graph.output, slot), Notation(run.graph)
            assert general_form(run, edge, notation).latex != notation.local(edge).latex, case


NORM = (
    r"\left(I - \frac{1}{4}\,\mathbf{1}\,\mathbf{1}^{\top} - \frac{1}{4}\,{\hat{x}}\,{\hat{x}}^{\top}\right)"
)
SCALE = r"\frac{1}{\sqrt{\sigma^{2} + \varepsilon}}"
TEXTS = [
    ("x = randn(1, 2, 4, 4)\ny = max_pool2d(x, 2)", 0, r"S\left(x\right)^{\top}", r"S\left(x\right)"),
    ("x = randn(1, 1, 4, 4)\nw = randn(3, 1, 2, 2)\ny = conv2d(x, w)", 1,
     r"I_{3} \otimes U\left(x\right)^{\top}", r"I_{3} \otimes U\left(x\right)"),
    ("x = randn(2, 1, 4, 4)\nw = randn(3, 1, 2, 2)\ny = conv2d(x, w)", 1,
     r"\left(I_{3} \otimes U\left(x\right)^{\top}\right)\,K^{\top}", r"K\,\left(I_{3} \otimes U\left(x\right)\right)"),
    ("x = randn(1, 2, 4, 4)\nw = randn(2, 1, 2, 2)\ny = conv2d(x, w, groups=2)", 1,
     r"\operatorname{blockdiag}_{c}\left(U_{c}\left(x\right)^{\top}\right)",
     r"\operatorname{blockdiag}_{c}\left(U_{c}\left(x\right)\right)"),
    ("x = randn(1, 4)\na = randn(4)\nb = randn(4)\ny = layer_norm(x, a, b)", 0,
     rf"{SCALE}\,{NORM}\,\operatorname{{diag}}\left(a\right)", rf"\operatorname{{diag}}\left(a\right)\,{SCALE}\,{NORM}"),
    ("x = randn(3, 4)\ny = layer_norm(x)", 0, rf"\operatorname{{blockdiag}}\left({SCALE}\,{NORM}\right)", None),
    ("x = randn(2, 3)\ny = norm2(x, axis=1)", 0, r"\operatorname{diag}\left(\frac{x}{y}\right)\,\Sigma^{\top}",
     r"\Sigma\,\operatorname{diag}\left(\frac{x}{y}\right)"),
    ("x = randn(2, 3)\ny = softmax(x, axis=0)", 0,
     r"K\,\operatorname{blockdiag}\left(\operatorname{diag}\left(y\right) - y\,{y}^{\top}\right)\,K^{\top}", None),
    ("x = randn(3, 2, 2)\ny = det(x)", 0, r"\operatorname{blockdiag}\left(\operatorname{vec}\left(y\,{x}^{-\top}\right)\right)",
     r"\operatorname{blockdiag}\left({\operatorname{vec}\left(y\,{x}^{-\top}\right)}^{\top}\right)"),
    ("x = 2 + randn(3, 1, 1)\ny = logdet(x)", 0, r"\operatorname{blockdiag}\left(\operatorname{vec}\left({x}^{-\top}\right)\right)",
     r"\operatorname{blockdiag}\left({\operatorname{vec}\left({x}^{-\top}\right)}^{\top}\right)"),
    ("x = [[[2, 1], [0, 3]]]\ny = det(x)", 0, r"\operatorname{vec}\left(y\,{x}^{-\top}\right)",
     r"{\operatorname{vec}\left(y\,{x}^{-\top}\right)}^{\top}"),
    ("x = [[2, 1], [0, 3]]\ny = det(x)", 0, r"y\,{x}^{-\top}", r"{\left(y\,{x}^{-\top}\right)}^{\top}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "slot", "denominator", "numerator"), TEXTS)
def test_as_it_is_written(text: str, slot: int, denominator: str, numerator: str | None) -> None:
    run = gv.explore(text, seed=np.ones(gv.explore(text, wrt=()).shape()))
    edge, notation = (run.graph.output, slot), Notation(run.graph)
    assert general_form(run, edge, notation).latex == denominator
    assert general_form(run, edge, notation, "numerator").latex == (numerator or denominator)
    assert general_form(run, edge, notation).mathml.startswith("<math")
