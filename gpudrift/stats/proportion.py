"""Tests of a change in a rate: the share of missing values, the share of values never seen before."""

from __future__ import annotations

import math

from gpudrift.stats.distributions import chi2_log_sf

#: Expected count in every cell of the 2 x 2 table from which the chi-square law holds (Cochran 1954).
_MINIMUM_EXPECTED = 5.0


def rate_change_log_pvalue(hits_reference: float, n_reference: float, hits_current: float, n_current: float) -> float:
    """Log p-value that two rates are one: Pearson's chi-square of the 2 x 2 table, or Fisher's exact test.

    Parameters
    ----------
    hits_reference, hits_current : int or float
        Rows that count, such as missing ones; effective ones where rows have weights.
    n_reference, n_current : int or float
        All rows of either side.

    Returns
    -------
    float
        Natural log of the p-value, at most 0; 0 where there is nothing to test: an empty side, no hit at all,
        or hits only.

    Raises
    ------
    ValueError
        If a side has fewer than 0 hits, or more hits than rows.

    Notes
    -----
    X^2 = (a/n - b/m)^2 / (s (1 - s) (1/n + 1/m)) with the pooled rate s = (a + b) / (n + m), the square of
    the pooled z-test; one degree of freedom, without Yates' correction. Where a cell's expected count is below 5 that
    law fails, and the p-value is twice the smaller tail of the hypergeometric law, Fisher's exact test: one null
    among 40 rows beside 10 among 5,000 has p = 0.17 by it, and 0.002 by the other.

    References
    ----------
    Pearson (1900). doi:10.1080/14786440009463897
    Fisher (1935), The Logic of Inductive Inference. doi:10.2307/2342435

    Examples
    --------
    >>> round(rate_change_log_pvalue(30, 100, 50, 100), 6)
    -5.548725
    """
    if not (0 <= hits_reference <= n_reference and 0 <= hits_current <= n_current):
        raise ValueError(
            "hits must lie between 0 and the rows, "
            f"got {hits_reference} of {n_reference} and {hits_current} of {n_current}"
        )
    hits, rows = hits_reference + hits_current, n_reference + n_current
    if n_reference == 0 or n_current == 0 or hits in (0, rows):
        return 0.0
    if min(hits, rows - hits) * min(n_reference, n_current) < _MINIMUM_EXPECTED * rows:
        # Effective rows of weighted data are no whole numbers; the law needs such, in each of the four cells.
        cells = hits_reference, n_reference - hits_reference, hits_current, n_current - hits_current
        a, b, c, d = (round(count) for count in cells)
        return min(0.0, math.log(2.0) + _fisher_log_tail(c, c + d, a + c, a + b + c + d))
    change = hits_reference / n_reference - hits_current / n_current
    variance = (hits / rows) * ((rows - hits) / rows) * (1.0 / n_reference + 1.0 / n_current)
    return chi2_log_sf(change * change / variance, 1)


def new_rate_log_pvalue(
    once: int, twice: int, n_reference: int, new: int, n_current: int, *, new_reference: int = 0
) -> float:
    """Log p-value that values of no reference category are as frequent as chance makes them.

    Parameters
    ----------
    once, twice : int
        Categories that the reference holds exactly once, and exactly twice.
    n_reference, n_current : int
        Values on either side.
    new : int
        Current values in categories that the vocabulary does not hold.
    new_reference : int
        Values of the reference in such categories: 0 of what the vocabulary was made from, but not of a window that
        another is compared with.

    Returns
    -------
    float
        Natural log of the p-value, at most 0; 0 where new values are no more frequent than foretold.

    Raises
    ------
    ValueError
        If more values are new than there are, or the reference's categories do not fit into its rows.

    Notes
    -----
    A reference of n values foretells a share of f1 / n of new ones, with a variance of about (f1 + 2 f2) / n^2:
    that of f1 + 2 f2 hits among n. One hit more keeps the test on the safe side where f1 is 0. Values of the reference
    that are new themselves are hits as well.

    References
    ----------
    Good (1953), The Population Frequencies of Species. doi:10.1093/biomet/40.3-4.237
    Esty (1982), Confidence Intervals for the Coverage of Low Coverage Samples. doi:10.1214/aos/1176345710

    Examples
    --------
    >>> new_rate_log_pvalue(once=0, twice=0, n_reference=60_000, new=1, n_current=3_000) > math.log(0.1)
    True
    >>> round(new_rate_log_pvalue(once=0, twice=0, n_reference=60_000, new=30, n_current=3_000))
    -87
    """
    foretold = min(new_reference + once + 2 * twice + 1, n_reference)
    if not n_current or not n_reference or new * n_reference <= foretold * n_current:
        return 0.0
    return rate_change_log_pvalue(foretold, n_reference, new, n_current)


def _fisher_log_tail(hits_current: int, n_current: int, hits: int, rows: int) -> float:
    """Log of the smaller tail, the observed count included, of the hypergeometric law of ``hits_current``."""
    lowest, highest = max(0, n_current + hits - rows), min(hits, n_current)
    up = hits_current * rows >= hits * n_current
    last = highest if up else lowest
    log_first = (
        _log_binomial(hits, hits_current)
        + _log_binomial(rows - hits, n_current - hits_current)
        - _log_binomial(rows, n_current)
    )
    total = term = 1.0
    for x in range(hits_current, last, 1 if up else -1):
        if up:
            term *= (hits - x) * (n_current - x) / ((x + 1) * (rows - hits - n_current + x + 1))
        else:
            term *= x * (rows - hits - n_current + x) / ((hits - x + 1) * (n_current - x + 1))
        total += term
        if term < 1e-17 * total:
            break
    return log_first + math.log(total)


def _log_binomial(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
