"""Test of a change in a rate, such as the share of missing values."""

from __future__ import annotations

from gpudrift.stats.distributions import chi2_log_sf


def rate_change_log_pvalue(hits_reference: int, n_reference: int, hits_current: int, n_current: int) -> float:
    """Log p-value that two rates are one: Pearson's chi-square of the 2 x 2 table, without Yates' correction.

    Parameters
    ----------
    hits_reference, hits_current : int
        Rows that count, such as missing ones.
    n_reference, n_current : int
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
    the pooled z-test; one degree of freedom.

    References
    ----------
    Pearson (1900). doi:10.1080/14786440009463897

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
    change = hits_reference / n_reference - hits_current / n_current
    variance = (hits / rows) * ((rows - hits) / rows) * (1.0 / n_reference + 1.0 / n_current)
    return chi2_log_sf(change * change / variance, 1)
