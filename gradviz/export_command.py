"""`gradviz export`: from a text, a file or a demo to pictures, slides and pages."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gradviz.errors import GradvizError

NOT_WRITTEN, BAD_INPUT = 1, 2
_POLL = 0.3  # seconds between two looks at a watched file
_PATIENCE = 0.5  # seconds until a progress bar appears

Read = Callable[[str], tuple[str, tuple[str, ...] | None]]
Values = Callable[[Any], dict[str, Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the command, named as in `gradviz.draw.export.Options`."""
    add = parser.add_argument
    add(
        "-o", "--output", action="append", type=str.strip, required=True, metavar="OUT",
        help="file to write; may be repeated",
    )  # fmt: skip
    add(
        "--step", default="last",
        help="a number of steps done, a range 3-7, all, or last (default); all begins with the empty graph, step 0, in "
        "SVG, PNG, DOT, GIF and HTML, and with step 1 in PDF, PPTX, TeX, Markdown and JSON: there page k shows step k",
    )  # fmt: skip
    add("--wrt", help="differentiate with respect to these inputs only: w1,w2")
    add("--seed", metavar="VALUE", help="gradient put on an output that is no scalar: ones(3), [0, 1, 0]")
    add("--open", metavar="A,B", help="show these fused operations as their gates")
    add("--fold", metavar="A,B", help="show these lines of the program as one box each")
    add("--theme", choices=["light", "dark", "print"])
    add("--aspect", choices=["16:9", "4:3"])
    for name in ("width", "height"):
        add(f"--{name}", type=float, metavar="PX")
    add("--font-scale", type=float, metavar="F", help="larger or smaller letters in the graph")
    add("--scale", type=float, metavar="F", help="pixels per px of PNG (2) and GIF (1)")
    add("--seconds", type=float, metavar="S", help="how long a GIF shows each step (1.5)")
    add("--only", dest="passes", choices=["forward", "backward"], help="one pass only")
    add("--title", help="the title on the page; without it the demo's")
    add("--no-title", dest="title", action="store_false", default=None)
    add("--derivation", action=argparse.BooleanOptionalAction, help="the step's formulas under the graph")
    add("--no-values", dest="values", action="store_false", default=None)
    add("--no-gradients", dest="gradients", action="store_false", default=None)
    add("--transparent", action="store_true", default=None)
    add("--nodes", metavar="A,B", help="only these nodes, and the steps that concern them")
    add(
        "--lecture", action=argparse.BooleanOptionalAction,
        help="title, chain rule and re-use around the steps; usual for --step all to .pptx",
    )  # fmt: skip
    add("--watch", action="store_true", help="write again whenever the program's file changes")


def run(arguments: argparse.Namespace, read: Read, values: Values) -> int:
    """Write every file asked for; with --watch again and again. 0: written, 1: a file could not be."""
    if not arguments.watch:
        return _write(arguments, read, values)
    source = Path(arguments.program)
    if not source.is_file():
        raise GradvizError(
            "--watch needs a file to watch", hint="gradviz export program.txt -o graph.svg --watch"
        )
    seen = 0
    code = 0
    try:
        while True:
            if (changed := _changed(source)) not in (0, seen):
                seen = changed
                code = _again(arguments, read, values)
            time.sleep(_POLL)
    except KeyboardInterrupt:
        return code


def _changed(source: Path) -> int:
    """When the file was last written; 0 in the moment in which an editor replaces it."""
    try:
        return source.stat().st_mtime_ns
    except OSError:
        return 0


def _again(arguments: argparse.Namespace, read: Read, values: Values) -> int:
    try:
        return _write(arguments, read, values)
    except GradvizError as error:  # a program half typed: the next version may work
        _say(f"error: {error}", "bold red")
        return BAD_INPUT


def _write(arguments: argparse.Namespace, read: Read, values: Values) -> int:
    from gradviz.draw.export import Options, export, formats, unseen
    from gradviz.draw.staging import staged

    text, wrt = read(arguments.program)
    if arguments.wrt is not None:
        wrt = _listed(arguments.wrt)
    options = _options(arguments)
    for output in arguments.output:
        if Path(output).suffix.lower() not in formats():
            raise GradvizError(f"no format writes {output}", expected=", ".join(formats()))
    title, lesson = _about(arguments.program)
    folded = _listed(arguments.fold)
    seed = None if arguments.seed is None else values([f"seed={arguments.seed}"])["seed"]
    stage = staged(
        text,
        values(arguments.set),
        wrt=wrt,
        seed=seed,
        opened=_listed(arguments.open),
        folded=folded,
        digits=arguments.digits,
        title=title,
        font_scale=Options(**options).font_scale,
    )
    for line in folded:
        stage.run.graph.position(line)  # raises for a name that the program does not have
    code = 0
    for output in arguments.output:
        lecture = arguments.lecture
        if lecture is None:
            lecture = arguments.step == "all" and Path(output).suffix.lower() == ".pptx"
        try:
            with _Progress(output) as progress:
                files = export(
                    stage, output, arguments.step, report=progress, lecture=lecture, lesson=lesson, **options
                )
        except OSError as error:
            _say(f"cannot write {output}: {error.strerror}", "bold red")
            code = NOT_WRITTEN
            continue
        _say(f"{files[0]}" if len(files) == 1 else f"{files[0]} … {files[-1].name} ({len(files)} files)")
        if note := unseen(stage, output, lecture=lecture, **options):
            _say(note, "yellow")
    return code


_NAMES = (
    "theme", "aspect", "width", "height", "font_scale", "scale", "seconds", "passes", "title", "derivation", "values",
    "gradients", "transparent", "digits",
)  # fmt: skip


def _options(arguments: argparse.Namespace) -> dict[str, Any]:
    """The options that were given."""
    given = {name: getattr(arguments, name) for name in _NAMES if getattr(arguments, name) is not None}
    if arguments.nodes:
        given["nodes"] = _listed(arguments.nodes)
    return given


def _listed(names: str | None) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in (names or "").split(",") if name.strip())


def _about(program: str) -> tuple[str, str]:
    """Title and lesson of a demo."""
    from gradviz.demos import demos

    found = next((demo for demo in demos().values() if program and program in (demo.name, demo.row)), None)
    return (found.title, found.lesson) if found else ("", "")


def _say(text: str, style: str = "") -> None:
    from rich.console import Console
    from rich.text import Text

    Console(stderr=True, highlight=False, soft_wrap=True).print(Text(text, style=style))


class _Progress:
    """A progress bar for what takes longer than half a second."""

    def __init__(self, output: str) -> None:
        self.output = output
        self.start = time.monotonic()
        self.bar: Any = None
        self.task: Any = None

    def __call__(self, done: int, total: int) -> None:
        if self.bar is None and time.monotonic() - self.start > _PATIENCE and done < total:
            from rich.console import Console
            from rich.progress import Progress

            self.bar = Progress(console=Console(stderr=True), transient=True)
            self.bar.start()
            self.task = self.bar.add_task(Path(self.output).name, total=total)
        if self.bar is not None:
            self.bar.update(self.task, completed=done, total=total)

    def __enter__(self) -> _Progress:
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
