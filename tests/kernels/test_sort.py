from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from gpudrift_kernels.cpu.sort import sort


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_sort_leaves_out_what_is_not_finite(dtype: str) -> None:
    values = np.array([3, np.nan, -1, np.inf, 0, -np.inf, -1], dtype)
    before = values.copy()
    found = sort(values)
    assert found.dtype == dtype
    assert found.tolist() == [-1, -1, 0, 3]
    np.testing.assert_array_equal(values, before)


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_sort_keeps_neighbours_of_large_integers_apart(dtype: str) -> None:
    values = 2**62 + np.array([2, 0, 1], dtype)
    values.flags.writeable = False
    assert sort(values).tolist() == [2**62, 2**62 + 1, 2**62 + 2]


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
def test_what_may_be_overwritten_is_sorted_where_it_lies(dtype: str) -> None:
    values = np.random.default_rng(1).integers(0, 99, 500).astype(dtype)
    expected = sort(values)
    found = sort(values, overwrite=True)
    assert found.tolist() == expected.tolist()
    assert np.shares_memory(found, values)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
def test_sorting_in_place_takes_no_memory(dtype: str) -> None:
    values = np.arange(100_000)[::-1].astype(dtype)
    tracemalloc.start()
    try:
        sort(values, overwrite=True)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000
