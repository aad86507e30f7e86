"""The benchmark of watched training: every experiment of the app takes part, and the table is printed."""

from __future__ import annotations

from importlib import import_module

import pytest

from benchmarks import browser, live
from benchmarks.live import Row
from benchmarks.table import Effort
from tests.conftest import aside


def test_every_train_page_takes_part() -> None:
    assert {module for module, _ in live.EXPERIMENTS.values()} == {
        "decision_regions",
        "digits",
        "inpainting",
        "denoising",
    }
    for module, changed in live.EXPERIMENTS.values():
        import_module(f"gradviz.demos.live.{module}").Settings(**changed)


def test_a_training_is_measured_alone_and_watched() -> None:
    (row,) = aside(lambda: list(live.rows(Effort(1, 0.2), ["digits, linear"])))
    assert row.alone > 0
    assert row.watched > 0
    assert row.slowed < 1
    assert 0 < row.updates < 20


@pytest.mark.skipif(not browser.available(), reason="no browser is installed")
def test_a_training_is_watched_in_a_browser() -> None:
    (row,) = aside(lambda: list(live.rows_in_browser(Effort(1, 1.0), ["digits, linear"])))
    assert row.alone > 0
    assert row.watched > 0
    assert 4 < row.updates < 20, "by the stream: a page that asks gets three"


def test_the_table(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    done = [
        Row("one", 100.0, 90.0, 0.1, 10.5),
        Row("other", 100.0, 90.0, 0.1, 8.0),
        Row("third", 9.0, 4.5, 0.5, 11.0),
    ]
    for measure in ("rows", "rows_in_browser"):
        monkeypatch.setattr(live, measure, lambda effort: done)
    live.main(quick=True, markdown=True)
    printed = capsys.readouterr().out
    assert "| one | 100 | 90 | 10% | 10.5 | at least 10/s, at most 20%: reached |" in printed
    assert "| other | 100 | 90 | 10% | 8.0 | at least 10/s, at most 20%: MISSED |" in printed
    assert "| third | 9 | 4.5 | 50% | 11.0 | at least 10/s, at most 20%: MISSED |" in printed
    live.main(quick=True, markdown=False)
    assert "updates/s" in capsys.readouterr().out
