"""The live view as a Streamlit component: a picture of plain arrays is packed small and drawn on canvases.

What a picture may hold is told in `pack`; the browser side only draws.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np
import streamlit as st

from gradviz.app.components.mounted import mounted
from gradviz.draw import web
from gradviz.draw.plots.pen import limits

UNITS = 12  # of a layer that are drawn
POINTS = 360  # of a line that are sent: more than a panel has room for
Json = dict[str, Any]
Panels = dict[str, str]  # kind and id of each panel of a picture, and the panel as JSON

_CONNECT = """
function connect(view, data, setTriggerValue) {
  view.hooks.onEvents = (events) => setTriggerValue('events', events);
}
"""


@cache
def _component() -> Callable[..., Any]:
    here = files(__package__)
    style = here.joinpath("live.css").read_text(encoding="utf-8")
    return mounted("live", web.join("live", here, here / "panels"), style, _CONNECT)


def live(
    panels: Panels,
    status: Json | None = None,
    alert: str = "",
    version: int = 0,
    stream: str = "",
    *,
    key: str,
    on_event: Callable[[Json], None] = lambda event: None,
) -> None:
    """Show packed panels under a heading {"title", "state", "words"}; `on_event` gets what a person does in it.

    With a `stream` the browser goes on with the messages of `gradviz.app.stream`, whose `version` grows, until an
    event {"kind": "ended"}, or "unreached" if none come. It repeats its events until it hears that they arrived, so
    none is lost however fast they come.
    """
    heard = f"{key} heard"
    st.session_state.setdefault(heard, 0)

    def take() -> None:
        shown = st.session_state.get(key)  # an event may come late, when another page is there
        for event in (shown and shown.events) or []:
            if event["number"] > st.session_state[heard]:
                st.session_state[heard] = event["number"]
                on_event(_unpacked(event))

    head = {"title": "", **(status or {}), "alert": alert, "version": version}
    head |= {"stream": stream, "heard": st.session_state[heard]}
    _component()(key=key, data=message(panels, head).encode(), on_events_change=take)


def message(panels: Panels, head: Json, known: Panels | None = None) -> str:
    """What the browser gets: a line of JSON, the head and whether each panel is new, then a line for each that is.

    `known` are the panels of the message before, where the browser is sure to have got it.
    """
    known = known or {}
    fresh = {name: known.get(name) != text for name, text in panels.items()}
    lines = [panels[name] for name, new in fresh.items() if new]
    return "\n".join([json.dumps({**head, "panels": fresh}), *lines])


def _unpacked(event: Json) -> Json:
    """An event as pages read it: a drawing as an array."""
    if event["kind"] == "drawing":
        pixels = np.frombuffer(base64.b64decode(event["pixels"]), np.uint8)
        side = math.isqrt(pixels.size)
        return {**event, "pixels": pixels.reshape(side, side).astype(np.float32) / 255}
    return dict(event)


def pack(panels: Iterable[Mapping[str, Any]]) -> Panels:
    """The panels as the browser reads them: lines thinned, images as bytes, no number that JSON does not know."""
    counts: dict[str, int] = {}
    packed: Panels = {}
    for panel in panels:
        kind = panel["kind"]
        counts[kind] = counts.get(kind, 0) + 1
        special = _PACKERS.get(kind, _same)(dict(panel))
        named = {"id": f"{kind}{counts[kind]}", "width": 4, "rows": 4, **_plain(special)}
        packed[f"{kind} {named['id']}"] = json.dumps(named, allow_nan=False)
    return packed


def _same(panel: Json) -> Json:
    return panel


def _plain(value: Any) -> Any:
    """Arrays as lists, numbers as Python's, and those that are not finite as None."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, np.ndarray):
        return (
            _rounded(value)
            if value.dtype.kind == "f" and np.isfinite(value).all()
            else _plain(value.tolist())
        )
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return (float(f"{value:.6g}") if value else 0.0) if math.isfinite(value) else None
    return value


def _rounded(values: np.ndarray[Any, Any]) -> Any:
    """As lists, to six digits of the largest: numbers to be drawn."""
    largest = float(np.max(np.abs(values), initial=0.0))
    digits = 5 - math.floor(math.log10(largest)) if largest else 0
    return np.round(values.astype(np.float64), digits).tolist()


def _lines(panel: Json) -> Json:
    return {**panel, "series": [_thinned(series) for series in panel["series"]]}


def _thinned(series: Json) -> Json:
    """At most POINTS points of a series: of each stretch its lowest and its highest."""
    y = np.asarray(series["y"], dtype=np.float32)
    x = np.arange(y.size) if series.get("x") is None else np.asarray(series["x"])
    last = float(y[-1]) if y.size else None
    if y.size > POINTS:
        stretch = -(-2 * y.size // POINTS)
        starts = np.arange(0, y.size, stretch)
        padded = np.full(starts.size * stretch, np.nan, dtype=np.float32)
        padded[: y.size] = y
        rows = padded.reshape(starts.size, stretch)
        low, high = np.nan_to_num(rows, nan=np.inf).argmin(1), np.nan_to_num(rows, nan=-np.inf).argmax(1)
        kept = np.concatenate([[0], starts + low, starts + high, [y.size - 1]])
        chosen = np.unique(np.minimum(kept, y.size - 1))
        x, y = x[chosen], y[chosen]
    return {**series, "x": _floats(x), "y": _floats(y), "last": last}


def _floats(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode("ascii")


def _bytes(values: np.ndarray[Any, Any], low: float, high: float) -> str:
    """Numbers as bytes: 0 for `low`, 255 for `high`."""
    scale = np.float32(255 / (high - low) if high > low else 0)
    with np.errstate(all="ignore"):  # a network that diverged has a picture too
        share = (np.asarray(values, dtype=np.float32) - np.float32(low)) * scale
    share = np.nan_to_num(share, nan=127.5, posinf=255.0, neginf=0.0)
    return base64.b64encode(np.clip(share + 0.5, 0, 255).astype(np.uint8).tobytes()).decode("ascii")


def _stack(images: np.ndarray[Any, Any], low: float, high: float) -> Json:
    n, height, width = images.shape[:3]
    return {"n": n, "h": height, "w": width, "rgb": images.ndim == 4, "data": _bytes(images, low, high)}


def _images(panel: Json) -> Json:
    images, palette = panel["images"], panel.get("palette", "grey")
    stacks = [images] if isinstance(images, np.ndarray) else [np.asarray(image)[None] for image in images]
    if panel.get("each"):
        singles = [image[None] for stack in stacks for image in stack]
        ranges = [limits([image], palette) for image in singles]
        packed = [_stack(image, *span) for image, span in zip(singles, ranges, strict=True)]
        low, high = min((r[0] for r in ranges), default=0.0), max((r[1] for r in ranges), default=1.0)
    else:
        low, high = panel.get("range") or limits(stacks, palette)
        packed = [_stack(stack, low, high) for stack in stacks]
    return {**_without(panel, "images"), "stacks": packed, "low": low, "high": high}


def _without(panel: Json, *names: str) -> Json:
    return {name: value for name, value in panel.items() if name not in names}


def _regions(panel: Json) -> Json:
    """The field of two classes is sent as the root of its distance from a tie, finest where the boundary runs."""
    field = np.asarray(panel["field"], dtype=np.float32)
    if field.ndim == 2:
        away = 2 * field - 1
        packed = _stack((np.sign(away) * np.sqrt(np.abs(away)))[None], -1.0, 1.0)
    else:
        packed = _stack(field, 0.0, 1.0)
    return {**panel, "field": packed}


def _network(panel: Json) -> Json:
    """Of a layer with many units only those that are drawn are sent: its first and its last."""
    layers, shown = [], []
    for layer in panel["layers"]:
        numbers = np.asarray(layer["maps"] if "maps" in layer else layer["values"], dtype=np.float32)
        count = len(numbers)
        units = np.arange(count) if count <= UNITS else np.r_[: UNITS // 2, count - UNITS // 2 + 1 : count]
        shown.append(units)
        signed = bool((numbers < 0).any())
        palette = layer.get("palette") or panel.get("palette") or ("signed" if signed else "heat")
        low, high = limits([numbers, np.zeros(1)], palette)
        maps = numbers[units] if numbers.ndim == 3 else numbers[units, None, None]
        layers.append(
            {
                **_without(layer, "maps", "values"),
                "palette": palette,
                "low": low,
                "high": high,
                "count": count,
            }
            | {"shown": units, "units": _stack(maps, low, high)}
            | {"numbers": numbers[units] if numbers.ndim == 1 else None}
        )
    weights = [
        np.asarray(w)[np.ix_(to, of)] for w, of, to in zip(panel["weights"], shown, shown[1:], strict=False)
    ]
    return {**panel, "layers": layers, "weights": weights}


def _histogram(panel: Json) -> Json:
    if "edges" in panel:
        return panel
    values = [np.asarray(series["values"], dtype=np.float64).ravel() for series in panel["series"]]
    values = [part[np.isfinite(part)] for part in values]
    together = np.concatenate(values) if values else np.zeros(0)
    edges = np.histogram_bin_edges(together, panel.get("bins", 30))
    series = [
        {**_without(series, "values"), "counts": np.histogram(part, edges)[0]}
        for series, part in zip(panel["series"], values, strict=True)
    ]
    return {**panel, "series": series, "edges": edges}


def _matrix(panel: Json) -> Json:
    values, palette = np.asarray(panel["values"]), panel.get("palette", "grey")
    low, high = panel.get("range") or limits([values], palette)
    cells = _stack(values[None], low, high)
    return {**panel, "values": _floats(values), "cells": cells, "low": low, "high": high}


def _pad(panel: Json) -> Json:
    pixels = panel.get("pixels")
    return panel if pixels is None else {**panel, "pixels": _bytes(np.asarray(pixels), 0.0, 1.0)}


_PACKERS: dict[str, Callable[[Json], Json]] = {
    "lines": _lines,
    "images": _images,
    "regions": _regions,
    "network": _network,
    "histogram": _histogram,
    "matrix": _matrix,
    "pad": _pad,
}
