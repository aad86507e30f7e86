"""Settings in the address: what was chosen comes back, and whatever else an address says is passed over."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import Any

import pytest

from gradviz.app.program import LINK_LIMIT
from gradviz.app.settings import read, written
from gradviz.demos.live.decision_regions import Settings
from tests.app.train_pages import by_label, worker, working

testing = pytest.importorskip("streamlit.testing.v1")

PAGES = {
    "digits": "digits",
    "inpainting": "inpainting",
    "denoising": "denoising",
    "decision_regions": "regions",
}
CHOICES: dict[str, Any] = {"width": (1, 10), "noise": (0.0, 0.35), "shuffled": (False, True), "half": int}


@pytest.mark.parametrize(
    ("address", "found"),
    [
        ({}, {}),
        (
            {"width": "10", "noise": "0.35", "shuffled": "True"},
            {"width": 10, "noise": 0.35, "shuffled": True},
        ),
        ({"noise": "0", "half": "7"}, {"noise": 0.0, "half": 7}),
        ({"width": "2", "noise": "nan", "shuffled": "1", "half": "seven"}, {}),
        ({"width": "", "noise": "0.350", "half": "1" * (LINK_LIMIT + 1)}, {}),
        ({"p": "10", "__class__": "1"}, {}),
    ],
)
def test_only_what_can_be_chosen_is_read(address: dict[str, str], found: dict[str, Any]) -> None:
    assert read(address, CHOICES) == found


def test_the_address_names_what_is_not_usual() -> None:
    usual = Settings(noise=0.25)
    chosen = replace(usual, noise=0.30000000000000004, width=16, points=((0.5, -0.123456, 1), (1.0, 2.0, 0)))
    texts = {name: text for name, text in written(chosen, usual).items() if text}
    assert texts == {"noise": "0.3", "width": "16", "points": "0.5,-0.1235,1;1,2,0"}
    assert written(usual, usual).keys() == vars(usual).keys()
    crowd = replace(usual, points=((0.123, 0.456, 0),) * LINK_LIMIT)
    assert written(crowd, usual)["points"] == ""


def opened(page: str, address: dict[str, str]) -> Any:
    """The page under this address, with the settings of its experiment."""
    app = testing.AppTest.from_string(
        f"from gradviz.app.pages.{page} import show\nshow()", default_timeout=60
    )
    for name, text in address.items():
        app.query_params[name] = text
    return working(app.run())


def settings_of(app: Any, page: str) -> Any:
    return worker(app, PAGES[page]).experiment.settings


@pytest.mark.parametrize("page", PAGES)
def test_a_page_comes_back_as_its_address_says(page: str) -> None:
    usual = settings_of(opened(page, {}), page)
    choices = import_module(f"gradviz.app.pages.{page}")._CHOICES
    last = {
        name: ((0.5, -0.25, 2),) if callable(known) else list(known)[-1] for name, known in choices.items()
    }
    wanted = replace(usual, **last, random_state=7)
    app = opened(page, {**written(wanted, usual), "speed": "1 batch/s"})
    assert settings_of(app, page) == wanted
    assert by_label(app.selectbox, "Speed").value == "1 batch/s"
    assert wanted.__dict__.keys() - {"random_state"} == choices.keys(), "all settings are in the address"


@pytest.mark.parametrize("page", PAGES)
def test_an_address_with_nonsense_opens_the_usual_page(page: str) -> None:
    usual = settings_of(opened(page, {}), page)
    choices = import_module(f"gradviz.app.pages.{page}")._CHOICES
    for text in ("", "-1", "1e999", "<script>", "nan,0,1", "0,0,10", "1,2;;", "x" * 5000):
        assert read(dict.fromkeys(choices, text), choices) == {}
    nonsense = dict.fromkeys((*choices, "speed", "random_state", "p", "k"), "1e999")
    assert settings_of(opened(page, nonsense), page) == usual


def test_what_was_chosen_since_counts_more_than_the_address() -> None:
    app = opened("digits", {"model": "cnn", "random_state": "3"})
    working(by_label(app.selectbox, "Network").select("linear").run())
    working(by_label(app.button, "New random state").click().run())
    found = settings_of(app, "digits")
    assert (found.model, found.random_state) == ("linear", 4)
