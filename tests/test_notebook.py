"""Notebooks: displays that need neither kernel nor network, the stepper as a widget, and the example as people run it."""

from __future__ import annotations

import base64
import re
import sys
import xml.etree.ElementTree as ElementTree
from html import unescape
from pathlib import Path
from typing import Any

import pytest

import gradviz as gv
from gradviz.draw.notebook import Page, show
from tests.conftest import require
from tests.test_architecture import loaded_after

EXAMPLE = Path(__file__).parents[1] / "examples" / "first_steps.ipynb"
WORDS = re.compile(r"<[^>]+>")


def html(shown: Any) -> str:
    bundle = shown._repr_mimebundle_()
    assert bundle["text/plain"] == repr(shown)
    return str(bundle["text/html"])


def pictures(text: str) -> list[str]:
    """The pictures in it, each a well-formed SVG that asks for nothing from outside."""
    found = re.findall(r'<img src="data:image/svg\+xml;base64,([^"]*)"', text)
    drawn = [base64.b64decode(data).decode() for data in found]
    for picture in drawn:
        assert ElementTree.fromstring(picture).tag.endswith("svg")
        assert not re.search(r'(href|src)="(?!data:|#)', picture)
    return drawn


def run() -> gv.Run:
    return gv.explore(gv.demos.get("D1").text, wrt=("w1", "w2"))


def test_a_run() -> None:
    text = html(run())
    (picture,) = pictures(text)
    assert "half_squared_error" in picture and ">80<" in picture
    assert "10 steps: 4 forward, 1 seed, 5 backward" in text and "∂ℒ/∂w₁ = 80" in text


def test_a_step_shows_its_derivation() -> None:
    text = html(run().steps[6])
    (picture,) = pictures(text)
    assert 'class="formula"' in picture and picture.count("step 7 of 10") == 1
    assert 'alt="Backward from ŷ to w₂: local derivative 5 times upstream gradient 8 gives 40."' in text


def test_a_graph_shows_no_numbers() -> None:
    (picture,) = pictures(html(gv.parse("f = sigmoid(a*b)")))
    assert "sigmoid" in picture and 'class="value"' not in picture
    assert "<td>matmul" in html(gv.parse("y = W @ x")), "what has no shapes yet is listed"
    assert "<td>W, x</td>" in html(gv.parse("y = W @ x"))


def test_a_large_graph_is_listed() -> None:
    long = "\n".join(["a0 = 1.5", *(f"a{i} = sin(a{i - 1})" for i in range(1, 300))])
    text = html(gv.explore(long))
    assert not pictures(text) and "… 149 more operations" in text and "∂a₂₉₉/∂a₀" in text


def test_a_network_is_folded_by_its_layers() -> None:
    import numpy as np

    model = gv.nn.Sequential(gv.nn.Linear(3, 4), gv.nn.ReLU(), gv.nn.Linear(4, 2))
    model.init(np.random.default_rng(0))
    trainer = gv.nn.Trainer(model, "mse", gv.optim.SGD(0.1))
    (picture,) = pictures(html(trainer.explore(np.ones((2, 3)), np.zeros((2, 2)))))
    assert 'class="node group"' in picture


@pytest.mark.parametrize(
    ("text", "seen", "numbers"),
    [
        ("x = [1, 2]\nW = [[1, 2], [3, 4]]\ny = W @ x", "2 × 2", True),
        ("x = randn(40)\ny = sin(x)", "diagonal", False),
    ],
)
def test_a_jacobian(text: str, seen: str, numbers: bool) -> None:
    shown = html(gv.jacobian(text, "x"))
    (picture,) = pictures(shown)
    assert seen in shown and (">4.00<" in picture) == numbers
    assert picture.count("denominator layout<") == 2, (
        "in the title for screen readers, and not cut off on the picture"
    )


def test_a_jacobian_too_large_to_be_drawn() -> None:
    shown = html(gv.jacobian("x = randn(900)\ny = sin(x)", "x"))
    assert not pictures(shown) and "810,000 entries" in shown


def test_drawing_waits_until_a_notebook_asks() -> None:
    names = "import gradviz, sys\nassert not [n for n in sys.modules if n.startswith('gradviz.draw')]"
    assert "gradviz" in loaded_after(names)


def test_the_stepper_reports_step_and_node() -> None:
    require("anywidget")
    stepper = show(run(), k=3, theme="dark", height=400)
    assert (stepper.k, stepper.node, stepper.step.node) == (3, "", "yhat")
    stepper.k = 99
    assert stepper.k == 10 and stepper.step.index == 9
    stepper.selection = ["node", "w1"]
    assert stepper.node == "w1"
    stepper.selection = ["edge", "f:0"]
    assert stepper.node == "f"
    stepper.k = -1
    assert stepper.k == 0 and stepper.step is None


def test_the_stepper_is_a_picture_where_no_widget_can_live() -> None:
    require("anywidget")
    stepper = show(run(), k=7, theme="dark")
    for k, words in ((7, "step 7 of 10"), (0, "start · 10 steps")):
        stepper.k = k
        data, _ = stepper._repr_mimebundle_()
        assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == stepper.model_id
        (picture,) = pictures(data["text/html"])
        assert words in picture and "#181715" in picture


def test_without_anywidget_it_is_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "gradviz.draw.widget", raising=False)
    page = gv.show("x = 2\ny = x*x", k=1)
    assert isinstance(page, Page) and "gradviz[notebook]" in repr(page)
    text = page._repr_html_()
    (source,) = re.findall(r'srcdoc="([^"]*)"', text)
    assert "Content-Security-Policy" in unescape(source) and "gradviz[notebook]" in WORDS.sub("", text)


@pytest.mark.filterwarnings("ignore")  # of Jupyter's own packages
def test_the_example_notebook() -> None:
    nbformat, client = require("nbformat"), require("nbclient")
    require("ipykernel")
    notebook = nbformat.read(EXAMPLE, as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells), "outputs are not kept in the repository"
    client.NotebookClient(
        notebook, timeout=120, resources={"metadata": {"path": str(EXAMPLE.parent)}}
    ).execute()
    data = [out.data for cell in notebook.cells for out in cell.get("outputs", ())]
    assert len(data) == 8
    shown = [pictures(entry.get("text/html", "")) for entry in data]
    assert [len(found) for found in shown] == [1, 1, 0, 1, 0, 1, 1, 0]
    assert "application/vnd.jupyter.widget-view+json" in data[1]
    assert data[2]["text/plain"] == "(6, 'yhat', 8.0)"
    assert data[4]["text/plain"].startswith("(True, ")
    assert data[7]["text/plain"] == "('lecture.pdf', True)"
    for state, drawn in ((True, 4), (False, 5)):  # without its state the stepper is a picture
        if not state:
            del notebook.metadata["widgets"]
        converted, _ = require("nbconvert").HTMLExporter().from_notebook_node(notebook)
        assert len(re.findall(r'<img[^>]* src="data:image/svg\+xml;base64,', converted)) == drawn
