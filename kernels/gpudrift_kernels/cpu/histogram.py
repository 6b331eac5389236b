"""Histogram of one column over the cells of its plan.

Two phases per block of rows, so that LLVM can vectorise the first:

    values  [ x x x x x x x x ... ]  -> t -> |t| + 1 -> bits -> cell -> + cuts -> special   (vector, in L1)
    tables  lane 0  lane 1  lane 2  lane 3   <- one increment a value, lanes in turn         (scatter)

Tables are private to the task: nobody races. 32-bit counters: a task must see fewer than 2**32 rows.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from gpudrift_kernels import rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.tuning import LARGE, LaunchPolicy

_steps_from_centre = njit(nogil=True, inline="always")(rules.steps_from_centre)
_side = njit(nogil=True, inline="always")(rules.side)
_double_of = njit(nogil=True, inline="always")(rules.double_of)
_ONE = np.uint32(1)
_NO_TABLE = np.empty(0, np.int32)


class Rule(NamedTuple):
    """A plan as compiled code takes it: each number in the type it is used in, so that nothing is promoted."""

    centre: Any
    scale: Any
    integral: bool
    layout: rules.Layout
    cuts: NDArray[Any]
    cut_table: NDArray[np.int32]
    missing: np.uint32
    positive_infinity: np.uint32
    negative_infinity: np.uint32


class Block(NamedTuple):
    """What a block of values becomes, a loop each: t, |t| + 1 and the same memory as bits, the index."""

    t: NDArray[Any]
    folded: NDArray[Any]
    bits: NDArray[Any]
    indices: NDArray[np.uint32]


class Workspace:
    """The private tables and block buffers of one task, for one plan."""

    def __init__(self, plan: CellPlan, policy: LaunchPolicy) -> None:
        self._count = _count_wide if plan.wide else _count_float
        self._rule = _rule(plan, policy)
        self._block = _block(plan, policy.rows_per_block)
        self._tables = np.zeros((policy.lanes, plan.n_counters), np.uint32)

    def add(self, values: NDArray[Any]) -> None:
        """Count ``values`` (1-D, of the plan's dtype)."""
        self._count(read_only(values), self._rule, self._block, self._tables)

    def total(self) -> NDArray[np.int64]:
        """Counts so far; int64, length ``plan.n_counters``."""
        total: NDArray[np.int64] = self._tables.sum(axis=0, dtype=np.int64)
        return total


def index_of(values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    """Counter of each value: cell plus cuts, or one of the three after the last index; same length."""
    block = _block(plan, values.size)
    index = _index_wide if plan.wide else _index_float
    index(read_only(values), _rule(plan, LARGE), block)
    return block.indices.astype(np.int64)


@lru_cache(maxsize=256)
def cut_table(plan: CellPlan) -> NDArray[np.int32]:
    """For each cell, how many cuts lie in lower cells; int32, one entry more than cells."""
    cells = index_of(plan.cuts, replace(plan, cuts=plan.cuts[:0]))
    return np.searchsorted(cells, np.arange(plan.n_cells + 1)).astype(np.int32)


def _rule(plan: CellPlan, policy: LaunchPolicy) -> Rule:
    return Rule(
        centre=plan.typed_centre,
        scale=plan.scale,
        integral=plan.integral,
        layout=plan.layout,
        cuts=plan.cuts,
        cut_table=_NO_TABLE if plan.cuts.size <= policy.max_compared_cuts else cut_table(plan),
        missing=np.uint32(plan.n_index + rules.MISSING),
        positive_infinity=np.uint32(plan.n_index + rules.POSITIVE_INFINITY),
        negative_infinity=np.uint32(plan.n_index + rules.NEGATIVE_INFINITY),
    )


def _block(plan: CellPlan, n: int) -> Block:
    folded = np.empty(n, plan.layout.float_type)
    return Block(np.empty_like(folded), folded, folded.view(plan.layout.int_type), np.empty(n, np.uint32))


@njit(nogil=True, cache=True)
def _count_float(values: NDArray[Any], rule: Rule, block: Block, tables: NDArray[np.uint32]) -> None:
    for start in range(0, values.size, block.t.size):
        part = values[start : start + block.t.size]
        _index_float(part, rule, block)
        _increment(part.size, block.indices, tables)


@njit(nogil=True, cache=True)
def _count_wide(values: NDArray[Any], rule: Rule, block: Block, tables: NDArray[np.uint32]) -> None:
    for start in range(0, values.size, block.t.size):
        part = values[start : start + block.t.size]
        _index_wide(part, rule, block)
        _increment(part.size, block.indices, tables)


@njit(nogil=True, cache=True)
def _index_float(x: NDArray[Any], rule: Rule, block: Block) -> None:
    """Infinities and NaN take any cell first, then their own counter: nothing branches."""
    t, index = block.t, block.indices
    if rule.integral:
        for j in range(x.size):
            t[j] = (_double_of(np.floor(x[j]), np.ceil(x[j])) - rule.centre) * rule.scale
    else:
        for j in range(x.size):
            t[j] = (x[j] - rule.centre) * rule.scale
    _cells(x, rule, block)
    for j in range(x.size):
        i = index[j]
        i = rule.missing if x[j] != x[j] else i
        i = rule.positive_infinity if x[j] == np.inf else i
        index[j] = rule.negative_infinity if x[j] == -np.inf else i


@njit(nogil=True, cache=True)
def _index_wide(x: NDArray[Any], rule: Rule, block: Block) -> None:
    """64-bit integers: the distance is taken modulo 2**64, exact on the side where it is not negative."""
    centre = np.uint64(rule.centre)
    for j in range(x.size):
        above = np.float64(np.uint64(x[j]) - centre)
        below = np.float64(centre - np.uint64(x[j]))
        block.t[j] = (-below if x[j] < rule.centre else above) * rule.scale
    _cells(x, rule, block)


@njit(nogil=True, cache=True)
def _cells(x: NDArray[Any], rule: Rule, block: Block) -> None:
    """From t to cell plus cuts. The bits are read through a view, so a loop of their own: no store may alias."""
    t, folded, bits, index = block
    layout = rule.layout
    for j in range(x.size):
        folded[j] = abs(t[j]) + layout.one
    for j in range(x.size):
        q = _steps_from_centre(bits[j] - layout.bits_of_one, layout)
        index[j] = np.uint32(_side(t[j], np.int32(q), layout.half))
    if rule.cut_table.size == 0:
        for k in range(rule.cuts.size):
            cut = rule.cuts[k]
            for j in range(x.size):
                index[j] += np.uint32(x[j] >= cut)
    else:
        _search_cuts(x, rule.cuts, rule.cut_table, index)


@njit(nogil=True, cache=True)
def _search_cuts(x: NDArray[Any], cuts: NDArray[Any], table: NDArray[np.int32], index: NDArray[np.uint32]) -> None:
    for j in range(x.size):
        cell = min(index[j], np.uint32(table.size - 2))  # a NaN's cell means nothing: keep it inside
        low, high = table[cell], table[cell + _ONE]
        while low < high:
            middle = (low + high) >> 1
            if x[j] >= cuts[middle]:
                low = middle + 1
            else:
                high = middle
        index[j] = cell + np.uint32(low)


@njit(nogil=True, cache=True)
def _increment(n: int, index: NDArray[np.uint32], tables: NDArray[np.uint32]) -> None:
    lanes = tables.shape[0]
    a, b, c, d = tables[0], tables[1 % lanes], tables[2 % lanes], tables[3 % lanes]
    whole = n & ~3
    for j in range(0, whole, 4):
        a[index[j]] += _ONE
        b[index[j + 1]] += _ONE
        c[index[j + 2]] += _ONE
        d[index[j + 3]] += _ONE
    for j in range(whole, n):
        a[index[j]] += _ONE
