"""The benchmark of training steps: both sides train the same networks, and the table is printed."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks import training
from benchmarks.networks import NETWORKS
from benchmarks.peers import with_gemm, with_gradviz_training
from benchmarks.training import Row
from benchmarks.workloads import Task
from tests.conftest import require


@pytest.mark.parametrize("index", range(len(NETWORKS)), ids=list(NETWORKS))
def test_both_sides_train_the_same_network(index: int) -> None:
    """Loss by loss over a few steps; exact agreement is what the tests of nn are for."""
    require("torch")
    from benchmarks.peers import with_torch_training

    ours, theirs = (
        side.prepare(Task("train", index)) for side in (with_gradviz_training, with_torch_training)
    )
    losses = np.array([(ours(), theirs()) for _ in range(3)], float)
    np.testing.assert_allclose(losses[:, 0], losses[:, 1], rtol=1e-3)
    assert losses[-1, 0] < losses[0, 0]


def test_operations_of_a_step() -> None:
    """Three products forward and backward per layer, one less for the first."""
    assert NETWORKS["mlp"].operations() == 2 * 64 * (3 * (784 * 100 + 100 * 10) - 784 * 100)


def test_the_peak_is_a_matrix_product() -> None:
    product = with_gemm.prepare(Task("train", 8))()
    assert np.shape(product) == (8, 8)


def test_the_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    done = [Row("one", 1e-3, 2e-3, 2.0, 0.5), Row("other", 2e-3, 1e-3, 0.5, 0.25)]
    monkeypatch.setattr(training, "rows", lambda effort: done)
    training.main(quick=True, markdown=True)
    printed = capsys.readouterr().out
    assert "| one | 1 ms | 2 ms | 2.00 | 50% | at least 0.85: reached |" in printed
    assert "| other | 2 ms | 1 ms | 0.50 | 25% | at least 0.85: MISSED |" in printed
    assert "geometric mean 1.00, at least 1.15: MISSED" in printed
    training.main(quick=True, markdown=False)
    assert "geometric mean 1.00" in capsys.readouterr().out
