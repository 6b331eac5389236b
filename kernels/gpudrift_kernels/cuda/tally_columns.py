"""Columns as the tally takes them: how their rows are read, what their kernels need, and the launch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gpudrift_kernels.backend import CategoryColumn, NumericColumn
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import cut_table
from gpudrift_kernels.cuda.device_array import on_device
from gpudrift_kernels.cuda.rule import rule_of
from gpudrift_kernels.cuda.tally import TALLY_CELLS, tally_codes
from gpudrift_kernels.cuda.tally_tables import Table
from gpudrift_kernels.tuning import NUMBA_MOST_BLOCKS, NUMBA_THREADS, numba_grid

_NO_TABLE: Final = np.empty(0, np.int32)


class GroupedRows(NamedTuple):
    """What lies on the device of the rows of a launch.

    Attributes
    ----------
    values : of the column, or its codes.
    present : uint8, 0 where a row has no value; of no elements where all have one.
    groups : int32.
    amounts : int64, the weights of the rows; of no elements where they have none.
    """

    values: Any
    present: Any
    groups: Any
    amounts: Any


class TalliedNumbers:
    """A column of numbers, with its plan and grid."""

    masked = True

    def __init__(self, column: NumericColumn, plan: CellPlan, grid: NDArray[np.int32], empty: Any) -> None:
        self._column, self._plan, self._rule = column, plan, rule_of(plan)
        self.grid = grid
        self.dtype = np.dtype(plan.dtype)
        self.resident = on_device(empty)

    @property
    def constants(self) -> Sequence[NDArray[Any]]:
        """Cuts, cut table and grid: what goes to the device once."""
        table = cut_table(self._plan) if self._plan.cuts.size else _NO_TABLE
        return self._plan.cuts, table, np.ascontiguousarray(self.grid)

    def read(self, start: int, stop: int) -> tuple[Any, Any]:
        """Values of the rows, and which of them there are."""
        return self._column.aligned(start, stop)

    def launch(self, rows: GroupedRows, beside: Any, table: Table, stream: Any) -> Sequence[Any]:
        """Queue the tally; what must be kept until it is done."""
        cuts, cuts_below, grid = table.constants
        TALLY_CELLS[self._plan.dtype][numba_grid(rows.values.size, NUMBA_MOST_BLOCKS), NUMBA_THREADS, stream](
            rows.values, rows.present, self._rule, cuts, cuts_below, grid, table.n_cells, rows.groups,
            table.first_group, rows.amounts, table.rows, table.weights,
        )  # fmt: skip
        return ()


class TalliedCodes:
    """A column of categories, with its grid."""

    masked = False
    dtype = np.dtype(np.int32)

    def __init__(self, column: CategoryColumn, n_categories: int, grid: NDArray[np.int32], empty: Any) -> None:
        self._column, self._n_categories = column, n_categories
        self.grid = grid
        self.resident = on_device(empty)
        self._vocabulary: NDArray[np.int64] | None = None
        self._local_grid: Any = None

    @property
    def constants(self) -> Sequence[NDArray[Any]]:
        return ()

    def read(self, start: int, stop: int) -> tuple[Any, NDArray[np.int64]]:
        """Local codes of the rows, and the vocabulary's of each."""
        return self._column.codes(start, stop)

    def launch(self, rows: GroupedRows, beside: NDArray[np.int64], table: Table, stream: Any) -> Sequence[Any]:
        """Queue the tally; what must be kept until it is done."""
        if self._vocabulary is None or not np.array_equal(beside, self._vocabulary):
            self._vocabulary = beside
            self._local_grid = cuda.to_device(self.grid[np.append(beside, self._n_categories)])  # missing comes last
        tally_codes[numba_grid(rows.values.size, NUMBA_MOST_BLOCKS), NUMBA_THREADS, stream](
            rows.values, self._local_grid, table.n_cells, rows.groups, table.first_group, rows.amounts, table.rows,
            table.weights,
        )  # fmt: skip
        return (self._local_grid,)


TalliedColumn: TypeAlias = TalliedNumbers | TalliedCodes
