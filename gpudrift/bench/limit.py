"""The limit of the memory: how fast every value can be read once, by all processors."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpudrift.bench.machine import processors

BEYOND_CACHES: Final = 50_000_000
"""Bytes from which on values come from memory, and bandwidth says something."""


@njit(nogil=True, cache=True, fastmath=True)
def _sum(values: NDArray[Any]) -> float:
    """fastmath lets LLVM keep many partial sums: a plain sum waits for one addition after another.

    By index: iterating over the array is not vectorised, and four times slower.
    """
    total = values.dtype.type(0)
    for i in range(values.size):
        total += values[i]
    return float(total)


def streaming_sum(columns: Iterable[NDArray[Any]], threads: int | None = None) -> float:
    """The sum of all values, read as fast as the processors can: no program that reads them is faster.

    Parameters
    ----------
    columns : arrays
        1-D and contiguous, of float32 or float64.
    threads : int, optional
        All processors by default.

    Examples
    --------
    >>> streaming_sum([np.ones(10, np.float32), np.ones(5, np.float32)])
    15.0
    """
    threads = threads or processors()
    pieces = (piece for column in columns for piece in np.array_split(column, threads))
    with ThreadPoolExecutor(threads) as pool:
        return float(sum(pool.map(_sum, pieces)))
