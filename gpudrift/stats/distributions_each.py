"""The log tail probabilities of `distributions`, of many values at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CONVERGED = 4e-16
_STEPS = 4


def kolmogorov_log_sf_each(z: NDArray[np.float64]) -> NDArray[np.float64]:
    """`kolmogorov_log_sf` of each value.

    Parameters
    ----------
    z : float64, any shape
        Scaled distances.

    Returns
    -------
    float64, the same shape
        Natural logs, at most 0; NaN for NaN.

    Examples
    --------
    >>> kolmogorov_log_sf_each(np.array([0.5, 1.0, 1e8])).round(6).tolist()
    [-0.036721, -1.309335, -2e+16]
    """
    with np.errstate(divide="ignore", over="ignore", under="ignore", invalid="ignore"):
        exponent = -(math.pi**2) / (8.0 * z * z)
        theta = sum(np.exp(odd * odd * exponent) for odd in (1, 3, 5, 7))
        near = np.log1p(-math.sqrt(2.0 * math.pi) / z * theta)
        square = z * z
        alternating = sum((-1.0) ** (k - 1) * np.exp(-2.0 * (k * k - 1) * square) for k in (2, 3, 4, 5))
        far = math.log(2.0) - 2.0 * square + np.log1p(alternating)
    found: NDArray[np.float64] = np.where(z < 1.0, np.where(z < 0.042, 0.0, near), far)
    return found


def chi2_log_sf_each(x: NDArray[np.float64], df: NDArray[np.int64]) -> NDArray[np.float64]:
    """`chi2_log_sf` of each pair.

    Parameters
    ----------
    x : float64, shape (n,)
        Values of the statistic.
    df : int64, shape (n,)
        Degrees of freedom; below 1 the answer is 0.

    Returns
    -------
    float64, shape (n,)
        Natural logs, at most 0; NaN for NaN.

    Examples
    --------
    >>> chi2_log_sf_each(np.array([16.918977604620448, 1e12, 0.0]), np.array([9, 2, 3])).round(6).tolist()
    [-2.995732, -500000000000.0, 0.0]
    """
    found = np.where(np.isnan(x), np.nan, 0.0)
    found[np.isposinf(x) & (df > 0)] = -np.inf
    asked = np.flatnonzero((x > 0.0) & np.isfinite(x) & (df > 0))
    shape, value = np.float64(0.5) * df[asked], np.float64(0.5) * x[asked]
    density = _log_gamma_density(shape, value)
    below = value < shape + 1.0
    lower = np.exp(np.minimum(0.0, density[below] + np.log(_lower_series(shape[below], value[below]))))
    with np.errstate(divide="ignore"):
        found[asked[below]] = np.log1p(-lower)
    above = ~below
    found[asked[above]] = np.minimum(0.0, density[above] + np.log(_upper_fraction(shape[above], value[above])))
    return found


def _log_gamma_density(shape: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """As in `distributions`: Stirling's series where the three terms would cancel."""
    kinds, kind = np.unique(shape, return_inverse=True)
    log_gamma = np.array([math.lgamma(s) for s in kinds.tolist()])[kind] if kinds.size else np.empty(0)
    plain = shape * np.log(value) - value - log_gamma
    excess = (value - shape) / shape
    reciprocal = 1.0 / (shape * shape)
    tail = 1 / 1260 - reciprocal * (1 / 1680 - reciprocal / 1188)
    stirling = (1 / 12 - reciprocal * (1 / 360 - reciprocal * tail)) / shape
    series = shape * (np.log1p(excess) - excess) + 0.5 * np.log(shape / (2.0 * math.pi)) - stirling
    return np.where((shape < 10.0) | (value < 0.5 * shape), plain, series)


def _lower_series(shape: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    term = 1.0 / shape
    total, divisor = term.copy(), shape.copy()
    while np.any(term > 1e-17 * total):
        for _ in range(_STEPS):  # whether all have converged costs as much as a step
            divisor += 1.0
            term *= value / divisor
            total += term
    return total


def _upper_fraction(shape: NDArray[np.float64], value: NDArray[np.float64]) -> NDArray[np.float64]:
    """Lentz's method on all that have not converged yet."""
    out = np.empty(shape.size)
    left = np.arange(shape.size)
    partial = value + 1.0 - shape
    numerator, reciprocal = np.full(shape.size, np.inf), 1.0 / partial
    fraction = reciprocal.copy()
    i = 0
    while left.size:
        for _ in range(_STEPS):
            i += 1
            partial = partial + 2.0
            coefficient = i * (shape - i)
            numerator = partial + coefficient / numerator
            reciprocal = 1.0 / (partial + coefficient * reciprocal)
            factor = numerator * reciprocal
            fraction = fraction * factor
        done = np.abs(factor - 1.0) < _CONVERGED
        if done.any():
            out[left[done]] = fraction[done]
            going = ~done
            left, shape, partial = left[going], shape[going], partial[going]
            numerator, reciprocal, fraction = numerator[going], reciprocal[going], fraction[going]
    return out
