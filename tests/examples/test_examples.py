"""Every example runs as it is, in its quick form, and prints what it promises."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"

# What to look for in the output of a training, and the least that each number found must be after the quick form.
TRAININGS = {
    "denoise.py": (r"([+-][\d.]+) dB$", [-6, -6]),
    "inpaint.py": (r"so (-?\d+)% less", [0]),
    "train_digits.py": (r"median ([\d.]+)%", [80, 85, 90]),
}


def output(name: str) -> str:
    command = [sys.executable, "-W", "error", str(EXAMPLES / name), "--quick"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", cwd=EXAMPLES.parent)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_listed() -> None:
    listed = sorted([*TRAININGS, "step_a_batch.py", "slides_lecture.py"])
    assert sorted(path.name for path in EXAMPLES.glob("*.py")) == listed


@pytest.mark.parametrize("name", TRAININGS)
def test_training_examples(name: str) -> None:
    pattern, least = TRAININGS[name]
    found = [float(number) for number in re.findall(pattern, output(name), re.MULTILINE)]
    assert len(found) == len(least)
    assert all(number >= bound for number, bound in zip(found, least, strict=True)), found


def test_stepping_into_a_batch() -> None:
    text = output("step_a_batch.py")
    assert "paused after 100 batches" in text and "went on to batch 189" in text
    assert "layer [1]: 1.weight, 1.bias, 1" in text
    assert "pulled back" in text
    accuracy = re.search(r"accuracy ([\d.]+)%", text)
    assert accuracy is not None and float(accuracy[1]) > 85
