"""Values in the place of their row: what groups of rows are counted from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from gpudrift.frames import NumberReader

NAN, INF = float("nan"), float("inf")


def chunked(values: Any, dtype: pa.DataType | None = None) -> pa.ChunkedArray:
    """In two chunks, so that a slice may lie across."""
    array = pa.array(values, dtype) if not isinstance(values, pa.Array) else values
    return pa.chunked_array([array[:2], array[2:]])


NULL_IN_DICTIONARY = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 2, 0]), pa.array([5, None, 7]))
NAN_IN_DICTIONARY = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 2, 0]), pa.array([5.0, NAN, 7.0]))

#: Column, what it means, dtype of the plan, and for each row its value or None.
CASES = {
    "floats": (np.array([1.0, NAN, INF, -2.0, 0.0]), "number", "float64", [1.0, NAN, INF, -2.0, 0.0]),
    "Arrow floats": (chunked([1.0, NAN, None, -2.0, 0.0]), "number", "float64", [1.0, NAN, None, -2.0, 0.0]),
    "floats counted as integers": (np.array([1.0, NAN, 3.0, 4.0, NAN]), "number", "int64", [1, None, 3, 4, None]),
    "Arrow floats counted as integers": (chunked([1.0, NAN, None, 4.0, 5.0]), "number", "int64", [1, None, None, 4, 5]),
    "integers with nulls": (chunked([1, None, 3, None, 5]), "number", "int64", [1, None, 3, None, 5]),
    "integers counted as floats": (chunked([1, None, 3, None, 5]), "number", "float32", [1, None, 3, None, 5]),
    "booleans": (chunked([True, None, False, True, None]), "number", "float32", [1, None, 0, 1, None]),
    "decimals": (
        chunked([Decimal("1.5"), None, Decimal(2), None, Decimal(3)]), "number", "float64", [1.5, None, 2, None, 3]
    ),
    "times": (
        np.array(["1970-01-01T00:00:01", "NaT", "1969-12-31", "NaT", "2000-01-01"], "M8[s]"), "timestamp/us", "int64",
        [10**6, None, -86_400 * 10**6, None, 946_684_800 * 10**6],
    ),
    "Arrow times": (chunked([1, None, 3, 4, None], pa.timestamp("ms")), "timestamp/s", "int64", [0, None, 0, 0, None]),
    "days": (chunked([1, None, 3, 4, None], pa.date32()), "date", "int64", [1, None, 3, 4, None]),
    "a dictionary": (
        chunked(pa.array([5, None, 7, 5, None]).dictionary_encode()), "number", "int64", [5, None, 7, 5, None]
    ),
    "a dictionary that holds null": (chunked(NULL_IN_DICTIONARY), "number", "int64", [5, None, None, 7, 5]),
    "a dictionary that holds null, as floats": (
        chunked(NULL_IN_DICTIONARY), "number", "float64", [5, None, None, 7, 5]
    ),
    "a dictionary that holds NaN": (chunked(NAN_IN_DICTIONARY), "number", "int64", [5, None, None, 7, 5]),
    "a dictionary that holds NaN, as floats": (chunked(NAN_IN_DICTIONARY), "number", "float64", [5, NAN, None, 7, 5]),
    "no type": (chunked(pa.nulls(5)), "number", "float64", [None] * 5),
    "nothing missing": (chunked([1, 2, 3, 4, 5], pa.uint8()), "number", "float64", [1, 2, 3, 4, 5]),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize(("start", "stop"), [(0, 5), (1, 4), (3, 3)])
def test_each_value_stands_in_its_row(name, start, stop):
    raw, meaning, dtype, expected = CASES[name]
    values, present = NumberReader(raw, meaning, dtype).aligned(start, stop)
    wanted = expected[start:stop]
    assert len(values) == len(wanted)
    if present is None:
        present = np.ones(len(wanted), bool)
    for value, is_there, expected_value in zip(values, present, wanted, strict=True):
        # A NaN may stand in its place, since it is counted as missing, or be none.
        if expected_value is None or expected_value != expected_value:
            assert not is_there or np.isnan(value)
        else:
            assert is_there
            assert value == expected_value


@pytest.mark.parametrize("name", CASES)
def test_the_same_values_are_left_as_without_places(name):
    raw, meaning, dtype, _ = CASES[name]
    reader = NumberReader(raw, meaning, dtype)
    alone, _ = reader.values(0, 5)
    values, present = reader.aligned(0, 5)
    np.testing.assert_array_equal(values if present is None else values[present], alone)
    assert values.dtype == alone.dtype
