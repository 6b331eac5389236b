"""Columns without a value, or with the same one in every row."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from .conftest import check_beside_good_columns, problems

NOTHING = {
    "null": [None] * 500,
    "NaN": np.full(500, np.nan),
    "NaT": np.full(500, "NaT", "M8[s]"),
    "null text": pa.array([None] * 500, pa.string()),
}
ONLY_MISSING = "x: has only missing values in the {} data; check where it comes from"


@pytest.mark.parametrize("values", list(NOTHING.values())[1:], ids=list(NOTHING)[1:])
def test_a_column_without_a_value_on_both_sides_is_named(values: Any) -> None:
    report = check_beside_good_columns(values, values)
    assert problems(report) == [ONLY_MISSING.format("reference"), ONLY_MISSING.format("current")]
    assert (report["x"].missing_reference, report["x"].missing_current) == (500, 500)
    assert not report["x"].drifted


def test_a_column_of_nulls_without_a_type_is_named() -> None:
    report = check_beside_good_columns(NOTHING["null"], NOTHING["null"])
    assert problems(report) == ["x: has only nulls in the reference and no type; give it a type or drop it"]


@pytest.mark.parametrize("values", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("reference", [np.arange(500.0) % 7, ["a", "b"] * 250], ids=["numbers", "text"])
def test_a_column_that_loses_all_its_values_drifts_and_is_named(values: Any, reference: Any) -> None:
    report = check_beside_good_columns(reference, values)
    assert problems(report) == [ONLY_MISSING.format("current")]
    assert report["x"].missing_current == 500
    assert [reason.statistic for reason in report["x"].reasons] == ["missing_rate", "p_value"]


def test_a_column_that_gains_its_values_drifts_and_is_named() -> None:
    report = check_beside_good_columns(NOTHING["NaN"], np.arange(500.0) % 7)
    assert problems(report) == [ONLY_MISSING.format("reference")]
    assert report["x"].drifted


def test_a_column_of_infinities_is_named() -> None:
    infinite = np.where(np.arange(500) % 2, np.inf, -np.inf)
    report = check_beside_good_columns(infinite, infinite)
    assert problems(report) == [
        "x: has only infinite or missing values in the reference data; check where it comes from",
        "x: has only infinite or missing values in the current data; check where it comes from",
    ]
    assert (report["x"].infinite_reference, report["x"].missing_reference) == (500, 0)


CONSTANTS: list[tuple[Any, Any]] = [(7.5, 8.0), (2**60, 2**60 + 1), ("a", "b"), (True, False)]


@pytest.mark.parametrize(("value", "other"), CONSTANTS)
def test_a_constant_column_drifts_only_from_another_value(value: Any, other: Any) -> None:
    same = check_beside_good_columns([value] * 500, [value] * 500)
    assert problems(same) == []
    assert (same["x"].psi, same["x"].drifted) == (0.0, False)
    moved = check_beside_good_columns([value] * 500, [other] * 500)
    assert problems(moved) == []
    assert moved["x"].drifted
