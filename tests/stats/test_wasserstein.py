from __future__ import annotations

import math
import sys
from fractions import Fraction

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from gpudrift.stats import (
    Wasserstein,
    mean_std_from_cells,
    mean_std_sorted,
    relative_scale,
    wasserstein_exact,
    wasserstein_from_cells,
)

Counts = NDArray[np.int64]
Values = NDArray[np.float64]
LARGEST = sys.float_info.max


def grid_cells(width: int) -> tuple[Values, Values]:
    """Cells of `width` whole numbers each, from -60 to 59: the first and the last value in each."""
    start = np.arange(-60, 60, width, dtype=np.float64)
    return start, start + (width - 1)


def count(values: Values, start: Values) -> Counts:
    return np.bincount(np.searchsorted(start, values, side="right") - 1, minlength=start.size)


whole_numbers = arrays(np.int64, st.integers(1, 50), elements=st.integers(-60, 59)).map(
    lambda values: values.astype(np.float64)
)


@given(whole_numbers, whole_numbers, st.sampled_from([1, 2, 5, 24, 120]), st.sampled_from([0.01, 1.0, 7.0]))
def test_the_certified_interval_holds_the_distance_of_the_rows(
    reference: Values, current: Values, width: int, scale: float
) -> None:
    start, stop = grid_cells(width)
    f, g = count(reference, start), count(current, start)
    found = wasserstein_from_cells(f, g, start, stop, scale)
    exact = scipy.stats.wasserstein_distance(reference, current) / scale
    rounding = 1e-12 * (1 + exact)
    assert found.lower - rounding <= exact <= found.upper + rounding
    assert found.lower <= found.value <= found.upper
    widest = float(np.sum((stop - start) * (f / f.sum() + g / g.sum()))) / scale
    assert found.upper - found.lower <= widest + rounding


@given(whole_numbers, whole_numbers)
def test_single_valued_cells_give_the_distance_itself(reference: Values, current: Values) -> None:
    start, stop = grid_cells(1)
    found = wasserstein_from_cells(count(reference, start), count(current, start), start, stop, 3.0)
    assert found.lower == found.value == found.upper
    assert found.value == pytest.approx(scipy.stats.wasserstein_distance(reference, current) / 3.0, rel=1e-9, abs=1e-12)


@given(whole_numbers, whole_numbers, st.sampled_from([2, 5, 24]))
def test_the_value_is_the_distance_of_the_midpoints(reference: Values, current: Values, width: int) -> None:
    start, stop = grid_cells(width)
    f, g = count(reference, start), count(current, start)
    middle = (start + stop) / 2
    expected = scipy.stats.wasserstein_distance(np.repeat(middle, f), np.repeat(middle, g))
    assert wasserstein_from_cells(f, g, start, stop, 1.0).value == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_both_ends_of_the_interval_are_reached() -> None:
    start, stop = np.array([0.0, 3.0]), np.array([1.0, 4.0])
    found = wasserstein_from_cells(np.array([4, 0]), np.array([3, 1]), start, stop, 1.0)
    # F - G stays in [-3/4, 1] over the first cell, is 1/4 from 1 to 3, and stays in [0, 1/4] over the second.
    assert found == Wasserstein(value=0.75, lower=0.5, upper=1.75)
    reference = np.zeros(4)
    assert scipy.stats.wasserstein_distance(reference, [1, 1, 1, 4]) == found.upper
    assert scipy.stats.wasserstein_distance([0, 0, 0, 1], [0, 0, 0, 3]) == found.lower


@given(whole_numbers)
def test_equal_counts_give_a_value_of_zero(values: Values) -> None:
    start, stop = grid_cells(5)
    counts = count(values, start)
    found = wasserstein_from_cells(counts, counts, start, stop, 1.0)
    assert found.value == found.lower == 0.0


@given(whole_numbers, whole_numbers)
def test_swapping_the_sides_changes_nothing(reference: Values, current: Values) -> None:
    start, stop = grid_cells(5)
    f, g = count(reference, start), count(current, start)
    assert wasserstein_from_cells(f, g, start, stop, 1.0) == wasserstein_from_cells(g, f, start, stop, 1.0)


finite = arrays(np.float64, st.integers(1, 40), elements=st.floats(-1e300, 1e300))


@given(finite, finite)
def test_the_exact_distance_equals_scipy(reference: Values, current: Values) -> None:
    expected = scipy.stats.wasserstein_distance(reference, current)
    found = wasserstein_exact(np.sort(reference), np.sort(current), 1.0)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_the_exact_distance_equals_scipy_on_a_large_sample_in_its_own_scale() -> None:
    rng = np.random.default_rng(7)
    reference, current = rng.lognormal(size=20_001), rng.lognormal(0.05, 1.1, size=7_000)
    scale = float(reference.std())
    expected = scipy.stats.wasserstein_distance(reference, current) / scale
    found = wasserstein_exact(np.sort(reference), np.sort(current), scale)
    assert found == pytest.approx(expected, rel=1e-9)


def test_fine_cells_approach_the_exact_distance() -> None:
    rng = np.random.default_rng(8)
    reference, current = np.sort(rng.uniform(0, 1, 5_000)), np.sort(rng.uniform(0.1, 1, 3_000))
    edges = np.linspace(0, 1, 1001)
    f, g = np.histogram(reference, edges)[0], np.histogram(current, edges)[0]
    found = wasserstein_from_cells(f, g, edges[:-1], np.nextafter(edges[1:], 0), 1.0)
    assert found.upper - found.lower < 0.002  # twice the width of a cell
    assert found.lower <= wasserstein_exact(reference, current, 1.0) <= found.upper


def test_a_side_without_rows_gives_nan() -> None:
    start, stop = np.array([0.0, 1.0]), np.array([0.5, 2.0])
    nothing, something = np.array([0, 0]), np.array([1, 1])
    for pair in ((nothing, something), (something, nothing)):
        found = wasserstein_from_cells(*pair, start, stop, math.nan)
        assert all(math.isnan(value) for value in (found.value, found.lower, found.upper))
    assert math.isnan(wasserstein_exact(np.array([]), np.array([1.0]), 1.0))


def test_cells_at_both_ends_of_float64_neither_overflow_nor_turn_nan() -> None:
    start, stop = np.array([-LARGEST, 1.0]), np.array([0.0, LARGEST])
    found = wasserstein_from_cells(np.array([10, 0]), np.array([0, 10]), start, stop, LARGEST)
    assert found == Wasserstein(value=1.0, lower=pytest.approx(1 / LARGEST), upper=2.0)
    saturated = wasserstein_from_cells(np.array([10, 0]), np.array([0, 10]), start, stop, 1e-300)
    assert (saturated.value, saturated.upper) == (LARGEST, LARGEST)
    assert wasserstein_exact(np.array([-LARGEST]), np.array([LARGEST]), LARGEST) == 2.0


def test_subnormal_values_keep_their_distance() -> None:
    tiny = 5e-324
    found = wasserstein_exact(np.array([0.0]), np.array([8 * tiny]), 2 * tiny)
    assert found == 4.0
    cells = np.array([0.0, 8 * tiny])
    assert wasserstein_from_cells(np.array([1, 0]), np.array([0, 1]), cells, cells, 2 * tiny).value == 4.0


def test_a_common_outlier_does_not_cost_the_others_their_digits() -> None:
    far = 1e297
    assert wasserstein_exact(np.array([0.0, far]), np.array([2e-16, far]), 1.0) == 1e-16
    cells = np.array([0.0, 2e-16, far])
    assert wasserstein_from_cells(np.array([1, 0, 1]), np.array([0, 1, 1]), cells, cells, 1.0).value == 1e-16


def test_one_cell_holds_everything_and_says_so() -> None:
    found = wasserstein_from_cells(np.array([5]), np.array([9]), np.array([2.0]), np.array([6.0]), 1.0)
    assert found == Wasserstein(value=0.0, lower=0.0, upper=4.0)


@pytest.mark.parametrize("scale", [0.0, -1.0, math.nan])
def test_a_scale_that_is_not_positive_is_refused(scale: float) -> None:
    one = np.array([1.0])
    with pytest.raises(ValueError, match="scale must be > 0, got"):
        wasserstein_exact(one, one, scale)
    with pytest.raises(ValueError, match="scale must be > 0, got"):
        wasserstein_from_cells(np.array([1]), np.array([1]), one, one, scale)


def test_cells_that_do_not_match_are_refused() -> None:
    two, one = np.array([1.0, 2.0]), np.array([1.0])
    with pytest.raises(ValueError, match=r"start and stop must have shape \(1,\) as the counts"):
        wasserstein_from_cells(np.array([1]), np.array([1]), two, one, 1.0)
    with pytest.raises(ValueError, match=r"start and stop must have shape \(1,\) as the counts"):
        mean_std_from_cells(np.array([1]), one, two)


@given(whole_numbers, st.sampled_from([1, 5]))
def test_mean_and_deviation_are_those_of_the_midpoints(values: Values, width: int) -> None:
    start, stop = grid_cells(width)
    counts = count(values, start)
    rows = np.repeat((start + stop) / 2, counts)
    mean, std = mean_std_from_cells(counts, start, stop)
    assert mean == pytest.approx(rows.mean(), rel=1e-12, abs=1e-12)
    assert std == pytest.approx(rows.std(), rel=1e-12, abs=1e-12)


def test_a_small_spread_about_a_huge_value_keeps_its_digits() -> None:
    at = 1e18 + np.array([0.0, 1024.0, 2048.0])
    mean, std = mean_std_from_cells(np.array([10, 20, 10]), at, at)
    assert mean == 1e18 + 1024
    assert std == pytest.approx(1024 / math.sqrt(2), rel=1e-14)


@pytest.mark.parametrize("value", [0.1, -7.0, 1e18, LARGEST, 5e-324, 0.0])
def test_a_constant_has_exactly_its_value_and_no_spread(value: float) -> None:
    at = np.array([value])
    assert mean_std_from_cells(np.array([3]), at, at) == (value, 0.0)


def test_mean_and_deviation_at_both_ends_of_float64() -> None:
    at = np.array([-LARGEST, LARGEST])
    assert mean_std_from_cells(np.array([1, 1]), at, at) == (0.0, LARGEST)


def test_empty_cells_far_out_do_not_flatten_a_small_spread() -> None:
    at = np.array([-1e-200, 1e-200, 1e300])
    mean, std = mean_std_from_cells(np.array([1, 1, 0]), at, at)
    assert (mean, std) == (0.0, pytest.approx(1e-200, rel=1e-14))


def test_no_rows_have_no_mean() -> None:
    mean, std = mean_std_from_cells(np.array([0]), np.array([1.0]), np.array([1.0]))
    assert math.isnan(mean)
    assert math.isnan(std)


def test_the_scale_is_the_deviation_unless_that_is_zero() -> None:
    assert relative_scale(1.7e18, 6e10) == 6e10  # a minute within nanosecond timestamps
    assert relative_scale(1e15, 29.0) == 29.0
    assert relative_scale(-5.0, 0.0) == 5e-12
    assert relative_scale(0.0, 1e-20) == 1e-20
    assert relative_scale(0.0, 0.0) == 1e-12
    assert math.isnan(relative_scale(math.nan, math.nan))


@pytest.mark.parametrize(("constant", "moved_to"), [(5.0, 6.0), (0.0, 1.0)])
def test_a_constant_that_moved_is_far_away_but_finite(constant: float, moved_to: float) -> None:
    scale = relative_scale(constant, 0.0)
    assert 1e6 < wasserstein_exact(np.array([constant]), np.array([moved_to]), scale) < 1e13


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
def test_mean_and_deviation_of_a_sorted_sample_are_those_of_exact_arithmetic_over_blocks(dtype: str) -> None:
    rng = np.random.default_rng(11)
    at = 1e3 if dtype == "float32" else 2**62
    values = np.sort((at + rng.normal(0, at / 1e4, 70_000)).astype(dtype))  # more than a block
    whole = [Fraction(value) for value in values.tolist()]
    mean = sum(whole) / len(whole)
    variance = sum((value - mean) ** 2 for value in whole) / len(whole)
    assert mean_std_sorted(values) == pytest.approx((float(mean), math.sqrt(variance)), rel=1e-12)


@pytest.mark.parametrize("value", [0.0, -5.0, LARGEST, -LARGEST, 5e-324, 0.1])
def test_equal_values_have_no_deviation(value: float) -> None:
    assert mean_std_sorted(np.full(70_000, value)) == (value, 0.0)
    assert mean_std_sorted(np.array([-LARGEST, LARGEST])) == (0.0, LARGEST)
    assert np.isnan(mean_std_sorted(np.empty(0))).all()
