"""Changes of mean and standard deviation: against the rows themselves, and their intervals."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpudrift.stats import (
    Bounded,
    mean_change_from_cells,
    mean_std_from_cells,
    relative_scale,
    std_change_from_cells,
    wasserstein_from_cells,
)

Rows = NDArray[np.float64]


def in_cells(edges: Rows, rows: Rows) -> NDArray[np.int64]:
    return np.histogram(rows, edges)[0].astype(np.int64)


@given(st.integers(0, 2**32 - 1), st.integers(2, 40))
def test_the_intervals_hold_the_changes_of_the_rows(seed: int, n_cells: int) -> None:
    rng = np.random.default_rng(seed)
    reference, current = rng.normal(3, 2, 200), rng.normal(3 + rng.normal(), 2 * rng.lognormal(), 300)
    both = np.concatenate([reference, current])
    edges = np.linspace(both.min(), both.max(), n_cells + 1)
    cells = in_cells(edges, reference), in_cells(edges, current), edges[:-1], edges[1:]
    mean = mean_change_from_cells(*cells, scale=2.0)
    std = std_change_from_cells(*cells)
    assert mean.lower - 1e-9 <= (current.mean() - reference.mean()) / 2.0 <= mean.upper + 1e-9
    assert mean.lower <= mean.value <= mean.upper
    if not math.isnan(std.value):  # all rows of one side in one cell have no spread that midpoints show
        assert std.lower - 1e-9 <= math.log(current.std() / reference.std()) <= std.upper + 1e-9
        assert std.lower <= std.value <= std.upper


@given(st.integers(0, 2**32 - 1))
def test_single_values_give_the_changes_of_the_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, current = rng.integers(0, 50, 100), rng.integers(10, 90, 80)
    points = np.arange(100.0)
    f, g = (np.bincount(side, minlength=100) for side in (reference, current))
    mean = mean_change_from_cells(f, g, points, points, scale=float(reference.std()))
    std = std_change_from_cells(f, g, points, points)
    assert mean.value == pytest.approx((current.mean() - reference.mean()) / reference.std(), rel=1e-12)
    assert std.value == pytest.approx(math.log(current.std() / reference.std()), rel=1e-12, abs=1e-12)
    assert mean.lower == mean.value == mean.upper
    assert std.lower == std.value == std.upper


@given(st.integers(0, 2**32 - 1))
def test_swapping_the_sides_turns_the_signs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    f, g = rng.integers(0, 9, 20), rng.integers(0, 9, 20)
    start = np.arange(20.0)
    there, back = (mean_change_from_cells(*pair, start, start + 0.5, scale=1.0) for pair in ((f, g), (g, f)))
    assert there.value == pytest.approx(-back.value, abs=1e-12)
    assert (there.lower, there.upper) == pytest.approx((-back.upper, -back.lower), abs=1e-12)
    s, t = (std_change_from_cells(*pair, start, start + 0.5) for pair in ((f, g), (g, f)))
    assert s.value == pytest.approx(-t.value, abs=1e-12)


@given(st.integers(0, 2**32 - 1))
def test_the_mean_moves_no_further_than_wasserstein(seed: int) -> None:
    rng = np.random.default_rng(seed)
    f, g = rng.integers(0, 9, 20), rng.integers(1, 9, 20)
    start = np.sort(rng.normal(size=20))
    change = mean_change_from_cells(f, g + 1, start, start, scale=0.7)
    assert abs(change.value) <= wasserstein_from_cells(f, g + 1, start, start, 0.7).value + 1e-12


def test_equal_shares_have_changed_by_exactly_zero() -> None:
    f, start = np.array([1, 5, 3]), np.array([0.1, 0.7, 1.9])
    assert mean_change_from_cells(f, 3 * f, start, start, scale=1.0) == Bounded(0.0, 0.0, 0.0)
    assert std_change_from_cells(f, f, start, start) == Bounded(0.0, 0.0, 0.0)


def test_a_shift_far_from_zero_keeps_its_digits() -> None:
    start = np.array([1e18, 1e18 + 1024, 1e18 + 2048])
    f, g = np.array([2, 2, 0]), np.array([0, 2, 2])
    scale = relative_scale(*mean_std_from_cells(f, start, start))
    assert mean_change_from_cells(f, g, start, start, scale).value == 2.0  # 1024 in units of 512


def test_the_largest_doubles_do_not_overflow() -> None:
    largest = np.finfo(np.float64).max
    start, stop = np.array([-largest, 0.0]), np.array([0.0, largest])
    change = mean_change_from_cells(np.array([4, 0]), np.array([0, 4]), start, stop, scale=1e-12)
    assert change.value == change.upper == largest
    assert change.lower == pytest.approx(0.0, abs=1e-3 * largest)  # one rounding in 2^1024, over the scale
    spread = std_change_from_cells(np.array([2, 2]), np.array([1, 3]), start, stop)
    assert spread.value == pytest.approx(math.log(math.sqrt(3) / 2), rel=1e-12)


def test_no_rows_and_no_spread_have_no_change_to_tell() -> None:
    start = np.array([0.0, 1.0])
    nothing, constant, some = np.array([0, 0]), np.array([0, 3]), np.array([1, 3])
    for pair in ((nothing, some), (some, nothing)):
        assert math.isnan(mean_change_from_cells(*pair, start, start, scale=1.0).value)
        assert math.isnan(std_change_from_cells(*pair, start, start).value)
    for pair in ((constant, some), (some, constant)):
        assert math.isnan(std_change_from_cells(*pair, start, start).value)
    assert std_change_from_cells(constant, constant, start, start) == Bounded(0.0, 0.0, 0.0)


def test_what_does_not_fit_is_refused() -> None:
    f, start = np.array([1, 2]), np.array([0.0, 1.0, 2.0])
    with pytest.raises(ValueError, match=r"must have shape \(2,\) as the counts, got \(3,\) and \(3,\)"):
        mean_change_from_cells(f, f, start, start, scale=1.0)
    with pytest.raises(ValueError, match=r"must have shape \(2,\) as the counts, got \(3,\) and \(3,\)"):
        std_change_from_cells(f, f, start, start)
    with pytest.raises(ValueError, match=r"scale must be > 0, got 0\.0"):
        mean_change_from_cells(f, f, start[:2], start[:2], scale=0.0)
