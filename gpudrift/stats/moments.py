"""Changes of the mean and of the standard deviation, from counts in cells, with certified intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.bounded import Bounded
from gpudrift.stats.scaling import divide, exponent_of, scaled
from gpudrift.stats.shares import shares
from gpudrift.stats.wasserstein import mean_std_from_cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

_UNDEFINED = Bounded(math.nan, math.nan, math.nan)


def mean_change_from_cells(
    reference: NDArray[np.int64],
    current: NDArray[np.int64],
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    scale: float,
) -> Bounded:
    """Change of the mean in units of `scale`: with the reference's standard deviation, Glass' delta.

    Parameters
    ----------
    reference, current : int64, shape (cells,)
        Counts of the same cells in ascending order.
    start, stop : float64, shape (cells,)
        Smallest and largest value a cell can hold, both finite.
    scale : float
        What the change is divided by, above 0: see `relative_scale`.

    Returns
    -------
    Bounded
        Of either sign. The value has the rows of every cell at its midpoint; in between lower and upper any order of
        the rows inside their cells, in the same unit. NaN where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ or `scale` is not above 0.

    Notes
    -----
    (mean(current) - mean(reference)) / scale. With shares p and q, rows may lie at most half a cell's width w off
    its midpoint, so the interval is sum (p + q) w / 2 / scale to either side. Its size is at most that of W1 in the
    same unit, which it equals where all values moved the same way.

    References
    ----------
    Glass (1976), Primary, Secondary, and Meta-Analysis of Research. doi:10.3102/0013189X005010003

    Examples
    --------
    >>> edges = np.array([0.0, 2.0]), np.array([0.0, 3.0])
    >>> mean_change_from_cells(np.array([2, 2]), np.array([1, 3]), *edges, scale=1.0)
    Bounded(value=0.625, lower=0.0, upper=1.25)
    """
    _check_cells(reference, start, stop)
    pair = shares(reference, current)
    if pair is None:
        return _UNDEFINED
    if not scale > 0.0:
        raise ValueError(f"scale must be > 0, got {scale!r}; see relative_scale()")
    p, q = pair
    exponent = exponent_of(start, stop)
    start, stop = scaled(start, -exponent), scaled(stop, -exponent)
    pivot = float(start[np.argmax(p)])  # a spread of 1e3 about 1e18 keeps its digits
    change = 0.5 * float(np.sum((q - p) * ((start - pivot) + (stop - pivot))))
    slack = 0.5 * float(np.sum((p + q) * (stop - start)))
    value, lower, upper = (divide(total, exponent, scale) for total in (change, change - slack, change + slack))
    return Bounded(value, lower, upper)


def std_change_from_cells(
    reference: NDArray[np.int64], current: NDArray[np.int64], start: NDArray[np.float64], stop: NDArray[np.float64]
) -> Bounded:
    """Log ratio of the standard deviations (ddof 0): 0 for no change, 0.69 for twice, -0.69 for half the spread.

    Parameters
    ----------
    reference, current : int64, shape (cells,)
        Counts of the same cells in ascending order.
    start, stop : float64, shape (cells,)
        Smallest and largest value a cell can hold, both finite.

    Returns
    -------
    Bounded
        The value has the rows of every cell at its midpoint; in between lower and upper any order of the rows inside
        their cells. 0 where neither side has any spread, NaN where one has none or no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    ln(std(current) / std(reference)). The deviation is a seminorm, so rows that lie at most w / 2 off the midpoint
    change it by at most r = sqrt(sum p w^2) / 2, and each side's lies in [max(0, s - r), s + r].

    References
    ----------
    Nakagawa et al. (2015), Meta-analysis of variation: ecological and evolutionary applications and beyond.
    doi:10.1111/2041-210X.12309

    Examples
    --------
    >>> points = np.array([0.0, 1.0, 2.0])
    >>> std_change_from_cells(np.array([0, 2, 2]), np.array([2, 0, 2]), points, points)
    Bounded(value=0.6931471805599453, lower=0.6931471805599453, upper=0.6931471805599453)
    """
    _check_cells(reference, start, stop)
    if shares(reference, current) is None:
        return _UNDEFINED
    s, t = (std_from_cells(side, start, stop) for side in (reference, current))
    if s.upper == 0.0 and t.upper == 0.0:
        return Bounded(0.0, 0.0, 0.0)
    if s.value == 0.0 or t.value == 0.0:
        return _UNDEFINED
    return Bounded(
        math.log(t.value) - math.log(s.value),
        math.log(t.lower) - math.log(s.upper) if t.lower else -math.inf,
        math.log(t.upper) - math.log(s.lower) if s.lower else math.inf,
    )


def std_from_cells(counts: NDArray[np.int64], start: NDArray[np.float64], stop: NDArray[np.float64]) -> Bounded:
    """Standard deviation (ddof 0) of the rows of one side; NaN where there are none.

    Parameters
    ----------
    counts : int64, shape (cells,)
        Counts of cells in ascending order.
    start, stop : float64, shape (cells,)
        Smallest and largest value a cell can hold, both finite.

    Examples
    --------
    >>> std_from_cells(np.array([1, 1]), np.array([0.0, 2.0]), np.array([1.0, 3.0]))
    Bounded(value=1.0, lower=0.5, upper=1.5)
    """
    _, std = mean_std_from_cells(counts, start, stop)
    if math.isnan(std):
        return _UNDEFINED
    occupied = counts > 0
    rows, half = counts[occupied].astype(np.float64), (0.5 * stop - 0.5 * start)[occupied]
    widest = float(half.max())
    if widest == 0.0:
        return Bounded(std, std, std)
    mean_square = float(rows @ (half / widest) ** 2) / float(rows.sum())
    radius = widest * math.sqrt(mean_square)
    return Bounded(std, max(0.0, std - radius), std + radius)


def _check_cells(counts: NDArray[np.int64], start: NDArray[np.float64], stop: NDArray[np.float64]) -> None:
    if not counts.shape == start.shape == stop.shape:
        raise ValueError(
            f"start and stop must have shape {counts.shape} as the counts, got {start.shape} and {stop.shape}"
        )
