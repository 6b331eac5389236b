from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels.cpu.wasserstein import wasserstein_sorted

from .sides import PAIRS

if TYPE_CHECKING:
    from numpy.typing import NDArray


def by_definition(x: NDArray[Any], y: NDArray[Any]) -> Fraction:
    """Integral of |F - G| in exact arithmetic."""
    found, below, i, j = Fraction(0), Fraction(0), 0, 0
    both = sorted([(Fraction(value), 1, 0) for value in x.tolist()] + [(Fraction(value), 0, 1) for value in y.tolist()])
    for at, one, other in both:
        found += abs(i * len(y) - j * len(x)) * (at - below)
        below, i, j = at, i + one, j + other
    return found / (len(x) * len(y))


@pytest.mark.parametrize("name", PAIRS)
def test_the_distance_of_two_sides_equals_exact_arithmetic(name: str) -> None:
    x, y = PAIRS[name]
    expected = float(by_definition(x, y))
    # one term is off by three roundings, and so is a sum of terms that are not negative, by 40 of them
    assert wasserstein_sorted(x, y) == pytest.approx(expected, rel=1e-14, abs=0)
    assert wasserstein_sorted(x, y) == wasserstein_sorted(y, x)


@pytest.mark.parametrize("size", [4_095, 4_096, 4_097, 8_192, 12_289, 20_011])
def test_sides_of_any_length_and_far_from_each_other_keep_every_digit(size: int) -> None:
    rng = np.random.default_rng(size)
    # the widest value is 1e12 times as large as what the sides differ by
    x, y = np.sort(rng.standard_t(1, size)), np.sort(rng.standard_t(1, 5_003))
    x[-1] = y[-1] = 1e12
    assert wasserstein_sorted(x, y) == pytest.approx(float(by_definition(x, y)), rel=1e-14, abs=0)
    assert wasserstein_sorted(x, x + 1e-3) == pytest.approx(float(by_definition(x, x + 1e-3)), rel=1e-14, abs=0)


def test_the_distance_keeps_its_digits_wherever_the_values_lie() -> None:
    largest, smallest = float(np.finfo(np.float64).max), 5e-324
    assert wasserstein_sorted(np.array([-largest]), np.array([largest]), -3) == largest / 4
    assert wasserstein_sorted(np.array([0.0]), np.array([3 * smallest]), 2046) == 3 * 2.0**972
    ends = np.array([-(1 << 63)]), np.array([(1 << 63) - 1])
    assert wasserstein_sorted(*ends) == 2.0**64
    assert wasserstein_sorted(np.array([(1 << 64) - 8], np.uint64), np.array([(1 << 64) - 1], np.uint64)) == 7
    assert wasserstein_sorted(np.empty(0), np.ones(3)) == wasserstein_sorted(np.ones(3), np.empty(0)) == 0
