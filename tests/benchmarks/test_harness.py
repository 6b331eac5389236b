"""Contenders in processes of their own: ratios only where results agree."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks import harness
from benchmarks.harness import SUM, Case, Contender, line, measure
from benchmarks.oracle import check_drift
from benchmarks.tables import numbers
from benchmarks.workers import Unavailable, Worker, python_of

FAST = {"way": "fast"}


def test_a_ratio_needs_agreement_and_a_failure_costs_only_itself(capsys: pytest.CaptureFixture[str]) -> None:
    contenders = (
        Contender("base", "numpy", "drift", convention="deciles", settings=FAST),
        Contender("right", "numpy", "drift", against="base", convention="deciles", settings={"way": "exact"}),
        Contender("wrong", "numpy", "drift", against="base", convention="sturges", settings=FAST),
        Contender("broken", "numpy", "drift", against="base", convention="deciles", settings={"no": "such setting"}),
        Contender("absent", "no_such_peer", "drift", against="base"),
    )
    case = Case({"rows": 3_000, "features": 1}, numbers(1, "float32"), 3_000)
    result = measure("drift", case, contenders, check_drift, repeats=2)
    found = result["contenders"]
    assert found["right"]["ratio"] == found["right"]["median_s"] / found["base"]["median_s"]
    assert found["right"]["calls"] == 2
    assert found["right"]["peak_bytes"] > 0
    assert found["wrong"]["problem"].startswith("x0: PSI is")
    assert "ratio" not in found["wrong"]
    assert found["broken"]["unavailable"].startswith("failed: TypeError")
    assert found["absent"] == {"unavailable": "not installed; make bench-peers"}
    printed = capsys.readouterr().out
    assert "NO RATIO: x0: PSI is" in printed


def test_without_a_right_result_of_ours_nobody_has_a_ratio() -> None:
    contenders = (Contender("ours", "gpudrift", "drift"), Contender("peer", "scipy", "ks", against="ours"))
    found: dict[str, dict[str, Any]] = {"ours": {"median_s": 1.0, "problem": "KS is 1"}, "peer": {"median_s": 5.0}}
    harness._compare(contenders, found)
    assert "ratio" not in found["peer"]


def test_the_limit_is_that_of_the_same_run() -> None:
    contenders = (Contender("ours", "gpudrift", "drift"), Contender(SUM, "gpudrift", "sum_all"))
    found: dict[str, dict[str, Any]] = {
        "ours": {"median_s": 1.0, "GB_per_s": 4.0}, SUM: {"median_s": 0.5, "GB_per_s": 16.0},
    }  # fmt: skip
    harness._compare(contenders, found)
    assert found["ours"]["share_of_limit"] == 0.25
    assert "25% of the limit" in line("ours", found["ours"] | {"min_s": 1.0, "max_s": 1.0})


def test_memory_beyond_the_inputs_is_that_of_the_call(tmp_path: Path) -> None:
    numbers(1, "float64")(tmp_path, 2_000_000)
    with Worker("numpy", "drift", FAST) as worker:
        worker.ask("prepare", folder=str(tmp_path))
        worker.measured()
        worker.measured()
    assert all(extra > 30e6 for extra in worker.extra_bytes[:1])  # two sorted copies of 16 MB
    assert worker.peak_bytes > worker.extra_bytes[0]


def test_a_process_that_ends_is_reported() -> None:
    with Worker("numpy", "drift", FAST) as worker:
        worker._process.kill()
        with pytest.raises(Unavailable, match="was killed"):
            worker.ask("run")


def test_a_peer_without_an_environment_says_how_to_get_one() -> None:
    with pytest.raises(Unavailable, match="make bench-peers"):
        python_of("no_such_peer")
