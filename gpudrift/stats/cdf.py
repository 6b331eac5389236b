"""What counts in cells say about the difference F - G of two distribution functions."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
    """

    ends: NDArray[np.float64]
    highest: NDArray[np.float64]
    lowest: NDArray[np.float64]


def cdf_difference(
    reference: NDArray[np.int64], current: NDArray[np.int64], n_reference: int, n_current: int
) -> CdfDifference:
    """F - G at the ends of every cell, and its range inside.

    Counts are accumulated as integers and divided once, so that F and G are the correctly rounded shares and
    equal those of a sort over the rows. A cell that only one side occupies gets exactly its two ends as its
    range.

    Parameters
    ----------
    reference, current : int64, shape (cells,)
        Counts of the same cells in ascending order.
    n_reference, n_current : int
        Their sums, above 0.

    Returns
    -------
    CdfDifference

    Examples
    --------
    >>> import numpy as np
    >>> inside = cdf_difference(np.array([1, 1]), np.array([0, 4]), 2, 4)
    >>> inside.ends.tolist(), inside.highest.tolist(), inside.lowest.tolist()
    ([0.0, 0.5, 0.0], [0.5, 1.0], [0.0, -0.5])
    """
    from gpudrift_kernels.steps import differences  # which loads Numba

    return CdfDifference(*differences(reference, current, n_reference, n_current))
