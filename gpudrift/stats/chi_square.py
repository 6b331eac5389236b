"""Pearson's chi-square test on category counts, Cramer's V, and the pooling of rare categories."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.distributions import chi2_log_sf
from gpudrift.stats.shares import totals

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """Result of a chi-square test of a 2 x k table.

    Attributes
    ----------
    statistic : float
        Pearson's chi-square, at least 0.
    df : int
        Degrees of freedom: occupied columns less one.
    log_pvalue : float
        Natural log of the p-value, at most 0; never underflows.
    cramers_v : float
        Cramer's V, in [0, 1]: the effect size.

    All but `df`, which is 0, are NaN where either side has no rows.
    """

    statistic: float
    df: int
    log_pvalue: float
    cramers_v: float


def pool_rare(
    reference: NDArray[np.int64], current: NDArray[np.int64], minimum_expected: float = 5.0
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.bool_]]:
    """Pool rare categories with "new" so that the chi-square law holds.

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k categories; the last one is "new", values not seen in the reference.
    minimum_expected : float
        Smallest count a category should have on either side if both followed the pooled shares.

    Returns
    -------
    reference, current : int64, shape (kept + 1,)
        Counts of the categories kept, in their order, then of the pool.
    pooled : bool, shape (k,)
        True where a category's counts are in the last, pooled, cell. Always True for "new", even if it is
        alone there.

    Raises
    ------
    ValueError
        If the shapes differ or there is no category.

    Notes
    -----
    A category is rare when min(n, m) (r + c) / (n + m) is below `minimum_expected`. The rule looks at the
    total r + c only, so it treats both sides alike and does not disturb the law of the statistic given the
    totals. A category seen only in the current data can but be "new", while its mirror image, seen only in
    the reference, is a rare one: pooled together the two balance, whereas "new" alone would collect every
    chance appearance and no chance disappearance. If the pool itself stays rare, the least frequent category
    kept joins it; an empty pool, with nothing rare and nothing new, stays empty and costs no degree of
    freedom.

    References
    ----------
    Cochran (1954), Some Methods for Strengthening the Common chi-square Tests. doi:10.2307/3001616

    Examples
    --------
    >>> reference, current, pooled = pool_rare(np.array([50, 40, 9, 0]), np.array([45, 44, 0, 10]))
    >>> reference.tolist(), current.tolist(), pooled.tolist()
    ([50, 40, 9], [45, 44, 10], [False, False, True, True])
    """
    n, m = totals(reference, current)
    if reference.size == 0:
        raise ValueError("the last category is the one for new values, got no category at all")
    # The column total at which the smaller of the two expected counts is the minimum.
    needed = minimum_expected * (n + m) / min(n, m) if n and m else math.inf
    total = reference + current
    pooled = total < needed
    pooled[-1] = True
    kept = np.flatnonzero(~pooled)
    if kept.size and 0 < int(total[pooled].sum()) < needed:
        pooled[kept[np.argmin(total[kept])]] = True
    return (
        np.append(reference[~pooled], reference[pooled].sum()),
        np.append(current[~pooled], current[pooled].sum()),
        pooled,
    )


def chi_square(reference: NDArray[np.int64], current: NDArray[np.int64]) -> ChiSquare:
    """Pearson's chi-square test, without Yates' correction, that both sides follow one distribution.

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k categories; those in neither side are left out.

    Returns
    -------
    ChiSquare
        With one occupied category there is nothing to test: df 0, p = 1, V = 0.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    X^2 = n m sum_j (r_j / n - c_j / m)^2 / (r_j + c_j), which for two rows equals the sum of
    (observed - expected)^2 / expected, and is exactly 0 for equal shares. V = sqrt(X^2 / (n + m)).

    References
    ----------
    Pearson (1900), On the criterion that a given system of deviations can be reasonably supposed to have
    arisen from random sampling. doi:10.1080/14786440009463897
    Cramer (1946), Mathematical Methods of Statistics, chapter 21. doi:10.1515/9781400883868

    Examples
    --------
    >>> result = chi_square(np.array([30, 70]), np.array([50, 50]))
    >>> round(result.statistic, 6), result.df, round(result.cramers_v, 6)
    (8.333333, 1, 0.204124)
    """
    n, m = totals(reference, current)
    if n == 0 or m == 0:
        return ChiSquare(math.nan, 0, math.nan, math.nan)
    total = reference + current
    occupied = total > 0
    difference = reference[occupied] / n - current[occupied] / m
    df = difference.size - 1
    if df == 0:
        return ChiSquare(0.0, 0, 0.0, 0.0)
    per_pair = float(np.sum(difference * difference / total[occupied]))
    statistic = float(n) * float(m) * per_pair
    return ChiSquare(statistic, df, chi2_log_sf(statistic, df), min(1.0, math.sqrt(statistic / (n + m))))
