from __future__ import annotations

from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from gpudrift_kernels import reference
from gpudrift_kernels.backend import get_backend
from gpudrift_kernels.cpu.sort import area_sorted, ks_of, ks_sorted, parts, sort

if TYPE_CHECKING:
    from numpy.typing import NDArray


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


def _pairs() -> dict[str, tuple[NDArray[Any], NDArray[Any]]]:
    rng = np.random.default_rng(4)
    return {
        "normal": (rng.normal(size=3_000), rng.normal(0.1, 1.2, 2_000)),
        "float32": (rng.normal(size=999).astype(np.float32), rng.normal(size=1_001).astype(np.float32)),
        "ties": (rng.poisson(3.0, 2_000).astype(np.float64), rng.poisson(3.2, 1_500).astype(np.float64)),
        "integers": (rng.poisson(3, 2_000), rng.poisson(4, 100)),
        "integers beyond 2**53": (2**60 + rng.integers(0, 9, 300), 2**60 + rng.integers(1, 9, 300)),
        "one atom": (np.zeros(10), np.zeros(7)),
        "signed zeros": (np.zeros(10), np.repeat([-0.0, 0.0], 5)),
        "nothing in common": (np.arange(5.0), np.arange(10.0, 30.0)),
        "two constants": (np.ones(2), np.full(2, 2.0)),
    }


PAIRS = _pairs()


@pytest.mark.parametrize(("x", "y"), PAIRS.values(), ids=PAIRS.keys())
def test_ks_equals_scipy_and_the_reference(x: NDArray[Any], y: NDArray[Any]) -> None:
    x, y = sort(x), sort(y)
    doubles = [side.astype(np.float64) if side.dtype == np.float32 else side for side in (x, y)]  # its shares too
    expected = scipy.stats.ks_2samp(*doubles, method="asymp").statistic
    assert ks_sorted(x, y) == pytest.approx(expected, abs=1e-15)  # versions of scipy differ in the last bit
    assert ks_sorted(x, y) == reference.ks_sorted(x, y)
    assert ks_sorted(x, y) == ks_sorted(y, x)


@given(st.lists(st.integers(0, 6), max_size=30), st.lists(st.integers(0, 6), max_size=30))
def test_ks_of_any_small_samples_equals_the_reference(x: list[int], y: list[int]) -> None:
    a, b = np.sort(np.array(x, np.int64)), np.sort(np.array(y, np.int64))
    assert ks_sorted(a, b) == reference.ks_sorted(a, b)


def test_ks_of_an_empty_side_is_zero() -> None:
    assert ks_sorted(np.empty(0), np.ones(3)) == 0
    assert ks_sorted(np.ones(3), np.empty(0)) == 0


@pytest.mark.parametrize(("x", "y"), PAIRS.values(), ids=PAIRS.keys())
@pytest.mark.parametrize("n_parts", [1, 2, 3, 7])
def test_parts_of_two_sides_have_the_distance_of_the_whole(x: NDArray[Any], y: NDArray[Any], n_parts: int) -> None:
    x, y = sort(x), sort(y)
    for f, g in ((x, y), (y, x), (x[:0], y), (x, y[:1])):
        assert max(map(ks_of, parts(f, g, n_parts))) == reference.ks_sorted(f, g)


def test_a_backend_splits_a_long_merge_even_on_a_thread_of_its_own_pool() -> None:
    rng = np.random.default_rng(5)
    f, g = np.sort(rng.normal(size=70_000)), np.sort(rng.normal(0.1, 1.0, 80_000))
    for threads in (1, 2, 3):
        backend = get_backend("cpu", threads=threads)
        distance = partial(backend.ks_sorted, f)
        assert {distance(g), *backend.map(distance, [g] * (3 * threads))} == {reference.ks_sorted(f, g)}


@pytest.mark.parametrize(("x", "y"), PAIRS.values(), ids=PAIRS.keys())
def test_the_area_between_two_sides_equals_exact_arithmetic(x: NDArray[Any], y: NDArray[Any]) -> None:
    x, y = sort(x), sort(y)
    steps = sorted({Fraction(value) for value in (*x.tolist(), *y.tolist())})
    f, g = (np.searchsorted(side, np.array([float(s) if x.dtype.kind == "f" else int(s) for s in steps], x.dtype),
                            side="right").tolist() for side in (x, y))  # fmt: skip
    expected = sum(
        abs(Fraction(i, x.size) - Fraction(j, y.size)) * (following - step)
        for i, j, step, following in zip(f, g, steps, steps[1:], strict=False)
    )
    assert area_sorted(x, y) == pytest.approx(float(expected), rel=1e-12)
    assert area_sorted(y, x) == pytest.approx(float(expected), rel=1e-12)


def test_the_area_keeps_its_digits_wherever_the_values_lie() -> None:
    largest, smallest = float(np.finfo(np.float64).max), 5e-324
    assert area_sorted(np.array([-largest]), np.array([largest]), -3) == largest / 4
    assert area_sorted(np.array([0.0]), np.array([3 * smallest]), 2046) == 3 * 2.0**972
    ends = np.array([-(1 << 63)]), np.array([(1 << 63) - 1])
    assert area_sorted(*ends) == 2.0**64
    assert area_sorted(np.array([(1 << 64) - 8], np.uint64), np.array([(1 << 64) - 1], np.uint64)) == 7
    assert area_sorted(np.empty(0), np.ones(3)) == area_sorted(np.ones(3), np.empty(0)) == 0
