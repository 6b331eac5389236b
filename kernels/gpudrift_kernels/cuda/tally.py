"""Rows and weights of one column by group and grid cell.

    grid      blocks that share the rows
    values    [ x x x x ... ]  thread i takes every (threads of the grid)-th  -> counter -> cells -> cell
    groups    [ g g g g ... ]  a group outside of the window of the table is another launch's
    rows      [ cells of a group | of the next | ... ]   one atomic a row   (global, 32 bits, or 64)
    weights   [ the same ]                               one atomic a row, where rows have weights   (global, 64 bits)

No shared memory. Threads race on rows and weights, by atomics alone: sums of integers, the same in any order. Offsets
into both are 64 bits wide, since a table may be as large as the memory allows.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gpudrift_kernels.cuda.compiled import inlined, kernel
from gpudrift_kernels.cuda.rule import INDEX, MISSING, NOT_SPECIAL, Rule

_ONE = np.uint32(1)


def _cells(index_of: Any) -> Any:
    """The kernel of the plans with this index."""

    @kernel
    def tally(
        values: NDArray[Any],
        present: NDArray[np.uint8],
        rule: Rule,
        cuts: NDArray[Any],
        cut_table: NDArray[np.int32],
        grid: NDArray[np.int32],
        n_cells: np.int64,
        groups: NDArray[np.int32],
        first_group: np.int32,
        amounts: NDArray[np.int64],
        rows: NDArray[Any],
        weights: NDArray[np.int64],
    ) -> None:
        for i in range(cuda.grid(1), values.size, cuda.gridsize(1)):
            special, index = index_of(values[i], rule, cuts, cut_table)
            if present.size != 0 and present[i] == 0:
                special = MISSING
            counter = index if special == NOT_SPECIAL else np.uint32(rule.n_index + special)
            place = _place(groups[i], first_group, grid[counter], n_cells)
            _add(place, i, amounts, rows, weights)

    return tally


@kernel
def tally_codes(
    codes: NDArray[np.int32],
    grid: NDArray[np.int32],
    n_cells: np.int64,
    groups: NDArray[np.int32],
    first_group: np.int32,
    amounts: NDArray[np.int64],
    rows: NDArray[Any],
    weights: NDArray[np.int64],
) -> None:
    """``grid`` is that of the local codes, then of missing."""
    missing = np.uint32(grid.size - 1)
    for i in range(cuda.grid(1), codes.size, cuda.gridsize(1)):
        code = np.uint32(codes[i] if codes[i] >= 0 else missing)
        place = _place(groups[i], first_group, grid[min(code, missing)], n_cells)
        _add(place, i, amounts, rows, weights)


@inlined
def _place(group: np.int32, first_group: np.int32, cell: np.int32, n_cells: np.int64) -> Any:
    """Of a row in a table that begins with the first group; outside of it for a group that it does not hold."""
    return np.int64(np.int64(group) - np.int64(first_group)) * n_cells + np.int64(cell)


@inlined
def _add(place: Any, i: Any, amounts: Any, rows: Any, weights: Any) -> None:
    if 0 <= place < rows.size:
        cuda.atomic.add(rows, place, _ONE)
        if amounts.size != 0:
            cuda.atomic.add(weights, place, amounts[i])


#: The kernel of each plan's dtype.
TALLY_CELLS = {dtype: _cells(index_of) for dtype, index_of in INDEX.items()}
