"""Weights that cannot be used: one line that names them, or a report that says which count as 0."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

import gpudrift as gd
from gpudrift.errors import ConfigError, DataError

from .conftest import GOOD, problems

ONES = np.ones(500)
TENTH = np.arange(500) % 10 == 0


def check(reference, current, **settings):
    return gd.check_drift(
        reference={**GOOD, "w": reference}, current={**GOOD, "w": current}, **({"weights": "w"} | settings)
    )


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("role", ["reference", "current"])
def test_a_weight_that_is_none_counts_as_zero_and_is_named(bad, role):
    sides = {"reference": ONES, "current": ONES} | {role: np.where(TENTH, bad, 1.0)}
    report = check(**sides)
    assert problems(report, "w") == [
        f"w: holds 50 weights in the {role} data that are negative, missing or not finite; they count as 0; "
        "mend them or drop the rows"
    ]
    assert report["age"].n_reference == report["age"].n_current == 500
    without = check(**(sides | {role: np.where(TENTH, 0.0, 1.0)}))
    assert without["age"].to_dict() == report["age"].to_dict()


def test_a_null_weight_is_one_that_is_missing():
    weights = pa.array([None if k % 10 == 0 else 1.0 for k in range(500)])
    assert "holds 50 weights in the current data" in problems(check(ONES, weights), "w")[0]


@pytest.mark.parametrize("weights", [0 * ONES, -ONES, np.nan * ONES])
@pytest.mark.parametrize("role", ["reference", "current"])
def test_without_any_weight_there_is_nothing_to_compare(weights, role):
    sides = {"reference": ONES, "current": ONES} | {role: weights}
    with pytest.raises(DataError, match=f"weights 'w' of the {role} data are all 0, negative or missing; name the"):
        check(**sides)


@pytest.mark.parametrize(
    ("weights", "held"),
    [
        (np.full(500, "1"), "is string"), (ONES > 0, "is bool"), (np.arange(500).astype("M8[s]"), "is timestamp[s]"),
        (np.arange(500).astype("m8[s]"), "is duration[s]"), (pa.nulls(500), "is null"),
        (pa.array([[1]] * 500), "is list<item: int64>"), (np.array([1, "a"] * 250, object), "cannot be read"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("role", ["reference", "current"])
def test_a_column_that_is_no_number_is_named(weights, held, role):
    sides = {"reference": ONES, "current": ONES} | {role: weights}
    with pytest.raises(DataError) as error:
        check(**sides)
    assert str(error.value) == f"weights 'w' {held} in the {role} data; name a column of numbers"


@pytest.mark.parametrize(
    "weights",
    [
        np.ones(500, np.uint8), np.full(500, 2**63, np.uint64), ONES.astype(np.float16), 1e300 * ONES, 5e-324 * ONES,
        pa.array([1.0] * 500).dictionary_encode(), pa.array([1] * 500).cast(pa.decimal128(22, 2)),
    ],
)  # fmt: skip
def test_numbers_of_any_type_and_size_weigh_the_same_if_both_sides_do(weights):
    report = check(weights, weights)
    assert not report.problems
    assert report["age"].current.n_effective == pytest.approx(500)
    assert report["age"].psi == check(ONES, ONES)["age"].psi


@pytest.mark.parametrize(
    ("reference", "current", "message"),
    [
        (ONES, 1e300 * ONES, r"are too large beside those of the reference \(up to 1e\+300, over 16,000"),
        (1e-300 * ONES, ONES, r"are too large beside those of the reference \(up to 1, over 16,000"),
        (ONES, 1e-300 * ONES, "are too small beside those of the reference to be added up exactly; scale them"),
        (1e300 * ONES, ONES, "are too small beside those of the reference to be added up exactly; scale them"),
    ],
)
def test_weights_of_another_order_than_the_reference_are_refused(reference, current, message):
    with pytest.raises(DataError, match=f"weights 'w' of the current data {message}"):
        check(reference, current)


def test_one_weight_that_drowns_the_others_is_refused():
    huge = np.where(np.arange(500) == 7, 1e12, 1.0)
    report = check(huge, huge)
    assert not report["age"].judged
    assert "say as much as 1 of equal weight, too few for a verdict" in problems(report, "age")[0]
    rng = np.random.default_rng(0)
    many = {"x": rng.normal(size=3_000_000), "w": np.where(np.arange(3_000_000) == 7, 1e9, 1.0)}
    with pytest.raises(DataError, match="reference data are too small beside the largest of them to be added up"):
        gd.profile(many, weights="w")


@pytest.mark.parametrize("role", ["reference", "current"])
def test_a_column_that_is_not_there_is_named(role):
    sides = {"reference": {**GOOD, "w": ONES}, "current": {**GOOD, "w": ONES}} | {role: GOOD}
    with pytest.raises(DataError, match=f"{role} has no column 'w': there is 'age', 'plan'"):
        gd.check_drift(**sides, weights="w")


def test_no_rows_are_no_rows_with_weights_too():
    empty = {"age": np.zeros(0), "w": np.zeros(0)}
    with pytest.raises(DataError, match="current has no rows; pass at least one"):
        gd.check_drift(reference={**GOOD, "w": ONES}, current=empty, weights="w")


def test_exact_and_weights_exclude_each_other():
    with pytest.raises(ConfigError, match="exact sorts rows as if they weighed the same; leave out exact or weights"):
        check(ONES, ONES, exact=True)


def test_a_window_or_slice_without_weight_has_no_verdict_and_says_so():
    half = np.repeat([0.0, 1.0], 250)
    current = {
        **GOOD, "w": half, "ts": np.datetime64("2024-01-01", "s") + np.arange(500) * 346, "s": half.astype(int),
    }  # fmt: skip
    report = gd.check_drift(
        reference={**GOOD, "w": ONES, "s": np.arange(500) % 2}, current=current, weights="w", slices=["s"],
        time="ts", window="1d", now=dt.datetime(2026, 1, 1),
    )  # fmt: skip
    first = next(iter(report.windows.values()))
    for one in (first, report.slices["0"]):
        assert one["age"].n_current == 250
        assert not one.dataset_drift
        assert not one["age"].judged
        assert "say as much as 0 of equal weight" in str(one.problems)
    assert report.slices["1"]["age"].judged
