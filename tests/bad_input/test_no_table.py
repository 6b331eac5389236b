"""Inputs that are no table, or whose columns do not make one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gpudrift as gd

from .conftest import GOOD


@pytest.mark.parametrize("table", [5, None, 1.5, [1.0], [], (), {1.0}, b"x", object(), iter([1]), len], ids=repr)
def test_what_is_no_table_is_refused(table: Any) -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.check_drift(reference=table, current=GOOD)
    assert str(raised.value) == (
        f"reference is of type {type(table).__name__}, which is no table; pass a dataframe, an Arrow table, arrays by "
        "name or a Parquet path"
    )


def test_a_lazy_frame_is_refused() -> None:
    with pytest.raises(gd.DataError, match=r"^current is a lazy LazyFrame; call \.collect\(\) first$"):
        gd.check_drift(reference=GOOD, current=pl.LazyFrame(GOOD))

    class Delayed:
        def compute(self) -> None: ...

        def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray: ...

    with pytest.raises(gd.DataError, match=r"^current is a lazy Delayed; call \.compute\(\) first$"):
        gd.check_drift(reference=GOOD, current=Delayed())


def test_an_array_that_cannot_leave_its_device_is_refused() -> None:
    class OnDevice:
        def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
            raise TypeError("Implicit conversion is not allowed.")

    with pytest.raises(gd.DataError) as raised:
        gd.profile(OnDevice())
    assert str(raised.value) == (
        "reference is of type OnDevice, which does not become an array: Implicit conversion is not allowed; "
        "pass it as a NumPy array"
    )


@pytest.mark.parametrize("shape", [(), (2, 2, 2)])
def test_an_array_that_is_not_rows_by_columns_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.profile(np.zeros(shape))
    assert str(raised.value) == f"reference is an array of {len(shape)} dimensions; pass rows x columns"


TWICE: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame(np.zeros((5, 3)), columns=["a", "b", "a"]),
    "pandas, 1 and '1'": lambda: pd.DataFrame(np.zeros((5, 2)), columns=[1, "1"]),
    "pyarrow": lambda: pa.table([[1], [2], [3]], names=["a", "b", "a"]),
    "stream": lambda: pa.table([[1], [2], [3]], names=["a", "b", "a"]).to_reader(),
}


@pytest.mark.parametrize("table", TWICE.values(), ids=TWICE)
def test_columns_of_the_same_name_are_refused(table: Callable[[], Any]) -> None:
    with pytest.raises(gd.DataError, match=r"^reference has two columns named '[a1]'; rename one$"):
        gd.profile(table())


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.profile({"a": [1, 2, 3], "b": np.zeros(3), "c": [1] * 1500, "d": [1]})
    assert str(raised.value) == (
        "reference has columns of different lengths ('a' 3, 'c' 1,500, 'd' 1); give every column the same rows"
    )
