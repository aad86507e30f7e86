"""Denoising: a small DnCNN learns to find the noise in photos, and shows it on one it has never seen, or on yours."""

from __future__ import annotations

import streamlit as st

from gradviz import data
from gradviz.app import study
from gradviz.app.settings import settings
from gradviz.app.style import verbatim
from gradviz.app.train_page import frame, worker_of
from gradviz.demos.live.denoising import COLOUR, Experiment, Settings, photo, source_of
from gradviz.demos.live.denoising_panels import VIEWS, whole_image_panels

TITLE = "Denoising"
SECTION = "Train"
ORDER = 14

RATES = (0.0003, 0.001, 0.003, 0.01, 0.03)
BATCHES = (4, 8, 16, 32)
DEPTHS = (2, 3, 5, 8)
CHANNELS = (4, 8, 16, 32)
SIGMAS = tuple(float(sigma) for sigma in range(5, 61, 5))
SIDES = range(16, 65, 8)
_WHOLE = "denoising.whole"
_CHOICES = {
    "sigma": SIGMAS, "photo": (*data.photos(), *COLOUR), "depth": DEPTHS, "channels": CHANNELS,
    "learning_rate": RATES, "batch_size": BATCHES, "patch": SIDES, "view": VIEWS,
}  # fmt: skip


def show() -> None:
    """Draw the page."""
    chosen = settings("denoising", Settings(), _CHOICES)
    with st.sidebar:
        _rail()
    if refused := st.session_state.pop("denoising.refused", ""):
        st.error(verbatim(refused), icon="⚠")
    with st.container(key="train-views"):
        st.segmented_control(
            "Show", VIEWS, key="denoising.view", format_func=str.capitalize, label_visibility="collapsed",
            required=True,
        )  # fmt: skip
    study.study(_WHOLE, "pieces denoised", lambda pieces: whole_image_panels(pieces[-1]))
    frame("denoising", _make, chosen, title=TITLE, usual=Settings())


def _make(settings: Settings) -> Experiment:
    """The experiment, showing the person's own picture if there is one."""
    experiment = Experiment(settings)
    if (own := st.session_state.get("denoising.own")) is not None:
        experiment.show(own)
    return experiment


def _rail() -> None:
    st.markdown("**Noise and picture**")
    st.slider("σ of the noise, of 255", SIGMAS[0], SIGMAS[-1], step=5.0, key="denoising.sigma")
    st.selectbox(
        "Photo",
        _CHOICES["photo"],
        key="denoising.photo",
        format_func=_photo_title,
        on_change=_drop_own,
    )
    st.file_uploader(
        "Or your own picture", type=["png", "jpg", "jpeg", "webp", "bmp", "tif", "tiff"],
        key="denoising.file", on_change=_read_file,
    )  # fmt: skip
    if "denoising.own" in st.session_state:
        st.button("Show the photo again", on_click=_show_photo)
    st.button("Denoise the whole picture", on_click=_denoise, help="With the network as it is now")
    st.markdown("**Network** (DnCNN)")
    st.select_slider("Convolutions", DEPTHS, key="denoising.depth")
    st.select_slider("Channels", CHANNELS, key="denoising.channels")
    st.markdown("**Learning**")
    st.select_slider("Learning rate α", RATES, key="denoising.learning_rate")
    st.select_slider("Patches in a batch", BATCHES, key="denoising.batch_size")
    st.slider("Side of a patch, pixels", SIDES[0], SIDES[-1], step=SIDES.step, key="denoising.patch")


def _photo_title(name: str) -> str:
    return f"{name}: {source_of(name)}"


def _read_file() -> None:
    file = st.session_state["denoising.file"]
    if file is None:
        _show_photo()
        return
    try:
        own = st.session_state["denoising.own"] = data.read_image(file.getvalue())
    except data.DataError as error:
        st.session_state["denoising.refused"] = str(error)
        return
    study.end(_WHOLE)  # that of another picture
    if worker := worker_of("denoising"):
        with worker.held() as experiment:
            experiment.show(own)


def _show_photo() -> None:
    _drop_own()
    name = st.session_state["denoising.photo"]
    if worker := worker_of("denoising"):
        with worker.held() as experiment:
            experiment.show(photo(name), source_of(name))


def _drop_own() -> None:
    study.end(_WHOLE)  # that of another picture
    st.session_state.pop("denoising.own", None)


def _denoise() -> None:
    if worker := worker_of("denoising"):
        with worker.held() as experiment:
            study.begin(_WHOLE, experiment.piece_by_piece())
