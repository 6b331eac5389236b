from __future__ import annotations

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.cpu.categories import categories


def test_negative_codes_are_missing() -> None:
    codes = np.array([0, 2, 2, -1, -(2**31)], np.int32)
    assert categories(codes, 3).tolist() == [1, 0, 2, 2]


def test_a_code_without_a_category_is_missing_and_touches_nothing_else() -> None:
    codes = np.array([3, 4, 2**31 - 1, 1], np.int32)
    assert categories(codes, 3).tolist() == [0, 1, 0, 3]


@pytest.mark.parametrize("n", [0, 1, 2_047, 2_048, 5_000, 70_000])
def test_random_codes_equal_the_reference(n: int) -> None:
    codes = np.random.default_rng(n).integers(-3, 40, n).astype(np.int32)
    counts = categories(codes, 37)
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, reference.categories(codes, 37))


def test_random_bit_patterns_equal_the_reference() -> None:
    codes = np.random.default_rng(1).integers(0, 256, 40_000, np.uint8).view(np.int32)
    np.testing.assert_array_equal(categories(codes, 5), reference.categories(codes, 5))


def test_read_only_and_strided_codes_are_counted_as_they_are() -> None:
    codes = np.arange(-2, 98, dtype=np.int32)
    codes.flags.writeable = False
    np.testing.assert_array_equal(categories(codes[::-2], 50), reference.categories(codes[::-2], 50))


def test_a_vocabulary_of_nothing_counts_missing() -> None:
    assert categories(np.array([-1, -1], np.int32), 0).tolist() == [2]
