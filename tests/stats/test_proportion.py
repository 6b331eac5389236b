from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from gpudrift.stats import new_rate_log_pvalue, rate_change_log_pvalue


@given(st.integers(1, 5000), st.integers(1, 5000), st.floats(0, 1), st.floats(0, 1))
def test_the_p_value_is_that_of_the_two_by_two_table(n: int, m: int, rate: float, other: float) -> None:
    a, b = round(rate * n), round(other * m)
    ours = rate_change_log_pvalue(a, n, b, m)
    table = np.array([[a, n - a], [b, m - b]])
    if not table.sum(axis=0).all():
        assert ours == 0.0
        return
    peer = scipy.stats.chi2_contingency(table, correction=False)
    expected = scipy.stats.chi2.logsf(peer.statistic, 1)
    if peer.expected_freq.min() < 5:
        law = scipy.stats.hypergeom(n + m, a + b, m)
        expected = min(0.0, np.log(2) + min(law.logcdf(b), law.logsf(b - 1)))
    if expected > -200:
        assert ours == pytest.approx(expected, rel=1e-8, abs=1e-9)
    assert rate_change_log_pvalue(b, m, a, n) == pytest.approx(ours, rel=1e-9, abs=1e-9)


def test_one_missing_value_where_a_tenth_of_one_was_expected_proves_nothing() -> None:
    # Pearson's law would give .002; the chance that one of eleven is among 40 of 5,040 is .084
    assert math.exp(rate_change_log_pvalue(10, 5000, 1, 40)) == pytest.approx(0.168, abs=0.001)


def test_rare_hits_are_rejected_at_most_as_often_as_they_say() -> None:
    rng = np.random.default_rng(0)
    hits = zip(rng.binomial(5000, 0.002, 4000).tolist(), rng.binomial(40, 0.002, 4000).tolist(), strict=True)
    assert np.mean([rate_change_log_pvalue(a, 5000, b, 40) < math.log(0.05) for a, b in hits]) <= 0.05


@pytest.mark.parametrize("n", [300, 3000, 30_000])
@pytest.mark.parametrize("m", [300, 3000])
@pytest.mark.parametrize("exponent", [0.0, 1.0, 2.0])
def test_new_values_by_chance_are_rejected_at_most_as_often_as_they_say(n: int, m: int, exponent: float) -> None:
    rng = np.random.default_rng(7)
    p = 1.0 / np.arange(1, 2001) ** exponent
    p /= p.sum()
    rejected = 0
    for _ in range(300):
        reference, current = rng.multinomial(n, p), rng.multinomial(m, p)
        once, twice = int((reference == 1).sum()), int((reference == 2).sum())
        rejected += new_rate_log_pvalue(once, twice, n, int(current[reference == 0].sum()), m) < math.log(0.05)
    assert rejected <= 300 * 0.05


def test_a_batch_of_new_values_only_is_rejected_however_many_categories_there_were() -> None:
    assert new_rate_log_pvalue(0, 0, 60_000, 3_000, 3_000) < -1000
    assert new_rate_log_pvalue(600, 0, 600, 50, 50) == 0.0  # every value was new in the reference as well


def test_more_new_values_than_there_are_are_refused() -> None:
    with pytest.raises(ValueError, match="hits must lie between 0 and the rows, got"):
        new_rate_log_pvalue(0, 0, 10, 11, 10)


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


@given(st.tuples(*[st.floats(0, 60)] * 4))
def test_effective_rows_of_any_size_have_a_p_value(cells):
    """Rounded one by one, hits and rows of no whole number need not fit each other."""
    a, b, c, d = cells
    log_p = rate_change_log_pvalue(a, a + b, c, c + d)
    assert log_p <= 0
    assert log_p == pytest.approx(rate_change_log_pvalue(c, c + d, a, a + b), abs=1e-9)


def test_values_as_new_in_the_reference_as_in_the_current_data_are_nothing_new() -> None:
    assert new_rate_log_pvalue(0, 0, 2000, 400, 2000, new_reference=400) == 0.0
    assert new_rate_log_pvalue(0, 0, 2000, 410, 2000, new_reference=400) > math.log(0.1)
    assert new_rate_log_pvalue(0, 0, 2000, 400, 2000, new_reference=10) < -100
