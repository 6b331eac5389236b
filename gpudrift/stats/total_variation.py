"""Total variation distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.shares import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray


def total_variation(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """Total variation distance of two histograms: the share of rows that would have to change bins; in [0, 1].

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
    TV = sum_b |q_b - p_b| / 2. Without drift its mean is about sum_b sqrt(p_b (1 - p_b) (1/n + 1/m) / (2 pi)): it
    is no small number where rows are few and bins many.

    References
    ----------
    Gibbs and Su (2002), On Choosing and Bounding Probability Metrics. doi:10.1111/j.1751-5823.2002.tb00178.x

    Examples
    --------
    >>> round(total_variation(np.array([100, 100, 100]), np.array([150, 100, 50])), 6)
    0.166667
    """
    pair = shares(reference, current)
    if pair is None:
        return math.nan
    p, q = pair
    return min(1.0, 0.5 * float(np.sum(np.abs(q - p))))
