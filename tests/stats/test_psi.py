from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
import scipy.stats

from gpudrift.stats import psi, psi_log_pvalue

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_psi_by_hand() -> None:
    # shares (1.5, 2.5) / 4 and (2.5, 1.5) / 4: 2 * 0.25 * ln(5 / 3)
    assert psi(np.array([1, 2]), np.array([2, 1])) == pytest.approx(0.5 * math.log(5 / 3), rel=1e-15)


def test_an_empty_bin_counts_half_a_row() -> None:
    # shares (10.5, 0.5) / 11 and (5.5, 5.5) / 11
    expected = (5 / 11) * math.log(10.5 / 5.5) + (5 / 11) * math.log(11)
    assert psi(np.array([10, 0]), np.array([5, 5])) == pytest.approx(expected, rel=1e-14)


def test_two_trillion_rows_with_nothing_in_common_stay_finite() -> None:
    many = 2 * 10**12
    value = psi(np.array([many, 0]), np.array([0, many]))
    assert value == pytest.approx(2 * math.log(2 * many), rel=1e-9)
    log_pvalue = psi_log_pvalue(value, many, many, 2)
    assert -math.inf < log_pvalue < -1e12


@pytest.fixture(scope="module")
def null_values() -> NDArray[np.float64]:
    """PSI over its scale for 4,000 pairs of samples of one distribution over ten unequal bins."""
    rng = np.random.default_rng(20)
    probabilities = np.array([0.19, 0.01, 0.1, 0.1, 0.1, 0.05, 0.15, 0.1, 0.1, 0.1])
    reference = rng.multinomial(20_000, probabilities, size=4_000)
    current = rng.multinomial(5_000, probabilities, size=4_000)
    scale = 1 / 20_000 + 1 / 5_000
    return np.array([psi(r, c) / scale for r, c in zip(reference, current, strict=True)])


def test_without_drift_the_mean_of_psi_is_one_less_than_the_bins(null_values: NDArray[np.float64]) -> None:
    # The standard error of the mean of 4,000 chi-square(9) values is sqrt(18 / 4000) = 0.067.
    assert null_values.mean() == pytest.approx(9.0, abs=4 * 0.067)


def test_without_drift_psi_rejects_as_often_as_it_says(null_values: NDArray[np.float64]) -> None:
    scale = 1 / 20_000 + 1 / 5_000
    rejected = [psi_log_pvalue(v * scale, 20_000, 5_000, 10) < math.log(0.05) for v in null_values.tolist()]
    # Four standard errors of a share of .05 among 4,000: sqrt(.05 * .95 / 4000) = 0.0034.
    assert np.mean(rejected) == pytest.approx(0.05, abs=4 * 0.0034)


def test_the_p_value_is_the_chi_square_tail() -> None:
    expected = scipy.stats.chi2.logsf(0.02 / (1 / 1000 + 1 / 500), 9)
    assert psi_log_pvalue(0.02, 1000, 500, 10) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("n_bins", [0, 1])
def test_fewer_than_two_bins_leave_nothing_to_test(n_bins: int) -> None:
    assert psi_log_pvalue(0.0, 10, 10, n_bins) == 0.0


def test_no_rows_or_no_value_give_no_p_value() -> None:
    assert math.isnan(psi_log_pvalue(math.nan, 10, 10, 10))
    assert math.isnan(psi_log_pvalue(0.1, 0, 10, 10))
    assert math.isnan(psi_log_pvalue(0.1, 10, 0, 10))
