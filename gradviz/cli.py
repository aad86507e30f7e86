"""`gradviz app | steps | export | check | judge | shapes | demos`: the same engine in a terminal. Bad input exits with code 2."""

from __future__ import annotations

import argparse
import io
import os
import re
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from gradviz import __version__, export_command
from gradviz.errors import GradvizError
from gradviz.explain.trace import Run, Step

BAD_INPUT, INTERRUPTED = 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # what the terminal's encoding lacks, such as ∂, becomes a ?
    arguments = _parser().parse_args(_shielded(sys.argv[1:] if argv is None else argv))
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except GradvizError as error:
        _report(error)
        return BAD_INPUT
    except KeyboardInterrupt:
        return INTERRUPTED


def _shielded(argv: Sequence[str]) -> list[str]:
    """A typed formula such as -x*y is no option: with a blank before it, it is read as what it is."""
    options = re.compile("-h|-o.*" if argv[:1] == ["export"] else "-h")
    return [f" {word}" if re.match("-[^-]", word) and not options.fullmatch(word) else word for word in argv]


def _bare(word: str) -> str:
    """The word as it was before `_shielded`."""
    return word.removeprefix(" ") if word.startswith(" -") else word


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="gradviz", description="See and step through computational graphs.")
    parser.add_argument("--version", action="version", version=f"gradviz {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    app = commands.add_parser("app", help="open the app in the browser")
    app.add_argument("--port", type=int, default=8501)
    app.add_argument("--headless", action="store_true", help="do not open a browser window")
    app.set_defaults(command=_app)

    steps = _with_program(commands.add_parser("steps", help="print every step of a program"))
    steps.add_argument("--wrt", help="differentiate with respect to these inputs only: w1,w2")
    steps.add_argument("--seed", metavar="VALUE", help="gradient put on the output, where that is no scalar")
    steps.set_defaults(command=_steps)

    export = _with_program(
        commands.add_parser("export", help="write pictures, slides and pages of a program")
    )
    export_command.add_arguments(export)
    export.set_defaults(command=lambda given: export_command.run(given, read_program, _values))

    check = _with_program(commands.add_parser("check", help="compare gradients with finite differences"))
    check.set_defaults(command=_check)

    judge = _with_program(commands.add_parser("judge", help="check a derivation: is this the gradient?"))
    judge.add_argument("answer", type=str.strip, help="a formula in the program's names, or numbers")
    judge.add_argument("--wrt", required=True, metavar="NAME", help="the input or node to differentiate by")
    judge.add_argument("--of", metavar="NAME", help="the node to differentiate, the output by default")
    judge.add_argument("--layout", choices=("denominator", "numerator"), default="denominator")
    judge.add_argument("--value", action="store_true", help="the value at the current inputs is asked for")
    judge.set_defaults(command=_judge)

    shapes = commands.add_parser("shapes", help="the shape of every node, without values")
    shapes.add_argument("program", type=_bare, help=_PROGRAM)
    shapes.add_argument("--shape", action="append", default=[], metavar="NAME=3,4", help="shape of an input")
    shapes.set_defaults(command=_shapes)

    commands.add_parser("demos", help="list the demos").set_defaults(command=_demos)
    return parser


_PROGRAM = "a text, a file (- is standard input) or a demo (assignments in a text may be separated by ' / ')"


def _with_program(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("program", type=_bare, help=_PROGRAM)
    parser.add_argument(
        "--set", action="append", default=[], metavar="NAME=VALUE", help="value of an input: w1=2"
    )
    parser.add_argument("--digits", type=int, default=4, choices=range(1, 13), metavar="N")
    return parser


# A slash before the next assignment; any other is a division.
_LINE_BREAK = re.compile(r" / (?=[^\W\d]\w* *=(?!=))")
_FILE_NAME = re.compile(r"[\w./\\~-]*\.[a-z]{2,}|(/|\./|~).*", re.DOTALL)


def read_program(given: str) -> tuple[str, tuple[str, ...] | None]:
    """The text meant by a command-line argument, and the inputs its demo differentiates."""
    from gradviz.demos import demos

    for demo in demos().values():
        if given and given in (demo.name, demo.row):
            return demo.text, demo.wrt
    try:
        with open(0 if given == "-" else given, encoding="utf-8-sig", closefd=given != "-") as file:
            return file.read(), None
    except UnicodeDecodeError:
        raise GradvizError(f"the file {given} is not a text in UTF-8") from None
    except (OSError, ValueError) as error:
        if _is_meant_as_file(given):
            reason = error.strerror if isinstance(error, OSError) else error
            raise GradvizError(f"cannot read the file {given}: {reason}") from None
    if re.fullmatch(r"D\d+", given):
        raise GradvizError(f"there is no demo {given}", hint="gradviz demos lists them")
    return (given if "\n" in given else _LINE_BREAK.sub("\n", given)), None


def _is_meant_as_file(given: str) -> bool:
    """Whether it looks like the name of a file, or is one; the name of a folder may be that of a variable too."""
    return bool(_FILE_NAME.fullmatch(given)) or (os.path.exists(given) and not os.path.isdir(given))


def _values(settings: Sequence[str]) -> dict[str, Any]:
    """`NAME=VALUE` pairs; a value is any declared value of the language: 2, 1/3, [1, 2], randn(3)."""
    from gradviz.engine.parse import declared_value

    found: dict[str, Any] = {}
    for setting in settings:
        name, equals, text = (part.strip() for part in setting.partition("="))
        if not equals:
            raise GradvizError(f"--set {setting}", expected="NAME=VALUE")
        value = declared_value(text, name)
        if value is None:
            raise GradvizError(f"--set {setting}: the value must be a number, a list or a call like randn(3)")
        found[name] = value
    return found


def _app(arguments: argparse.Namespace) -> int:
    from streamlit.web import cli

    script = Path(__file__).with_name("launch.py")
    sys.argv = [
        "streamlit", "run", str(script),
        "--runner.postScriptGC=false",
        "--browser.gatherUsageStats=false",
        "--server.showEmailPrompt=false",
        "--client.toolbarMode=minimal",
        f"--server.port={arguments.port}",
        f"--server.headless={str(arguments.headless).lower()}",
    ]  # fmt: skip
    return int(cli.main() or 0)


def _console(*, error: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=error, highlight=False, soft_wrap=True)


def _report(error: GradvizError) -> None:
    from rich.text import Text

    _console(error=True).print(Text.assemble(("error: ", "bold red"), str(error)))


def _steps(arguments: argparse.Namespace) -> int:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from gradviz.explain import numbers
    from gradviz.explain.notation import Notation
    from gradviz.explain.trace import explore

    text, wrt = read_program(arguments.program)
    if arguments.wrt is not None:
        wrt = tuple(name.strip() for name in arguments.wrt.split(",") if name.strip())
    seed = None if arguments.seed is None else _values([f"seed={arguments.seed}"])["seed"]
    run = explore(text, _values(arguments.set), wrt=wrt, seed=seed)
    notation = Notation(run.graph, arguments.digits)
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("step", "", "node", "local", "upstream", "contribution", "result"):
        # In a narrow terminal a number goes on in the next line rather than losing digits.
        table.add_column(heading, justify="left" if heading in ("", "node") else "right", overflow="fold")
    colours = {"forward": "green", "seed": "yellow", "backward": "red"}
    for step in run.steps:
        cells = [_cell(value, arguments.digits) for value in (step.local, step.upstream, step.contribution)]
        result = numbers.lines(step.after, arguments.digits)
        label = Text(step.kind, style=colours[step.kind])
        table.add_row(
            str(step.index + 1), label, _what(run, step, notation), *cells, Text(result, style="bold")
        )
    console = _console()
    console.print(table)
    for name, gradient in run.grads.items():
        first, *rows = numbers.lines(gradient, arguments.digits).split("\n")
        words = f"gradient of {name}: "
        console.print(Text("\n".join([words + first, *(" " * len(words) + row for row in rows)])))
    for id in run.nonfinite:
        name = notation.text(run.graph.position(id))
        console.print(Text(f"{name} is where the first value that is not finite arises", style="bold red"))
    for id, convention in run.kinks.items():
        name = notation.text(run.graph.position(id))
        console.print(Text(f"{name} is exactly at a kink. {convention}", style="yellow"))
    return 0


def _cell(value: Any, digits: int) -> str:
    from gradviz.explain import numbers
    from gradviz.explain.jacobian import Jacobian

    if value is None:
        return ""
    if isinstance(value, Jacobian):
        return f"{value.shape[0]} × {value.shape[1]} Jacobian"
    return numbers.brief(value, digits)


def _what(run: Run, step: Step, notation: Any) -> str:
    here = notation.text(run.graph.position(step.node))
    output = notation.text(run.graph.output)
    if step.kind == "forward":
        return str(here)
    via = f"  via {notation.text(run.graph.position(step.edge.consumer))}" if step.edge else ""
    return f"∂{output}/∂{here}{via}"


def _check(arguments: argparse.Namespace) -> int:
    from rich.text import Text

    from gradviz.explain.check import check_gradients

    text, _ = read_program(arguments.program)
    verdict = check_gradients(text, _values(arguments.set))
    colours = {"pass": "green", "unclear": "yellow", "kink": "yellow", "fail": "bold red"}
    if verdict.summed:
        _console().print(Text(verdict.summed))
    for check in verdict.inputs:
        _console().print(Text(str(check), style=colours[check.status]))
    return 0 if verdict.ok else 1


def _judge(arguments: argparse.Namespace) -> int:
    from rich.text import Text

    from gradviz.explain.judge import judge

    text, _ = read_program(arguments.program)
    verdict = judge(
        text,
        arguments.wrt,
        arguments.answer,
        _values(arguments.set),
        layout=arguments.layout,
        of=arguments.of,
        asked="value" if arguments.value else "formula",
    )
    if verdict.error is not None and not verdict.is_readable:
        raise verdict.error
    _console().print(Text(str(verdict), style="green" if verdict.ok else "yellow"))
    return 0 if verdict.ok else 1


def _shapes(arguments: argparse.Namespace) -> int:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from gradviz.explain.check import check_shapes

    text, wrt = read_program(arguments.program)
    ledger = check_shapes(text, dict(_shape(setting) for setting in arguments.shape))
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("node", "operation", "arguments", "shape"):
        table.add_column(heading)
    for row in ledger.rows:
        arguments_text = ", ".join(f"{name} {shape}" for name, shape in row.arguments)
        table.add_row(row.node, row.operation, arguments_text.replace("[", "\\["), str(row.shape))
    console = _console()
    console.print(table)
    output = ledger.graph.nodes[ledger.graph.output].id
    for name in wrt or ledger.graph.inputs:
        console.print(Text(f"∂{output}/∂{name}: {ledger.chains[name]}"))
    return 0


def _shape(setting: str) -> tuple[str, tuple[int, ...]]:
    name, equals, sizes = setting.partition("=")
    parts = [part.strip() for part in sizes.strip("() ").split(",") if part.strip()]
    if not equals or not all(part.isdecimal() and len(part) < 10 for part in parts):
        raise GradvizError(f"--shape {setting}", expected="NAME=3,4 with whole numbers")
    return name.strip(), tuple(map(int, parts))


def _demos(_arguments: argparse.Namespace) -> int:
    from rich.table import Table
    from rich.text import Text

    from gradviz.demos import demos

    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for column in ("row", "name"):
        table.add_column(column, no_wrap=True, overflow="ignore")  # what is typed is never cut
    table.add_column("what")
    group = ""
    for demo in demos().values():
        if demo.group != group:
            group = demo.group
            table.add_row("", "", Text(f"\n{group}", style="bold"))
        table.add_row(demo.row, demo.name, Text.assemble(demo.title, (f"\n{demo.lesson}", "dim")))
    from rich.console import Console

    Console(highlight=False).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
