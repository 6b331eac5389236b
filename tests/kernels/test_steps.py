"""Passes over two distribution functions, against the same in plain NumPy, bit for bit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpudrift_kernels.steps import areas, between, differences, largest


def sides(n_cells: int, dtype: str, seed: int = 0) -> tuple[NDArray[Any], NDArray[Any]]:
    rng = np.random.default_rng(seed)
    f, g = rng.poisson(2, (2, n_cells)) * (rng.random((2, n_cells)) if dtype == "float64" else 1)
    f[:1] += 1
    g[-1:] += 1
    return f.astype(dtype), g.astype(dtype)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
@pytest.mark.parametrize("n_cells", [1, 2, 9, 1000])
def test_differences_are_those_of_running_totals_divided_once(n_cells: int, dtype: str) -> None:
    reference, current = sides(n_cells, dtype)
    n, m = reference.sum().item(), current.sum().item()
    f, g = (np.append(0.0, np.cumsum(side) / total) for side, total in ((reference, n), (current, m)))
    ends, highest, lowest = differences(reference, current, n, m)
    np.testing.assert_array_equal(ends, f - g)
    np.testing.assert_array_equal(highest, f[1:] - g[:-1])
    np.testing.assert_array_equal(lowest, f[:-1] - g[1:])


@pytest.mark.parametrize("n_cells", [1, 2, 1000])
def test_the_largest_difference_is_looked_for_inside_cells_of_several_values_only(n_cells: int) -> None:
    reference, current = sides(n_cells, "int64")
    ends, highest, lowest = differences(reference, current, reference.sum(), current.sum())
    single = np.random.default_rng(1).random(n_cells) < 0.5
    known = np.abs(ends).max()
    inside = np.maximum(highest, -lowest)[~single]
    assert largest(ends, highest, lowest, single) == (known, max(known, inside.max(initial=0)))


@pytest.mark.parametrize("n_cells", [1, 2, 1000])
def test_areas_are_those_of_gaps_and_of_cells_by_where_their_rows_lie(n_cells: int) -> None:
    reference, current = sides(n_cells, "int64")
    ends, highest, lowest = differences(reference, current, reference.sum(), current.sum())
    start, stop = np.sort(np.random.default_rng(2).normal(size=2 * n_cells)).reshape(-1, 2).T
    gaps, midpoint, at_least, at_most = areas(ends, highest, lowest, start, stop)
    width = stop - start
    np.testing.assert_array_equal(gaps, np.abs(ends[1:-1]) * (start[1:] - stop[:-1]))
    np.testing.assert_array_equal(midpoint, 0.5 * (np.abs(ends[:-1]) + np.abs(ends[1:])) * width)
    np.testing.assert_array_equal(at_least, np.maximum(0.0, np.maximum(lowest, -highest)) * width)
    np.testing.assert_array_equal(at_most, np.maximum(highest, -lowest) * width)


@pytest.mark.parametrize("dtype", ["int64", "float64"])
@pytest.mark.parametrize("starts", [[], [0], [3, 4, 90], [5, 200]])
def test_counts_between_starts_are_those_of_a_search_for_each_place(starts: list[int], dtype: str) -> None:
    places = np.flatnonzero(np.random.default_rng(3).random(100) < 0.5)
    counts = sides(places.size, dtype)[0]
    expected = np.zeros(len(starts) + 1, dtype)
    np.add.at(expected, np.searchsorted(starts, places, side="right"), counts)
    found = between(np.array(starts, np.int64), places, counts)
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
