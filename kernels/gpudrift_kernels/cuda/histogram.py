"""Histogram of one column over the cells of its plan, by Numba: what serves where CuPy is missing.

    grid      blocks that share the rows of the column
    values    [ x x x x ... ]  thread i takes every (threads of the grid)-th  -> index
    table     [ counters of a window of indices | 3 specials ]   one atomic a value   (shared, one a block)
    counts    [ 64 bits a counter ]   the table at the end, and at once what lies outside the window   (global)

The same frame as ``histogram.cu``, less its wide loads and its one launch for all columns. Numba cannot ask for more
than 48 KiB of shared memory, so the window holds 12,285 counters at most. 4 * (window + 3) bytes, 32-bit counters: a
launch must see fewer than 2**32 rows. Threads of a block race on its table and blocks on counts, by atomics alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numba import cuda, uint32
from numpy.typing import NDArray

from gpudrift_kernels import rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cuda.compiled import inlined, kernel
from gpudrift_kernels.cuda.driver import Device
from gpudrift_kernels.cuda.plan_tables import PlanTables
from gpudrift_kernels.cuda.rule import INDEX, NOT_SPECIAL, Rule, rule_of
from gpudrift_kernels.cuda.staging import Piece, Records
from gpudrift_kernels.tuning import NUMBA_SHARED_BYTES, NUMBA_THREADS, numba_grid

_ONE = np.uint32(1)
_ZERO = np.uint32(0)
_ONE_ROW = np.uint64(1)
_N_SPECIAL = np.uint32(rules.N_SPECIAL)


class Window(NamedTuple):
    """The stretch of the indices that a shared table holds."""

    first: np.uint32
    size: np.uint32


def window_of(plan: CellPlan, most_counters: int) -> Window:
    """The stretch about the centre of a plan whose shared table may hold so many counters, specials included."""
    size = min(plan.n_index, most_counters - rules.N_SPECIAL)
    first = int(plan.layout.half) + plan.cuts.size // 2 - size // 2
    return Window(np.uint32(min(max(first, 0), plan.n_index - size)), np.uint32(size))


def _histogram(index_of: Any) -> Any:
    """The kernel of the plans with this index."""

    @kernel
    def count(
        values: NDArray[Any],
        rule: Rule,
        window: Window,
        cuts: NDArray[Any],
        cut_table: NDArray[np.int32],
        counts: NDArray[np.uint64],
    ) -> None:
        table = cuda.shared.array(0, uint32)
        _clear(table, window.size)
        for i in range(cuda.grid(1), values.size, cuda.gridsize(1)):
            special, index = index_of(values[i], rule, cuts, cut_table)
            _increment(special, index, window, table, counts)
        _flush(table, rule.n_index, window, counts)

    return count


@inlined
def _clear(table: Any, size: np.uint32) -> None:
    for i in range(cuda.threadIdx.x, size + _N_SPECIAL, cuda.blockDim.x):
        table[i] = _ZERO
    cuda.syncthreads()


@inlined
def _increment(special: np.uint32, index: np.uint32, window: Window, table: Any, counts: Any) -> None:
    slot = np.uint32(index - window.first)  # below the window it wraps round, past its end
    if special != NOT_SPECIAL:
        cuda.atomic.add(table, window.size + special, _ONE)
    elif window.first <= index and slot < window.size:
        cuda.atomic.add(table, slot, _ONE)
    else:
        cuda.atomic.add(counts, index, _ONE_ROW)


@inlined
def _flush(table: Any, n_index: np.uint32, window: Window, counts: Any) -> None:
    cuda.syncthreads()
    for i in range(cuda.threadIdx.x, window.size + _N_SPECIAL, cuda.blockDim.x):
        if table[i] != 0:
            index = window.first + i if i < window.size else n_index + i - window.size
            cuda.atomic.add(counts, index, np.uint64(table[i]))


#: The kernel of each plan's dtype.
KERNELS = {dtype: _histogram(index_of) for dtype, index_of in INDEX.items()}


class NumbaHistogram:
    """Counts pieces of the columns of one table, a launch each: what ``RawHistogram`` does where CuPy is."""

    compared_cuts = 0

    def __init__(self, device: Device, tables: PlanTables) -> None:
        self._blocks = device.multiprocessors * max(1, device.shared_bytes_per_multiprocessor // NUMBA_SHARED_BYTES)
        self._tables = tables
        self._rules = [rule_of(plan) for plan in tables.plans]
        self._windows = [window_of(plan, NUMBA_SHARED_BYTES // 4) for plan in tables.plans]

    def count(self, pieces: Sequence[Piece], records: Records, stream: Any) -> None:
        """Queue the count of ``pieces`` on the stream; there are no records to send."""
        tables = self._tables
        for f, values in pieces:
            window = self._windows[f]
            grid = numba_grid(values.size, self._blocks)
            shared_bytes = 4 * (int(window.size) + rules.N_SPECIAL)
            count = KERNELS[tables.plans[f].dtype][grid, NUMBA_THREADS, stream, shared_bytes]
            count(values, self._rules[f], window, tables.cuts(f), tables.cut_table(f), tables.counts(f))
