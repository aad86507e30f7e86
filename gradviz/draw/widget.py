"""The stepper as a notebook widget: the same view as in the app, with its step and selection readable from Python."""

from __future__ import annotations

from typing import Any

import anywidget
import traitlets

from gradviz.draw import web
from gradviz.draw.notebook import still
from gradviz.draw.stage import Stage
from gradviz.draw.story import payload

_RENDER = """
export default {
  render({ model, el }) {
    const root = document.createElement("div");
    root.className = "gradviz-root";
    root.style.setProperty("--gv-height", `${model.get("height")}px`);
    // Keys pressed in the view are meant for it, not for the notebook around it.
    root.dataset.lmSuppressShortcuts = "true";
    root.addEventListener("keydown", (event) => event.stopPropagation());
    el.append(root);
    const tell = (entries) => {
      for (const [name, value] of Object.entries(entries)) model.set(name, value);
      model.save_changes();
    };
    const options = {
      keys: "inside",
      onStep: (k) => tell({ k }),
      onSelect: (selected) => tell({ selection: selected ? [selected.kind, selected.id] : [] }),
    };
    if (model.get("theme")) options.theme = model.get("theme");
    const view = gradviz.mount(root, { ...model.get("story"), k: model.get("k") }, options);
    const follow = () => view.setStep(model.get("k"));
    model.on("change:k", follow);
    return () => { model.off("change:k", follow); view.destroy(); };
  },
};
"""


class Stepper(anywidget.AnyWidget):
    """The stepper of a stage. Setting `k` moves it; `node` is the node last clicked, empty for none."""

    _esm = f"{web.script()}\n{_RENDER}"
    _css = web.style()

    k = traitlets.Int(0, help="steps done").tag(sync=True)
    selection = traitlets.List(traitlets.Unicode(), help="kind and id of what is selected").tag(sync=True)
    story = traitlets.Dict().tag(sync=True)
    height = traitlets.Int(560).tag(sync=True)
    theme = traitlets.Unicode("").tag(sync=True)

    def __init__(self, stage: Stage, *, k: int = 0, height: int = 560, theme: str | None = None) -> None:
        super().__init__(story=_fixed(payload(stage)), height=height, theme=theme or "", k=k)
        self.stage, self.run = stage, stage.run

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        """The widget, and a picture for where none can live: converted or stored without the state of its widgets."""
        shown: Any = super()._repr_mimebundle_(**kwargs)
        data, about = shown
        return {**data, "text/html": still(self.stage, self.k, self.theme or "light")}, about

    @traitlets.validate("k")
    def _within(self, proposal: dict[str, Any]) -> int:
        return min(max(int(proposal["value"]), 0), len(self.story["steps"]))

    @property
    def node(self) -> str:
        """Id of the selected node, of an edge's consumer, or empty."""
        kind, id = self.selection or ("", "")
        return id.rpartition(":")[0] if kind == "edge" else id

    @property
    def step(self) -> Any:
        """The step just done; None at the start."""
        return self.run.steps[self.k - 1] if self.k else None


def _fixed(story: dict[str, Any]) -> dict[str, Any]:
    """A story in which nothing opens or folds: that draws the graph anew."""
    for node in story["nodes"].values():
        node["openable"] = node["foldable"] = False
    for box in story["scene"]["boxes"]:
        box["fused"] = box["group"] = False
    return story
