from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from gpudrift.stats import KS, ks_from_cells, ks_from_statistic

Counts = NDArray[np.int64]


def exact_distance(reference: NDArray[np.generic], current: NDArray[np.generic]) -> float:
    with np.errstate(divide="ignore"):  # scipy's p-value for one row against one
        return float(scipy.stats.ks_2samp(reference, current, method="asymp").statistic)


def count(values: NDArray[np.generic], edges: NDArray[np.generic]) -> Counts:
    """Counts of the cells between ascending edges, the two outer ones open."""
    return np.bincount(np.searchsorted(edges, values, side="right"), minlength=edges.size + 1)


small_values = arrays(np.int64, st.integers(1, 60), elements=st.integers(-20, 20))


@given(small_values, small_values, st.lists(st.integers(-20, 20), unique=True))
def test_the_exact_distance_lies_in_the_certified_interval_for_any_cells(
    reference: Counts, current: Counts, edges: list[int]
) -> None:
    cut_at = np.array(sorted(edges), dtype=np.int64)
    # Cells are whole numbers wide: one is single where its two edges are neighbours.
    single = np.concatenate(([False], np.diff(cut_at) == 1, [False]))[: cut_at.size + 1]
    f, g = count(reference, cut_at), count(current, cut_at)
    found = ks_from_cells(f, g, single)
    exact = exact_distance(reference, current)
    assert found.lower <= exact <= found.upper
    assert found.exact == (found.lower == found.upper)
    assert found.width <= np.max(np.minimum(f / f.sum(), g / g.sum()), where=~single, initial=0.0) + 1e-15


@given(small_values, small_values)
def test_single_cells_give_the_exact_distance_to_the_last_bit(reference: Counts, current: Counts) -> None:
    values = np.union1d(reference, current)
    f, g = count(reference, values)[1:], count(current, values)[1:]
    found = ks_from_cells(f, g, np.ones(values.size, dtype=bool))
    assert found.exact
    assert found.lower == found.upper == found.statistic == exact_distance(reference, current)


@given(small_values, small_values)
def test_swapping_the_sides_changes_nothing(reference: Counts, current: Counts) -> None:
    edges = np.array([-10, 0, 3, 4, 11])
    single = np.array([False, False, False, True, False, False])
    f, g = count(reference, edges), count(current, edges)
    assert ks_from_cells(f, g, single) == ks_from_cells(g, f, single)


@given(small_values)
def test_equal_counts_give_zero_and_certainty_of_no_drift(values: Counts) -> None:
    counts = count(values, np.arange(-19, 20, 4))
    found = ks_from_cells(counts, counts, np.zeros(counts.size, dtype=bool))
    assert (found.statistic, found.log_pvalue, found.p_value) == (0.0, 0.0, 1.0)


def test_a_cell_only_one_side_occupies_hides_nothing() -> None:
    found = ks_from_cells(np.array([5, 0, 5]), np.array([0, 8, 0]), np.zeros(3, dtype=bool))
    assert found == ks_from_statistic(0.5, 10, 8)


def test_the_bounds_are_reached_by_the_worst_order_inside_the_cell() -> None:
    reference, current = np.array([0.1, 0.2, 5.0]), np.array([0.8, 0.9, 7.0])
    found = ks_from_cells(np.array([2, 1]), np.array([2, 1]), np.array([False, True]))
    assert found.lower == 0.0
    assert found.upper == exact_distance(reference, current) == 2 / 3


def test_cells_without_rows_may_be_left_out_or_kept() -> None:
    dense = ks_from_cells(np.array([0, 3, 0, 1]), np.array([0, 1, 0, 9]), np.zeros(4, dtype=bool))
    assert dense == ks_from_cells(np.array([3, 1]), np.array([1, 9]), np.zeros(2, dtype=bool))


def test_the_p_value_is_kolmogorovs_limit_law() -> None:
    found = ks_from_statistic(0.05, 2000, 3000)
    expected = scipy.stats.kstwobign.logsf(math.sqrt(2000 * 3000 / 5000) * 0.05)
    assert found.log_pvalue == pytest.approx(expected, rel=1e-9)
    assert found.p_value == pytest.approx(math.exp(expected), rel=1e-9)


def test_the_p_value_meets_that_of_ks_2samp_as_rows_grow() -> None:
    rng = np.random.default_rng(3)
    reference, current = rng.normal(size=100_000), rng.normal(0.01, 1.0, size=80_000)
    peer = scipy.stats.ks_2samp(reference, current, method="asymp")
    ours = ks_from_statistic(float(peer.statistic), 100_000, 80_000)
    assert ours.p_value == pytest.approx(peer.pvalue, rel=0.02)


def test_the_log_p_value_of_two_billion_rows_apart_does_not_underflow() -> None:
    found = ks_from_statistic(1.0, 10**9, 10**9)
    assert found.log_pvalue == pytest.approx(math.log(2) - 1e9, rel=1e-12)
    assert found.p_value == 0.0


@pytest.mark.parametrize(
    "found",
    [
        ks_from_cells(np.array([0, 0]), np.array([1, 2]), np.array([True, True])),
        ks_from_cells(np.array([1, 2]), np.array([0, 0]), np.array([True, True])),
        ks_from_cells(np.array([], dtype=np.int64), np.array([], dtype=np.int64), np.array([], dtype=bool)),
        ks_from_statistic(0.5, 0, 3),
    ],
)
def test_a_side_without_rows_gives_nan_and_no_certainty(found: KS) -> None:
    assert not found.exact
    assert all(math.isnan(v) for v in (found.statistic, found.lower, found.upper, found.log_pvalue, found.width))


def test_cells_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match=r"must count the same bins, got \(2,\) and \(1,\)"):
        ks_from_cells(np.array([1, 2]), np.array([1]), np.array([True, True]))
    with pytest.raises(ValueError, match=r"single must have shape \(2,\) as the counts, got \(1,\)"):
        ks_from_cells(np.array([1, 2]), np.array([1, 2]), np.array([True]))
