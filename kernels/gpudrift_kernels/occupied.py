"""The counters of a dense table that are not zero, and two sides of such counters beside each other."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.read_only import read_only

#: Places of counters, ascending, and their counts, none of them zero; int64 both.
Occupied: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]


def occupied(counts: NDArray[Any]) -> Occupied:
    """The counts that are not zero, of integers.

    Examples
    --------
    >>> import numpy as np
    >>> [found.tolist() for found in occupied(np.array([0, 7, 0, 2]))]
    [[1, 3], [7, 2]]
    """
    return gather(read_only(counts))


@kernel
def gather(c: NDArray[Any]) -> Occupied:
    """What ``occupied`` says."""
    n = np.int64(0)
    for i in range(c.size):
        n += np.int64(c[i] != 0)
    places, rows = np.empty(n + 1, np.int64), np.empty(n + 1, np.int64)
    fill_occupied(c, places, rows)
    return places[:n], rows[:n]


@kernel
def fill_occupied(c: NDArray[Any], places: NDArray[np.int64], rows: NDArray[np.int64]) -> int:
    """How many counts are not zero; they are written eight at a time, since most empty stretches of a table are long.

    In the others every counter is written, and the next one over it if it is zero: no branch that data decide. There
    must be room for one more.
    """
    n = np.uint64(0)
    for first in range(0, c.size - 7, 8):
        near = c[first] | c[first + 1] | c[first + 2] | c[first + 3]
        if near | c[first + 4] | c[first + 5] | c[first + 6] | c[first + 7]:
            for i in range(first, first + 8):
                places[n], rows[n] = i, c[i]
                n += np.uint64(c[i] != 0)
    for i in range(c.size & ~7, c.size):
        places[n], rows[n] = i, c[i]
        n += np.uint64(c[i] != 0)
    return int(np.int64(n))


def dense(counted: tuple[NDArray[np.int64], NDArray[Any]], size: int) -> NDArray[Any]:
    """All counters, zeros among them: what ``occupied`` was given.

    Examples
    --------
    >>> import numpy as np
    >>> dense((np.array([1, 3]), np.array([7, 2])), 5).tolist()
    [0, 7, 0, 2, 0]
    """
    places, rows = counted
    total = np.zeros(size, rows.dtype)
    total[places] = rows
    return total


def runs(ascending: NDArray[Any]) -> Occupied:
    """How often each place occurs among places in ascending order.

    Examples
    --------
    >>> import numpy as np
    >>> [found.tolist() for found in runs(np.array([3, 3, 7], np.uint32))]
    [[3, 7], [2, 1]]
    """
    return _runs(read_only(ascending))


@kernel
def _runs(ascending: NDArray[Any]) -> Occupied:
    places, rows = np.empty(ascending.size, np.int64), np.empty(ascending.size, np.int64)
    n = begin = 0
    for i in range(ascending.size):
        if i + 1 == ascending.size or ascending[i + 1] != ascending[i]:
            places[n], rows[n] = np.int64(ascending[i]), i + 1 - begin
            n += 1
            begin = i + 1
    return places[:n], rows[:n]


def aligned(
    one: tuple[NDArray[np.int64], NDArray[Any]], other: tuple[NDArray[np.int64], NDArray[Any]]
) -> tuple[NDArray[np.int64], NDArray[Any], NDArray[Any]]:
    """Places that either side occupies, ascending, and the counts of both sides there, of one dtype.

    Examples
    --------
    >>> import numpy as np
    >>> sides = (np.array([1, 3]), np.array([7, 2])), (np.array([3, 4]), np.array([5, 6]))
    >>> [found.tolist() for found in aligned(*sides)]
    [[1, 3, 4], [7, 2, 0], [0, 5, 6]]
    """
    dtype = np.result_type(one[1], other[1])
    (i, f), (j, g) = ((places, rows.astype(dtype, copy=False)) for places, rows in (one, other))
    places, left, right = np.empty(i.size + j.size, np.int64), *np.empty((2, i.size + j.size), dtype)
    n = fill_aligned(read_only(i), read_only(f), read_only(j), read_only(g), places, left, right)
    return places[:n], left[:n], right[:n]


@kernel
def fill_aligned(
    i: NDArray[np.int64], f: NDArray[Any], j: NDArray[np.int64], g: NDArray[Any],
    places: NDArray[np.int64], left: NDArray[Any], right: NDArray[Any],
) -> int:  # fmt: skip
    """What ``aligned`` says, and how many there are."""
    a = b = n = 0
    while a < i.size and b < j.size:  # no branch that data decide
        x, y = i[a], j[b]
        here, there = int(x <= y), int(y <= x)
        rows_f, rows_g = f[a] * here, g[b] * there
        places[n], left[n], right[n] = min(x, y), rows_f, rows_g
        a, b = a + here, b + there
        n += int(rows_f != 0) | int(rows_g != 0)  # a weight may be nothing
    for k in range(a, i.size):
        places[n], left[n], right[n] = i[k], f[k], 0
        n += int(left[n] != 0)
    for k in range(b, j.size):
        places[n], left[n], right[n] = j[k], 0, g[k]
        n += int(right[n] != 0)
    return n
