"""A network folded by layers: whole blocks, then the layers in them, then single operations."""

from __future__ import annotations

import json

import numpy as np
import pytest

import gradviz as gv
from gradviz.draw.stage import Stage
from gradviz.draw.story import payload
from gradviz.engine.expr import Expr, graph_of, ops, writing
from gradviz.explain.fold import View, has_layers, layer_groups, layer_path, refolded, unfolded
from gradviz.explain.notation import Notation


def leaf(path: str, name: str, *shape: int) -> Expr:
    rng = np.random.default_rng(len(path + name))
    return Expr(None, name=f"{path}.{name}", default=rng.standard_normal(shape).astype(np.float32))


def conv(path: str, x: Expr, inputs: int, outputs: int) -> Expr:
    with writing(path):
        weight, bias = leaf(path, "weight", outputs, inputs, 3, 3), leaf(path, "bias", outputs)
        return ops.conv2d(x, weight, bias, padding=1).named(path)


def relu(path: str, x: Expr) -> Expr:
    with writing(path):
        return ops.relu(x).named(path)


def network(samples: int = 2, size: int = 6) -> gv.Run:
    """conv, a residual block of conv + ReLU, batch norm, and a loss."""
    rng = np.random.default_rng(0)
    x = Expr(None, name="x", default=rng.random((samples, 1, size, size)).astype(np.float32))
    h = conv("0", x, 1, 4)
    inner = relu("1.1", conv("1.0", h, 4, 4))
    with writing("1"):
        h = (h + inner).named("1")
    with writing("2"):
        h = ops.batch_norm(h, leaf("2", "weight", 4), leaf("2", "bias", 4)).named("2")
    target = Expr(None, name="target", default=np.zeros((samples, 4, size, size), np.float32))
    graph = graph_of(ops.mse(h, target).named("loss"))
    return gv.explore(graph, wrt=[name for name in graph.inputs if "." in name])


RUN = network()


def test_layers_are_boxes_with_their_parameters() -> None:
    groups = layer_groups(RUN.graph)
    assert groups == {
        "[0]": ("0.weight", "0.bias", "0"),
        "[1]": ("1.0.weight", "1.0.bias", "1.0", "1.1", "1"),
        "[2]": ("2.weight", "2.bias", "2"),
    }
    assert set(View(RUN.graph, groups).boxes) == {"x", "target", "[0]", "[1]", "[2]", "loss"}


def test_a_block_opens_into_layers_and_a_layer_into_nodes() -> None:
    opened = unfolded((), "[1]")
    assert "[1.0]" in layer_groups(RUN.graph, opened)
    boxes = View(RUN.graph, layer_groups(RUN.graph, opened)).boxes
    assert {"[0]", "[1.0]", "1.1", "1", "[2]"} <= set(boxes)
    opened = unfolded(opened, "[1.0]")
    boxes = View(RUN.graph, layer_groups(RUN.graph, opened)).boxes
    assert {"1.0", "1.0.weight", "1.0.bias", "1.1", "1"} <= set(boxes)


@pytest.mark.parametrize(
    ("opened", "path", "left"),
    [
        (("1", "1.0"), "1.0", ("1",)),
        (("1", "1.0"), "1.1", ()),
        (("1", "1.0"), "1", ()),
        (("1", "10"), "10", ("1",)),
        (("1",), "2", ("1",)),
    ],
)
def test_folding_closes_the_innermost_layer_around(
    opened: tuple[str, ...], path: str, left: tuple[str, ...]
) -> None:
    assert refolded(opened, path) == left


def test_a_layer_that_cannot_be_a_box_is_opened() -> None:
    x = Expr(None, name="x", default=1.0)
    with writing("a"):
        first = (x * leaf("a", "weight")).named("a.1")
    middle = ops.exp(first)
    with writing("a"):
        last = (first + middle).named("a")
    graph = graph_of(last)
    assert "[a]" not in layer_groups(graph)
    assert View(graph, layer_groups(graph)).boxes


def test_names_are_typeset() -> None:
    notation = Notation(RUN.graph)
    names = {node.id: notation.text(i) for i, node in enumerate(RUN.graph.nodes) if not node.is_constant}
    assert names["0.weight"] == "W₀"
    assert names["1.0.bias"] == "b₁.₀"
    assert names["2.weight"] == "γ₂"
    assert names["2.bias"] == "β₂"
    assert names["1"] == "h₁"
    assert names["x"] == "x"
    assert names["loss"] == "loss"


def test_a_text_has_no_layers() -> None:
    graph = gv.parse("a = w*x + 1\nL = a*a")
    assert not has_layers(graph)
    assert [layer_path(node) for node in graph.nodes if node.is_input] == ["", ""]


def stage(opened: tuple[str, ...] = (), run: gv.Run = RUN) -> Stage:
    return Stage(run, view=View(run.graph, layer_groups(run.graph, opened)))


def test_what_the_boxes_show() -> None:
    boxes = {box.id: box for box in stage().boxes}
    assert boxes["[0]"].symbol == "conv"
    assert boxes["[1]"].symbol == "conv ⋯"
    assert boxes["[2]"].symbol == "batch norm"
    assert boxes["[0]"].value_picture
    assert boxes["[0]"].gradient_picture
    assert boxes["loss"].value_picture is None


def test_thumbnails_appear_when_they_are_computed() -> None:
    drawn = stage()
    assert set(drawn.scene(0).thumbnails) == {"value:x", "value:target"}
    assert {"value:0", "gradient:0", "value:1"} <= set(drawn.scene("last").thumbnails)
    for rows in drawn.thumbnails.values():
        assert all(digit in "012345678" for row in rows for digit in row)
        assert len({len(row) for row in rows}) == 1


def test_what_can_be_folded_again() -> None:
    story = payload(stage(("1", "1.0")))
    assert story["nodes"]["1.0"]["foldable"]
    assert story["nodes"]["1.0.weight"]["foldable"]
    assert story["nodes"]["1.1"]["foldable"]
    assert not story["nodes"]["x"]["foldable"]
    assert story["layered"]


def test_a_batch_of_64_stays_below_a_megabyte() -> None:
    story = payload(stage(run=network(64, 28)))
    assert len(json.dumps(story, ensure_ascii=False).encode()) < 1_000_000
    pictures = story["pictures"]
    assert {"0", "1", "2", "x", "0.weight", "1.0.weight"} <= set(pictures)
    assert "of 64" in pictures["0"]["value"]["left_out"]
    assert story["nodes"]["0"]["element"] == "products"
    assert story["nodes"]["1.1"]["element"] == "entry"
    assert story["nodes"]["x"]["element"] == ""


@pytest.mark.parametrize(
    ("paths", "names"),
    [
        (("0", "1"), "x W₀ b₀ h₀ W₁ b₁ h₁"),
        (("net.0", "net.11"), "x W₀ b₀ h₀ W₁₁ b₁₁ h₁₁"),
        (("0.0", "1"), "x W₀.₀ b₀.₀ h₀.₀ W₁ b₁ h₁"),
        (("0", "0.0"), "x W₀ b₀ h₀ W₀.₀ b₀.₀ h₀.₀"),
        (("0.0", "2"), "x W₀.₀ b₀.₀ h₀.₀ h₂"),  # 2 is a ReLU
        (("0.0", "1.0"), "x W₀.₀ b₀.₀ h₀.₀ W₁.₀ b₁.₀ h₁.₀"),
    ],
)
def test_an_index_does_not_repeat_what_stands_around_all_layers(paths: tuple[str, str], names: str) -> None:
    h = Expr(None, name="x", default=np.zeros((1, 1, 3, 3), np.float32))
    for path in paths:
        h = relu(path, h) if path == "2" else conv(path, h, 1, 1)
    notation = Notation(graph := graph_of(ops.sum(h).named("loss")))
    texts = {node.id: notation.text(i) for i, node in enumerate(graph.nodes)}
    assert " ".join(text for id, text in texts.items() if id != "loss") == names
