"""Histogram of one column over the cells of its plan.

Two phases per block of rows, so that LLVM can vectorise the first:

    values  [ x x x x x x x x ... ]  -> t -> |t| + 1 -> bits -> cell -> + cuts -> special   (vector, in L1)
    tables  lane 0  lane 1  lane 2  lane 3   <- one increment a value, lanes in turn         (scatter)

Tables are private to the task: nobody races. 32-bit counters: a task must see fewer than 2**32 rows.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels import rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.compiled import inlined, kernel
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.tuning import LaunchPolicy, policy_for

_steps_from_centre = inlined(rules.steps_from_centre)
_side = inlined(rules.side)
_double_of = inlined(rules.double_of)
Values: TypeAlias = NDArray[Any]
Floats: TypeAlias = NDArray[np.float32] | NDArray[np.float64]
Bits: TypeAlias = NDArray[np.int32] | NDArray[np.int64]
Indices: TypeAlias = NDArray[np.uint32]

_ONE = np.uint32(1)
_NO_TABLE = np.empty(0, np.int32)


class Rule(NamedTuple):
    """A plan as compiled code takes it: each number in the type it is used in, so that nothing is promoted.

    Numba's cache on disk holds the name of this class, and of ``Layout``: renamed or moved, they break every cache
    that an earlier version left behind.
    """

    centre: Any
    scale: Any
    integral: bool
    layout: rules.Layout
    cuts: NDArray[Any]
    cut_table: NDArray[np.int32]
    missing: np.uint32
    positive_infinity: np.uint32
    negative_infinity: np.uint32


class Workspace:
    """The private tables and block buffers of one task, for one plan."""

    def __init__(self, plan: CellPlan, policy: LaunchPolicy) -> None:
        self._count = _count_wide if plan.wide else _count_float
        self._rule = _rule(plan, policy)
        self._buffers = _buffers(plan, policy.rows_per_block)
        self._tables = np.zeros((policy.lanes, plan.n_counters), np.uint32)

    def add(self, values: NDArray[Any]) -> None:
        """Count ``values`` (1-D, of the plan's dtype)."""
        self._count(read_only(values), self._rule, *self._buffers, self._tables)

    def total(self) -> NDArray[np.int64]:
        """Counts so far; int64, length ``plan.n_counters``."""
        total: NDArray[np.int64] = self._tables.sum(axis=0, dtype=np.int64)
        return total


def index_of(values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    """Counter of each value, as int64."""
    return counters_of(values, plan).astype(np.int64)


def counters_of(values: NDArray[Any], plan: CellPlan) -> NDArray[np.uint32]:
    """Counter of each value: cell plus cuts, or one of the three after the last index; uint32, same length."""
    t, folded, bits, out = _buffers(plan, values.size)
    index = _index_wide if plan.wide else _index_float
    index(read_only(values), _rule(plan, policy_for(values.size)), t, folded, bits, out)
    return out


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


def _buffers(plan: CellPlan, n: int) -> tuple[Floats, Floats, Bits, Indices]:
    """What ``n`` values become, a loop each: t, |t| + 1, the same memory as bits, the index.

    Kernels take them one by one: a tuple of arrays costs a count of references at every access, 5% of a block.
    """
    folded = np.empty(n, plan.layout.float_type)
    return np.empty_like(folded), folded, folded.view(plan.layout.int_type), np.empty(n, np.uint32)


@kernel
def _count_float(
    values: Values, rule: Rule, t: Floats, folded: Floats, bits: Bits, index: Indices, tables: NDArray[np.uint32]
) -> None:
    for start in range(0, values.size, t.size):
        part = values[start : start + t.size]
        _index_float(part, rule, t, folded, bits, index)
        _increment(part.size, index, tables)


@kernel
def _count_wide(
    values: Values, rule: Rule, t: Floats, folded: Floats, bits: Bits, index: Indices, tables: NDArray[np.uint32]
) -> None:
    for start in range(0, values.size, t.size):
        part = values[start : start + t.size]
        _index_wide(part, rule, t, folded, bits, index)
        _increment(part.size, index, tables)


@kernel
def _index_float(x: Values, rule: Rule, t: Floats, folded: Floats, bits: Bits, index: Indices) -> None:
    """Infinities and NaN take any cell first, then their own counter: nothing branches."""
    if rule.integral:
        for j in range(x.size):
            t[j] = (_double_of(np.floor(x[j]), np.ceil(x[j])) - rule.centre) * rule.scale
    else:
        for j in range(x.size):
            t[j] = (x[j] - rule.centre) * rule.scale
    _cells(x, rule, t, folded, bits, index)
    for j in range(x.size):
        i = index[j]
        i = rule.missing if x[j] != x[j] else i
        i = rule.positive_infinity if x[j] == np.inf else i
        index[j] = rule.negative_infinity if x[j] == -np.inf else i


@kernel
def _index_wide(x: Values, rule: Rule, t: Floats, folded: Floats, bits: Bits, index: Indices) -> None:
    """64-bit integers: the distance is taken modulo 2**64, exact on the side where it is not negative."""
    centre = np.uint64(rule.centre)
    for j in range(x.size):
        above = np.float64(np.uint64(x[j]) - centre)
        below = np.float64(centre - np.uint64(x[j]))
        t[j] = (-below if x[j] < rule.centre else above) * rule.scale
    _cells(x, rule, t, folded, bits, index)


@kernel
def _cells(x: Values, rule: Rule, t: Floats, folded: Floats, bits: Bits, index: Indices) -> None:
    """From t to cell plus cuts. The bits are read through a view, so a loop of their own: no store may alias."""
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


@kernel
def _search_cuts(x: Values, cuts: Values, table: NDArray[np.int32], index: Indices) -> None:
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


@kernel
def _increment(n: int, index: Indices, tables: NDArray[np.uint32]) -> None:
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
