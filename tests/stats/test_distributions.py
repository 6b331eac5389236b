from __future__ import annotations

import math
from decimal import Decimal, localcontext

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from gpudrift.stats import chi2_log_sf, kolmogorov_log_sf
from gpudrift.stats.distributions_each import chi2_log_sf_each, kolmogorov_log_sf_each

# ln Q(df/2, x/2) to 50 digits with mpmath (gammainc, regularized): scipy underflows on the larger ones.
CHI2_LOG_SF = [
    (0.001, 1, -0.025550779355950622363),
    (0.5, 1, -0.73501112983708440303),
    (3.841, 1, -2.9954586357171050271),
    (50, 1, -27.200889545537434422),
    (2000, 1, -1004.026741958951945),
    (1e6, 1, -500007.13354763162436),
    (1e12, 1, -500000000014.04130191),
    (12.5, 2.5, -5.6580596198305661074),
    (1e-6, 3, -2.6596144051454767881e-10),
    (7.0, 9, -0.45079818859173558277),
    (16.92, 9, -2.9960601995657359668),
    (5000, 9, -2475.0681751130509574),
    (1e8, 9, -49999940.407369028969),
    (1e12, 9, -499999999908.1711778),
    (1e4, 99, -4729.5236676633860485),
    (80, 100, -0.072931044484225142108),
    (100, 100, -0.73148957572927053761),
    (999000, 10**6, -0.27420433134075002647),
    (10**6, 10**6, -0.69352337770643015067),
    (1000500, 10**6, -1.0169892656147346926),
    (1.1e6, 10**6, -2350.0878530166719505),
    (1e12, 10**6, -499992592266.01664781),
]


@pytest.mark.parametrize(("x", "df", "expected"), CHI2_LOG_SF)
def test_chi2_tail_equals_fifty_digit_values(x: float, df: float, expected: float) -> None:
    assert chi2_log_sf(x, df) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("df", [1, 2, 3, 9, 20, 99, 1000, 54321])
def test_chi2_tail_equals_scipy_where_scipy_does_not_underflow(df: int) -> None:
    spread = math.sqrt(2 * df)
    for x in np.linspace(max(1e-6, df - 8 * spread), df + 20 * spread, 97).tolist():
        expected = scipy.stats.chi2.logsf(x, df)
        assert chi2_log_sf(x, df) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("df", [2, 8, 40])
@pytest.mark.parametrize("x", [1.0, 30.0, 4000.0, 1e9])
def test_chi2_tail_equals_the_finite_sum_for_even_degrees_of_freedom(x: float, df: int) -> None:
    # Q(a, y) = exp(-y) sum_{k<a} y^k / k! for integer a, here in 60 decimal digits.
    with localcontext() as context:
        context.prec = 60
        half = Decimal(x) / 2
        term = total = Decimal(1)
        for k in range(1, df // 2):
            term *= half / k
            total += term
        expected = float(total.ln() - half)
    assert chi2_log_sf(x, df) == pytest.approx(expected, rel=1e-12, abs=1e-12)


@given(st.floats(0, 1e12), st.floats(1, 1e4))
def test_chi2_tail_is_a_log_probability_that_falls_with_x(x: float, df: float) -> None:
    here, further = chi2_log_sf(x, df), chi2_log_sf(x * 1.01 + 0.01, df)
    assert further <= here <= 0.0
    assert math.isfinite(further)


def test_chi2_tail_at_the_ends_of_its_range() -> None:
    assert chi2_log_sf(0.0, 3) == chi2_log_sf(-1.0, 3) == chi2_log_sf(5e-324, 3) == 0.0
    assert chi2_log_sf(math.inf, 3) == -math.inf
    assert math.isnan(chi2_log_sf(math.nan, 3))


@pytest.mark.parametrize("df", [0, -1, math.nan])
def test_chi2_tail_refuses_degrees_of_freedom_that_are_not_positive(df: float) -> None:
    with pytest.raises(ValueError, match="df must be > 0, got"):
        chi2_log_sf(1.0, df)


def test_kolmogorov_tail_equals_scipy() -> None:
    z = np.linspace(0.05, 18, 2000)
    ours = [kolmogorov_log_sf(value) for value in z.tolist()]
    np.testing.assert_allclose(ours, np.log(scipy.stats.kstwobign.sf(z)), rtol=1e-9, atol=1e-12)


def test_kolmogorov_tail_keeps_the_smallest_probabilities_of_being_closer() -> None:
    # ln(1 - F) = -F where F = P(K <= z) is far below the rounding of 1.
    assert kolmogorov_log_sf(0.1) == pytest.approx(-scipy.stats.kstwobign.cdf(0.1), rel=1e-9)
    assert -1e-200 < kolmogorov_log_sf(0.05) < 0.0


@pytest.mark.parametrize("z", [20.0, 1e3, 1e6, 1e8])
def test_kolmogorov_tail_follows_its_first_term_where_the_probability_underflows(z: float) -> None:
    assert kolmogorov_log_sf(z) == pytest.approx(math.log(2) - 2 * z * z, rel=1e-15)


@given(st.floats(0, 1e8))
def test_kolmogorov_tail_is_a_log_probability_that_falls_with_z(z: float) -> None:
    assert kolmogorov_log_sf(z * 1.001 + 1e-6) <= kolmogorov_log_sf(z) <= 0.0


def test_kolmogorov_series_meet_where_one_takes_over_from_the_other() -> None:
    assert kolmogorov_log_sf(math.nextafter(1.0, 0.0)) == pytest.approx(kolmogorov_log_sf(1.0), rel=1e-14)


def test_kolmogorov_tail_at_the_ends_of_its_range() -> None:
    assert kolmogorov_log_sf(0.0) == kolmogorov_log_sf(-1.0) == kolmogorov_log_sf(1e-300) == 0.0
    assert kolmogorov_log_sf(math.inf) == -math.inf
    assert math.isnan(kolmogorov_log_sf(math.nan))


def test_many_chi_square_tails_at_once_are_those_one_by_one() -> None:
    rng = np.random.default_rng(0)
    df = rng.integers(1, 2000, 3000)
    near, far = df * rng.uniform(0.2, 3.0, df.size), 10.0 ** rng.uniform(-6, 12, df.size)
    x = np.concatenate([near, far, [0.0, -1.0, math.nan, math.inf]])
    df = np.concatenate([df, df, [3, 3, 3, 3]])
    one_by_one = [chi2_log_sf(*pair) for pair in zip(x.tolist(), df.tolist(), strict=True)]
    np.testing.assert_allclose(chi2_log_sf_each(x, df), one_by_one, rtol=1e-12, atol=1e-13)
    assert chi2_log_sf_each(np.array([5.0]), np.array([0])).tolist() == [0.0]


def test_many_kolmogorov_tails_at_once_are_those_one_by_one() -> None:
    z = np.concatenate([np.linspace(0.0, 4.0, 4001), 10.0 ** np.linspace(1, 9, 50), [math.nan]])
    one_by_one = [kolmogorov_log_sf(value) for value in z.tolist()]
    np.testing.assert_allclose(kolmogorov_log_sf_each(z), one_by_one, rtol=1e-14, atol=1e-15)
