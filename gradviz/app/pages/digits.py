"""Digits: what a linear classifier, an MLP and a CNN learn from handwritten digits, shown while they learn it."""

from __future__ import annotations

import streamlit as st

from gradviz.app import study
from gradviz.app.settings import settings
from gradviz.app.train_page import frame, worker
from gradviz.demos.live import permutation
from gradviz.demos.live.digits import Experiment, Settings
from gradviz.demos.live.digits_neurons import neurons
from gradviz.demos.live.digits_panels import VIEWS
from gradviz.demos.live.framing import train_and_evaluate
from gradviz.draw.neurons import neuron_drawing

TITLE = "Digits"
SECTION = "Train"
ORDER = 12

MODELS = {
    "linear": "Linear: f(x) = Wx + b",
    "mlp": "MLP: one hidden layer",
    "cnn": "CNN: two convolutions",
}
WIDTHS = (10, 25, 50, 100, 200, 400)
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1)
BATCHES = (16, 32, 64, 128, 256)
_STUDY = "digits.study"
_CHOICES = {
    "model": MODELS, "hidden": WIDTHS, "learning_rate": RATES, "batch_size": BATCHES, "augmented": (False, True),
    "shuffled": (False, True), "view": VIEWS,
}  # fmt: skip


def show() -> None:
    """Draw the page."""
    chosen = settings("digits", Settings(), _CHOICES)
    with st.sidebar:
        _rail(chosen)
    study.study(_STUDY, "epochs trained", lambda results: [permutation.study_panel(results)])
    with st.container(key="train-views"):
        st.segmented_control(
            "Show", VIEWS, key="digits.view", format_func=str.capitalize, label_visibility="collapsed",
            required=True,
        )  # fmt: skip
    frame("digits", Experiment, chosen, title=TITLE, usual=Settings())


def _rail(chosen: Settings) -> None:
    st.markdown("**Network**")
    st.selectbox(
        "Network", list(MODELS), key="digits.model", format_func=MODELS.__getitem__,
        label_visibility="collapsed",
    )  # fmt: skip
    if st.session_state["digits.model"] == "mlp":
        st.select_slider("Hidden units", WIDTHS, key="digits.hidden")
    st.markdown("**Learning**")
    st.select_slider("Learning rate α", RATES, key="digits.learning_rate")
    st.select_slider("Batch size", BATCHES, key="digits.batch_size")
    st.toggle("Move digits by up to one pixel", key="digits.augmented")
    st.markdown("**Neighbourhoods**")
    st.toggle("Shuffle the pixels", key="digits.shuffled", help="The same fixed permutation for every image")
    st.button(
        "MLP and CNN, plain and shuffled", key="digits.compare", on_click=_compare,
        help="Trains all four for a few epochs",
    )  # fmt: skip
    with st.expander("Train and evaluate, as code"):
        st.code(train_and_evaluate(chosen), language="python", wrap_lines=True)
        st.caption("Most writers of the held-out digits also wrote training digits: others are harder.")
    if st.session_state["digits.view"] == "neurons" and st.session_state["digits.model"] != "cnn":
        st.download_button(
            "Neurons as SVG", _neurons_svg, "neurons.svg", "image/svg+xml", on_click="ignore", help="As they are now"
        )  # fmt: skip


def _neurons_svg() -> str:
    with worker("digits").held() as experiment:
        return drawn(experiment)


def drawn(experiment: Experiment) -> str:
    """The neurons of the chosen digit as SVG."""
    found = neurons(experiment)
    activations = [layer["values"] for layer in found.layers]
    names = [layer.get("names", ()) for layer in found.layers]
    return neuron_drawing(found.weights, activations, names=names).to_svg()


def _compare() -> None:
    study.begin(_STUDY, permutation.study())
