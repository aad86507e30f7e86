"""A lecture on the ReLU chain, ready to present: PowerPoint, PDF, and everything that the two decks beside this
script include.

    python examples/slides_lecture.py FOLDER

The lecture has the graph, the chain rule with its moving box, plugging in, every step forward and backward, and what
two chains share. One call makes a file; on the command line it is `gradviz export D1 -o lecture.pptx --step all`.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import gradviz as gv
from gradviz.draw.staging import staged

HERE = Path(__file__).parent


def main(folder: Path) -> None:
    """Write all files into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    demo = gv.demos.get("D1")
    stage = staged(demo.text, wrt=demo.wrt, title=demo.title)

    for name in ("lecture.pptx", "lecture.pdf"):
        gv.export(stage, folder / name, "all", lecture=True, lesson=demo.lesson)

    gv.export(stage, folder / "stepper.html", "all")
    gv.export(stage, folder / "steps.pdf", "all", aspect="16:9", derivation=True)  # page k shows step k
    gv.export(stage, folder / "steps.tex", "all")  # overlay k shows step k
    for name, step in {"graph.svg": 0, "forward.svg": 4, "backward.svg": 10}.items():
        gv.export(stage, folder / name, step, transparent=True)

    for deck in ("slides_reveal.html", "slides_beamer.tex"):
        if not (folder / deck).exists():
            shutil.copy(HERE / deck, folder)
    for path in sorted(folder.iterdir()):
        print(f"{path.name:20} {path.stat().st_size / 1000:8.1f} kB")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "slides"))
