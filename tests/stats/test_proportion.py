from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from gpudrift.stats import rate_change_log_pvalue


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0, 1), st.floats(0, 1))
def test_the_p_value_is_the_chi_square_of_the_two_by_two_table(n: int, m: int, rate: float, other: float) -> None:
    a, b = round(rate * n), round(other * m)
    ours = rate_change_log_pvalue(a, n, b, m)
    table = np.array([[a, n - a], [b, m - b]])
    if not table.sum(axis=0).all():
        assert ours == 0.0
        return
    peer = scipy.stats.chi2_contingency(table, correction=False)
    expected = scipy.stats.chi2.logsf(peer.statistic, 1)
    if expected > -700:
        assert ours == pytest.approx(expected, rel=1e-9, abs=1e-12)
    assert rate_change_log_pvalue(b, m, a, n) == pytest.approx(ours, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(
    ("hits_reference", "n_reference", "hits_current", "n_current"),
    [(0, 0, 0, 0), (0, 0, 3, 10), (3, 10, 0, 0), (0, 10, 0, 99), (10, 10, 99, 99), (1, 10, 10, 100)],
)
def test_nothing_to_test_or_equal_rates_give_a_p_value_of_one(
    hits_reference: int, n_reference: int, hits_current: int, n_current: int
) -> None:
    assert rate_change_log_pvalue(hits_reference, n_reference, hits_current, n_current) == 0.0


def test_a_billion_rows_that_all_went_missing_do_not_underflow() -> None:
    log_pvalue = rate_change_log_pvalue(0, 10**9, 10**9, 10**9)
    assert math.isfinite(log_pvalue)
    assert log_pvalue == pytest.approx(-1e9, rel=1e-6)


@pytest.mark.parametrize("hits", [(-1, 10, 0, 10), (11, 10, 0, 10), (0, 10, 11, 10)])
def test_hits_that_are_not_among_the_rows_are_refused(hits: tuple[int, int, int, int]) -> None:
    with pytest.raises(ValueError, match="hits must lie between 0 and the rows, got"):
        rate_change_log_pvalue(*hits)
