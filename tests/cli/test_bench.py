"""``gpudrift bench`` on a few rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from gpudrift.bench import Timing, quick

from .conftest import Run


def standing(problem: str | None) -> quick.Standing:
    timings = {quick.OURS: Timing((0.002,), 0), "NumPy": Timing((0.5,), 0), quick.SUM: Timing((0.001,), 0)}
    return quick.Standing("a question", timings, 10**8, problem)


def test_it_prints_where_it_stands(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "QUESTIONS", [lambda scale, watch: standing(None)])
    result = run("bench")
    assert result.exit_code == 0
    shown = [" ".join(row.split()) for row in result.stdout.splitlines()]
    assert "gpudrift 2 ms 50" in shown
    assert "NumPy 0.5 s 250 0.2" in shown
    assert shown[-1] == "a question: 50% of the speed of a sum over all processors"


def test_a_disagreement_is_an_error_and_has_no_ratio(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "QUESTIONS", [lambda scale, watch: standing("KS is 1, and 2")])
    result = run("bench")
    assert result.exit_code == 2
    assert "250" not in result.stdout
    assert result.stdout.splitlines()[-1] == "problem: a question: KS is 1, and 2"


def test_every_figure_goes_into_the_file(run: Run, tmp_path: Path) -> None:
    result = run("bench", "--scale", "0.001", "--json", "out.json")
    assert result.exit_code == 0
    written = json.loads((tmp_path / "out.json").read_text())
    assert len(written["results"]) == len(quick.QUESTIONS)
    assert written["machine"]["processors"] >= 1
    assert all(entry["ratios"] for entry in written["results"])


def test_a_place_that_cannot_be_written_is_refused_before_the_work(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quick, "QUESTIONS", [lambda scale, watch: pytest.fail("measured")])
    result = run("bench", "--json", "nowhere/out.json")
    assert result.exit_code == 2
    assert "nowhere" in result.stderr


@pytest.mark.parametrize("scale", ["0", "-1", "1000"])
def test_a_scale_out_of_range_is_refused(run: Run, scale: str) -> None:
    assert run("bench", "--scale", scale).exit_code == 2
