"""The quick suite on a few rows."""

from __future__ import annotations

import json

import pytest

import gpudrift as gd
from gpudrift.bench import Timing, numpy_drift, quick, streaming_sum
from gpudrift.bench.tables import column, table

TINY = 1e-3


@pytest.mark.parametrize("question", quick.QUESTIONS, ids=lambda question: question.__name__)
def test_every_question_is_answered_alike_by_all(question: quick.Question) -> None:
    seen: list[str] = []
    standing = question(TINY, seen.append)
    assert standing.problem is None
    assert set(seen) == set(standing.timings)
    assert standing.ratios
    json.dumps(standing.to_dict(), allow_nan=False)


def test_where_results_disagree_there_is_no_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = numpy_drift.Drift(None, None, 0.5, 0.5)
    monkeypatch.setattr("gpudrift.bench.numpy_drift.plain", lambda *sides: wrong)
    standing = quick.drift(TINY, lambda _: None)
    assert "NumPy, every row searched: x0: KS is" in str(standing.problem)
    assert standing.ratios == {}
    assert standing.to_dict()["ratios"] == {}


def test_ratios_and_bandwidth_follow_from_the_medians() -> None:
    standing = quick.Standing(
        "q", {quick.OURS: Timing((2.0,), 0), "NumPy": Timing((6.0,), 0), quick.SUM: Timing((0.5,), 0)}, 4 * 10**9, None
    )
    assert standing.ratios == {"NumPy": 3}
    assert standing.gb_per_s(quick.OURS) == 2
    assert standing.share_of_limit == 0.25


def test_values_that_fit_into_caches_say_nothing_of_the_memory() -> None:
    timings: quick.Timings = {quick.OURS: Timing((2.0,), 0), quick.SUM: Timing((0.5,), 0)}
    small = quick.Standing("q", timings, 10**6, None)
    assert (small.share_of_limit, small.gb_per_s(quick.OURS)) == (None, None)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_streaming_sum_is_the_sum(dtype: str) -> None:
    columns = table(1_001, 4, dtype, 0)
    expected = sum(float(c.sum(dtype="float64")) for c in columns.values())
    assert streaming_sum(columns.values(), threads=3) == pytest.approx(expected, rel=1e-5)  # float32 partial sums


def test_columns_depend_on_nothing_but_their_number_and_side() -> None:
    wide, narrow = table(100, 5, "float64", 1), table(100, 1, "float64", 1)
    assert (wide["x0"] == narrow["x0"]).all()
    assert (wide["x4"] == column(100, 4, "float64", 1)).all()
    assert (wide["x0"] != wide["x4"]).any()


def test_the_current_side_has_moved() -> None:
    reference, current = (table(2_000, 4, "float32", side) for side in (0, 1))
    assert len(gd.check_drift(reference=reference, current=current).drifted) >= 3
