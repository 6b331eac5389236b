from __future__ import annotations

import numpy as np
import pytest

from gpudrift_kernels.occupied import occupied


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
