"""Hellinger distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.shares import shares, shares_each

if TYPE_CHECKING:
    from numpy.typing import NDArray


def hellinger(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """Hellinger distance of two histograms, a metric in [0, 1].

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k bins or categories; shares are not smoothed.

    Returns
    -------
    float
        Distance: exactly 0 for equal shares, 1 where no bin is shared; NaN where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    H = sqrt(1 - BC) with the Bhattacharyya coefficient BC = sum_b sqrt(p_b q_b). Computed as
    sqrt(sum_b (sqrt p_b - sqrt q_b)^2 / 2), the same number without the cancellation of 1 - BC.

    References
    ----------
    Hellinger (1909), Neue Begruendung der Theorie quadratischer Formen von unendlichvielen Veraenderlichen.
    doi:10.1515/crll.1909.136.210

    Examples
    --------
    >>> round(hellinger(np.array([100, 100, 100]), np.array([150, 100, 50])), 6)
    0.150719
    """
    pair = shares(reference, current)
    return math.nan if pair is None else float(_distance(*pair))


def hellinger_each(reference: NDArray[np.int64], current: NDArray[np.int64]) -> NDArray[np.float64]:
    """Hellinger distance of each pair of histograms: `hellinger` over leading axes.

    Parameters
    ----------
    reference, current : int64, shape (..., k)
        Counts of the same k bins or categories; shares are not smoothed.

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
    >>> hellinger_each(np.array([[100, 100, 100], [1, 0, 0]]), np.array([[150, 100, 50], [0, 3, 4]])).round(6).tolist()
    [0.150719, 1.0]
    """
    return _distance(*shares_each(reference, current))


def _distance(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance along the last axis."""
    found: NDArray[np.float64] = np.sqrt(0.5 * ((np.sqrt(p) - np.sqrt(q)) ** 2).sum(axis=-1))
    return np.minimum(found, 1.0)
