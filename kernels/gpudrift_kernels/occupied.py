"""The counters of a dense table that are not zero."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.read_only import read_only


def occupied(counts: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Places of the counts that are not zero, ascending, and these counts; int64 both.

    Examples
    --------
    >>> import numpy as np
    >>> [found.tolist() for found in occupied(np.array([0, 7, 0, 2]))]
    [[1, 3], [7, 2]]
    """
    return _gather(read_only(counts))


@kernel
def _gather(c: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Eight at a time: most of a table is empty, and its empty stretches are long."""
    n = np.int64(0)
    for i in range(c.size):
        n += np.int64(c[i] != 0)
    places, rows = np.empty(n, np.int64), np.empty(n, np.int64)
    k = 0
    for first in range(0, c.size - 7, 8):
        near = c[first] | c[first + 1] | c[first + 2] | c[first + 3]
        if near | c[first + 4] | c[first + 5] | c[first + 6] | c[first + 7]:
            for i in range(first, first + 8):
                if c[i]:
                    places[k], rows[k] = i, c[i]
                    k += 1
    for i in range(c.size & ~7, c.size):
        if c[i]:
            places[k], rows[k] = i, c[i]
            k += 1
    return places, rows
