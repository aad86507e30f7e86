"""Inpainting: a network of two matrices completes digits, one stage of the training loop at a time or at full speed."""

from __future__ import annotations

import streamlit as st

from gradviz.app.settings import settings
from gradviz.app.train_page import frame
from gradviz.demos.live.holes import HOLES
from gradviz.demos.live.inpainting import OPTIMIZERS, Experiment, Settings
from gradviz.demos.live.inpainting_panels import LOSSES, VIEWS
from gradviz.demos.live.update import TITLES

TITLE = "Inpainting"
SECTION = "Train"
ORDER = 13

WIDTHS = (16, 64, 128, 256, 512)
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03)
BATCHES = (1, 8, 16, 64, 128)
USUAL_RATES = {"adam": 0.001, "sgd": 0.01}
SIDES = (2, 16)
_CHOICES = {
    "hole": HOLES, "side": range(SIDES[0], SIDES[1] + 1), "hidden": WIDTHS, "loss": LOSSES, "optimizer": OPTIMIZERS,
    "learning_rate": RATES, "batch_size": BATCHES, "view": VIEWS,
}  # fmt: skip


def show() -> None:
    """Draw the page."""
    chosen = settings("inpainting", Settings(), _CHOICES)
    with st.sidebar:
        _rail()
    with st.container(key="train-views"):
        st.segmented_control(
            "Show", VIEWS, key="inpainting.view", format_func=str.capitalize, label_visibility="collapsed",
            required=True,
        )  # fmt: skip
    frame("inpainting", Experiment, chosen, title=TITLE, usual=Settings())


def _rail() -> None:
    st.markdown("**What is missing**")
    st.selectbox(
        "What is missing", HOLES, key="inpainting.hole", format_func=str.capitalize,
        label_visibility="collapsed",
    )  # fmt: skip
    if st.session_state["inpainting.hole"] == HOLES[0]:
        st.slider("Side of the square, pixels", *SIDES, key="inpainting.side")
    st.markdown("**Network**  ŷ = W₂ · max(0, W₁ · x)")
    st.select_slider("Hidden units", WIDTHS, key="inpainting.hidden")
    st.selectbox("Loss L", list(LOSSES), key="inpainting.loss", format_func=LOSSES.__getitem__)
    st.markdown("**Learning**")
    st.selectbox(
        "Optimiser", list(OPTIMIZERS), key="inpainting.optimizer", format_func=TITLES.__getitem__, on_change=_usual_rate
    )  # fmt: skip
    st.select_slider("Learning rate α", RATES, key="inpainting.learning_rate")
    st.select_slider("Batch size", BATCHES, key="inpainting.batch_size")


def _usual_rate() -> None:
    """What is small for one optimiser is large for the other."""
    st.session_state["inpainting.learning_rate"] = USUAL_RATES[st.session_state["inpainting.optimizer"]]
