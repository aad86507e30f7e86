"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from pathlib import Path

import pytest

from gradviz import cli
from gradviz.demos import demos

D1 = (
    "x = 5 / w1 = 1 / w2 = 2 / y = 2 / f = w1*x / g = relu(f) / yhat = w2*g / L = half_squared_error(yhat, y)"
)


class Result:
    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def rows(self) -> list[list[str]]:
        """The cells of the printed table."""
        return [
            re.split(r"\s{2,}", line.strip()) for line in self.out.splitlines() if re.match(r"\s+\d+ ", line)
        ]


@pytest.fixture
def gradviz(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "160")

    def run(*arguments: str) -> Result:
        try:
            code = cli.main(list(arguments))
        except SystemExit as exit:
            code = int(exit.code or 0)
        return Result(code, *capsys.readouterr())

    return run


class TestSteps:
    @pytest.mark.parametrize("program", ["D1", "relu_chain"])
    def test_a_demo(self, gradviz, program: str) -> None:
        result = gradviz("steps", program)
        assert (result.code, result.err) == (0, "")
        assert len(result.rows) == 10
        assert [row[1] for row in result.rows] == ["forward"] * 4 + ["seed"] + ["backward"] * 5
        assert [row[-1] for row in result.rows] == ["5", "5", "10", "32", "1", "8", "40", "16", "16", "80"]
        assert result.rows[9][2:] == ["∂ℒ/∂w₁", "via f", "5", "16", "80", "80"]
        assert result.out.rstrip().endswith("gradient of w1: 80\ngradient of w2: 40")

    def test_a_text(self, gradviz) -> None:
        result = gradviz("steps", D1, "--wrt", "w1,w2")
        assert result.rows == gradviz("steps", "D1").rows
        assert len(gradviz("steps", D1).rows) == 4 + 1 + 7
        assert len(gradviz("steps", "x = 3\ny = x*x").rows) == 4

    def test_a_slash_may_also_divide(self, gradviz) -> None:
        assert "gradient of w: 0.5" in gradviz("steps", "f = w / x", "--set", "x=2", "--set", "w=3").out
        assert "gradient of a: 0.25" in gradviz("steps", "a = 3 / b = 4 / f = a / b").out

    def test_a_file(self, gradviz, tmp_path: Path) -> None:
        (tmp_path / "net.txt").write_text("x = 3\ny = x*x  # a square\n", encoding="utf-8")
        assert "gradient of x: 6" in gradviz("steps", str(tmp_path / "net.txt")).out

    def test_a_file_that_is_no_text(self, gradviz, tmp_path: Path) -> None:
        (tmp_path / "net.bin").write_bytes(b"\xff\xfe\x00")
        result = gradviz("steps", str(tmp_path / "net.bin"))
        assert (result.code, result.out) == (2, "")
        assert "not a text" in result.err

    def test_a_file_with_a_byte_order_mark(self, gradviz, tmp_path: Path) -> None:
        (tmp_path / "net.txt").write_text("x = 3\ny = x*x\n", encoding="utf-8-sig")
        assert "gradient of x: 6" in gradviz("steps", str(tmp_path / "net.txt")).out

    @pytest.mark.parametrize(
        ("name", "reason"), [("net.txt", "No such file"), ("", "directory"), ("net", "")]
    )
    def test_a_file_that_cannot_be_read(
        self, gradviz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, reason: str
    ) -> None:
        if not reason:  # there, whatever its name looks like, and locked also where root runs the tests
            reason = "Permission denied"
            (tmp_path / name).touch()
            monkeypatch.chdir(tmp_path)

            def locked(*_: object, **__: object) -> None:
                raise PermissionError(13, reason)

            monkeypatch.setattr("builtins.open", locked)
        given = name if Path(name).is_file() else f"{tmp_path}/{name}"
        result = gradviz("steps", given)
        assert (result.code, result.out) == (2, "")
        assert f"cannot read the file {given}: " in result.err and reason in result.err

    def test_a_folder_may_be_called_like_a_variable(
        self, gradviz, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        (tmp_path / "x").mkdir()
        monkeypatch.chdir(tmp_path)
        assert "gradient of x: 1" in gradviz("steps", "x", "--set", "x=2").out

    def test_a_folder_and_a_name_too_long_for_a_file(self, gradviz, tmp_path: Path) -> None:
        assert gradviz("steps", str(tmp_path)).code == 2
        assert gradviz("steps", "é" * 249).code == 2
        assert gradviz("steps", "x\0").code == 2

    def test_wrt(self, gradviz) -> None:
        assert [row[2] for row in gradviz("steps", "D1", "--wrt", "w2").rows[5:]] == ["∂ℒ/∂ŷ", "∂ℒ/∂w₂"]
        result = gradviz("steps", "D1", "--wrt", "")
        assert len(result.rows) == 4
        assert "gradient" not in result.out
        assert gradviz("steps", "D1", "--wrt", "w9").code == 2

    def test_set(self, gradviz) -> None:
        assert "gradient of w1: 0" in gradviz("steps", "D1", "--set", "w1=-1").out
        assert "gradient of x: 1" in gradviz("steps", "y = sum(x)*2/2", "--set", "x=5").out
        assert "gradient of x: [6 8]" in gradviz("steps", "y = sum(x**2)", "--set", "x=[3, 4]").out
        assert "gradient of x: 0.6667" in gradviz("steps", "x**2", "--set", "x = 1/3").out
        assert gradviz("steps", "sum(x)", "--set", "x=randn(2, 3)").code == 0

    @pytest.mark.parametrize(
        "setting", ["x", "x=", "=3", "x=y", "x=y+1", "x=sgimoid(3)", "x=1/0", "z=3", "x=[1, [2]]"]
    )
    def test_a_wrong_setting(self, gradviz, setting: str) -> None:
        result = gradviz("steps", "x*2", "--set", setting)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: ")

    def test_digits(self, gradviz) -> None:
        assert gradviz("steps", "D2", "--digits", "2").rows[7][-1] == "0.73"
        assert gradviz("steps", "D2", "--digits", "10").rows[7][-1] == "0.7310585786"
        assert gradviz("steps", "D2", "--digits", "13").code == 2
        assert gradviz("steps", "D2", "--digits", "0").code == 2

    def test_a_narrow_terminal_loses_no_digit(self, gradviz, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("COLUMNS", "50")
        assert "…" not in gradviz("steps", "D2", "--digits", "12").out

    def test_arrays(self, gradviz) -> None:
        result = gradviz("steps", "A = [[1, 2], [3, 4]] / x = [5, 6] / y = A@x / L = sum(y)")
        assert "4 × 2 Jacobian" in result.out
        assert "[17 39]" in result.out

    def test_what_a_reader_should_know(self, gradviz) -> None:
        assert (
            "y is exactly at a kink. At x = 0 the slope is taken as 0"
            in gradviz("steps", "x = 0 / y = relu(x)").out
        )
        assert (
            "y is where the first value that is not finite arises" in gradviz("steps", "x = 0 / y = 1/x").out
        )

    def test_a_missing_value(self, gradviz) -> None:
        result = gradviz("steps", "y = w*x", "--set", "x=1")
        assert result.code == 2
        assert "no value for w" in result.err
        assert "hint: write a line w = 1" in result.err

    def test_an_output_that_is_no_scalar(self, gradviz) -> None:
        result = gradviz("steps", "x = [1, 2] / y = x*2")
        assert result.code == 2
        assert "sum(" in result.err


@pytest.mark.parametrize(
    ("text", "line", "carets", "hint"),
    [
        ("y = 2x", "y = 2x", "    ^^", "*"),
        ("y = x^2", "y = x^2", "     ^", "**"),
        ("a = 1\ny = sgimoid(a)", "y = sgimoid(a)", "    ^^^^^^^", "sigmoid"),
        ("y = (x + 1", "y = (x + 1", "    ^", ""),
    ],
)
@pytest.mark.parametrize("command", ["steps", "check", "shapes"])
def test_a_caret_under_the_mistake(
    gradviz, command: str, text: str, line: str, carets: str, hint: str
) -> None:
    result = gradviz(command, text)
    assert (result.code, result.out) == (2, "")
    lines = result.err.splitlines()
    assert lines[0].startswith("error: line ")
    shown = lines.index(line)
    assert lines[shown + 1] in (carets, carets[:-1])
    assert hint in result.err


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
@pytest.mark.parametrize(
    "arguments",
    [("steps", "D1"), ("demos",), ("shapes", "D6"), ("judge", "D6", "--wrt", "W1", "outer(x, f)")],
)
def test_a_terminal_without_unicode(
    arguments: tuple[str, ...], encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert cli.main(arguments) in (0, 1)
    sys.stdout.flush()
    assert b"?" in written.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("steps", "-x", "--set", "x=1"), "gradient of x: \u22121"),
        (("steps", "--set", "x=2", "-x*x"), "gradient of x: \u22124"),
        (("check", "-x", "--set", "x=1"), "pass  x: backward -1"),
        (("shapes", "-x", "--shape", "x=3"), "(3,)"),
        (("judge", "-h*x", "--set", "x=1", "--set", "h=2", "--wrt", "x", "-h"), "usage: "),
        (("judge", "-h*x", "--set", "x=1", "--set", "h=2", "--wrt", "x", "-1*h"), "Correct"),
    ],
)
def test_a_formula_may_begin_with_minus(gradviz, arguments: tuple[str, ...], words: str) -> None:
    result = gradviz(*arguments)
    assert (result.code, result.err) == (0, "")
    assert words in result.out


def test_an_interrupt_ends_quietly(gradviz, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "read_program", interrupted)
    result = gradviz("steps", "D1")
    assert (result.code, result.out, result.err) == (130, "", "")


class TestCheck:
    @pytest.mark.parametrize("name", demos())
    def test_the_demos_pass(self, gradviz, name: str) -> None:
        result = gradviz("check", name)
        assert result.code == 0
        assert all(line.startswith(("pass  ", "checked is the sum")) for line in result.out.splitlines())

    def test_what_is_checked_is_said(self, gradviz) -> None:
        result = gradviz("check", "A @ x", "--set", "A=[[1,2],[3,4]]", "--set", "x=[1,1]")
        first, a, x = result.out.splitlines()
        assert first == "checked is the sum of all entries of the output (vector of 2)"
        assert a.startswith("pass  A, 4 entries, the worst A[")
        assert x.startswith("pass  x, 2 entries, the worst x[")

    def test_a_kink_is_no_failure(self, gradviz) -> None:
        result = gradviz("check", "relu(x)", "--set", "x=0")
        assert result.code == 0
        assert result.out == "kink  x: slope 0 from the left, 1 from the right, backward gives 0\n"

    def test_a_failure_is_exit_code_1(self, gradviz, monkeypatch: pytest.MonkeyPatch) -> None:
        from gradviz.engine.op import TABLE

        monkeypatch.setitem(vars(TABLE["sin"].rules["x"]), "function", lambda g, x: g * 2.0)
        for cached in ("vjp", "reads"):
            monkeypatch.delitem(vars(TABLE["sin"].rules["x"]), cached, raising=False)
        monkeypatch.delitem(vars(TABLE["sin"]), "wires", raising=False)
        result = gradviz("check", "sin(x)", "--set", "x=1")
        for cached in ("vjp", "reads"):
            vars(TABLE["sin"].rules["x"]).pop(cached, None)
        vars(TABLE["sin"]).pop("wires", None)
        assert result.code == 1
        assert result.out.startswith("fail  x: backward 2, finite difference 0.5403")


class TestJudge:
    @pytest.mark.parametrize(
        ("arguments", "code", "words"),
        [
            (("D6", "--wrt", "W1", "outer(W2.T @ (yhat - y) * (f > 0), x)"), 0, "Correct"),
            (("D1", "--wrt", "w1", "2*x*w2*(f > 0)*(yhat - y)"), 1, "2 times the gradient"),
            (("x = 3 / y = sin(x)", "--wrt", "x", "-cos(x)"), 1, "except for the sign"),
            (("x = 3 / y = cos(x)", "--wrt", "x", "-sin(x)"), 0, "Correct"),
            (("D1", "--wrt", "w1", "80"), 1, "A formula is asked for"),
            (("D1", "--wrt", "w1", "--value", "80"), 0, "Correct"),
            (("D1", "--wrt", "w1", "--value", "-80", "--set", "w2=-2", "--set", "y=-18"), 0, "Correct"),
            (("D6", "--wrt", "x", "--of", "f", "W1"), 1, "numerator layout"),
            (("D6", "--wrt", "x", "--of", "f", "--layout", "numerator", "W1"), 0, "Correct"),
            (("D6", "--wrt", "W1", "W2 @ yhat"), 1, "   ^"),
        ],
    )
    def test_an_answer(self, gradviz, arguments: tuple[str, ...], code: int, words: str) -> None:
        result = gradviz("judge", *arguments)
        assert (result.code, result.err) == (code, "")
        assert words in result.out

    @pytest.mark.parametrize(
        "arguments",
        [
            ("D1", "--wrt", "w1", "x*("),
            ("D1", "--wrt", "w1", "x*q"),
            ("D1", "--wrt", "w9", "x"),
            ("D1", "--wrt", "w1", ""),
            ("y = 2x", "--wrt", "x", "2"),
        ],
    )
    def test_bad_input(self, gradviz, arguments: tuple[str, ...]) -> None:
        result = gradviz("judge", *arguments)
        assert (result.code, result.out) == (2, "")
        assert result.err.startswith("error: ")


class TestShapes:
    def test_the_ledger(self, gradviz) -> None:
        result = gradviz("shapes", "y = W@x", "--shape", "W=3,4", "--shape", "x=(4,)")
        assert result.code == 0
        *_, row, _, _, chain = (line.strip() for line in result.out.splitlines())
        assert re.split(r"\s{2,}", row) == ["y", "matmul", "W (3, 4), x (4,)", "(3,)"]
        assert chain == "∂y/∂x: (4×3) = 4×3 ✓"

    def test_indices_are_not_taken_for_markup(self, gradviz) -> None:
        result = gradviz("shapes", "y = x[0]*x[1:2]", "--shape", "x=2")
        assert "x[0] ()" in result.out
        assert "x[1:2] (1,)" in result.out

    def test_a_scalar(self, gradviz) -> None:
        assert "()" in gradviz("shapes", "y = x*2", "--shape", "x=").out

    def test_a_mismatch(self, gradviz) -> None:
        result = gradviz("shapes", "y = W@x", "--shape", "W=3,4", "--shape", "x=5")
        assert (result.code, result.out) == (2, "")
        assert result.err.splitlines()[:3] == [
            "error: line 1, column 6: matmul: W has shape (3, 4), x has shape (5,): the inner sizes 4 and 5 differ",
            "y = W@x",
            "     ^",
        ]

    @pytest.mark.parametrize("shape", ["W", "W=a", "W=-1", "W=3x4", "W=²", "W=" + "9" * 5000, "V=3"])
    def test_a_wrong_shape(self, gradviz, shape: str) -> None:
        result = gradviz("shapes", "y = W*2", "--shape", shape)
        assert result.code == 2
        assert result.err.startswith("error: ")

    def test_too_large(self, gradviz) -> None:
        assert gradviz("shapes", "y = W*2", "--shape", "W=100000,100000").code == 2


def test_demos(gradviz) -> None:
    result = gradviz("demos")
    assert result.code == 0
    for demo in demos().values():
        assert re.search(rf"{demo.row}\s+{demo.name}\s", result.out)  # whole, in 80 columns too
        assert demo.lesson.split()[-1] in result.out


def test_app_starts_streamlit_with_the_settings_that_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    from streamlit.web import cli as streamlit

    monkeypatch.setattr(sys, "argv", ["gradviz"])
    monkeypatch.setattr(streamlit, "main", lambda: None)
    assert cli.main(["app", "--port", "9999", "--headless"]) == 0
    assert sys.argv[:2] == ["streamlit", "run"]
    assert Path(sys.argv[2]).is_file()
    assert {"--runner.postScriptGC=false", "--server.port=9999", "--server.headless=true"} <= set(sys.argv)
    assert "--browser.gatherUsageStats=false" in sys.argv


@pytest.mark.parametrize("arguments", [[], ["nope"], ["steps"], ["app", "--port", "x"]])
def test_usage(gradviz, arguments: list[str]) -> None:
    result = gradviz(*arguments)
    assert result.code == 2
    assert "usage: gradviz" in result.err


def test_help(gradviz) -> None:
    result = gradviz("--help")
    assert result.code == 0
    for command in ("app", "steps", "check", "judge", "shapes", "demos"):
        assert command in result.out


@pytest.mark.parametrize(("program", "code"), [("D1", 0), ("y = 2x", 2), ("-", 0)])
def test_as_a_process(program: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "gradviz.cli", "steps", program],
        input=demos()["relu_chain"].text,
        capture_output=True,
        encoding="utf-8",
        env={"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(Path(cli.__file__).parents[1]), "COLUMNS": "200"},
        check=False,
    )
    assert done.returncode == code
    assert ("gradient of w1: 80" in done.stdout) == (code == 0)
    assert ("    ^^" in done.stderr.splitlines()) == (code == 2)
    assert "Traceback" not in done.stderr
