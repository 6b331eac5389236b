"""A result that is not right gets a line, and no ratio."""

from __future__ import annotations

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.bench.agreement import by_definition, counts_disagreement, disagreement, found_by
from gpudrift.bench.tables import N_SHAPES, Table, table
from gpudrift.profiles import Counts

ROWS = 5_000


@pytest.fixture
def sides() -> tuple[Table, Table]:
    return table(ROWS, N_SHAPES, "float64", 0), table(ROWS, N_SHAPES, "float64", 1)


def test_a_right_report_has_no_problem(sides: tuple[Table, Table]) -> None:
    report = gd.check_drift(reference=sides[0], current=sides[1])
    assert disagreement(found_by(report), by_definition(*sides)) is None


@pytest.mark.parametrize(("field", "said"), [("psi", "x1: PSI is"), ("js_distance", "x1: JS is")])
@pytest.mark.parametrize("wrong", [1e-6, float("nan")])
def test_a_wrong_statistic_is_named(sides: tuple[Table, Table], field: str, said: str, wrong: float) -> None:
    found = found_by(gd.check_drift(reference=sides[0], current=sides[1]))
    found["x1"] = found["x1"]._replace(**{field: getattr(found["x1"], field) + wrong})
    assert str(disagreement(found, by_definition(*sides))).startswith(said)


def test_an_interval_without_the_exact_distance_is_named(sides: tuple[Table, Table]) -> None:
    expected = by_definition(*sides)
    found = {name: drift._replace(ks_upper=drift.ks_lower - 0.01, ks_lower=0.0) for name, drift in expected.items()}
    assert str(disagreement(found, expected)).startswith("x0: KS is")


def test_a_column_without_a_result_is_named(sides: tuple[Table, Table]) -> None:
    assert disagreement({}, by_definition(*sides)) == "x0 is missing"


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
