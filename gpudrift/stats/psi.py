"""Population stability index, and its law when nothing has moved."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.distributions import chi2_log_sf
from gpudrift.stats.shares import shares, shares_each

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PSEUDO_COUNT = 0.5


def psi(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """Population stability index of two histograms, symmetric in its arguments.

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k bins or categories.

    Returns
    -------
    float
        PSI >= 0; 0 for a single bin; NaN where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    PSI = sum_b (q_b - p_b) ln(q_b / p_b) with shares (c + 1/2) / (n + k/2), p of the reference and q of the
    current data. It is Jeffreys' divergence, KL(p, q) + KL(q, p), in nats.

    References
    ----------
    Yurdakul and Naranjo (2020), Statistical properties of the population stability index.
    doi:10.21314/JRMV.2020.227

    Examples
    --------
    >>> round(psi(np.array([100, 100, 100]), np.array([150, 100, 50])), 6)
    0.181093
    """
    pair = shares(reference, current, smoothing=_PSEUDO_COUNT)
    return math.nan if pair is None else float(_jeffreys(*pair))


def psi_each(reference: NDArray[np.int64], current: NDArray[np.int64]) -> NDArray[np.float64]:
    """PSI of each pair of histograms: `psi` over leading axes.

    Parameters
    ----------
    reference, current : int64, shape (..., k)
        Counts of the same k bins or categories.

    Returns
    -------
    float64, shape (...)
        NaN where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> psi_each(np.array([[100, 100, 100], [1, 1, 1]]), np.array([[150, 100, 50], [2, 2, 2]])).round(6).tolist()
    [0.181093, 0.0]
    """
    return _jeffreys(*shares_each(reference, current, smoothing=_PSEUDO_COUNT))


def _jeffreys(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divergence along the last axis."""
    found: NDArray[np.float64] = ((q - p) * np.log(q / p)).sum(axis=-1)
    return found


def psi_log_pvalue(value: float, n_reference: float, n_current: float, n_bins: int) -> float:
    """Log of the probability of a PSI at least this large when both sides follow one distribution.

    Parameters
    ----------
    value : float
        PSI of the two sides.
    n_reference, n_current : int or float
        Rows, or effective rows, behind either side.
    n_bins : int
        Number of bins k.

    Returns
    -------
    float
        Natural log of the p-value, at most 0; 0 for fewer than two bins; NaN for a NaN value or an empty
        side.

    Notes
    -----
    Without drift PSI / (1/n + 1/m) tends to chi-square with k - 1 degrees of freedom; 8 times the
    Jensen-Shannon divergence in nats and 8 times the squared Hellinger distance share that law, so they need
    no test of their own.

    References
    ----------
    Yurdakul and Naranjo (2020), Statistical properties of the population stability index.
    doi:10.21314/JRMV.2020.227

    Examples
    --------
    >>> round(math.exp(psi_log_pvalue(0.025, 1000, 2000, 10)), 4)
    0.0542
    """
    if math.isnan(value) or n_reference == 0 or n_current == 0:
        return math.nan
    if n_bins < 2:
        return 0.0
    return chi2_log_sf(value / (1.0 / n_reference + 1.0 / n_current), n_bins - 1)
