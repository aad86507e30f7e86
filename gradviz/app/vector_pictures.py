"""What the pages on vectors show as panels that can be saved: Jacobians, ledgers with their costs, the modes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import numpy as np

Json = Mapping[str, Any]
WRITTEN = 12  # rows and columns whose numbers and names are written out
TALLEST = 24  # rows of the grid for a table of any length


def jacobian_panels(view: Json) -> list[dict[str, Any]]:
    """The heat map of what `gradviz.explain.vectors.jacobian_view` made; of a large matrix its blocks."""
    whole = view["matrix"] is not None
    values = np.asarray(view["matrix"] if whole else view["blocks"]["values"], dtype=np.float64)
    rows, columns = values.shape
    small = whole and max(rows, columns) <= WRITTEN
    part = "" if whole else "the largest entry of each block, "
    return [
        {
            "kind": "matrix",
            "title": f"{view['name']}: {view['badge']}",
            "note": f"{part}{view['words']}, {view['layout']} layout",
            "values": values,
            "palette": "signed",
            "numbers": small,
            "row_labels": view["rows"] if small else (),
            "column_labels": view["columns"] if small else (),
            "width": min(12, max(5, 3 + columns)),
            "rows": min(8, max(3, 2 + rows)) if small else 8,
        }
    ]


def ledger_panels(product: Json, costs: Json) -> list[dict[str, Any]]:
    """The factors of a chain with their shapes, and what the chain costs with every Jacobian written out."""
    factors = [[factor["name"], factor["shape"], factor["letters"]] for factor in product["factors"]]
    head = ["", "Jacobian: entries", "multiplications", "in use: entries", "multiplications"]
    counted = costs["now"]
    lines = [[name, *row] for name, row in zip(counted["names"], counted["rows"], strict=True)]
    lines.append(["together", *counted["total"]])
    return [
        {
            "kind": "table", "title": product["text"], "note": product["letters"], "width": 12,
            "rows": _high(len(factors)), "columns": ["factor", "shape", "in letters"], "cells": factors,
        },
        {
            "kind": "table", "title": "Why the Jacobians are never written out", "width": 12, "rows": _high(len(lines)),
            "columns": head, "cells": [[str(cell) for cell in line] for line in lines],
        },
    ]  # fmt: skip


def mode_panels(modes: Sequence[Json], passes: Json) -> list[dict[str, Any]]:
    """Forward and reverse mode side by side, as far as their steps were taken, over the passes of every method."""
    high = min(TALLEST, max(_high(len(table["cells"])) for table in modes))
    return [
        *({**table, "width": 12 // len(modes), "rows": high} for table in modes),
        {**passes, "width": 12, "rows": _high(len(passes["cells"]))},
    ]


def _high(lines: int) -> int:
    """Rows of the grid that a table of so many lines takes."""
    return ceil((90 + 25 * lines) / 76)
