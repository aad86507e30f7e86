"""The code shown for an operation is run here, and gives the operation's own value and gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gradviz.engine.op import TABLE, Op
from gradviz.explain.codegen import operation_code
from tests.engine.samples import CASES, Case, unbroadcast


class Context:
    """What an autograd function is given to stash things on."""

    saved: Any = ()


def shown_function(op: Op) -> Any:
    """The class in the shown code, in which operations are called by their names."""
    namespace: dict[str, Any] = {"Function": object, "pi": np.pi, "np": np, op.name: op.forward}
    for rule in op.rules.values():
        namespace = {**getattr(rule.function, "__globals__", {}), **namespace}
    if op.elementwise:
        namespace |= {name: other.forward for name, other in TABLE.items()}
    before = set(namespace)
    exec(operation_code(op), namespace)
    (name,) = [name for name in set(namespace) - before if isinstance(namespace[name], type)]
    return namespace[name]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_shown_code_computes_what_the_engine_computes(case: Case) -> None:
    function, context = shown_function(case.op), Context()
    missing = 0 if case.op.variadic else len(case.op.args) - len(case.args)
    with np.errstate(all="ignore"):
        out = function.forward(context, *case.args, *[None] * missing, **{**case.op.options, **case.options})
        gradients = function.backward(context, case.g)
    np.testing.assert_array_equal(out, case.forward())
    if not isinstance(gradients, tuple):
        gradients = (gradients,)
    for slot, gradient in enumerate(gradients[: len(case.args)]):
        if gradient is None:
            assert case.op.rule(slot).is_zero
        else:
            np.testing.assert_allclose(
                unbroadcast(gradient, case.shapes[slot]), case.contribution(slot), rtol=1e-13, atol=1e-300
            )
