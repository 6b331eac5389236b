"""Columns whose values are of several types, or no values at all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import gpudrift as gd

from .conftest import check_beside_good_columns, problems

MIXED: dict[str, tuple[list[Any], str]] = {
    "int and str": ([1, "a"], "it holds int and str"),
    "str and int": (["a", 1], "it holds int and str"),
    "str and float": (["a", 1.5], "it holds float and str"),
    "three types": (["a", 1, 1.5], "it holds float, int and str"),
    "bool and int": ([True, 2], "it holds bool and int"),
    "dict and str": ([{"a": 1}, "a"], "it holds dict and str"),
    "date and datetime": ([dt.date(2024, 1, 1), dt.datetime(2024, 1, 1, 5)], "it holds date and datetime"),
    "with gaps": (["a", None, float("nan"), pd.NaT, 1], "it holds int and str"),
    "objects": (
        [object],
        "Could not convert <class 'object'> with type type: did not recognize Python value type when inferring an "
        "Arrow data type",
    ),
    "numbers beyond 64 bits": ([2**80, 1], "it holds integers beyond 64 bits"),
}


@pytest.mark.parametrize("library", [list, lambda values: pd.Series(values, dtype=object), np.array], ids="lpn")
@pytest.mark.parametrize(("values", "why"), MIXED.values(), ids=MIXED)
def test_a_column_of_mixed_types_is_named(values: list[Any], why: str, library: Callable[[Any], Any]) -> None:
    if library is np.array:
        column = np.empty(len(values), object)
        column[:] = values
    else:
        column = library(values)
    reference = {"x": column, "age": np.arange(len(values), dtype=float)}
    report = gd.check_drift(reference=reference, current=reference)
    assert set(report) == {"age"}
    assert problems(report) == [
        f"x: cannot be read in the reference data: {why}; give it one value of one type in each row"
    ]
    current = gd.check_drift(reference={**reference, "x": ["a"] * len(values)}, current=reference)
    assert problems(current) == [
        f"x: cannot be read in the current data: {why}; give it one value of one type in each row"
    ]


ODD: dict[str, tuple[Any, str]] = {
    "a number": (5, "it is a single int"),
    "a text": ("abc", "it is a single str"),
    "a mapping": ({"a": 1}, "it is a single dict"),
    "None": (None, "it is a single NoneType"),
    "two dimensions": (np.zeros((500, 2)), "it has 2 dimensions"),
    "no dimension": (np.array(5.0), "it has 0 dimensions"),
}


@pytest.mark.parametrize(("values", "why"), ODD.values(), ids=ODD)
def test_a_value_that_is_no_column_is_named(values: Any, why: str) -> None:
    report = check_beside_good_columns(values, values)
    assert problems(report) == [
        f"x: cannot be read in the reference data: {why}; give it one value of one type in each row"
    ]


def test_a_column_that_cannot_be_of_the_kind_asked_for_is_named() -> None:
    report = check_beside_good_columns(["a", "b"] * 250, ["a", "b"] * 250, numeric=["x"])
    assert problems(report) == ["x: is string and cannot be numeric; cast it first"]
    report = check_beside_good_columns([[1]] * 500, [[1]] * 500, categorical=["x"])
    assert problems(report) == ["x: is list<item: int64> and cannot be categorical; cast it first"]
