"""The pages of digits, inpainting and denoising without a browser: every view and setting, studies, files, errors."""

from __future__ import annotations

import base64
import io
import json
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from gradviz.demos.live import denoising, digits, inpainting, permutation
from gradviz.demos.live.denoising_panels import VIEWS
from tests.app.train_pages import by_label, press, until_paused, until_told, worker, working

testing = pytest.importorskip("streamlit.testing.v1")
image = pytest.importorskip("PIL.Image")


@pytest.fixture
def opened() -> Any:
    """Opens a page by name; its training is stopped in the end."""
    apps: dict[str, Any] = {}

    def open_page(name: str) -> Any:
        script = f"from gradviz.app.pages.{name} import show\nshow()"
        apps[name] = working(testing.AppTest.from_string(script, default_timeout=60).run())
        return apps[name]

    yield open_page
    for name, app in apps.items():
        worker(app, name).pause()


def panels(app: Any, name: str) -> dict[str, Any]:
    """What the page shows now, by id."""
    look = until_paused(app, name)
    assert look.error is None
    return {panel["id"]: panel for panel in map(json.loads, look.picture.panels.values())}


CHANGES: dict[str, list[tuple[str, str, Any, str]]] = {
    "digits": [
        ("selectbox", "Network", "mlp", "model"),
        ("select_slider", "Hidden units", 25, "hidden"),
        ("select_slider", "Learning rate α", 0.01, "learning_rate"),
        ("select_slider", "Batch size", 16, "batch_size"),
        ("toggle", "Move digits by up to one pixel", True, "augmented"),
        ("toggle", "Shuffle the pixels", True, "shuffled"),
    ],
    "inpainting": [
        ("slider", "Side of the square, pixels", 5, "side"),
        ("selectbox", "What is missing", "left half", "hole"),
        ("select_slider", "Hidden units", 64, "hidden"),
        ("selectbox", "Loss L", "whole", "loss"),
        ("selectbox", "Optimiser", "sgd", "optimizer"),
        ("select_slider", "Learning rate α", 0.003, "learning_rate"),
        ("select_slider", "Batch size", 8, "batch_size"),
    ],
    "denoising": [
        ("slider", "σ of the noise, of 255", 40.0, "sigma"),
        ("selectbox", "Photo", "chelsea in colour", "photo"),
        ("select_slider", "Convolutions", 3, "depth"),
        ("select_slider", "Channels", 8, "channels"),
        ("select_slider", "Learning rate α", 0.001, "learning_rate"),
        ("select_slider", "Patches in a batch", 4, "batch_size"),
        ("slider", "Side of a patch, pixels", 24, "patch"),
    ],
}
MODULES = {"digits": digits, "inpainting": inpainting, "denoising": denoising}


@pytest.mark.parametrize("name", CHANGES)
def test_every_setting_reaches_the_experiment(opened: Callable[[str], Any], name: str) -> None:
    app = opened(name)
    for kind, label, value, _ in CHANGES[name]:
        working(by_label(app.get(kind), label).set_value(value).run())
    expected = MODULES[name].Settings(**{field: value for _, _, value, field in CHANGES[name]})
    assert worker(app, name).experiment.settings == expected
    press(app, "One batch")
    assert until_paused(app, name).state == "paused"
    assert worker(app, name).experiment.trainer.progress.steps == 1
    press(app, "New random state")
    assert worker(app, name).experiment.settings.random_state == 1


SHOWN = {
    "digits": dict(zip(digits.VIEWS, (
        "templates", "pixels", "confusion", "exciting", "pad", "network", "special",
    ), strict=True)),
    "inpainting": {"held-out digits": "masked", "this batch": "masked"},
    "denoising": {"denoising": "quality", "batch norm": "rule"},
}  # fmt: skip


@pytest.mark.parametrize("name", SHOWN)
def test_every_view_is_shown_without_a_new_training(opened: Callable[[str], Any], name: str) -> None:
    app = opened(name)
    press(app, "One batch")
    until_paused(app, name)
    for view, panel in SHOWN[name].items():
        working(app.get("button_group")[0].set_value(view).run())
        assert panel in panels(app, name)
        assert worker(app, name).experiment.trainer.progress.steps == 1


@pytest.mark.parametrize("model", digits.MODELS)
def test_digits_of_each_model(opened: Callable[[str], Any], model: str) -> None:
    app = opened("digits")
    working(by_label(app.selectbox, "Network").select(model).run())
    press(app, "One stage")
    press(app, "One batch")
    found = panels(app, "digits")
    assert found["templates"]["stacks"][0]["n"] == {"linear": 10, "mlp": 100, "cnn": 8}[model]
    assert ("activations2" in found) == (model == "cnn")


def test_numbers_of_a_digit(opened: Callable[[str], Any]) -> None:
    app = opened("digits")
    working(app.get("button_group")[0].set_value("numbers").run())
    experiment = worker(app, "digits").experiment
    shown = np.frombuffer(base64.b64decode(panels(app, "digits")["pixels"]["values"]), "<f4")
    assert np.array_equal(shown, np.round(255 * experiment.test[experiment.chosen, 0]).ravel())  # type: ignore[attr-defined]
    assert all(text != "4" for text in panels(app, "digits")["alike"]["labels"])


def test_accuracy_is_never_shown_without_its_caution(opened: Callable[[str], Any]) -> None:
    app = opened("digits")
    for view in ("learning", "mistakes", "drawing"):
        working(app.get("button_group")[0].set_value(view).run())
        words = str(panels(app, "digits"))
        assert "% of 1,000" in words or "accuracy" in words
        assert "writers also wrote training digits" in words
    assert any("also wrote training digits" in caption.value for caption in app.caption)


def test_neurons_as_svg(opened: Callable[[str], Any]) -> None:
    from gradviz.app.pages import digits as page

    app = opened("digits")
    assert all(button.label != "Neurons as SVG" for button in app.get("download_button"))
    working(app.get("button_group")[0].set_value("neurons").run())
    assert any(button.label == "Neurons as SVG" for button in app.get("download_button"))
    drawing = ElementTree.fromstring(page.drawn(worker(app, "digits").experiment))  # type: ignore[arg-type]
    assert len(drawing.findall(".//{*}circle")) == 12 + 11 + 10


def test_the_study_of_shuffled_pixels(opened: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    found = [permutation.Trained(k, 2, True, "mlp", k == 2, 0, 0.9) for k in (1, 2)]
    monkeypatch.setattr(permutation, "study", lambda: iter(found))
    app = opened("digits")
    press(app, "MLP and CNN, plain and shuffled")
    until_told(app, "2 of 2 epochs trained")
    press(app, "Close")
    assert all("epochs trained" not in text.value for text in app.markdown)


def png(shape: tuple[int, ...], mode: str) -> bytes:
    out = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    image.fromarray(pixels, mode).save(out, "PNG")
    return out.getvalue()


PICTURES = {
    "colour": ((37, 53, 3), "RGB"),
    "long": ((10, 4000), "L"),
    "one pixel": ((1, 1), "L"),
    "grey and alpha": ((20, 30, 2), "LA"),
}


@pytest.mark.filterwarnings("ignore:.*mode.*:DeprecationWarning")
@pytest.mark.parametrize("name", PICTURES)
def test_a_picture_of_ones_own(opened: Callable[[str], Any], name: str) -> None:
    app = opened("denoising")
    shape, mode = PICTURES[name]
    working(app.get("file_uploader")[0].upload("own.png", png(shape, mode), "image/png").run())
    assert panels(app, "denoising")["clean"]["title"] == "Clean: your picture"
    for view in reversed(VIEWS):
        working(app.get("button_group")[0].set_value(view).run())
        panels(app, "denoising")
    press(app, "Denoise the whole picture")
    pieces = len(list(worker(app, "denoising").experiment.piece_by_piece()))
    until_told(app, f"{pieces} of {pieces} pieces denoised")
    assert any(button.label == "Close" for button in working(app.run()).button)
    press(app, "Show the photo again")
    assert panels(app, "denoising")["clean"]["title"] == "Clean: held out"
    assert not any("pieces denoised" in text.value for text in app.markdown), "that was another picture"
    working(by_label(app.selectbox, "Photo").select("coins").run())
    assert panels(app, "denoising")["clean"]["title"] == "Clean: one it learns from"


def test_what_is_no_picture_is_refused_in_words(opened: Callable[[str], Any]) -> None:
    app = opened("denoising")
    working(app.get("file_uploader")[0].upload("own.png", b"no *picture*", "image/png").run())
    assert "not a picture" in app.error[0].value
    assert panels(app, "denoising")["clean"]["title"] == "Clean: held out"
    assert not any("pieces denoised" in text.value for text in app.markdown), "that was another picture"


def test_a_step_that_is_too_large_is_named(opened: Callable[[str], Any]) -> None:
    """Above 0.01, SGD kills the hidden units of the network that fills in half a digit."""
    app = opened("inpainting")
    working(by_label(app.selectbox, "Optimiser").select("sgd").run())
    assert worker(app, "inpainting").experiment.settings.learning_rate == 0.01, "what is usual for it"
    working(by_label(app.selectbox, "What is missing").select("left half").run())
    working(by_label(app.select_slider, "Learning rate α").set_value(0.03).run())
    experiment = worker(app, "inpainting").experiment
    for _ in range(30):
        experiment.advance()
    worker(app, "inpainting").one_batch()
    alert = until_paused(app, "inpainting").picture.alert
    assert "dead ReLUs" in alert
