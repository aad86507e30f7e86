"""What the convolution demos say."""

from __future__ import annotations

import numpy as np

import gradviz as gv
from gradviz.demos import get
from gradviz.explain.element import element


def test_a_filter_as_large_as_its_input_is_a_dense_layer() -> None:
    run = gv.explore(get("conv_equals_dense").text)
    np.testing.assert_allclose(run.value("window"), run.value("dense"), rtol=1e-14)
    into_w = [step.contribution for step in run.steps if step.kind == "backward" and step.node == "w"]
    assert len(into_w) == 2
    np.testing.assert_allclose(into_w[0], into_w[1], rtol=1e-14)


def test_an_entry_of_the_convolution_is_nine_products_and_a_bias() -> None:
    run = gv.explore(get("convolution").text)
    for index in np.ndindex(1, 1, 2, 2):
        small = element(run, "h", index).run
        assert small.value() == run.value("h")[index]
        names = [small.graph.nodes[i].op.name for i in small.graph.operations]  # type: ignore[union-attr]
        assert (names.count("mul"), names.count("add")) == (9, 9)


def test_a_weight_adds_up_the_shares_of_all_entries() -> None:
    run = gv.explore(get("convolution").text)
    shares = [element(run, "h", index).contribution(1) for index in np.ndindex(1, 1, 2, 2)]
    np.testing.assert_allclose(np.sum(shares, axis=0), run.grad("w"), rtol=1e-14)


def test_stamps_overlap_unevenly() -> None:
    run = gv.explore(get("transposed_convolution").text)
    assert sorted(set(run.value("h").ravel())) == [1, 2, 4]
