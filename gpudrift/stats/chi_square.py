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

_ELUSIVE = math.log(1e-6)


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
) -> NDArray[np.int64]:
    """Group of each category, such that the chi-square law holds for the groups: rare ones share one.

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k categories; the last one is "new", values not seen in the reference.
    minimum_expected : float
        Smallest count a category should have on either side if both followed the pooled shares.

    Returns
    -------
    int64, shape (k,)
        Group of each category, from 0: first those that keep a group of their own, in their order, then groups
        of rare ones, then the pool: the last group, that of "new", with or without others.

    Raises
    ------
    ValueError
        If the shapes differ or there is no category.

    Notes
    -----
    A category is rare when min(n, m) (r + c) / (n + m) is below `minimum_expected`. Rules look at the
    total r + c only, so they treat both sides alike and do not disturb the law of the statistic given the
    totals. A category seen only in the current data can but be "new", while its mirror image, seen only in
    the reference, is a rare one: pooled together the two balance, whereas "new" alone would collect every
    chance appearance and no chance disappearance. So the pool takes every rare category that chance could
    have kept out of the reference, with a probability (m / (n + m))^(r + c) above 1e-6. The other rare ones
    are put together by ascending total, in groups just large enough: a small batch beside hundreds of
    categories still has bins to differ in. If the pool itself stays rare, the least frequent group
    joins it; an empty pool, with nothing rare and nothing new, stays empty and costs no degree of freedom.

    References
    ----------
    Cochran (1954), Some Methods for Strengthening the Common chi-square Tests. doi:10.2307/3001616

    Examples
    --------
    >>> pool_rare(np.array([50, 40, 9, 0]), np.array([45, 44, 0, 10])).tolist()
    [0, 1, 2, 2]
    """
    n, m = totals(reference, current)
    if reference.size == 0:
        raise ValueError("the last category is the one for new values, got no category at all")
    # The column total at which the smaller of the two expected counts is the minimum.
    needed = minimum_expected * (n + m) / min(n, m) if n and m else math.inf
    total = reference + current
    rare = total < needed
    rare[-1] = True
    # Totals that chance leaves out of the reference with a probability above 1e-6.
    elusive = total < (_ELUSIVE / math.log(m / (n + m)) if n and m else math.inf)
    elusive[-1] = True
    grouped = np.flatnonzero(rare & ~elusive)
    grouped = grouped[np.argsort(total[grouped], kind="stable")]
    behind = np.cumsum(total[grouped])
    # Every stretch of twice the total needed holds at least that total; the last, cut short, joins the one before.
    n_kept = int(np.count_nonzero(~rare))
    n_groups = int(behind[-1] // (2 * needed)) if grouped.size else 0
    group = np.full(total.size, n_kept + n_groups)
    group[~rare] = np.arange(n_kept)
    if n_groups:
        group[grouped] = n_kept + np.minimum((behind - total[grouped]) // (2 * needed), n_groups - 1)
    sums = np.bincount(group, weights=total, minlength=n_kept + n_groups + 1)
    if n_kept + n_groups and 0 < sums[-1] < needed:
        least = int(np.argmin(sums[:-1]))
        group[group == least] = n_kept + n_groups
        group[group > least] -= 1
    return group


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
