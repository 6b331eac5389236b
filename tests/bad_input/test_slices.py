"""Columns that make no slices: one line that names them."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

import gpudrift as gd
from gpudrift.errors import ConfigError, DataError, GpudriftError

from .conftest import GOOD


def check(reference, current, **settings):
    return gd.check_drift(
        reference={**GOOD, "s": reference}, current={**GOOD, "s": current}, **({"slices": ["s"]} | settings)
    )


TEXT = pa.array(["a", "b"] * 250)


@pytest.mark.parametrize(
    ("column", "held"),
    [
        (pa.array([[1]] * 500), "is list<item: int64>"),
        (pa.array([{"a": 1}] * 500), "is struct<a: int64>"),
        (pa.array([b"a"] * 500), "is binary"),
        (np.array([1, "a"] * 250, object), "cannot be read"),
    ],
)
@pytest.mark.parametrize("role", ["reference", "current"])
def test_a_column_without_categories_is_named(column, held, role):
    sides = {"reference": TEXT, "current": TEXT} | {role: column}
    with pytest.raises(DataError) as error:
        check(**sides)
    assert str(error.value) == f"slice column 's' {held} in the {role} data; give it one category in each row"


def test_text_that_is_not_utf8_is_named():
    broken = pa.array([b"\xff"] * 500).view(pa.string())
    with pytest.raises(DataError, match="slice column 's' holds text that is not UTF-8 in the current data"):
        check(TEXT, broken)


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        (["zone"], "reference has no column 'zone'"),
        (["s", "s"], "slices name 's' twice; name it once"),
        ("s", "slices must be a list of column names, got 's'"),
        ([1], "slices must be a list of column names, got (1,)"),
        (["age", "plan", "s", "a", "b", "c", "d"], "reference has no column 'a'"),
    ],
)
def test_names_that_do_not_fit_are_refused(slices, message):
    with pytest.raises(GpudriftError) as error:
        check(TEXT, TEXT, slices=slices)
    assert str(error.value).startswith(message)


def test_more_columns_than_a_number_holds_are_refused():
    sides = [{**GOOD} | {f"c{k}": np.ones(500) for k in range(7)} for _ in range(2)]
    with pytest.raises(DataError, match="slices take at most 6 columns, got 7"):
        gd.check_drift(reference=sides[0], current=sides[1], slices=[f"c{k}" for k in range(7)])


@pytest.mark.parametrize("most", [0, 1001, True, 2.5])
def test_the_cap_is_a_number_of_slices(most):
    with pytest.raises(ConfigError, match="max_slices must be between 1 and 1000"):
        check(TEXT, TEXT, max_slices=most)


@pytest.mark.parametrize("saved", [True, False])
def test_a_profile_has_no_rows_to_slice(saved, tmp_path):
    profile = gd.profile({**GOOD, "s": TEXT})
    profile.save(tmp_path / "champion.gdp")
    with pytest.raises(DataError, match="slices need the rows of the reference, a profile has none; pass"):
        gd.check_drift(
            reference=tmp_path / "champion.gdp" if saved else profile, current={**GOOD, "s": TEXT}, slices=["s"]
        )


def test_a_quarter_of_a_million_slices_are_pooled_and_more_than_a_million_refused():
    numbers = np.arange(250_000)
    sides = [{"x": numbers % 7, "s": numbers} for _ in range(2)]
    report = gd.check_drift(reference=sides[0], current=sides[1], slices=["s"], max_slices=2)
    assert list(report.slices) == [("0",), ("1",), ("(other)",)]
    assert report.slices["(other)"].n_current == 249_998
    many = {"x": np.zeros(1_100_000), "s": np.arange(1_100_000)}
    with pytest.raises(DataError, match="slices by s are more than a million in the reference data"):
        gd.check_drift(reference=many, current=sides[1], slices=["s"])
