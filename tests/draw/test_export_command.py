"""`gradviz export`: what it writes, what it says, and how it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from io import FileIO
from pathlib import Path
from typing import Any

import pytest

from gradviz import cli, export_command, files
from gradviz.draw.export import formats
from tests.draw import readers


def run(*arguments: object) -> int:
    try:
        return cli.main(["export", *map(str, arguments)])
    except SystemExit as exit:
        return int(exit.code or 0)


def test_several_files_from_a_demo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    outputs = [tmp_path / f"a{suffix}" for suffix in (".svg", ".json", ".md")]
    assert run("D1", *(word for output in outputs for word in ("-o", output)), "--step", "4") == 0
    assert all(output.is_file() for output in outputs)
    said = capsys.readouterr()
    assert said.out == "" and said.err.split() == [str(output) for output in outputs]
    assert readers.json_(outputs[1].read_bytes())["title"] == "ReLU chain with two weights"


def test_the_lecture_deck_in_one_command(tmp_path: Path) -> None:
    outputs = tmp_path / "lecture.pptx", tmp_path / "steps.pdf", tmp_path / "plain.pptx"
    assert run("D1", "-o", outputs[0], "-o", outputs[1], "--step", "all") == 0
    assert run("D1", "-o", outputs[2], "--step", "all", "--no-lecture", "--no-derivation") == 0
    counts = [
        len(readers.pptx(outputs[0].read_bytes()).slides),
        len(readers.pdf(outputs[1].read_bytes()).pages),
        len(readers.pptx(outputs[2].read_bytes()).slides),
    ]
    assert counts == [23, 10, 10]


def test_values_and_options_reach_the_picture(tmp_path: Path) -> None:
    file, output = tmp_path / "p.txt", tmp_path / "a.svg"
    file.write_text("x = 2\ny = x*x\n", encoding="utf-8")
    options = (
        "--set",
        "x=7",
        "--theme",
        "dark",
        "--aspect",
        "4:3",
        "--title",
        "Mine <b>",
        "--derivation",
        "--digits",
        "3",
    )
    assert run(file, "-o", output, *options) == 0
    root = readers.svg(output.read_bytes())
    text = "".join(root.itertext())
    assert "49" in text and "Mine <b>" in text and root.get("width") == "960"
    assert (
        run(
            file,
            "-o",
            output,
            "--only",
            "forward",
            "--no-values",
            "--nodes",
            "x,y",
            "--transparent",
            "--wrt",
            "x",
        )
        == 0
    )
    assert 'class="value"' not in output.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments",
    [
        ["D1"], ["D1", "-o", "a.bmp"], ["D1", "-o", "a.svg", "--step", "99"], ["D1", "-o", "a.svg", "--theme", "pink"],
        ["D1", "-o", "a.svg", "--nodes", "nope"], ["D1", "-o", "a.svg", "--width", "1"], ["y = 2x", "-o", "a.svg"],
        ["D1", "-o", "a.svg", "--watch"], ["D1", "-o", "a.svg", "--set", "q=1"], ["nope.txt", "-o", "a.svg"],
        ["D1", "-o", "a.svg", "--fold", "nope"], ["D1", "-o", "a.pptx", "--width", "100"],
    ],
)  # fmt: skip
def test_bad_input_is_exit_code_2(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("title", "name", "note"),
    [
        ("漢 🙂\ufe0f x", "a.png", "no picture in PNG: 漢, 🙂; SVG"), ("漢 x", "a.tex", "no picture in TEX: 漢;"),
        ("漢 x", "a.pdf", "no picture in PDF"), ("漢 x", "a.gif", "no picture in GIF"),
        ("漢 x", "a.svg", ""), ("漢 x", "a.html", ""), ("漢 x", "a.pptx", ""), ("é Ж Aᵀx ½‖x‖²", "a.png", ""),
    ],
)  # fmt: skip
def test_letters_without_a_picture_are_told(
    title: str, name: str, note: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("square", "-o", tmp_path / name, "--title", title) == 0
    said = capsys.readouterr().err
    assert note in said and ("no picture" in said) == bool(note)


def test_the_help_says_where_all_steps_begin(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--help") == 0
    said = " ".join(capsys.readouterr().out.split())
    from_start, _, from_one = said.partition("step 0, in ")[2].partition(", and with step 1 in ")
    from_one = from_one.partition(":")[0]
    names = {".tex": "TeX", ".md": "Markdown"}
    for suffix, form in formats().items():
        assert names.get(suffix, suffix[1:].upper()) in (from_start if form.FROM_START else from_one)


def test_what_cannot_be_written_is_exit_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = tmp_path / "a.svg"
    assert run("D1", "-o", tmp_path / "nowhere" / "a.svg", "-o", good) == 1
    assert "cannot write" in capsys.readouterr().err
    assert good.is_file()


def test_an_interrupt_leaves_every_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "a.svg"
    output.write_text("an earlier picture", encoding="utf-8")

    class Interrupted(FileIO):
        def write(self, content: Any) -> int:
            super().write(content[:100])
            raise KeyboardInterrupt

    monkeypatch.setattr(files, "open", lambda path, mode: Interrupted(path, "w"), raising=False)
    assert run("D1", "-o", output) == 130
    assert capsys.readouterr() == ("", "")
    assert list(tmp_path.iterdir()) == [output]
    assert output.read_text(encoding="utf-8") == "an earlier picture"


@pytest.mark.parametrize("output", [["-o", "a.svg"], ["-oa.svg"], ["--output", "a.svg"]])
def test_a_formula_may_begin_with_minus(
    output: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("-x*x", *output, "--set", "x=2") == 0
    assert [file.name for file in tmp_path.iterdir()] == ["a.svg"]


def test_watch_writes_again_after_every_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file, output = tmp_path / "p.txt", tmp_path / "a.md"
    file.write_text("x = 2\ny = x*x\n", encoding="utf-8")
    seen: list[str] = []
    edits = iter(["x = 2\ny = x*\n", "x = 3\ny = x*x\n"])  # half typed, then another program

    def pause(_: float) -> None:
        seen.append(output.read_text(encoding="utf-8"))
        text = next(edits, None)
        if text is None:
            raise KeyboardInterrupt
        file.write_text(text, encoding="utf-8")
        stamp = time.time_ns() + len(seen) * 10**9
        import os

        os.utime(file, ns=(stamp, stamp))

    monkeypatch.setattr(export_command.time, "sleep", pause)
    assert run(file, "-o", output, "--watch", "--step", "all") == 0
    assert [("= 4" in text, "= 9" in text) for text in seen] == [(True, False), (True, False), (False, True)]
    assert "error" in capsys.readouterr().err


def test_a_long_export_shows_a_progress_bar(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[int] = []
    from rich.progress import Progress

    monkeypatch.setattr(Progress, "update", lambda self, task, **state: shown.append(state["completed"]))
    assert run("square", "-o", tmp_path / "a.pdf", "--step", "all") == 0
    assert shown == []
    monkeypatch.setattr(export_command, "_PATIENCE", -1.0)
    assert run("square", "-o", tmp_path / "a.pdf", "--step", "all") == 0
    assert shown == [0, 1, 2, 3, 4]


def test_as_a_process(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gradviz.cli", "export", "square", "-o", "a.svg"],
        cwd=tmp_path, capture_output=True, encoding="utf-8", check=False,
        env={"PYTHONPATH": str(Path(cli.__file__).parents[1])},
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "a.svg\n")
