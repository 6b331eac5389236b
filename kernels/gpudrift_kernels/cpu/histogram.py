"""Histogram of one column over the cells of its plan.

Two phases per block of rows, so that LLVM can vectorise the first:

    values  [ x x x x x x x x ... ]  -> t -> |t| + 1 -> bits -> cell -> special -> + cuts   (vector, in registers)
    tables  lane 0  lane 1           <- one increment a value, lanes in turn                (scatter)

While one block is counted the next one is fetched: the increments touch no memory that the rows are in.
Tables are private to the task: nobody races. 32-bit counters: a task must see fewer than 2**32 rows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels import rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.compiled import inlined, kernel
from gpudrift_kernels.cpu.intrinsics import bits_of, prefetch
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.rules import Layout
from gpudrift_kernels.tuning import LaunchPolicy

_steps_from_centre = inlined(rules.steps_from_centre)
_side = inlined(rules.side)
_double_of = inlined(rules.double_of)
Values: TypeAlias = NDArray[Any]
Indices: TypeAlias = NDArray[np.uint32]
Tables: TypeAlias = NDArray[np.uint32]

_ONE = np.uint32(1)
_CACHE_LINE = 64
_NO_TABLE = np.empty(0, np.int32)


class Rule(NamedTuple):
    """A plan as compiled code takes it: arrays, which are handed over in a tenth of the time of so many numbers.

    Numba's cache on disk holds the name of this class: renamed or moved, it breaks every cache that an earlier version
    left behind.

    Attributes
    ----------
    centre : the centre, in the storage type.
    unit : the scale and 1, in the working type.
    numbers : the integers of the layout in its order, then ``n_index`` and ``integral``; as wide as the working type.
    cuts : as in the plan.
    cut_table : for each cell, how many cuts lie in lower ones; empty where cuts are compared one by one.
    """

    centre: NDArray[Any]
    unit: NDArray[Any]
    numbers: NDArray[Any]
    cuts: NDArray[Any]
    cut_table: NDArray[np.int32]


class Workspace:
    """The private tables of one task, for one plan."""

    def __init__(self, plan: CellPlan, policy: LaunchPolicy) -> None:
        self._count = _count_wide if plan.wide else _count_float
        self._rule = rule_of(plan)
        if plan.cuts.size > policy.max_compared_cuts:
            self._rule = self._rule._replace(cut_table=cut_table(plan))
        self._block = policy.rows_per_block
        lanes = policy.lanes if plan.integral or plan.wide or plan.cuts.size else 1
        self._tables = np.zeros((lanes, plan.n_counters), np.uint32)
        self._n_index = plan.n_index

    def add(self, values: NDArray[Any]) -> None:
        """Count ``values`` (1-D, of the plan's dtype)."""
        self._count(read_only(values), self._rule, self._block, self._tables)

    def add_missing(self, n: int) -> None:
        """Count n more missing values."""
        self._tables[0, self._n_index + rules.MISSING] += n

    def total(self) -> NDArray[np.uint32]:
        """Counts so far; length ``plan.n_counters``. Only once: the lanes are added up in the first."""
        _add_up(self._tables)
        total: NDArray[np.uint32] = self._tables[0]
        return total


def index_of(values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    """Counter of each value: cell plus cuts, or one of the three after the last index; same length."""
    return narrow_index_of(values, plan).astype(np.int64)


def narrow_index_of(values: NDArray[Any], plan: CellPlan) -> Indices:
    """``index_of`` in the 32 bits that it takes."""
    out = np.empty(values.size, np.uint32)
    index = _index_wide if plan.wide else _index_float
    index(read_only(values), rule_of(plan), out)
    return out


def cut_table(plan: CellPlan) -> NDArray[np.int32]:
    """For each cell, how many cuts lie in lower cells; int32, one entry more than cells."""
    found = _cut_tables.get(plan)
    if found is None:
        cells = index_of(plan.cuts, replace(plan, cuts=plan.cuts[:0]))
        found = np.searchsorted(cells, np.arange(plan.n_cells + 1)).astype(np.int32)
        _cut_tables[plan] = found
    return found


def rule_of(plan: CellPlan) -> Rule:
    """The rule of a plan, which compares cuts one by one."""
    found = _rules.get(plan)
    if found is None:
        layout = plan.layout
        found = Rule(
            centre=np.array([plan.typed_centre]),
            unit=np.array([plan.scale, layout.one]),
            numbers=np.array([*layout[1:], plan.n_index, plan.integral], layout.int_type),
            cuts=plan.cuts,
            cut_table=_NO_TABLE,
        )
        _rules[plan] = found
    return found


_rules: WeakKeyDictionary[CellPlan, Rule] = WeakKeyDictionary()
_cut_tables: WeakKeyDictionary[CellPlan, NDArray[np.int32]] = WeakKeyDictionary()


@inlined
def layout_in(rule: Rule) -> Layout:
    """The layout of a rule, in registers."""
    n = rule.numbers
    return Layout(rule.unit[1], n[0], n[1], n[2], n[3], n[4], n[5], np.int32(n[6]))


@inlined
def cell_at(t: Any, layout: Layout) -> Any:
    """Cell number of t, before cuts."""
    q = _steps_from_centre(bits_of(abs(t) + layout.one) - layout.bits_of_one, layout)
    return np.uint32(_side(t, np.int32(q), layout.half))


@inlined
def float_distance(x: Any, centre: Any, integral: Any) -> Any:
    """x - centre, or for a column of whole numbers floor(x) + ceil(x) - centre."""
    return (_double_of(np.floor(x), np.ceil(x)) if integral else x) - centre


@inlined
def wide_distance(x: Any, centre: Any) -> Any:
    """x - centre of 64-bit integers: taken modulo 2**64, exact on the side where it is not negative."""
    above = np.float64(np.uint64(x) - np.uint64(centre))
    below = np.float64(np.uint64(centre) - np.uint64(x))
    return -below if x < centre else above


@kernel
def _count_float(values: Values, rule: Rule, block: int, tables: Tables) -> None:
    layout, centre, scale, integral, specials = _float_rule(rule)
    cuts, cut_table = rule.cuts, rule.cut_table
    index = np.empty(block, np.uint32)
    a, b, c, d = _lanes(tables)
    for start in range(0, values.size, block):
        part = values[start : start + block]
        _float_cells(part, layout, centre, scale, integral, specials, index)
        _add_cuts(part, cuts, cut_table, index)
        _fetch(values, start + block, start + 2 * block)
        _increment(part.size, index, a, b, c, d)


@kernel
def _count_wide(values: Values, rule: Rule, block: int, tables: Tables) -> None:
    layout, centre, scale = layout_in(rule), rule.centre[0], rule.unit[0]
    cuts, cut_table = rule.cuts, rule.cut_table
    index = np.empty(block, np.uint32)
    a, b, c, d = _lanes(tables)
    for start in range(0, values.size, block):
        part = values[start : start + block]
        _wide_cells(part, layout, centre, scale, index)
        _add_cuts(part, cuts, cut_table, index)
        _fetch(values, start + block, start + 2 * block)
        _increment(part.size, index, a, b, c, d)


@kernel
def _index_float(values: Values, rule: Rule, index: Indices) -> None:
    layout, centre, scale, integral, specials = _float_rule(rule)
    _float_cells(values, layout, centre, scale, integral, specials, index)
    _add_cuts(values, rule.cuts, rule.cut_table, index)


@kernel
def _index_wide(values: Values, rule: Rule, index: Indices) -> None:
    _wide_cells(values, layout_in(rule), rule.centre[0], rule.unit[0], index)
    _add_cuts(values, rule.cuts, rule.cut_table, index)


@inlined
def _float_rule(rule: Rule) -> Any:
    """Layout, centre, scale, whether integral, and the counters of missing, +inf and -inf: numbers in registers."""
    n_index = rule.numbers[7]
    compared = 0 if rule.cut_table.size else rule.cuts.size  # which +inf is about to pass
    specials = (
        np.uint32(n_index + rules.MISSING),
        np.uint32(n_index + rules.POSITIVE_INFINITY - compared),
        np.uint32(n_index + rules.NEGATIVE_INFINITY),
    )
    return layout_in(rule), rule.centre[0], rule.unit[0], rule.numbers[8] != 0, specials


@inlined
def _lanes(tables: Tables) -> Any:
    n = tables.shape[0]
    return tables[0], tables[1 % n], tables[2 % n], tables[3 % n]


@kernel
def _float_cells(
    x: Values, layout: Layout, centre: Any, scale: Any, integral: bool, specials: Any, index: Indices
) -> None:
    """Infinities and NaN take any cell first, then their own counter: nothing branches."""
    missing, positive, negative = specials
    if integral:
        for j in range(x.size):
            i = cell_at(float_distance(x[j], centre, True) * scale, layout)
            i = missing if x[j] != x[j] else i
            i = positive if x[j] == np.inf else i
            index[j] = negative if x[j] == -np.inf else i
    else:
        for j in range(x.size):
            i = cell_at(float_distance(x[j], centre, False) * scale, layout)
            i = missing if x[j] != x[j] else i
            i = positive if x[j] == np.inf else i
            index[j] = negative if x[j] == -np.inf else i


@kernel
def _wide_cells(x: Values, layout: Layout, centre: Any, scale: Any, index: Indices) -> None:
    for j in range(x.size):
        index[j] = cell_at(wide_distance(x[j], centre) * scale, layout)


@kernel
def _add_cuts(x: Values, cuts: Values, table: NDArray[np.int32], index: Indices) -> None:
    if table.size == 0:
        for k in range(cuts.size):
            cut = cuts[k]
            for j in range(x.size):
                index[j] += np.uint32(x[j] >= cut)
        return
    for j in range(x.size):
        cell = index[j]
        if cell + _ONE < table.size:  # else a counter already
            low, high = table[cell], table[cell + _ONE]
            while low < high:
                middle = (low + high) >> 1
                if x[j] >= cuts[middle]:
                    low = middle + 1
                else:
                    high = middle
            index[j] = cell + np.uint32(low)


@kernel
def _fetch(values: Values, start: int, stop: int) -> None:
    for j in range(start, min(stop, values.size), _CACHE_LINE // values.itemsize):
        prefetch(values, j)


@kernel
def _increment(n: int, index: Indices, a: Indices, b: Indices, c: Indices, d: Indices) -> None:
    whole = n & ~3
    for j in range(0, whole, 4):
        a[index[j]] += _ONE
        b[index[j + 1]] += _ONE
        c[index[j + 2]] += _ONE
        d[index[j + 3]] += _ONE
    for j in range(whole, n):
        a[index[j]] += _ONE


@kernel
def _add_up(tables: Tables) -> None:
    for lane in range(1, tables.shape[0]):
        for i in range(tables.shape[1]):
            tables[0, i] += tables[lane, i]
