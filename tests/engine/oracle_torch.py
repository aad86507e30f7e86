"""What each operation is in PyTorch: name -> callable(*tensors, **gradviz options)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.conftest import require

torch = require("torch")
F = torch.nn.functional


def _dims(x: Any, axis: Any) -> tuple[int, ...]:
    return tuple(range(x.ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)


def _over(function: Callable[..., Any]) -> Callable[..., Any]:
    """A reduction that takes a tuple of dimensions."""
    return lambda x, axis=None, keepdims=False: function(x, dim=_dims(x, axis), keepdim=keepdims)


def _prod(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    for dim in sorted((dim % x.ndim for dim in _dims(x, axis)), reverse=True):
        x = torch.prod(x, dim=dim, keepdim=keepdims)
    return x.clone()


def _index(x: Any, key: tuple[int | slice, ...]) -> Any:
    """PyTorch's slices have no negative step, so each axis is picked by its list of positions."""
    for axis, one in enumerate(key):
        places = list(range(*one.indices(x.shape[axis]))) if isinstance(one, slice) else [one % x.shape[axis]]
        x = x.index_select(axis, torch.tensor(places))
    dropped = [axis for axis, one in enumerate(key) if isinstance(one, int)]
    return x.squeeze(dropped)


def _paired(loss: Callable[..., Any]) -> Callable[..., Any]:
    return lambda pred, target, **options: loss(*torch.broadcast_tensors(pred, target), **options)


def _half_squared_error(pred: Any, target: Any) -> Any:
    squares = (pred - target) ** 2
    return squares.sum() / 2 if squares.ndim < 2 else squares.flatten(1).sum(1).mean() / 2


def _batch_norm(x: Any, gamma: Any, beta: Any, mean: Any = None, var: Any = None, eps: float = 1e-5) -> Any:
    """PyTorch passes no gradient to statistics that are given, so there its formula stands for it."""
    if mean is None:
        return F.batch_norm(x, None, None, gamma, beta, training=True, eps=eps)
    column = (1, -1, *[1] * (x.ndim - 2))
    xhat = (x - mean.reshape(column)) / torch.sqrt(var.reshape(column) + eps)
    return xhat * gamma.reshape(column) + beta.reshape(column)


def _layer_norm(x: Any, gamma: Any = None, beta: Any = None, eps: float = 1e-5) -> Any:
    return F.layer_norm(x, x.shape[1:], gamma, beta, eps)


def _pad2d(x: Any, pad: Any, mode: str = "constant", value: float = 0.0) -> Any:
    sides = pad if isinstance(pad, tuple) else (pad,) * 4
    return F.pad(x, sides, mode, value if mode == "constant" else None)


def _upsample(mode: str) -> Callable[..., Any]:
    return lambda x, scale, **options: F.interpolate(x, scale_factor=scale, mode=mode, **options)


ORACLE: dict[str, Callable[..., Any]] = {
    "add": torch.add,
    "sub": torch.sub,
    "mul": torch.mul,
    "div": torch.div,
    "neg": torch.neg,
    "reciprocal": torch.reciprocal,
    "square": torch.square,
    "pow": torch.pow,
    "less": lambda x, y: torch.lt(x, y).to(x.dtype),
    "less_equal": lambda x, y: torch.le(x, y).to(x.dtype),
    "greater": lambda x, y: torch.gt(x, y).to(x.dtype),
    "greater_equal": lambda x, y: torch.ge(x, y).to(x.dtype),
    "exp": torch.exp,
    "log": torch.log,
    "sqrt": torch.sqrt,
    "sin": torch.sin,
    "cos": torch.cos,
    "tan": torch.tan,
    "erf": torch.erf,
    "abs": torch.abs,
    "sign": torch.sign,
    "maximum": torch.maximum,
    "minimum": torch.minimum,
    "where": lambda condition, x, y: torch.where(condition != 0, x, y),
    "xlogy": torch.xlogy,
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "gelu": F.gelu,
    "silu": F.silu,
    "softplus": F.softplus,
    "sum": _over(torch.sum),
    "mean": _over(torch.mean),
    "max": _over(torch.amax),
    "min": _over(torch.amin),
    "prod": _prod,
    "var": _over(lambda x, dim, keepdim: torch.var(x, dim=dim, keepdim=keepdim, correction=0)),
    "logsumexp": _over(torch.logsumexp),
    "norm1": _over(lambda x, dim, keepdim: torch.linalg.vector_norm(x, 1, dim=dim or None, keepdim=keepdim)),
    "norm2": _over(lambda x, dim, keepdim: torch.linalg.vector_norm(x, 2, dim=dim or None, keepdim=keepdim)),
    "dot": torch.dot,
    "matmul": torch.matmul,
    "outer": torch.outer,
    "trace": torch.trace,
    "inv": torch.linalg.inv,
    "det": torch.linalg.det,
    "logdet": torch.logdet,
    "solve": torch.linalg.solve,
    "transpose": lambda x, dim0=-2, dim1=-1: x.clone() if x.ndim < 2 else torch.transpose(x, dim0, dim1),
    "reshape": lambda x, shape: torch.reshape(x, shape if isinstance(shape, tuple) else (shape,)),
    "concat": lambda *xs, axis=0: torch.cat(xs, dim=axis),
    "diag": torch.diag,
    "index": _index,
    "linear": F.linear,
    "conv2d": F.conv2d,
    "conv_transpose2d": F.conv_transpose2d,
    "max_pool2d": F.max_pool2d,
    "avg_pool2d": F.avg_pool2d,
    "global_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, 1),
    "batch_norm": _batch_norm,
    "layer_norm": _layer_norm,
    "dropout": torch.mul,
    "upsample_nearest": _upsample("nearest"),
    "upsample_bilinear": _upsample("bilinear"),
    "pad2d": _pad2d,
    "flatten": torch.nn.Flatten(),
    "softmax": lambda x, axis=-1: F.softmax(x, dim=axis),
    "log_softmax": lambda x, axis=-1: F.log_softmax(x, dim=axis),
    "mse": _paired(F.mse_loss),
    "l1": _paired(F.l1_loss),
    "huber": _paired(F.huber_loss),
    "bce_with_logits": _paired(F.binary_cross_entropy_with_logits),
    "cross_entropy": lambda logits, target: F.cross_entropy(logits, target.long()),
    "half_squared_error": _half_squared_error,  # no such loss in PyTorch: the lecture's formula in its tensors
}
