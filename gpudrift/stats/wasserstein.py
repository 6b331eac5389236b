"""First Wasserstein distance, from counts in cells with a certified interval, or from sorted rows.

Values may lie anywhere in float64, subnormal or next to its maximum. They are first multiplied by a power of
two that puts the largest where sums cannot overflow and the smallest keep their digits.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gpudrift.stats.cdf import CdfDifference, cdf_difference
from gpudrift.stats.scaling import divide, exponent_of, scaled, scaled_up

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Distances are summed on values below 2^1021: the sum is at most their range, below 2^1022.
_SUMMED_BELOW = 1021

# Powers of two that a sorted sample's values are raised by at most: 2^972 is then the smallest subnormal one.
_MOST_RAISED = 2046

# Share of |mean| that stands for the spread of a constant reference.
_RELATIVE_FLOOR = 1e-12


@dataclass(frozen=True, slots=True)
class Wasserstein:
    """W1 / scale and how well it is known.

    Attributes
    ----------
    value : float
        Distance with the rows of every cell at its midpoint, in units of the scale; at least 0.
    lower, upper : float
        The distance over the rows themselves lies in [lower, upper]; shares alone give no narrower interval.

    All are NaN where either side has no rows.
    """

    value: float
    lower: float
    upper: float


def wasserstein_from_cells(
    reference: NDArray[np.int64],
    current: NDArray[np.int64],
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    scale: float,
    *,
    difference: CdfDifference | None = None,
) -> Wasserstein:
    """First Wasserstein distance of two samples of which only counts in ordered cells are known.

    Parameters
    ----------
    reference, current : int64, shape (cells,)
        Counts of the same cells in ascending order; empty cells may be left out.
    start, stop : float64, shape (cells,)
        Smallest and largest value a cell can hold, both finite: start[i] <= stop[i] <= start[i + 1]. Equal
        for a cell with a single value.
    scale : float
        What the distance is divided by, above 0: see `relative_scale`.
    difference : CdfDifference, optional
        Of these counts, where there is one already.

    Returns
    -------
    Wasserstein
        In units of `scale`, at most the largest finite double.

    Raises
    ------
    ValueError
        If the shapes differ or `scale` is not above 0.

    Notes
    -----
    W1 is the integral of |F - G|, a sum over gaps and cells. From stop[i] to start[i + 1] F - G is a known
    constant. Inside a cell of width w, with shares f and g and F - G = d before it, F - G stays within
    [d - g, d + f] whatever the order of the rows. So the cell contributes

    - at most w max(|d - g|, |d + f|): all rows of one side are at `start`, all of the other at `stop`;
    - at least w times the distance of 0 from [d - g, d + f]: the same the other way round, or, with 0 inside,
      just enough rows of one side at `start` and all others at `stop`;
    - w (|d| + |d + f - g|) / 2, in between, with all rows at the midpoint.

    Cells are free of each other, so the sums are sharp: distributions with these shares reach both ends.
    The interval is no wider than the sum of w (f + g).

    References
    ----------
    Vallender (1974), Calculation of the Wasserstein Distance Between Probability Distributions on the Line.
    doi:10.1137/1118101

    Examples
    --------
    >>> edges = np.array([0.0, 1.0]), np.array([1.0, 2.0])
    >>> wasserstein_from_cells(np.array([4, 0]), np.array([2, 2]), *edges, scale=1.0)
    Wasserstein(value=0.5, lower=0.0, upper=1.5)
    """
    from gpudrift_kernels.steps import areas  # which loads Numba

    _check_cells(reference, start, stop)
    difference = difference or cdf_difference(reference, current)
    if difference is None:
        return Wasserstein(math.nan, math.nan, math.nan)
    _check_scale(scale)
    exponent = exponent_of(start, stop) - _SUMMED_BELOW
    ends = scaled(start, -exponent), scaled(stop, -exponent)
    gaps, *inside = areas(difference.ends, difference.highest, difference.lowest, *ends)
    value, lower, upper = (divide(gaps + level, exponent, scale) for level in inside)
    return Wasserstein(value, lower, upper)


def wasserstein_exact(sorted_reference: NDArray[Any], sorted_current: NDArray[Any], scale: float) -> float:
    """First Wasserstein distance of two sorted samples.

    Parameters
    ----------
    sorted_reference : float32, float64, int64 or uint64, shape (n,)
        Finite values in ascending order.
    sorted_current : the same dtype, shape (m,)
        Finite values in ascending order.
    scale : float
        What the distance is divided by, above 0: see `relative_scale`.

    Returns
    -------
    float
        W1 / scale, at most the largest finite double; NaN where either side has no rows.

    Raises
    ------
    ValueError
        If `scale` is not above 0.

    Notes
    -----
    The integral of |F - G| is that of the distance of the quantiles: a sum of terms that are at least 0, so that no
    digit cancels. Swapped sides give the same bits.

    Examples
    --------
    >>> wasserstein_exact(np.array([0.0, 1.0, 3.0]), np.array([5.0, 6.0, 8.0]), scale=2.0)
    2.5
    """
    from gpudrift_kernels.cpu.wasserstein import wasserstein_sorted  # which loads Numba

    if sorted_reference.size == 0 or sorted_current.size == 0:
        return math.nan
    _check_scale(scale)
    exponent = 0
    if sorted_reference.dtype.kind == "f":
        sides = sorted_reference, sorted_current
        exponent = max(max(exponent_of(side, side) for side in sides) - _SUMMED_BELOW, -_MOST_RAISED)
    return divide(wasserstein_sorted(sorted_reference, sorted_current, -exponent), exponent, scale)


def mean_std_sorted(values: NDArray[Any]) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0) of a sorted sample: `mean_std_from_cells` of its rows.

    Parameters
    ----------
    values : float32, float64, int64 or uint64, shape (n,)
        Finite values in ascending order.

    Returns
    -------
    (float, float)
        Mean and standard deviation; NaN for no rows. The deviation is exactly 0 where all values are equal.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for Computing the Sample Variance.
    doi:10.1080/00031305.1983.10483115

    Examples
    --------
    >>> mean_std_sorted(np.array([0.5, 2.5]))
    (1.5, 1.0)
    """
    from gpudrift_kernels.cpu.moments import moments_sorted  # which loads Numba

    if values.size == 0:
        return math.nan, math.nan
    exponent = exponent_of(values, values) if values.dtype.kind == "f" else 0
    mean, variance = moments_sorted(values, -exponent)
    return scaled_up(mean, exponent), scaled_up(math.sqrt(variance), exponent)


def mean_std_from_cells(
    counts: NDArray[np.int64], start: NDArray[np.float64], stop: NDArray[np.float64]
) -> tuple[float, float]:
    """Mean and standard deviation (ddof 0) with the rows of every cell at its midpoint.

    Parameters
    ----------
    counts : int64, shape (cells,)
        Counts of cells in ascending order.
    start, stop : float64, shape (cells,)
        Smallest and largest value a cell can hold, both finite.

    Returns
    -------
    (float, float)
        Mean and standard deviation; NaN for no rows. The deviation is exactly 0 where one cell holds all
        rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Two passes about a pivot inside the fullest cell: a spread of 1e3 about 1e18 keeps its digits, which a sum
    of squares would lose, and a constant has no spread at all.

    References
    ----------
    Chan, Golub and LeVeque (1983), Algorithms for Computing the Sample Variance.
    doi:10.1080/00031305.1983.10483115

    Examples
    --------
    >>> mean_std_from_cells(np.array([1, 1]), np.array([0.0, 2.0]), np.array([1.0, 3.0]))
    (1.5, 1.0)
    """
    from gpudrift_kernels.steps import moments  # which loads Numba

    _check_cells(counts, start, stop)
    if not counts.any():
        return math.nan, math.nan
    mean, variance, exponent = moments(counts, start, stop)
    return scaled_up(mean, exponent), scaled_up(math.sqrt(variance), exponent)


def relative_scale(mean: float, std: float) -> float:
    """Scale that W1 is divided by: the reference's standard deviation, kept above 0.

    Parameters
    ----------
    mean, std : float
        Mean and standard deviation (ddof 0) of the reference.

    Returns
    -------
    float
        std; for a constant reference 1e-12 |mean|, or 1e-12 where that is 0; NaN for NaN. Always above 0 otherwise.

    Notes
    -----
    A constant reference has no spread, and any move away from it is large: with this floor 5 becoming 6 is
    2e11, 0 becoming 1 is 1e12. However small beside the mean, a spread above 0 is real: `mean_std_from_cells` gives
    exactly 0 for equal values.

    Examples
    --------
    >>> relative_scale(100.0, 15.0)
    15.0
    >>> relative_scale(5.0, 0.0)
    5e-12
    """
    if math.isnan(mean) or math.isnan(std):
        return math.nan
    return std or _RELATIVE_FLOOR * abs(mean) or _RELATIVE_FLOOR


def _check_cells(counts: NDArray[np.int64], start: NDArray[np.float64], stop: NDArray[np.float64]) -> None:
    if not counts.shape == start.shape == stop.shape:
        raise ValueError(
            f"start and stop must have shape {counts.shape} as the counts, got {start.shape} and {stop.shape}"
        )


def _check_scale(scale: float) -> None:
    if not scale > 0.0:
        raise ValueError(f"scale must be > 0, got {scale!r}; see relative_scale()")
