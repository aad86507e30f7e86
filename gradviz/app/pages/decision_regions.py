"""Decision regions: points in the plane, a small network that learns to tell them apart, and what each neuron sees."""

from __future__ import annotations

from dataclasses import replace
from inspect import signature
from typing import Any

import streamlit as st

from gradviz import data
from gradviz.app.settings import Choices, settings
from gradviz.app.study import begin, study
from gradviz.app.style import verbatim
from gradviz.app.train_page import frame, worker
from gradviz.demos.live.decision_regions import (
    ACTIVATIONS,
    OWN,
    POINTS,
    PRESETS,
    Experiment,
    Point,
    Settings,
)
from gradviz.demos.live.decision_regions_panels import INPUTS
from gradviz.demos.live.overfitting import overfitting, study_panel
from gradviz.draw.neurons import neuron_drawing
from gradviz.nn.module import FloatArray

TITLE = "Decision regions"
SECTION = "Train"
ORDER = 11

WIDTHS = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 100, 200)
RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3, 1.0)
DECAYS = (0.0, 0.0001, 0.001, 0.01, 0.1, 1.0)
BATCHES = (1, 4, 8, 16, 32, 64, 128)
LAYERS = {1: "1: linear classifier", 2: "2: one hidden layer", 3: "3: two hidden layers"}
COUNTS = range(10, 401, 10)
NOISES = tuple(percent / 100 for percent in range(61))
OPTIMIZERS = ("adam", "sgd")
FARTHEST = 100.0  # of a point in an address


def show() -> None:
    """Draw the page."""
    usual = _usual(PRESETS["hidden_layer"].settings)
    chosen = settings("regions", usual, _CHOICES)
    with st.sidebar:
        _rail(chosen)
    if refused := st.session_state.pop("regions.refused", ""):
        st.error(verbatim(refused), icon="⚠")
    study("regions.study", "networks trained", lambda fits: [study_panel(fits)])
    frame("regions", Experiment, chosen, title=TITLE, usual=usual, on_event=_take_point, speed="25 batches/s")


def _usual(wanted: Settings) -> Settings:
    """The settings as the widgets show them."""
    return replace(wanted, noise=_own_noise(wanted.data)) if wanted.noise is None else wanted


def _own_noise(name: str) -> float:
    """How noisy these points are unless told otherwise."""
    return float(signature(POINTS[name]).parameters["noise"].default) if name in POINTS else 0.0


def _points_of(text: str) -> tuple[Point, ...]:
    """Points as the address has them; raises ValueError for anything else."""
    places = [part.split(",") for part in text.split(";")]
    points = tuple((float(x), float(y), int(group)) for x, y, group in places)
    if not all(abs(x) <= FARTHEST and abs(y) <= FARTHEST and 0 <= group <= 9 for x, y, group in points):
        raise ValueError(text)
    return points


def _together(x: FloatArray, y: FloatArray) -> tuple[Point, ...]:
    return tuple((float(a), float(b), int(c)) for (a, b), c in zip(x, y, strict=True))


_CHOICES: dict[str, Choices] = {
    "data": (*POINTS, OWN), "count": COUNTS, "noise": NOISES, "points": _points_of, "layers": LAYERS,
    "width": WIDTHS, "activation": ACTIVATIONS, "optimizer": OPTIMIZERS, "learning_rate": RATES,
    "regularisation": DECAYS, "batch_size": BATCHES,
}  # fmt: skip


def _rail(chosen: Settings) -> None:
    names, plain = list(PRESETS), replace(chosen, random_state=0)
    at = next((i for i, name in enumerate(names) if _usual(PRESETS[name].settings) == plain), None)
    key = f"regions.preset {at}"
    st.selectbox(
        "Show that …", names, index=at, format_func=lambda name: PRESETS[name].title, placeholder="own settings",
        key=key, on_change=lambda: _take_preset(key),
    )  # fmt: skip
    if at is not None:
        st.caption(PRESETS[names[at]].lesson)
        if names[at] == "too_many":
            st.button(
                "Few and many neurons, 5 random states each", on_click=_begin_study, key="regions.study"
            )
    _points()
    st.markdown("**Network**")
    st.selectbox("Layers of weights", list(LAYERS), format_func=LAYERS.__getitem__, key="regions.layers")
    if st.session_state["regions.layers"] > 1:
        st.select_slider("Neurons in a hidden layer", WIDTHS, key="regions.width")
        st.selectbox("Activation", list(ACTIVATIONS), key="regions.activation")
    st.markdown("**Learning**")
    st.selectbox("Optimiser", OPTIMIZERS, key="regions.optimizer", format_func=str.upper)
    st.select_slider("Learning rate α", RATES, key="regions.learning_rate")
    st.select_slider("Regularisation (weight decay)", DECAYS, key="regions.regularisation")
    st.select_slider("Batch size", BATCHES, key="regions.batch_size")
    st.download_button(
        "Neurons as SVG", _neurons_svg, "neurons.svg", "image/svg+xml", on_click="ignore",
        help="As they are now, at the training point that came last",
    )  # fmt: skip


def _points() -> None:
    st.markdown("**Points**")
    st.selectbox(
        "Points", [*POINTS, OWN], key="regions.data", on_change=_data_changed, label_visibility="collapsed"
    )
    if st.session_state["regions.data"] == OWN:
        st.file_uploader("CSV of x, y, class", type=["csv", "txt"], key="regions.file", on_change=_read_file)
        st.caption("They are moved and stretched to mean 0 and spread 1 on both axes.")
    else:
        st.slider("How many", COUNTS[0], COUNTS[-1], step=COUNTS.step, key="regions.count")
        st.slider("Noise", NOISES[0], NOISES[-1], step=0.01, key="regions.noise")
    if added := len(st.session_state["regions.points"]):
        st.button(f"Remove {added} own point{'s' * (added > 1)}", on_click=_set, args=("points", ()))


def _neurons_svg() -> str:
    with worker("regions").held() as experiment:
        return drawn(experiment)


def drawn(experiment: Experiment) -> str:
    """The neurons as SVG, as bright as they are at the training point that came last."""
    layers = experiment.layers_at(experiment.x[-1])
    names = [INPUTS, *[()] * (len(layers) - 2), experiment.labels]
    return neuron_drawing(experiment.weights, layers, names=names).to_svg()


def _set(name: str, value: Any) -> None:
    st.session_state[f"regions.{name}"] = value


def _take_preset(key: str) -> None:
    if (name := st.session_state[key]) is not None:
        for field, value in vars(_usual(PRESETS[name].settings)).items():
            if field != "random_state":
                _set(field, value)


def _data_changed() -> None:
    _set("noise", _own_noise(st.session_state["regions.data"]))
    _set("points", ())


def _take_point(event: dict[str, Any]) -> None:
    if event["kind"] == "point":
        point = (float(event["x"]), float(event["y"]), int(event["class"]))
        _set("points", (*st.session_state["regions.points"], point))


def _read_file() -> None:
    """The points of a file, brought to mean 0 and spread 1 so that the learning rates here fit."""
    file = st.session_state["regions.file"]
    if file is None:
        return
    try:
        x, y = data.read_points(file.getvalue().decode("utf-8", "replace"))
    except data.DataError as error:
        st.session_state["regions.refused"] = str(error)
        return
    x = (x - x.mean(axis=0)) / (x.std(axis=0) + 1e-12)
    _set("points", _together(x, y))


def _begin_study() -> None:
    begin("regions.study", overfitting())
