"""The rate of values out of range lies in its interval, whatever the cells hide."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudrift.stats import out_of_range_from_cells


@given(st.integers(0, 2**32 - 1), st.integers(1, 30))
def test_the_interval_holds_the_rate_of_the_rows(seed: int, n_cells: int) -> None:
    rng = np.random.default_rng(seed)
    reference, current = rng.normal(size=50), rng.normal(rng.normal(), rng.lognormal(), size=70)
    both = np.concatenate([reference, current])
    edges = np.linspace(both.min(), both.max(), n_cells + 1)
    f, g = (np.histogram(side, edges)[0] for side in (reference, current))
    rate = out_of_range_from_cells(f, g, np.zeros(n_cells, bool))
    assert rate.lower <= np.mean((current < reference.min()) | (current > reference.max())) <= rate.upper
    assert rate.value == rate.lower


@given(st.integers(0, 2**32 - 1))
def test_single_values_give_the_rate_of_the_rows(seed: int) -> None:
    rng = np.random.default_rng(seed)
    reference, current = rng.integers(10, 40, 30), rng.integers(0, 60, 40)
    f, g = (np.bincount(side, minlength=60) for side in (reference, current))
    rate = out_of_range_from_cells(f, g, np.ones(60, bool))
    expected = np.mean((current < reference.min()) | (current > reference.max()))
    assert rate.lower == rate.value == rate.upper == pytest.approx(expected, rel=1e-15)


def test_one_cell_for_all_hides_everything() -> None:
    rate = out_of_range_from_cells(np.array([3]), np.array([5]), np.array([False]))
    assert (rate.lower, rate.upper) == (0.0, 1.0)


def test_a_side_without_rows_has_no_rate() -> None:
    for pair in ((np.array([0, 0]), np.array([1, 2])), (np.array([1, 2]), np.array([0, 0]))):
        assert math.isnan(out_of_range_from_cells(*pair, np.array([False, False])).value)
