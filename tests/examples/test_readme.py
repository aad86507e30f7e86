"""What README says to type does what it says."""

from __future__ import annotations

import itertools
import re
import runpy
import shlex
from pathlib import Path

import pytest

from gradviz import cli

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
COMMANDS = re.findall(r"^    (gradviz (?!app).*)$", README, re.MULTILINE)


@pytest.mark.parametrize("program", PROGRAMS, ids=["train", "explore"])
def test_programs(program: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "program.py").write_text(program, encoding="utf-8")
    names = runpy.run_path(str(tmp_path / "program.py"))
    assert names["run"].steps


@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "net.txt").write_text("w = 2\nx = 3\ny = relu(w*x)\n", encoding="utf-8")
    _, *arguments = shlex.split(command, comments=True)
    made = [name for option, name in itertools.pairwise(arguments) if option == "-o"]
    code = cli.main([argument for argument in arguments if argument != "--watch"])
    assert code == (cli.BAD_INPUT if "does not fit" in command else 0)
    assert all(any(tmp_path.glob(f"{Path(name).stem}*{Path(name).suffix}")) for name in made)


def test_the_picture_is_what_is_exported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If this fails on purpose: gradviz export D1 -o examples/relu_chain.svg"""
    assert "](examples/relu_chain.svg)" in README
    monkeypatch.chdir(tmp_path)
    assert cli.main(["export", "D1", "-o", "new.svg"]) == 0
    placed = re.compile(r' (?:id|class|transform)="[^"]*"')  # outlines may differ in a last digit
    pictures = (Path("new.svg"), ROOT / "examples" / "relu_chain.svg")
    new, shown = (placed.findall(path.read_text(encoding="utf-8")) for path in pictures)
    assert new == shown
    assert new
