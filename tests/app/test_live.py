"""Pictures are packed small and safe: lines thinned, images as bytes, nothing that JSON does not know."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from gradviz.app.components import live
from gradviz.app.components.live import POINTS, UNITS, limits, pack
from gradviz.demos.live.decision_regions import PRESETS, Experiment

HOSTILE = "line 1\nline 2\r\u2028\x00</script>"  # one line of JSON all the same


def packed(**panel: Any) -> dict[str, Any]:
    """One packed panel."""
    (text,) = pack([{"title": "a panel", **panel}]).values()
    return json.loads(text)  # type: ignore[no-any-return]


def floats(text: str) -> np.ndarray[Any, Any]:
    return np.frombuffer(base64.b64decode(text), "<f4")


def image(stack: dict[str, Any]) -> np.ndarray[Any, Any]:
    shape = (stack["n"], stack["h"], stack["w"], *([3] if stack["rgb"] else []))
    return np.frombuffer(base64.b64decode(stack["data"]), np.uint8).reshape(shape)


def line(y: Any, **more: Any) -> dict[str, Any]:
    return packed(kind="lines", series=[{"label": "train", "y": y, **more}])["series"][0]  # type: ignore[no-any-return]


def test_a_long_line_keeps_its_extremes_and_its_ends() -> None:
    y = np.random.default_rng(0).normal(size=100_001)
    y[[777, 50_123]] = 40, -40
    one = line(y)
    x, thin = floats(one["x"]).astype(int), floats(one["y"])
    assert len(thin) <= POINTS + 2
    assert (thin.max(), thin.min()) == (40, -40)
    assert (x[0], x[-1]) == (0, 100_000)
    assert np.array_equal(thin, y[x].astype(np.float32))
    assert one["last"] == pytest.approx(y[-1], rel=1e-5)


@pytest.mark.parametrize("y", [[], [1.0], [np.nan, 1.0, np.inf], np.arange(5)])
def test_short_lines_come_as_they_are(y: Any) -> None:
    assert np.array_equal(floats(line(y)["y"]), np.asarray(y, np.float32), equal_nan=True)
    assert floats(line(y, x=np.arange(len(y)) * 2)["x"]).tolist() == [2 * i for i in range(len(y))]


def test_a_long_line_with_gaps() -> None:
    y = np.full(5000, np.nan)
    y[4000:] = 1.0
    assert np.nanmin(floats(line(y)["y"])) == 1.0


@pytest.mark.parametrize(
    ("palette", "values", "expected"),
    [
        ("grey", np.array([0.0, 3.0]), (0, 1)),
        ("ink", np.array([0, 9], np.uint8), (0, 255)),
        ("signed", np.array([-1.0, 3.0, np.nan]), (-3, 3)),
        ("heat", np.array([1.0, np.inf, 4.0]), (1, 4)),
        ("heat", np.array([]), (0, 1)),
    ],
)
def test_limits(palette: str, values: Any, expected: tuple[float, float]) -> None:
    assert limits([values], palette) == expected


def test_images_become_bytes() -> None:
    panel = packed(kind="images", images=np.array([[[0.0, 0.5], [1.0, 7.0]]]))
    assert image(panel["stacks"][0]).tolist() == [[[0, 128], [255, 255]]]
    colour = packed(kind="images", images=[np.full((2, 3, 3), 255, np.uint8), np.zeros((1, 1))])
    assert [image(stack).shape for stack in colour["stacks"]] == [(1, 2, 3, 3), (1, 1, 1)]
    signed = packed(kind="images", images=np.array([[[-2.0, 0.0, 1.0]]]), palette="signed")
    assert (signed["low"], signed["high"]) == (-2, 2)
    assert image(signed["stacks"][0]).tolist() == [[[0, 128, 191]]]
    each = packed(kind="images", images=np.array([[[0.0, 2.0]], [[0.0, 4.0]]]), palette="heat", each=True)
    assert [image(stack).ravel().tolist() for stack in each["stacks"]] == [[0, 255], [0, 255]]


def test_an_image_that_is_not_finite_is_still_an_image() -> None:
    panel = packed(kind="images", images=np.array([[[np.nan, np.inf, -np.inf, 1.0]]]), palette="signed")
    assert image(panel["stacks"][0]).tolist() == [[[128, 255, 0, 255]]]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_network_that_diverged_is_still_a_picture(bad: float) -> None:
    layers = [{"label": "x", "values": np.full(3, bad)}, {"label": "y", "maps": np.full((1, 2, 2), bad)}]
    panel = packed(kind="network", layers=layers, weights=[np.full((1, 3), bad)])
    assert panel["weights"] == [[[None, None, None]]]


def test_of_a_wide_layer_only_some_units_are_sent() -> None:
    layers = [{"label": "x", "values": np.arange(100.0)}, {"label": "y", "values": np.zeros(2)}]
    panel = packed(kind="network", layers=layers, weights=[np.arange(200.0).reshape(2, 100)])
    first = panel["layers"][0]
    assert first["count"] == 100
    assert first["shown"] == [0, 1, 2, 3, 4, 5, 95, 96, 97, 98, 99]
    assert len(first["shown"]) == UNITS - 1, "and a gap"
    assert panel["weights"][0][1] == [100.0 + i for i in first["shown"]]


def test_histograms_are_counted_over_the_same_bins() -> None:
    series = [{"label": "a", "values": [0.0, 1.0, np.nan]}, {"label": "b", "values": np.full((2, 2), 4.0)}]
    panel = packed(kind="histogram", series=series, bins=4)
    assert panel["edges"] == [0, 1, 2, 3, 4]
    assert [one["counts"] for one in panel["series"]] == [[1, 1, 0, 0], [0, 0, 0, 4]]


def test_plain_numbers() -> None:
    panel = packed(
        kind="bars", labels=["a"], values=np.array([np.nan]), highlight=np.int64(0), range=(0, np.inf)
    )
    assert (panel["values"], panel["highlight"], panel["range"]) == ([None], 0, [0, None])
    table = packed(kind="table", columns=["n"], cells=[[np.float32(0.1)], [1 / 3]])
    assert table["cells"] == [[0.1], [0.333333]]


def test_panels_get_a_name_and_a_size_unless_they_have_one() -> None:
    texts = [
        {"kind": "text", "lines": []},
        {"kind": "text", "lines": [], "id": "mine", "width": 6, "rows": 2},
    ]
    found = pack(texts)
    assert list(found) == ["text text1", "text mine"]
    sizes = [(p["id"], p["width"], p["rows"]) for p in map(json.loads, found.values())]
    assert sizes == [("text1", 4, 4), ("mine", 6, 2)]


def test_a_drawing_arrives_as_an_array() -> None:
    pixels = np.arange(16, dtype=np.uint8).reshape(4, 4) * 17
    text = base64.b64encode(pixels.tobytes()).decode()
    event = live._unpacked({"kind": "drawing", "panel": "pad", "number": 1, "pixels": text})
    assert event["pixels"].dtype == np.float32
    assert np.allclose(event["pixels"], pixels / 255)


@pytest.mark.parametrize("name", PRESETS)
def test_pictures_of_a_training_stay_small(name: str) -> None:
    experiment = Experiment(PRESETS[name].settings)
    experiment.advance()
    assert sum(map(len, pack(experiment.picture()["panels"]).values())) < 100_000


def test_a_message_has_only_the_panels_that_are_new() -> None:
    first = pack([{"kind": "text", "lines": [HOSTILE]}, {"kind": "text", "lines": ["b"]}])
    then = {**first, "text text1": '{"later": 1}'}
    for panels, known, fresh in (
        (first, None, [True, True]),
        (then, first, [True, False]),
        (then, then, [False] * 2),
    ):
        head, *lines = live.message(panels, {"version": 3}, known).split("\n")
        told = json.loads(head)
        assert told["version"] == 3
        assert told["panels"] == dict(zip(panels, fresh, strict=True))
        assert lines == [text for text, new in zip(panels.values(), fresh, strict=True) if new]
