"""Tables of a run; the committed ones are those of the committed results."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import report
from benchmarks.workers import ROOT


def figures(seconds: float, **more: Any) -> dict[str, Any]:
    return {"median_s": seconds, "min_s": seconds, "max_s": seconds, "calls": 3, "extra_bytes": 5_000_000} | more


RUN: dict[str, Any] = {
    "quick": False,
    "machine": {
        "processors": 2, "processor": "Xeon", "instructions": ["avx512f"], "versions": {"numpy": "2.4.6"},
        "date": "2026-11-23T10:00:00+00:00",
    },
    "results": [
        {
            "question": "drift",
            "case": {"rows": 10_000_000, "features": 8, "dtype": "float32"},
            "contenders": {
                "gpudrift": figures(0.25, GB_per_s=2.56, share_of_limit=0.14),
                "NumPy": figures(1.0, ratio=4.0, against="gpudrift"),
                "SciPy": figures(50.0, ratio=200.4, against="gpudrift", computes="KS alone"),
                "Wrong": figures(0.1, against="gpudrift", problem="KS is 1"),
                "Absent": {"unavailable": "not installed; make bench-peers"},
            },
        },
        {
            "question": "startup",
            "case": {"what": "imports"},
            "contenders": {"import gpudrift": figures(0.0121), "import evidently": {"unavailable": "not installed"}},
        },
    ],
}  # fmt: skip


def test_a_row_holds_what_was_measured_and_what_stands_beside_it() -> None:
    assert (
        "| PSI + KS + JS: 10M x 8 float32 | 250 ms | 2.6, 14% | 5 MB | "
        "NumPy **4**; SciPy (KS alone) **200**; Wrong – |" in report.section(RUN, ("drift",), "cpu.json")
    )


def test_startup_has_a_table_of_its_own() -> None:
    shown = report.section(RUN, ("drift",), "cpu.json")
    assert "| import gpudrift | 12.1 ms |" in shown
    assert "| import evidently | not installed |" in shown


def test_a_result_of_ours_that_is_wrong_is_shown_as_such() -> None:
    wrong = json.loads(json.dumps(RUN))
    wrong["results"][0]["contenders"]["gpudrift"]["problem"] = "x0: PSI is 1, not 2"
    assert "| PSI + KS + JS: 10M x 8 float32 | x0: PSI is 1, not 2 | | | |" in report.section(wrong, ("drift",), "c")


def test_a_quick_run_is_called_provisional() -> None:
    assert "Provisional" in report.section(RUN | {"quick": True}, ("drift",), "cpu.json")
    assert "Provisional" not in report.section(RUN, ("drift",), "cpu.json")


def test_only_what_is_between_the_markers_is_replaced() -> None:
    text = f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n"
    assert report.filled(text, "new\n") == f"before\n{report.BEGIN}\nnew\n{report.END}\nafter\n"
    with pytest.raises(ValueError, match="markers"):
        report.filled("no markers", "new\n")


@pytest.mark.parametrize(
    ("file", "questions"), [("README.md", report.SHORT), ("benchmarks/README.md", tuple(report.TITLES))]
)
def test_the_committed_table_is_that_of_the_newest_results(file: str, questions: tuple[str, ...]) -> None:
    newest = report.newest()
    text = (ROOT / file).read_text(encoding="utf-8")
    run = json.loads(newest.read_text(encoding="utf-8"))
    assert report.filled(text, report.section(run, questions, newest.name)) == text, "make bench-report, and commit it"


def test_the_plots_of_both_themes_are_committed() -> None:
    run = json.loads(report.newest().read_text(encoding="utf-8"))
    asked = {result["question"] for result in run["results"]}
    for name in ["ratios"] + ["scaling"] * ("scaling" in asked):
        for theme in ("light", "dark"):
            for suffix in ("png", "svg"):
                assert (ROOT / "benchmarks" / "plots" / f"{name}-{theme}.{suffix}").stat().st_size > 1_000
