"""The README of the error rates holds what the committed result says, and nothing typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy

from benchmarks.error_rates.report import newest
from benchmarks.error_rates.tables import README, tables, write_readme
from benchmarks.workers import ROOT
from gpudrift.bench import machine


@pytest.fixture(scope="module")
def result() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(newest().read_text(encoding="utf-8"))
    return found


def test_the_readme_is_what_the_newest_result_makes_of_it(result: dict[str, Any], tmp_path: Path) -> None:
    copy = tmp_path / "README.md"
    copy.write_text(README.read_text(encoding="utf-8"), encoding="utf-8")
    write_readme(result, copy)
    assert copy.read_text(encoding="utf-8") == README.read_text(encoding="utf-8")


def test_what_a_run_says_of_its_machine_is_what_the_readme_tells(result: dict[str, Any]) -> None:
    about = tables({**machine(ROOT), "results": result["results"]})["about the run"]
    assert f"NumPy {np.__version__}, SciPy {scipy.__version__}" in about


def test_every_null_setting_of_independent_rows_holds_alpha_in_the_committed_result(result: dict[str, Any]) -> None:
    independent = [
        entry
        for entry in result["results"]
        if not entry["scenario"]["shift"] and entry["scenario"]["process"] in ("iid", "common factor")
    ]
    assert {entry["scenario"]["rows"] for entry in independent} == {200, 10_000, 10_000_000}
    for entry in independent:
        assert entry["rules"]["gpudrift"]["alarm"]["count"] <= entry["most_alarms_at_alpha"]


def test_a_null_rate_beyond_chance_is_shown_in_bold(result: dict[str, Any]) -> None:
    beyond = [e for e in result["results"] if not e["scenario"]["shift"] and not e["within_alpha"]]
    table = tables({**result, "results": beyond[:1]})["null streams"]
    assert table.splitlines()[2].split(" | ")[4].startswith("**")


def test_a_readme_without_markers_is_named(result: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# nothing\n", encoding="utf-8")
    with pytest.raises(ValueError, match="has no markers '<!-- null streams -->'"):
        write_readme(result, tmp_path / "README.md")
