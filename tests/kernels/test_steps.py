"""Passes over two distribution functions, against the same in plain NumPy; sums against exact ones."""

from __future__ import annotations

import math
import operator
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpudrift_kernels.steps import areas, between, differences, largest, moments, quantiles


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
    width = stop - start
    expected = (
        np.abs(ends[1:-1]) * (start[1:] - stop[:-1]),
        0.5 * (np.abs(ends[:-1]) + np.abs(ends[1:])) * width,
        np.maximum(0.0, np.maximum(lowest, -highest)) * width,
        np.maximum(highest, -lowest) * width,
    )
    found = areas(ends, highest, lowest, start, stop)
    assert found == pytest.approx([math.fsum(part) for part in expected], rel=1e-14, abs=0)  # a few roundings of a sum


@pytest.mark.parametrize("dtype", ["int64", "float64"])
@pytest.mark.parametrize("n_cells", [1, 2, 7, 9, 1000])
@pytest.mark.parametrize("exponent", [-1074, -300, 0, 1000])
def test_moments_are_those_of_rows_at_midpoints(n_cells: int, dtype: str, exponent: int) -> None:
    counts, _ = sides(n_cells, dtype)
    start, stop = (
        np.ldexp(np.sort(np.random.default_rng(2).integers(-(2**20), 2**20, 2 * n_cells)), exponent).reshape(-1, 2).T
    )
    mean, variance, scale = moments(counts, start, stop)
    occupied = counts > 0
    assert 2.0**scale > max(-start[occupied][0], stop[occupied][-1]) or scale > 1023
    rows = [Fraction(c) for c in counts.tolist()]
    middles = [
        (Fraction(a) + Fraction(b)) / 2 / Fraction(2) ** scale
        for a, b in zip(start.tolist(), stop.tolist(), strict=True)
    ]
    exact = sum(map(operator.mul, rows, middles)) / sum(rows)
    spread = sum(r * (m - exact) ** 2 for r, m in zip(rows, middles, strict=True)) / sum(rows)
    assert mean == pytest.approx(float(exact), rel=1e-13, abs=1e-15)
    assert variance == pytest.approx(float(spread), rel=1e-12, abs=1e-30)


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


@pytest.mark.parametrize("n_cells", [1, 3, 1000])
@pytest.mark.parametrize("parts", [2, 10])
def test_quantiles_lie_where_running_totals_reach_their_rank(n_cells: int, parts: int) -> None:
    rng = np.random.default_rng(n_cells)
    places = np.sort(rng.choice(10 * n_cells, n_cells, replace=False))
    counts = rng.geometric(0.01, n_cells)
    ranks = [-(-k * counts.sum() // parts) for k in range(1, parts)]
    assert quantiles(places, counts, parts).tolist() == places[np.searchsorted(np.cumsum(counts), ranks)].tolist()
