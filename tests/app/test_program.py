"""Programs in files and addresses: what comes back, and what a hostile one cannot do."""

from __future__ import annotations

import json

import pytest

import gradviz as gv
from gradviz.app.components.editor import _as_data
from gradviz.app.program import Program, open_program, with_sum


def test_a_link_gives_the_program_back() -> None:
    program = Program("x = 2\ny = f*x", "t", {"x": 3.0}, ("x",), ("y",), ("y",), 6, "ones")
    assert Program.from_link(program.to_link()) == program


def test_an_exercise_is_shared_without_its_answer() -> None:
    program = Program("x = 2\ny = x*x", exercise="x")
    assert Program.from_json(program.to_json()) == program
    assert Program.from_link(program.to_link()).exercise == "x"
    assert Program.from_json('{"text": "y = x"}').exercise == ""
    assert "2*x" not in program.to_json()


@pytest.mark.parametrize(
    "fields",
    [
        {"text": 3},
        {"exercise": 3},
        {"exercise": "\ud800"},
        {"text": "\ud800"},
        {"title": "\ud800"},
        {"opened": ["\udfff"]},
        {"values": {"x": None}},
        {"values": {"x": float("nan")}},
        {"values": {"x": [1.0, float("inf")]}},
        {"values": {"x": 10**400}},
        {"values": {"x": [[1], [1, 2]]}},
        {"values": [1]},
        {"wrt": 3},
        {"folded": [1]},
        {"digits": float("inf")},
        {"seed": "²"},
        {"seed": "9" * 5000},
        {"seed": "-1"},
    ],
)
def test_a_file_that_is_no_program_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(gv.GradvizError, match="not a gradviz program"):
        Program.from_json(json.dumps({"text": "x", **fields}))


def test_what_was_opened_stays_open_as_far_as_the_program_allows() -> None:
    program = Program("x = 2\nf = x*2\ng = sigmoid(f)", opened=("f", "g", "gone"))
    assert [node.id for node in open_program(program).stage.graph.nodes if "/" in node.id] != []


def test_opening_does_not_get_around_the_limit_on_operations() -> None:
    lines = [f"a{i} = sigmoid(a{i - 1})" for i in range(1, 200)]
    program = Program("\n".join(lines), opened=tuple(f"a{i}" for i in range(1, 200)))
    with pytest.raises(gv.LimitError, match="more than 500 operations"):
        open_program(program)


def test_the_values_of_a_program_do_not_fill_the_machine() -> None:
    lines = [f"a{i} = a{i - 1}*1.5" for i in range(1, 50)]
    with pytest.raises(gv.LimitError, match="entries together"):
        open_program(Program("\n".join(["a0 = randn(1000, 1000)", *lines])))


@pytest.mark.parametrize(
    ("text", "summed"),
    [
        ("x = [1, 2]\ny = x*2\n# end", "x = [1, 2]\ny = x*2\n# end\nsum(y)\n"),
        ("x = [1, 2]\nx*2  # twice", "x = [1, 2]\nsum(x*2)  # twice\n"),
        ("x = [1, 2]\n(x*\n2)", "x = [1, 2]\nsum((x*\n2))\n"),
        ("x = [1, 2]\nx", "x = [1, 2]\nsum(x)\n"),
        ("x = [1, 2]", "x = [1, 2]\nsum(x)\n"),
        ("[1, 2]", "sum([1, 2])\n"),
    ],
)
def test_the_output_is_summed_where_it_stands(text: str, summed: str) -> None:
    made = with_sum(Program(text, wrt=("x",), digits=6))
    assert made == Program(summed, wrt=("x",), digits=6)
    assert open_program(made).output_shape == ()


def test_the_editor_counts_characters_as_the_browser_does() -> None:
    text = "# 😀\nc = a^b"
    with pytest.raises(gv.ParseError) as caught:
        gv.parse(text)
    data = _as_data(caught.value, text)
    assert data is not None
    assert text.encode("utf-16-le")[2 * data["start"] : 2 * data["end"]].decode("utf-16-le") == "^"
