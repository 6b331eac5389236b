"""Decimals are the doubles nearest to them, whatever their scale."""

from __future__ import annotations

from decimal import Context, Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpudrift as gd
from gpudrift.frames.numbers import nearest_doubles
from gpudrift.frames.rows import floats


@given(st.lists(st.integers(-(10**37), 10**37) | st.integers(-(10**6), 10**6)), st.integers(-3, 37), st.integers(0, 3))
def test_each_is_the_nearest_double(whole: list[int], scale: int, start: int) -> None:
    held = [Context(prec=60).scaleb(Decimal(n), -scale) for n in whole]
    column = pa.chunked_array(
        [pa.array(held, pa.decimal128(38, scale))[start:], pa.array(held, pa.decimal128(38, scale))]
    )
    expected = [float(x) for x in held[start:] + held]
    assert nearest_doubles(column).tolist() == expected
    assert floats(column).tolist() == expected


@pytest.mark.parametrize(
    "dtype", [pa.decimal128(10, 2), pa.decimal128(30, 6), pa.decimal256(60, 7), pa.decimal128(38, 30)]
)
def test_prices_are_those_that_floats_hold(dtype: pa.DataType) -> None:
    prices = ["4.99", "9.99", "19.99", "99.99", None, "7.35"] * 50
    held = pa.array([None if p is None else Decimal(p) for p in prices], dtype)
    doubles = pa.array([None if p is None else float(p) for p in prices])
    report = gd.check_drift(reference={"price": held}, current={"price": doubles})
    assert report["price"].psi == 0.0
    assert report["price"].ks is not None
    assert report["price"].ks.upper == 0.0
    np.testing.assert_array_equal(floats(pa.chunked_array([held])), doubles.to_numpy(zero_copy_only=False))
