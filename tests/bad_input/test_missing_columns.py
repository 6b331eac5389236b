"""Columns that are on one side only, on neither, or unknown by name."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gpudrift as gd

from .conftest import GOOD, problems


@pytest.mark.parametrize("nothing", [{}, pd.DataFrame(), pl.DataFrame(), pa.table({}), np.empty((5, 0))])
def test_a_reference_without_columns_is_refused(nothing: Any) -> None:
    with pytest.raises(gd.DataError, match=r"^reference has no column that can be compared; pass at least one column$"):
        gd.profile(nothing)


def test_a_reference_without_a_column_to_compare_is_refused_with_the_reasons() -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.profile({"a": [[1], [2]], "b": [None, None], "c": [1, "x"]})
    assert str(raised.value) == (
        "reference has no column that can be compared; "
        "c: cannot be read in the reference data: it holds int and str; give it one value of one type in each row; "
        "a: is list<item: int64>, which has neither order nor categories; flatten or cast it to compare it; "
        "b: has only nulls in the reference and no type; give it a type or drop it"
    )


def test_no_column_in_common_is_refused_with_the_reasons() -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.check_drift(reference={"a": [1.0] * 40, "b": ["x"] * 40}, current={"b": [1.0] * 40, "c": [1.0] * 40})
    assert str(raised.value) == (
        "reference and current have no column in common that can be compared; a: is missing from the current data; "
        "b: is string in the reference and float64 in the current data"
    )


def test_a_column_missing_from_the_current_data_is_named() -> None:
    report = gd.check_drift(reference={**GOOD, "x": np.arange(500.0)}, current=GOOD)
    assert set(report) == {"age", "plan"}
    assert problems(report) == [
        "x: is missing from the current data; add the column or drop it from the profile",
    ]


def test_a_column_asked_for_by_name_must_be_on_both_sides() -> None:
    more = {**GOOD, "plans": GOOD["plan"]}
    with pytest.raises(gd.DataError, match=r"^current has no column 'plans': did you mean 'plan'\?$"):
        gd.check_drift(reference=more, current=GOOD, columns=["age", "plans"])
    with pytest.raises(gd.DataError, match=r"^reference has no column 'plans': did you mean 'plan'\?$"):
        gd.check_drift(reference=GOOD, current=more, columns=["age", "plans"])


def test_a_column_that_only_the_current_data_have_is_ignored_even_if_it_is_bad() -> None:
    report = gd.check_drift(reference=GOOD, current={**GOOD, "x": [1, "a"] * 250})
    assert report.problems == ()


@pytest.mark.parametrize("option", ["columns", "categorical", "numeric"])
def test_an_unknown_column_is_refused_with_the_nearest_name(option: str) -> None:
    with pytest.raises(gd.DataError, match=r"^reference has no column 'agee': did you mean 'age'\?$"):
        gd.check_drift(reference=GOOD, current=GOOD, **{option: ["agee"]})
    with pytest.raises(gd.DataError, match=r"^reference has no column 'zzz': there is 'age', 'plan'$"):
        gd.profile(GOOD, **{option: ["zzz"]})


def test_only_the_columns_asked_for_are_named() -> None:
    table = {**GOOD, "x": [1, "a"] * 250, "y": [[1]] * 500}
    assert gd.check_drift(reference=table, current=table, columns=["age"]).problems == ()
    assert problems(gd.check_drift(reference=table, current=table, columns=["age", "x"])) == [
        "x: cannot be read in the reference data: it holds int and str; give it one value of one type in each row"
    ]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[31m", "日本", "x" * 500, "<b>"])
def test_every_name_of_a_column_gives_messages_of_one_line(name: str) -> None:
    table = {name: [[1]] * 40, "other": np.arange(40.0)}
    report = gd.check_drift(reference=table, current=table)
    (problem,) = (problem for problem in report.problems if problem.feature == name)
    shown = name if name.isprintable() and name.strip() else repr(name)
    assert str(problem) == (
        f"{shown}: is list<item: int64>, which has neither order nor categories; flatten or cast it to compare it"
    )
    assert gd.check_drift(reference={name: np.arange(40.0)}, current={name: np.arange(40.0)})[name].psi == 0.0
