"""PSI, KL, Jensen-Shannon, Hellinger, total variation and L-infinity: what they share, and each against its oracle."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.spatial.distance
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpudrift.stats import (
    hellinger,
    hellinger_each,
    js_distance,
    js_distance_each,
    js_divergence,
    kl,
    l_infinity,
    psi,
    psi_each,
    total_variation,
)

Counts = NDArray[np.int64]
Divergence = Callable[[Counts, Counts], float]

BOUNDED: list[Divergence] = [js_divergence, js_distance, hellinger, total_variation, l_infinity]
SYMMETRIC: list[Divergence] = [psi, *BOUNDED]
ALL: list[Divergence] = [*SYMMETRIC, kl]


@st.composite
def histograms(draw: st.DrawFn) -> tuple[Counts, Counts]:
    """Two histograms over the same 1 to 12 bins, each with at least one row, from a handful to trillions."""
    bins = draw(st.integers(1, 12))
    largest = draw(st.sampled_from([3, 1_000, 10**12]))
    side = st.lists(st.integers(0, largest), min_size=bins, max_size=bins).filter(any)
    return np.array(draw(side)), np.array(draw(side))


@pytest.mark.parametrize("divergence", SYMMETRIC)
@given(histograms())
def test_swapping_the_sides_changes_nothing(divergence: Divergence, pair: tuple[Counts, Counts]) -> None:
    reference, current = pair
    assert divergence(reference, current) == pytest.approx(divergence(current, reference), rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("divergence", ALL)
@given(histograms())
def test_equal_counts_give_exactly_zero(divergence: Divergence, pair: tuple[Counts, Counts]) -> None:
    assert str(divergence(pair[0], pair[0].copy())) == "0.0"  # not -0.0, which a report would show


@pytest.mark.parametrize("divergence", BOUNDED)
@given(histograms(), st.integers(1, 1000))
def test_unsmoothed_equal_shares_give_exactly_zero(
    divergence: Divergence, pair: tuple[Counts, Counts], times: int
) -> None:
    assert divergence(pair[0], pair[0] * times) == 0.0


@pytest.mark.parametrize("divergence", BOUNDED)
@given(histograms())
def test_bounded_divergences_stay_between_zero_and_one(divergence: Divergence, pair: tuple[Counts, Counts]) -> None:
    assert 0.0 <= divergence(*pair) <= 1.0


@pytest.mark.parametrize("divergence", [js_divergence, js_distance, hellinger, total_variation])
def test_sides_without_a_common_bin_are_at_distance_one(divergence: Divergence) -> None:
    assert divergence(np.array([3, 4, 0, 0]), np.array([0, 0, 10, 1])) == pytest.approx(1.0, rel=1e-15)


@pytest.mark.parametrize("divergence", ALL)
@given(histograms())
def test_every_divergence_is_finite_and_not_negative(divergence: Divergence, pair: tuple[Counts, Counts]) -> None:
    assert 0.0 <= divergence(*pair) < math.inf


@pytest.mark.parametrize("divergence", ALL)
def test_a_side_without_rows_gives_nan(divergence: Divergence) -> None:
    nothing, something = np.array([0, 0]), np.array([1, 2])
    assert math.isnan(divergence(nothing, something))
    assert math.isnan(divergence(something, nothing))
    assert math.isnan(divergence(np.array([], dtype=np.int64), np.array([], dtype=np.int64)))


@pytest.mark.parametrize("divergence", ALL)
def test_a_single_bin_cannot_drift(divergence: Divergence) -> None:
    assert divergence(np.array([7]), np.array([1_000_000])) == 0.0


@pytest.mark.parametrize("divergence", ALL)
def test_different_numbers_of_bins_are_refused(divergence: Divergence) -> None:
    with pytest.raises(ValueError, match=r"must count the same bins, got \(2,\) and \(3,\)"):
        divergence(np.array([1, 2]), np.array([1, 2, 3]))


@given(histograms())
def test_js_distance_equals_scipy(pair: tuple[Counts, Counts]) -> None:
    # On the squares: scipy's own rounding of 1e-16 in the divergence is amplified by its root.
    for base in (2.0, math.e):
        expected = scipy.spatial.distance.jensenshannon(*pair, base=base)
        assert js_divergence(*pair, base=base) == pytest.approx(expected**2, rel=1e-12, abs=1e-15)


def test_js_distance_base_2_is_base_e_over_the_root_of_ln_2() -> None:
    reference, current = np.array([40, 30, 30]), np.array([10, 60, 30])
    in_nats = js_distance(reference, current, base=math.e)
    assert js_distance(reference, current) == pytest.approx(in_nats / math.sqrt(math.log(2)), rel=1e-15)
    assert js_distance(reference, current) == pytest.approx(
        scipy.spatial.distance.jensenshannon(reference, current, base=2), rel=1e-12
    )


def test_js_distance_keeps_its_digits_one_row_in_a_trillion_apart() -> None:
    # p = 1/2 +- x with x = 1/n gives JSD = x^2 / (2 ln 2) + O(x^4); the textbook sum returns 0 or 1e-8 here.
    n = 10**12
    expected = math.sqrt((1 / n) ** 2 / (2 * math.log(2)))
    found = js_distance(np.array([n // 2, n // 2]), np.array([n // 2 + 1, n // 2 - 1]))
    assert found == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("base", [1.0, 0.5, math.nan])
def test_js_refuses_a_base_that_is_not_above_one(base: float) -> None:
    with pytest.raises(ValueError, match="base must be > 1, got"):
        js_divergence(np.array([1, 2]), np.array([2, 1]), base=base)


@given(histograms())
def test_kl_equals_the_entropy_of_scipy_on_smoothed_counts(pair: tuple[Counts, Counts]) -> None:
    reference, current = pair
    expected = scipy.stats.entropy(reference + 0.5, current + 0.5)
    assert kl(reference, current) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@given(histograms())
def test_psi_is_the_sum_of_kl_both_ways(pair: tuple[Counts, Counts]) -> None:
    reference, current = pair
    expected = kl(reference, current) + kl(current, reference)
    assert psi(reference, current) == pytest.approx(expected, rel=1e-9, abs=1e-14)


@given(histograms())
def test_hellinger_is_one_less_the_bhattacharyya_coefficient(pair: tuple[Counts, Counts]) -> None:
    reference, current = pair
    p, q = reference / reference.sum(), current / current.sum()
    expected = 1.0 - np.sum(np.sqrt(p * q))
    assert hellinger(reference, current) ** 2 == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_js_and_hellinger_are_an_eighth_of_psi_for_a_small_move() -> None:
    n = 10**9
    reference = np.array([n // 4] * 4)
    current = reference + np.array([1000, -1000, 500, -500]) * 1000
    expected = psi(reference, current) / 8
    assert js_divergence(reference, current, base=math.e) == pytest.approx(expected, rel=1e-4)
    assert hellinger(reference, current) ** 2 == pytest.approx(expected, rel=1e-4)


@given(histograms())
def test_total_variation_is_half_the_city_block_distance_of_scipy(pair: tuple[Counts, Counts]) -> None:
    p, q = pair[0] / pair[0].sum(), pair[1] / pair[1].sum()
    expected = scipy.spatial.distance.cityblock(p, q) / 2
    assert total_variation(*pair) == pytest.approx(expected, rel=1e-12, abs=1e-15)


@given(histograms())
def test_l_infinity_is_the_chebyshev_distance_of_scipy(pair: tuple[Counts, Counts]) -> None:
    p, q = pair[0] / pair[0].sum(), pair[1] / pair[1].sum()
    assert l_infinity(*pair) == pytest.approx(scipy.spatial.distance.chebyshev(p, q), rel=1e-12, abs=1e-15)


@given(histograms())
def test_l_infinity_and_hellinger_bound_total_variation(pair: tuple[Counts, Counts]) -> None:
    # Gibbs and Su (2002): H^2 <= TV <= sqrt(2) H, and no bin can move more than all of them
    distance = total_variation(*pair)
    assert l_infinity(*pair) <= distance + 1e-12
    assert hellinger(*pair) ** 2 - 1e-12 <= distance <= math.sqrt(2) * hellinger(*pair) + 1e-12


def test_total_variation_without_drift_is_what_its_docstring_foretells() -> None:
    rng = np.random.default_rng(0)
    n, m, p = 1000, 500, np.full(10, 0.1)
    found = [total_variation(rng.multinomial(n, p), rng.multinomial(m, p)) for _ in range(2000)]
    expected = np.sum(np.sqrt(p * (1 - p) * (1 / n + 1 / m) / (2 * math.pi)))
    assert np.mean(found) == pytest.approx(expected, rel=0.02)  # standard error of the mean: 0.5%


@pytest.mark.parametrize(
    ("each", "one"), [(psi_each, psi), (js_distance_each, js_distance), (hellinger_each, hellinger)]
)
def test_leading_axes_hold_pairs_that_are_measured_one_by_one(
    each: Callable[[Counts, Counts], NDArray[np.float64]], one: Divergence
) -> None:
    rng = np.random.default_rng(0)
    shares = rng.dirichlet(np.full(12, 0.3), size=(5, 4))
    reference, current = rng.multinomial(500, shares), rng.multinomial(90, shares)
    reference[1, 2] = 0
    found = each(reference, current)
    assert found.shape == (5, 4)
    expected = [[one(r, c) for r, c in zip(*rows, strict=True)] for rows in zip(reference, current, strict=True)]
    # a sum that runs over bins without rows as well may differ in its last digit
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)
    assert math.isnan(found[1, 2])


@pytest.mark.parametrize("each", [psi_each, js_distance_each, hellinger_each])
def test_pairs_of_different_bins_are_refused(each: Callable[[Counts, Counts], NDArray[np.float64]]) -> None:
    with pytest.raises(ValueError, match=r"must count the same bins, got \(2, 3\) and \(2, 4\)"):
        each(np.ones((2, 3), np.int64), np.ones((2, 4), np.int64))
