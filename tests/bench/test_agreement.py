"""A result that is not right gets a line, and no ratio."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.bench.agreement import counts_disagreement, drift_disagreement
from gpudrift.bench.numpy_drift import Drift, plain
from gpudrift.bench.tables import N_SHAPES, Table, table
from gpudrift.profiles import Counts

ROWS = 5_000


@pytest.fixture
def sides() -> tuple[Table, Table]:
    return table(ROWS, N_SHAPES, "float64", 0), table(ROWS, N_SHAPES, "float64", 1)


def test_a_right_report_has_no_problem(sides: tuple[Table, Table]) -> None:
    assert drift_disagreement(dict(gd.check_drift(reference=sides[0], current=sides[1])), *sides, exact(sides)) is None


@pytest.mark.parametrize(("field", "said"), [("psi", "x1: PSI is"), ("js_distance", "x1: JS is")])
def test_a_wrong_statistic_is_named(sides: tuple[Table, Table], field: str, said: str) -> None:
    report = dict(gd.check_drift(reference=sides[0], current=sides[1]))
    report["x1"] = replace(report["x1"], **{field: getattr(report["x1"], field) + 1e-6})
    problem = drift_disagreement(report, *sides, exact(sides))
    assert problem is not None
    assert problem.startswith(said)


def test_a_nan_does_not_agree(sides: tuple[Table, Table]) -> None:
    report = dict(gd.check_drift(reference=sides[0], current=sides[1]))
    report["x0"] = replace(report["x0"], psi=float("nan"))
    assert "x0: PSI is nan" in str(drift_disagreement(report, *sides, exact(sides)))


def test_an_interval_without_the_exact_distance_is_named(sides: tuple[Table, Table]) -> None:
    report = dict(gd.check_drift(reference=sides[0], current=sides[1]))
    wrong = {name: found._replace(ks_lower=found.ks_lower + 0.01) for name, found in exact(sides).items()}
    assert "x0: KS is" in str(drift_disagreement(report, *sides, wrong))


def test_one_row_counted_otherwise_is_named(sides: tuple[Table, Table]) -> None:
    profile = gd.profile(sides[0])
    counts = profile.count(sides[1])
    assert counts_disagreement(profile, counts, sides[1], sides[1]) is None
    values = counts.values.copy()
    values[np.searchsorted(counts.keys, 2 << 32)] += 1
    wrong = Counts(counts.profile_id, counts.n_rows, counts.keys, values)
    assert counts_disagreement(profile, wrong, sides[1], sides[1]) == (
        "x2: 1 rows are counted otherwise than by definition"
    )


def exact(sides: tuple[Table, Table]) -> dict[str, Drift]:
    return {name: plain(sides[0][name], sides[1][name]) for name in sides[0]}
