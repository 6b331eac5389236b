from __future__ import annotations

from functools import partial
from unittest import mock

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from gpudrift_kernels import reference
from gpudrift_kernels.backend import get_backend
from gpudrift_kernels.cpu import ks
from gpudrift_kernels.cpu.ks import ks_sorted, ks_within, remainder

from .sides import PAIRS

small_samples = st.lists(st.integers(0, 60), max_size=50)


@pytest.mark.parametrize("name", PAIRS)
def test_ks_equals_scipy_and_the_reference(name: str) -> None:
    x, y = PAIRS[name]
    doubles = [side.astype(np.float64) if side.dtype == np.float32 else side for side in (x, y)]  # its shares too
    expected = scipy.stats.ks_2samp(*doubles, method="asymp").statistic
    assert ks_sorted(x, y) == pytest.approx(expected, abs=1e-15)  # versions of scipy differ in the last bit
    assert ks_sorted(x, y) == reference.ks_sorted(x, y)
    assert ks_sorted(x, y) == ks_sorted(y, x)


@given(small_samples, small_samples, st.sampled_from([1, 2, 5]))
def test_ks_of_any_small_samples_equals_the_reference_however_they_are_cut(x: list[int], y: list[int], n: int) -> None:
    a, b = np.sort(np.array(x, np.int64)), np.sort(np.array(y, np.int64))
    assert ks_sorted(a, b) == reference.ks_sorted(a, b)
    with mock.patch.object(ks, "_FEWEST_ROWS", n):
        assert ks_sorted(a, b) == reference.ks_sorted(a, b)


def test_ks_of_an_empty_side_is_zero() -> None:
    assert ks_sorted(np.empty(0), np.ones(3)) == 0
    assert ks_sorted(np.ones(3), np.empty(0)) == 0


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("n_parts", [1, 2, 3, 7])
def test_parts_of_what_searches_leave_have_the_distance_of_the_whole(name: str, n_parts: int) -> None:
    x, y = PAIRS[name]
    for f, g in ((x, y), (y, x), (x[:0], y), (x, y[:1])):
        some = remainder(f, g).split(n_parts)
        assert max(ks_within(f, g, part) for part in some) == reference.ks_sorted(f, g)


def test_most_rows_of_two_samples_are_never_read_and_all_of_equal_ones_are() -> None:
    rng = np.random.default_rng(6)
    f, g = np.sort(rng.normal(size=200_000)), np.sort(rng.normal(size=150_000))
    # within a block of 64 rows F - G moves by 1/2300 at most; D, of 350,000 rows, is 0.003 about: few blocks reach it
    assert 0 < remainder(f, g).n_rows < 35_000
    assert remainder(f, g + 1).n_rows < 35_000
    assert remainder(f, f).n_rows > 350_000
    assert ks_sorted(f, f) == 0


def test_a_backend_splits_a_long_merge_even_on_a_thread_of_its_own_pool() -> None:
    f = np.arange(0.0, 80_000.0)
    g = f + 0.5 * (f % 2)  # every second value lies apart: no block can be left out
    assert remainder(f, g).n_rows > 150_000
    for threads in (1, 2, 3):
        backend = get_backend("cpu", threads=threads)
        distance = partial(backend.ks_sorted, f)
        assert {distance(g), *backend.map(distance, [g] * (3 * threads))} == {reference.ks_sorted(f, g)}
