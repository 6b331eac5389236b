"""Tables of rows and weights by group and cell, and what their kernels read: one copy to the device, one back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gpudrift_kernels.grouping import Tally

_ALIGNMENT: Final = 16


class GroupWindow(NamedTuple):
    """Groups that tables hold: as many as the memory allows."""

    first: int
    n_groups: int


class Wanted(NamedTuple):
    """What the table of one column is to hold.

    Attributes
    ----------
    n_cells : of its grid.
    counter : type of the rows; uint32, or int64 where 32 bits might overflow.
    weighted : whether rows have weights.
    constants : arrays that its kernel reads.
    """

    n_cells: int
    counter: type[np.generic]
    weighted: bool
    constants: Sequence[NDArray[Any]]

    @property
    def bytes_per_group(self) -> int:
        return self.n_cells * (np.dtype(self.counter).itemsize + 8 * self.weighted)

    @property
    def constant_bytes(self) -> int:
        return sum(_aligned(array.nbytes) for array in self.constants) + 2 * _ALIGNMENT  # what aligning may add


class Table(NamedTuple):
    """The table of one column on the device."""

    rows: Any
    weights: Any
    constants: Sequence[Any]
    n_cells: np.int64
    first_group: np.int32


class TallyTables:
    """One block of device memory: [ weights and rows of each column | constants of each ], zeros at first.

    Parameters
    ----------
    wanted : sequence of Wanted
        One a column.
    window : GroupWindow
    stream
        Numba's; everything is copied on it.

    Attributes
    ----------
    tables : the Table of each column.
    no_mask, no_weights : arrays of no elements on the device, uint8 and int64.
    """

    def __init__(self, wanted: Sequence[Wanted], window: GroupWindow, stream: Any) -> None:
        self._wanted, self._window, self._stream = wanted, window, stream
        self._firsts: list[tuple[int, int]] = []
        end = 0
        for n_cells, counter, weighted, _ in wanted:
            rows = _aligned(end + 8 * window.n_groups * n_cells * weighted)
            self._firsts.append((end, rows))
            end = _aligned(rows + np.dtype(counter).itemsize * window.n_groups * n_cells)
        self._results_end = end
        host = np.zeros(end + sum(w.constant_bytes for w in wanted) + _ALIGNMENT, np.uint8)
        self._constants: list[list[tuple[int, NDArray[Any]]]] = []
        for w in wanted:
            self._constants.append([])
            for array in w.constants:
                host[end : end + array.nbytes] = array.view(np.uint8)
                self._constants[-1].append((end, array))
                end = _aligned(end + array.nbytes)
        self._memory = cuda.to_device(host, stream=stream)
        stream.synchronize()  # the tables are there before other streams use them
        self.tables = [self._table(f) for f in range(len(wanted))]
        self.no_mask, self.no_weights = self._view(0, 0, np.uint8), self._view(0, 0, np.int64)

    def fetch(self) -> list[Tally]:
        """What was counted, in one copy; waits for the stream."""
        counted = np.empty(self._results_end, np.uint8)
        if counted.size:
            self._memory[: counted.size].copy_to_host(counted, stream=self._stream)
        self._stream.synchronize()

        def part(first: int, n_cells: int, dtype: Any) -> NDArray[Any]:
            shape = self._window.n_groups, n_cells
            n_bytes = self._window.n_groups * n_cells * np.dtype(dtype).itemsize
            found: NDArray[Any] = counted[first : first + n_bytes].view(dtype)
            return found.reshape(shape)

        return [
            Tally(part(rows, w.n_cells, w.counter), part(weights, w.n_cells, np.int64) if w.weighted else None)
            for w, (weights, rows) in zip(self._wanted, self._firsts, strict=True)
        ]

    def _table(self, f: int) -> Table:
        wanted, (weights, rows) = self._wanted[f], self._firsts[f]
        n = self._window.n_groups * wanted.n_cells
        return Table(
            rows=self._view(rows, n, wanted.counter),
            weights=self._view(weights, n * wanted.weighted, np.int64),
            constants=[self._view(first, array.size, array.dtype) for first, array in self._constants[f]],
            n_cells=np.int64(wanted.n_cells),
            first_group=np.int32(self._window.first),
        )

    def _view(self, first: int, n: int, dtype: Any) -> Any:
        return self._memory[first : first + n * np.dtype(dtype).itemsize].view(np.dtype(dtype))


def _aligned(n_bytes: int) -> int:
    return n_bytes + -n_bytes % _ALIGNMENT
