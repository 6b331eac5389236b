"""Rows by group and grid cell: the counter of each row, then one increment into the table of a task.

    counters  [ c c c c ... ]  -> grid -> cell
    groups    [ g g g g ... ]  ->  rows[g, cell] += 1, weights[g, cell] += w

Rows in time order stay in a few rows of the table: they fit the cache however many groups there are.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.grouping import Grouping, Tally


class TallyTable:
    """The private table of one task."""

    def __init__(self, grid: NDArray[np.int32], grouping: Grouping) -> None:
        shape = grouping.n_groups, int(grid[-1]) + 1
        self._grid = read_only(grid)
        self._grouping = grouping
        weights = None if grouping.weights is None else np.zeros(shape, np.int64)
        self.tally = Tally(np.zeros(shape, grouping.counter), weights)

    def add(self, counters: NDArray[np.uint32], start: int) -> None:
        """Count the rows from ``start`` on, by their counters (uint32, shape (n,))."""
        rows = slice(start, start + counters.size)
        place = read_only(counters), self._grid, read_only(self._grouping.groups[rows])
        _count(*place, self.tally.rows)
        if self._grouping.weights is not None and self.tally.weights is not None:
            _weigh(*place, read_only(self._grouping.weights[rows]), self.tally.weights)


@kernel
def _count(
    counters: NDArray[np.uint32], grid: NDArray[np.int32], groups: NDArray[np.int32], rows: NDArray[np.int64]
) -> None:
    for j in range(counters.size):
        rows[groups[j], grid[counters[j]]] += 1


@kernel
def _weigh(
    counters: NDArray[np.uint32],
    grid: NDArray[np.int32],
    groups: NDArray[np.int32],
    amounts: NDArray[np.int64],
    weights: NDArray[np.int64],
) -> None:
    for j in range(counters.size):
        weights[groups[j], grid[counters[j]]] += amounts[j]
