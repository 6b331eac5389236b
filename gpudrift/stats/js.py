"""Jensen-Shannon divergence and distance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.shares import shares, shares_each

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LOG_2 = math.log(2.0)


def js_divergence(reference: NDArray[np.int64], current: NDArray[np.int64], base: float = 2.0) -> float:
    """Jensen-Shannon divergence of two histograms, symmetric and in [0, 1] for base 2.

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k bins or categories; shares are not smoothed.
    base : float
        Base of the logarithm, above 1. The largest value is ln 2 / ln base.

    Returns
    -------
    float
        Divergence, exactly 0 for equal shares; NaN where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ or `base` is not above 1.

    Notes
    -----
    JSD = (KL(p, m) + KL(q, m)) / 2 with m = (p + q) / 2. The textbook p ln(p / m) cancels where p is near q,
    and the root taken for the distance would turn 1e-17 of noise into 3e-9. Written as
    -p ln(1 + (q - p) / (2 p)) it starts from the difference and keeps the distance to 1e-16.

    References
    ----------
    Lin (1991), Divergence Measures Based on the Shannon Entropy. doi:10.1109/18.61115

    Examples
    --------
    >>> js_divergence(np.array([5, 0]), np.array([0, 3]))
    1.0
    >>> round(js_divergence(np.array([100, 100, 100]), np.array([150, 100, 50])), 6)
    0.03253
    """
    if not base > 1.0:
        raise ValueError(f"base must be > 1, got {base!r}")
    pair = shares(reference, current)
    return math.nan if pair is None else float(_divergence_each(*pair)) / math.log(base)


def js_distance(reference: NDArray[np.int64], current: NDArray[np.int64], base: float = 2.0) -> float:
    """Jensen-Shannon distance of two histograms: the root of the divergence, a metric, in [0, 1] for base 2.

    Parameters
    ----------
    reference, current : int64, shape (k,)
        Counts of the same k bins or categories; shares are not smoothed.
    base : float
        Base of the logarithm, above 1.

    Returns
    -------
    float
        Distance, exactly 0 for equal shares; NaN where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ or `base` is not above 1.

    References
    ----------
    Endres and Schindelin (2003), A new metric for probability distributions. doi:10.1109/TIT.2003.813506

    Examples
    --------
    >>> round(js_distance(np.array([100, 100, 100]), np.array([150, 100, 50])), 6)
    0.180361
    """
    return math.sqrt(js_divergence(reference, current, base))


def js_distance_each(reference: NDArray[np.int64], current: NDArray[np.int64]) -> NDArray[np.float64]:
    """Jensen-Shannon distance, base 2, of each pair of histograms: `js_distance` over leading axes.

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
    >>> reference, current = np.array([[100, 100, 100], [1, 0, 0]]), np.array([[150, 100, 50], [0, 3, 4]])
    >>> js_distance_each(reference, current).round(6).tolist()
    [0.180361, 1.0]
    """
    return np.sqrt(_divergence_each(*shares_each(reference, current)) / _LOG_2)


def _divergence_each(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """Divergence in nats along the last axis."""
    nats = 0.5 * (_kl_to_mean(p, q) + _kl_to_mean(q, p))
    return np.minimum(np.maximum(nats, 0.0), _LOG_2) + 0.0  # -0.0 becomes 0.0


def _kl_to_mean(p: NDArray[np.float64], q: NDArray[np.float64]) -> NDArray[np.float64]:
    """KL(p, (p + q) / 2) in nats along the last axis; a bin without p adds nothing."""
    if p.ndim == 1:  # left out: the order of the sum, and so its last digit, is that of the bins there are
        occupied = p != 0.0
        p, q = p[occupied], q[occupied]
        return np.asarray(-(p * np.log1p((q - p) / (2.0 * p))).sum())
    found: NDArray[np.float64] = -np.sum(p * np.log1p((q - p) / (2.0 * np.where(p > 0.0, p, 1.0))), axis=-1)
    return found
