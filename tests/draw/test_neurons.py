"""The neuron drawing: what is drawn of a network, and how it looks as SVG."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest

import gradviz as gv
from gradviz.draw.neuron_scene import RADIUS, NeuronScene
from gradviz.draw.neurons import neuron_drawing

RNG = np.random.default_rng(0)
SVG = "{http://www.w3.org/2000/svg}"


def weights(*sizes: int) -> list[np.ndarray]:
    return [RNG.standard_normal((after, before)) for before, after in pairwise(sizes)]


def parsed(scene: NeuronScene, theme: str = "light") -> ElementTree.Element:
    return ElementTree.fromstring(scene.to_svg(theme))


def test_every_neuron_and_weight_of_a_small_network() -> None:
    w = weights(2, 3, 1)
    scene = neuron_drawing(w)
    assert [layer.count for layer in scene.layers] == [2, 3, 1]
    assert [layer.name for layer in scene.layers] == ["input", "hidden", "output"]
    assert len(scene.neurons) == 6
    assert len(scene.links) == 2 * 3 + 3
    for link in scene.links:
        assert link.weight == w[link.layer - 1][link.target, link.source]
    assert {neuron.brightness for neuron in scene.neurons} == {None}


@pytest.mark.parametrize(
    ("size", "widest", "drawn"), [(12, 12, 12), (13, 12, 11), (100, 12, 11), (784, 5, 4)]
)
def test_a_wide_layer_is_drawn_by_its_ends(size: int, widest: int, drawn: int) -> None:
    scene = neuron_drawing(weights(size, 2), widest=widest)
    indices = [neuron.index for neuron in scene.neurons if neuron.layer == 0]
    assert len(indices) == drawn
    assert indices[0] == 0
    assert indices[-1] == size - 1
    assert scene.layers[0].elided == size - drawn
    words = [text.text for text in parsed(scene).iter(f"{SVG}text")]
    assert (f"… {size - drawn} more …" in words) == (drawn < size)
    assert f"{size} neurons" in words


def test_circles_do_not_touch_and_stay_inside() -> None:
    scene = neuron_drawing(weights(30, 12, 5, 1))
    places = [(neuron.x, neuron.y) for neuron in scene.neurons]
    for i, (x, y) in enumerate(places):
        assert RADIUS < x < scene.width - RADIUS
        assert RADIUS < y < scene.height - RADIUS
        assert all(np.hypot(x - a, y - b) > 2 * RADIUS for a, b in places[i + 1 :])


def test_sign_is_told_by_dash_and_colour_and_size_by_thickness() -> None:
    root = parsed(neuron_drawing([np.array([[1.0, -2.0, 0.5]])]))
    lines = sorted(root.iter(f"{SVG}line"), key=lambda line: float(line.get("stroke-width", "0")))
    assert [line.get("stroke-dasharray") is not None for line in lines] == [False, False, True]
    assert lines[0].get("stroke") == lines[1].get("stroke") != lines[2].get("stroke")
    assert "|w| ≤ 2" in [text.text for text in root.iter(f"{SVG}text")]


def test_brightness_is_activation_on_the_scale_of_its_layer() -> None:
    scene = neuron_drawing(weights(2, 3), [np.array([0.5, 2.0]), np.array([-1.0, 0.0, 3.0])])
    assert [neuron.brightness for neuron in scene.neurons] == [0.25, 1.0, 0.0, 0.25, 1.0]
    assert [layer.scale for layer in scene.layers] == [(0.0, 2.0), (-1.0, 3.0)]
    root = parsed(scene)
    fills = [circle.get("fill") for circle in root.iter(f"{SVG}circle")]
    assert fills == ["#404040", "#ffffff", "#000000", "#404040", "#ffffff"]
    words = [text.text for text in root.iter(f"{SVG}text")]
    assert {"−1", "3", "0", "2"} <= set(words)


def mlp() -> gv.Run:
    return gv.explore(
        "x = randn(4, 3)\nW = randn(5, 3)\nb = randn(5)\nV = randn(2, 5)\n"
        "h = relu(linear(x, W, b))\ny = linear(h, V)\nL = sum(y*y)"
    )


def test_a_run_brings_its_own_activations() -> None:
    run = mlp()
    scene = neuron_drawing(run, sample=2)
    expected = [*run.value("x")[2], *run.value("h")[2], *run.value("y")[2]]
    assert [neuron.value for neuron in scene.neurons] == pytest.approx(expected)


def test_a_model_is_known_by_its_parameters() -> None:
    class Model:
        def parameters(self) -> dict[str, np.ndarray]:
            return {
                "0.weight": np.ones((3, 2), np.float32),
                "0.bias": np.ones(3),
                "2.weight": np.ones((1, 3)),
            }

    assert [layer.count for layer in neuron_drawing(Model()).layers] == [2, 3, 1]


def test_it_is_plain_data() -> None:
    scene = neuron_drawing(mlp())
    assert json.loads(json.dumps(scene.to_json()))["layers"][1]["count"] == 5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_hostile_names_are_only_text(theme: str) -> None:
    name = '<script>alert(1)</script>&"'
    root = parsed(neuron_drawing(weights(2, 1), names=[[name, "b"], ["out"]]), theme)
    assert not list(root.iter(f"{SVG}script"))
    assert name in [text.text for text in root.iter(f"{SVG}text")]


def test_it_renders() -> None:
    resvg_py = pytest.importorskip("resvg_py")
    picture = bytes(resvg_py.svg_to_bytes(svg_string=neuron_drawing(mlp()).to_svg("dark")))
    assert picture.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("source", "activations", "message"),
    [
        ([], None, "no weights"),
        ([np.ones(3)], None, "shape"),
        ([np.ones((3, 2)), np.ones((1, 4))], None, "takes 4"),
        ([np.ones((3, 2))], [np.ones(2), np.ones(4)], "do not fit"),
        (np.ones((3, 2)), None, "two axes"),
        (np.ones((2, 3, 4)), None, "takes 4"),
        (np.ones((2, 3, 3, 2)), None, "two axes"),
    ],
)
def test_what_cannot_be_drawn(
    source: Sequence[np.ndarray], activations: Sequence[np.ndarray] | None, message: str
) -> None:
    with pytest.raises(gv.GradvizError, match=message):
        neuron_drawing(source, activations)
    with pytest.raises(gv.GradvizError, match="no linear layer"):
        neuron_drawing(gv.explore("y = x*x", x=1.0))


def test_a_sample_or_theme_that_is_not_there() -> None:
    for sample in (4, -5):
        with pytest.raises(gv.GradvizError, match=f"no sample {sample}"):
            neuron_drawing(mlp(), sample=sample)
    with pytest.raises(gv.GradvizError, match="theme 'print' is not known"):
        neuron_drawing(mlp()).to_svg("print")


@pytest.mark.parametrize("broken", [np.inf, -np.inf, np.nan, 1.7e308, -1.7e308])
def test_numbers_that_are_not_finite_or_huge(broken: float) -> None:
    scene = neuron_drawing([np.array([[1.0, broken]])], [np.array([1.0, broken]), np.array([broken])])
    root = parsed(scene)
    written = [text.text for text in root.iter(f"{SVG}text") if text.get("font-size")]
    assert len(written) == (0 if np.isfinite(broken) else 2)
    sizes = [float(link.size) for link in scene.links]
    assert all(0 <= size <= 1 for size in sizes) and max(sizes) == 1
    assert all(n.brightness is None or 0 <= n.brightness <= 1 for n in scene.neurons)
    assert "nan" not in scene.to_svg().replace("NaN", "")
