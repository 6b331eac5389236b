"""L-infinity distance: the bin that moved most."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.shares import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray


def l_infinity(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """L-infinity (Chebyshev) distance of two histograms: the largest change of any bin's share, in [0, 1].

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k bins or categories; shares are not smoothed.

    Returns
    -------
    float
        Distance: exactly 0 for equal shares, 1 where either side lies in one bin of its own; NaN where either side
        has no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    L = max_b |q_b - p_b|, at most the total variation distance.

    References
    ----------
    Deza and Deza (2009), Encyclopedia of Distances. doi:10.1007/978-3-642-00234-2

    Examples
    --------
    >>> round(l_infinity(np.array([100, 100, 100]), np.array([150, 110, 40])), 6)
    0.2
    """
    pair = shares(reference, current)
    if pair is None:
        return math.nan
    p, q = pair
    return float(np.max(np.abs(q - p)))
