"""What counts in cells say about the difference F - G of two distribution functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gpudrift.stats.shares import totals

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class CdfDifference(NamedTuple):
    """F - G before and after every cell, and the furthest it can go inside; float64.

    Attributes
    ----------
    ends : shape (cells + 1,)
        F - G just before the first cell's smallest and just after each cell's largest value. Known exactly.
    highest, lowest : shape (cells,)
        F - G where all of the cell's reference rows, or all of its current rows, come first. Whatever the
        order of the rows inside, F - G stays within [lowest, highest], and either end can be reached.
    n_reference, n_current : int
        Rows of either side.
    """

    ends: NDArray[np.float64]
    highest: NDArray[np.float64]
    lowest: NDArray[np.float64]
    n_reference: int
    n_current: int


def cdf_difference(reference: NDArray[np.int64], current: NDArray[np.int64]) -> CdfDifference | None:
    """F - G at the ends of every cell, and its range inside.

    Counts are accumulated as integers and divided once, so that F and G are the correctly rounded shares and
    equal those of a sort over the rows. A cell that only one side occupies gets exactly its two ends as its
    range.

    Parameters
    ----------
    reference, current : int64, shape (cells,)
        Counts of the same cells in ascending order.

    Returns
    -------
    CdfDifference or None
        None where either side has no rows.

    Raises
    ------
    ValueError
        If the shapes differ.

    Examples
    --------
    >>> import numpy as np
    >>> inside = cdf_difference(np.array([1, 1]), np.array([0, 4]))
    >>> inside.ends.tolist(), inside.highest.tolist(), inside.lowest.tolist()
    ([0.0, 0.5, 0.0], [0.5, 1.0], [0.0, -0.5])
    """
    from gpudrift_kernels.steps import differences  # which loads Numba

    n, m = totals(reference, current)
    if not n or not m:
        return None
    return CdfDifference(*differences(reference, current, n, m), n, m)
