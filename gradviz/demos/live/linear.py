"""What linear layers can and cannot do: one line through the plane, however many of them are stacked."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gradviz import nn
from gradviz.demos.live.base import Panel
from gradviz.nn.module import FloatArray


def best_line(x: FloatArray, y: FloatArray) -> float:
    """The largest share of points of two classes that any line has on the right side, over 180 directions."""
    best = 0.0
    for angle in np.pi * np.arange(180) / 180:
        order = np.argsort(x @ np.array([np.cos(angle), np.sin(angle)]))
        # Class 1 in front of the line and class 0 behind it, for a line after each of the points, or before all.
        right = np.concatenate([[0], np.cumsum(2 * (y[order] == 1) - 1)]) + np.count_nonzero(y != 1)
        best = max(best, right.max() / len(y), 1 - right.min() / len(y))
    return float(best)


@dataclass(frozen=True)
class Collapse:
    """A stack of linear layers without activation, as one: `product` W_L···W2·W1 and its bias; `difference` is the
    largest one between its outputs and the layers' own, in float64."""

    matrices: tuple[FloatArray, ...]
    product: FloatArray
    bias: FloatArray
    difference: float

    def panel(self) -> Panel:
        """The product as numbers."""
        names = "·".join(f"W{i}" for i in range(len(self.matrices), 0, -1))
        shapes = "".join(
            f"({rows}×{columns})" for rows, columns in (w.shape for w in reversed(self.matrices))
        )
        return {
            "kind": "matrix",
            "id": "collapse",
            "title": f"{names} is one matrix",
            "note": f"{shapes}; outputs of the layers and of this matrix differ by at most {self.difference:.0e}",
            "width": 12,
            "rows": 3,
            "values": np.column_stack([self.product, self.bias]),
            "column_labels": ["x₁", "x₂", "bias"],
            "row_labels": [f"class {chr(ord('A') + i)}" for i in range(len(self.product))],
            "palette": "signed",
            "digits": 3,
        }


def collapse(model: nn.Sequential) -> Collapse:
    """Multiply out the layers of a model without activations, and compare both on 200 random points."""
    layers = [layer for _, layer in model.layers if isinstance(layer, nn.Linear)]
    twin = nn.Sequential(*(nn.Linear(layer.in_features, layer.out_features) for layer in layers))
    twin.init(np.random.default_rng(0), dtype=np.float64)
    values = [value.astype(np.float64) for value in model.parameters().values()]
    twin.load_state_dict(dict(zip(twin.parameters(), values, strict=True)))
    matrices, biases = tuple(values[::2]), values[1::2]
    product, bias = np.eye(layers[0].in_features), np.zeros(layers[0].in_features)
    for w, b in zip(matrices, biases, strict=True):
        product, bias = w @ product, w @ bias + b
    x = np.random.default_rng(0).standard_normal((200, layers[0].in_features))
    difference = np.abs(twin(x) - (x @ product.T + bias)).max()
    return Collapse(matrices, product, bias, float(difference))
