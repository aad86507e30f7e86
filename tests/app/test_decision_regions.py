"""The page of decision regions without a browser: settings, presets, points, errors, and what survives leaving it."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from gradviz.app.pages import decision_regions as page
from gradviz.demos.live.decision_regions import PRESETS, Experiment, Settings
from tests.app.train_pages import by_label, press, until_paused, until_told, worker, working

testing = pytest.importorskip("streamlit.testing.v1")
SCRIPT = str(Path(__file__).parents[2] / "app.py")


@pytest.fixture
def app() -> Any:
    """The page as a person finds it."""

    def script() -> None:
        from gradviz.app.pages.decision_regions import show

        show()

    found = working(testing.AppTest.from_function(script, default_timeout=60).run())
    yield found
    worker(found, "regions").pause()


def experiment(app: Any) -> Experiment:
    return worker(app, "regions").experiment  # type: ignore[return-value]


def test_one_batch_and_one_epoch(app: Any) -> None:
    press(app, "One batch")
    until_paused(app, "regions")
    assert experiment(app).trainer.progress.steps == 1
    press(app, "One epoch")
    until_paused(app, "regions")
    assert (experiment(app).epoch, experiment(app).batch_index) == (1, 0)
    press(app, "Reset")
    assert experiment(app).trainer.progress.steps == 0


def test_start_becomes_pause(app: Any) -> None:
    press(app, "Start")
    assert worker(app, "regions").state == "running"
    assert all(button.label != "Start" for button in app.button)
    press(app, "Pause")
    assert worker(app, "regions").state == "paused"


@pytest.mark.parametrize("name", PRESETS)
def test_presets(app: Any, name: str) -> None:
    working(by_label(app.selectbox, "Show that …").select(name).run())
    wanted = PRESETS[name].settings
    found = experiment(app).settings
    noise = found.noise if wanted.noise is not None else None
    assert Settings(**{**vars(found), "noise": noise}) == wanted
    assert by_label(app.selectbox, "Show that …").value == name
    assert any(caption.value == PRESETS[name].lesson for caption in app.caption)
    assert any("5 random states" in button.label for button in app.button) == (name == "too_many")


def test_every_setting_reaches_the_experiment(app: Any) -> None:
    by_label(app.selectbox, "Points").select("spirals").run()
    by_label(app.selectbox, "Layers of weights").select(3).run()
    by_label(app.selectbox, "Activation").select("tanh").run()
    by_label(app.selectbox, "Optimiser").select("sgd").run()
    by_label(app.select_slider, "Neurons in a hidden layer").set_value(16).run()
    by_label(app.select_slider, "Learning rate α").set_value(0.1).run()
    by_label(app.select_slider, "Regularisation (weight decay)").set_value(0.001).run()
    by_label(app.select_slider, "Batch size").set_value(8).run()
    by_label(app.slider, "How many").set_value(100).run()
    working(by_label(app.slider, "Noise").set_value(0.2).run())
    assert experiment(app).settings == Settings(
        data="spirals", layers=3, activation="tanh", optimizer="sgd", width=16, learning_rate=0.1,
        regularisation=0.001, batch_size=8, count=100, noise=0.2,
    )  # fmt: skip
    assert by_label(app.selectbox, "Show that …").value is None, "these are one's own settings"


def test_the_learning_rate_changes_while_it_trains(app: Any) -> None:
    press(app, "One epoch")
    until_paused(app, "regions")
    before = experiment(app)
    working(by_label(app.select_slider, "Learning rate α").set_value(0.1).run())
    assert experiment(app) is before
    assert before.trainer.optimizer.lr == 0.1
    assert before.epoch == 1
    working(by_label(app.select_slider, "Neurons in a hidden layer").set_value(4).run())
    assert experiment(app) is not before


def test_a_new_random_state_is_another_start(app: Any) -> None:
    before = experiment(app).model.flat_parameters().copy()
    press(app, "New random state")
    assert experiment(app).settings.random_state == 1
    assert not np.array_equal(experiment(app).model.flat_parameters(), before)


def test_added_points_join_the_training_and_can_be_removed(app: Any) -> None:
    count = len(experiment(app).x)
    app.session_state["regions.points"] = ((0.5, 0.5, 1), (0.0, 0.25, 0))
    working(app.run())
    assert experiment(app).x[count:].tolist() == [[0.5, 0.5], [0.0, 0.25]]
    press(app, "Remove 2 own points")
    assert len(experiment(app).x) == count


def test_what_diverges_is_said_in_words_and_can_be_reset(app: Any) -> None:
    by_label(app.selectbox, "Optimiser").select("sgd").run()
    working(by_label(app.select_slider, "Learning rate α").set_value(1.0).run())
    experiment(app).trainer.optimizer.lr = 1e30
    press(app, "Start")
    until_paused(app, "regions")
    working(app.run())
    assert worker(app, "regions").state == "failed"
    assert "not finite" in app.error[0].value.replace("\\", "")
    assert by_label(app.button, "Start").disabled
    press(app, "Reset")
    assert not app.error
    assert not by_label(app.button, "Start").disabled


def test_the_study_trains_network_after_network(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from gradviz.app.pages import decision_regions
    from gradviz.demos.live.overfitting import overfitting

    monkeypatch.setattr(decision_regions, "overfitting", lambda: overfitting((2, 8), (0, 1), steps=2))
    working(by_label(app.selectbox, "Show that …").select("too_many").run())
    press(app, "Few and many neurons, 5 random states each")
    until_told(app, "4 of 4 networks trained")
    press(app, "Close")
    assert all("networks trained" not in text.value for text in app.markdown)


@pytest.mark.parametrize("layers", [1, 2, 3])
def test_neurons_as_svg(app: Any, layers: int) -> None:
    working(by_label(app.selectbox, "Layers of weights").select(layers).run())
    assert any(button.label == "Neurons as SVG" for button in app.get("download_button"))
    found = experiment(app)
    seen = found.layers_at(found.x[-1])
    assert [len(layer) for layer in seen] == [2, *[8] * (layers - 1), 2]
    assert np.allclose(seen[-1], found.trainer.predict(found.x)[-1], atol=1e-6)
    drawing = ElementTree.fromstring(page.drawn(found))
    assert len(drawing.findall(".//{*}circle")) == sum(map(len, seen))
