from __future__ import annotations

import numpy as np
import pytest

from gpudrift_kernels.occupied import aligned, occupied


@pytest.mark.parametrize("size", [0, 1, 7, 8, 9, 16, 1_000, 16_291])
@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
def test_occupied_counters_are_those_that_are_not_zero(size: int, share: float) -> None:
    rng = np.random.default_rng(size)
    counts = np.where(rng.random(size) < share, rng.integers(1, 2**62, size), 0)
    places, rows = occupied(counts)
    assert (places.dtype, rows.dtype) == (np.int64, np.int64)
    np.testing.assert_array_equal(places, np.flatnonzero(counts))
    np.testing.assert_array_equal(rows, counts[places])


def test_read_only_and_strided_counts_are_taken_as_they_are() -> None:
    counts = np.arange(20)
    counts.flags.writeable = False
    assert [found.tolist() for found in occupied(counts[::5])] == [[1, 2, 3], [5, 10, 15]]


@pytest.mark.parametrize("dtype", ["int64", "float64"])
def test_two_sides_align_at_the_places_that_either_occupies(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for n_one, n_other in ((0, 0), (0, 5), (5, 0), (300, 200)):
        one, other = (np.sort(rng.choice(400, n, replace=False)) for n in (n_one, n_other))
        f, g = (rng.poisson(1, n).astype(dtype) for n in (n_one, n_other))  # zeros among them, as of weights
        both = np.zeros((2, 400), dtype)
        both[0][one], both[1][other] = f, g
        places = np.flatnonzero(both.any(axis=0))
        found = aligned((one, f), (other, g))
        for expected, part in zip((places, *both[:, places]), found, strict=True):
            np.testing.assert_array_equal(part, expected)
            assert part.dtype == expected.dtype
