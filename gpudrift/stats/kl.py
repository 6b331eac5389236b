"""Kullback-Leibler divergence from reference to current."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.shares import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray


def kl(reference: NDArray[np.int64], current: NDArray[np.int64]) -> float:
    """Kullback-Leibler divergence KL(reference, current) of two histograms, in nats; not symmetric.

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k bins or categories.

    Returns
    -------
    float
        KL >= 0; NaN where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    KL = sum_b p_b ln(p_b / q_b) with shares (c + 1/2) / (n + k/2) as in PSI, p of the reference.
    Unsmoothed, one empty bin of the current data would make it infinite. PSI = KL(p, q) + KL(q, p).

    References
    ----------
    Kullback and Leibler (1951), On Information and Sufficiency. doi:10.1214/aoms/1177729694

    Examples
    --------
    >>> round(kl(np.array([100, 100, 100]), np.array([150, 100, 50])), 6)
    0.094793
    """
    pair = shares(reference, current, smoothing=0.5)
    if pair is None:
        return math.nan
    p, q = pair
    return max(0.0, float(np.sum(p * np.log(p / q))))
