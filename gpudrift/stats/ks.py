"""Two-sample Kolmogorov-Smirnov distance with a certified interval from counts in cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.cdf import cdf_difference
from gpudrift.stats.distributions import kolmogorov_log_sf

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class KS:
    """A Kolmogorov-Smirnov distance, how well it is known, and its p-value.

    Attributes
    ----------
    statistic : float
        Largest |F - G| found, in [0, 1]; the lower end of the interval.
    lower, upper : float
        The distance over the rows themselves lies in [lower, upper], whatever their order inside the cells.
    exact : bool
        True where the interval is a point: `statistic` is the distance over the rows.
    log_pvalue : float
        Natural log of the asymptotic p-value of `statistic`, at most 0; never underflows.

    All are NaN, and `exact` is False, where either side has no rows.
    """

    statistic: float
    lower: float
    upper: float
    exact: bool
    log_pvalue: float

    @property
    def p_value(self) -> float:
        """p-value; 0.0 where `log_pvalue` is below about -745."""
        return math.exp(self.log_pvalue)

    @classmethod
    def unknown(cls) -> KS:
        """That of a side without rows."""
        return cls(math.nan, math.nan, math.nan, False, math.nan)

    @property
    def width(self) -> float:
        """Width of the certified interval."""
        return self.upper - self.lower


def ks_from_cells(
    reference: NDArray[np.int64],
    current: NDArray[np.int64],
    single: NDArray[np.bool_],
) -> KS:
    """Kolmogorov-Smirnov distance of two samples of which only counts in ordered cells are known.

    Parameters
    ----------
    reference, current : int64, shape (cells,)
        Counts of the same cells in ascending order; empty cells may be left out.
    single : bool, shape (cells,)
        True where the cell holds one representable value, so that nothing can hide inside.

    Returns
    -------
    KS
        `exact` whenever the cells that both sides occupy are all single, or cannot hold the maximum.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    At the ends of a cell F - G is known, and the largest of those is `lower`. Inside a cell with shares f and
    g, and F - G = d before it, F - G can go up to d + f and down to d - g, and no further: the largest of
    those over the cells that are not single is `upper`. So upper - lower <= max over cells of min(f, g).

    The p-value is the asymptotic one, Kolmogorov's law at sqrt(n m / (n + m)) D (scipy.stats.kstwobign).
    scipy.stats.ks_2samp(method="asymp") takes the one-sample law for a sample of round(n m / (n + m)) rows
    (scipy.stats.kstwo) instead; the two meet as rows grow. Ties make either conservative.

    References
    ----------
    Smirnov (1948), Table for Estimating the Goodness of Fit of Empirical Distributions.
    doi:10.1214/aoms/1177730256

    Examples
    --------
    >>> ks_from_cells(np.array([2, 2, 0]), np.array([0, 2, 2]), np.array([True, True, True])).statistic
    0.5
    >>> coarse = ks_from_cells(np.array([4, 0]), np.array([3, 1]), np.array([False, False]))
    >>> coarse.lower, coarse.upper, coarse.exact
    (0.25, 1.0, False)
    """
    from gpudrift_kernels.steps import largest  # which loads Numba

    if single.shape != reference.shape:
        raise ValueError(f"single must have shape {reference.shape} as the counts, got {single.shape}")
    difference = cdf_difference(reference, current)
    if difference is None:
        return KS.unknown()
    lower, upper = largest(difference.ends, difference.highest, difference.lowest, single)
    return ks_from_interval(lower, upper, difference.n_reference, difference.n_current)


def ks_from_interval(lower: float, upper: float, n: float, m: float) -> KS:
    """Kolmogorov-Smirnov result for an interval that the distance lies in.

    Parameters
    ----------
    lower, upper : float
        Largest |F - G| at the ends of cells, and the largest that can be anywhere.
    n, m : int or float
        Rows, or effective rows, of the reference and of the current data, above 0.

    Examples
    --------
    >>> ks_from_interval(0.25, 0.5, 4, 4).exact
    False
    """
    return KS(lower, lower, upper, upper == lower, kolmogorov_log_sf(math.sqrt(n * m / (n + m)) * lower))


def ks_from_statistic(statistic: float, n: int, m: int) -> KS:
    """Kolmogorov-Smirnov result for a distance already known exactly, from a sort of both sides.

    Parameters
    ----------
    statistic : float
        Largest |F - G|, in [0, 1].
    n, m : int
        Rows of the reference and of the current data.

    Returns
    -------
    KS
        An interval of width 0; all NaN where either side has no rows.

    Examples
    --------
    >>> round(ks_from_statistic(0.1, 1000, 1000).p_value, 7)
    9.08e-05
    """
    return ks_from_interval(statistic, statistic, n, m) if n and m else KS.unknown()
