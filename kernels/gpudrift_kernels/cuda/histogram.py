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

import math
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
from gpudrift_kernels.cuda.staging import Piece, Records
from gpudrift_kernels.tuning import NUMBA_SHARED_BYTES, NUMBA_THREADS, numba_grid

_steps_from_centre = inlined(rules.steps_from_centre)
_side = inlined(rules.side)
_double_of = inlined(rules.double_of)

_ONE = np.uint32(1)
_ZERO = np.uint32(0)
_ONE_ROW = np.uint64(1)
_N_SPECIAL = np.uint32(rules.N_SPECIAL)
_MISSING = np.uint32(rules.MISSING)
_POSITIVE_INFINITY = np.uint32(rules.POSITIVE_INFINITY)
_NEGATIVE_INFINITY = np.uint32(rules.NEGATIVE_INFINITY)
_NOT_SPECIAL = np.uint32(rules.N_SPECIAL)


class Rule(NamedTuple):
    """A plan as a kernel takes it: each number in the type it is used in, so that nothing is promoted."""

    centre: Any
    scale: Any
    integral: bool
    layout: rules.Layout
    n_index: np.uint32
    window_first: np.uint32
    window: np.uint32


def rule_of(plan: CellPlan, most_counters: int) -> Rule:
    """The rule of a plan whose shared table may hold so many counters, specials included."""
    first, window = window_of(plan, most_counters)
    return Rule(
        centre=plan.typed_centre,
        scale=plan.scale,
        integral=plan.integral,
        layout=plan.layout,
        n_index=np.uint32(plan.n_index),
        window_first=np.uint32(first),
        window=np.uint32(window),
    )


def window_of(plan: CellPlan, most_counters: int) -> tuple[int, int]:
    """First index and length of the stretch about the centre that a shared table holds."""
    window = min(plan.n_index, most_counters - rules.N_SPECIAL)
    first = int(plan.layout.half) + plan.cuts.size // 2 - window // 2
    return min(max(first, 0), plan.n_index - window), window


def _histogram(real: Any, integer: Any) -> Any:
    """The kernel of the plans that compute in ``real``, whose bits are an ``integer``."""

    @kernel
    def count(
        values: NDArray[Any], rule: Rule, cuts: NDArray[Any], cut_table: NDArray[np.int32], counts: NDArray[np.uint64]
    ) -> None:
        table = cuda.shared.array(0, uint32)
        _clear(table, rule.window)
        layout = rule.layout
        for i in range(cuda.grid(1), values.size, cuda.gridsize(1)):
            x = real(values[i])
            special = _NOT_SPECIAL
            if x - x != 0:  # NaN or infinite
                special = _MISSING if x != x else _POSITIVE_INFINITY if x > 0 else _NEGATIVE_INFINITY
                x = rule.centre
            t = x - rule.centre
            if rule.integral:
                t = _double_of(real(math.floor(x)), real(math.ceil(x))) - rule.centre
            t = t * rule.scale
            q = _steps_from_centre((abs(t) + layout.one).view(integer) - layout.bits_of_one, layout)
            cell = np.int32(_side(t, np.int32(q), layout.half))
            _increment(special, np.uint32(cell + _cuts_below(x, cell, cuts, cut_table)), rule, table, counts)
        _flush(table, rule, counts)

    return count


@inlined
def _clear(table: Any, window: np.uint32) -> None:
    for i in range(cuda.threadIdx.x, window + _N_SPECIAL, cuda.blockDim.x):
        table[i] = _ZERO
    cuda.syncthreads()


@inlined
def _cuts_below(x: Any, cell: np.int32, cuts: NDArray[Any], table: NDArray[np.int32]) -> Any:
    """How many cuts are at most x: those of lower cells by the table, then a search among the cell's own."""
    if cuts.size == 0:
        return np.int32(0)
    low, high = table[cell], table[cell + 1]
    while low < high:
        middle = (low + high) >> 1
        if x >= cuts[middle]:
            low = np.int32(middle + 1)
        else:
            high = np.int32(middle)
    return low


@inlined
def _increment(special: np.uint32, index: np.uint32, rule: Rule, table: Any, counts: Any) -> None:
    slot = np.uint32(index - rule.window_first)  # below the window it wraps round, past its end
    if special != _NOT_SPECIAL:
        cuda.atomic.add(table, rule.window + special, _ONE)
    elif rule.window_first <= index and slot < rule.window:
        cuda.atomic.add(table, slot, _ONE)
    else:
        cuda.atomic.add(counts, index, _ONE_ROW)


@inlined
def _flush(table: Any, rule: Rule, counts: Any) -> None:
    cuda.syncthreads()
    for i in range(cuda.threadIdx.x, rule.window + _N_SPECIAL, cuda.blockDim.x):
        if table[i] != 0:
            index = rule.window_first + i if i < rule.window else rule.n_index + i - rule.window
            cuda.atomic.add(counts, index, np.uint64(table[i]))


@kernel
def _histogram_wide(
    values: NDArray[Any], rule: Rule, cuts: NDArray[Any], cut_table: NDArray[np.int32], counts: NDArray[np.uint64]
) -> None:
    """64-bit integers: the distance is taken modulo 2**64, exact on the side where it is not negative."""
    table = cuda.shared.array(0, uint32)
    _clear(table, rule.window)
    layout = rule.layout
    centre = np.uint64(rule.centre)
    for i in range(cuda.grid(1), values.size, cuda.gridsize(1)):
        x = values[i]
        t = -np.float64(centre - np.uint64(x)) if x < rule.centre else np.float64(np.uint64(x) - centre)
        t = t * rule.scale
        q = _steps_from_centre((abs(t) + layout.one).view(np.int64) - layout.bits_of_one, layout)
        cell = np.int32(_side(t, np.int32(q), layout.half))
        _increment(_NOT_SPECIAL, np.uint32(cell + _cuts_below(x, cell, cuts, cut_table)), rule, table, counts)
    _flush(table, rule, counts)


#: The kernel of each plan's dtype.
KERNELS = {
    "float32": _histogram(np.float32, np.int32),
    "float64": _histogram(np.float64, np.int64),
    "int64": _histogram_wide,
    "uint64": _histogram_wide,
}


class NumbaHistogram:
    """Counts pieces of the columns of one table, a launch each: what ``RawHistogram`` does where CuPy is."""

    compared_cuts = 0

    def __init__(self, device: Device, tables: PlanTables) -> None:
        self._blocks = device.multiprocessors * max(1, device.shared_bytes_per_multiprocessor // NUMBA_SHARED_BYTES)
        self._tables = tables
        self._rules = [rule_of(plan, NUMBA_SHARED_BYTES // 4) for plan in tables.plans]

    def count(self, pieces: Sequence[Piece], records: Records, stream: Any) -> None:
        """Queue the count of ``pieces`` on the stream; there are no records to send."""
        tables = self._tables
        for f, values in pieces:
            rule = self._rules[f]
            grid = numba_grid(values.size, self._blocks)
            shared_bytes = 4 * (int(rule.window) + rules.N_SPECIAL)
            count = KERNELS[tables.plans[f].dtype][grid, NUMBA_THREADS, stream, shared_bytes]
            count(values, rule, tables.cuts(f), tables.cut_table(f), tables.counts(f))
