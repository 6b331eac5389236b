"""Rate of values beyond the reference's range, from counts in cells."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from gpudrift.stats.bounded import Bounded
from gpudrift.stats.shares import totals

if TYPE_CHECKING:
    from numpy.typing import NDArray


def out_of_range_from_cells(
    reference: NDArray[np.int64], current: NDArray[np.int64], single: NDArray[np.bool_]
) -> Bounded:
    """Share of current values below the smallest or above the largest value of the reference.

    Parameters
    ----------
    reference, current : int64, shape (cells,)
        Counts of the same cells in ascending order.
    single : bool, shape (cells,)
        Where a cell holds one value only.

    Returns
    -------
    Bounded
        In [0, 1]. Extremes are no part of counts, which must subtract, so the share is known within
        the two outermost cells of the reference: the value is ``lower``, those beyond these cells; ``upper`` adds those
        inside, unless the cell is a single value. NaN where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Notes
    -----
    Without drift one value in n + 1 lies above n others, and one below: the share foretold is 2 / (n + 1).

    Examples
    --------
    >>> reference, current = np.array([0, 3, 5, 2, 0]), np.array([1, 2, 2, 2, 3])
    >>> out_of_range_from_cells(reference, current, np.array([False, True, False, False, False]))
    Bounded(value=0.4, lower=0.4, upper=0.6)
    """
    n, m = totals(reference, current)
    if n == 0 or m == 0:
        return Bounded(math.nan, math.nan, math.nan)
    occupied = np.flatnonzero(reference)
    first, last = int(occupied[0]), int(occupied[-1])
    outside = current[:first].sum() + current[last + 1 :].sum()
    inside = sum(current[cell] for cell in {first, last} if not single[cell])
    lower = float(outside / m)
    return Bounded(lower, lower, min(1.0, float((outside + inside) / m)))
