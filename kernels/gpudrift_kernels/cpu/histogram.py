"""Histogram of one column over the cells of its plan.

A few vectors of values at a time:

    values  [ x x x x ... ]  -> t -> |t| + 1 -> bits -> slot    (a loop that LLVM vectorises and unrolls)
    tables  lane 0  lane 1   <- one increment a value, lanes in turn

They are so few that a processor which runs out of order computes the next slots while it increments these: a value
costs little more than its increment. A slot is a cell or, in a column with cuts, a counter: see ``Workspace``.
Tables are private to the task: nobody races. 32-bit counters: a task must see fewer than 2**32 rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from gpudrift_kernels import rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.compiled import inlined, kernel
from gpudrift_kernels.cpu.intrinsics import bits_of, prefetch, upper_bits, values_per_line
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.rules import Layout
from gpudrift_kernels.tuning import LINES_AHEAD, VALUES_AT_ONCE, LaunchPolicy

_steps_from_centre = inlined(rules.steps_from_centre)
_side = inlined(rules.side)
_double_of = inlined(rules.double_of)
Values: TypeAlias = NDArray[Any]
Indices: TypeAlias = NDArray[np.uint32]
Tables: TypeAlias = NDArray[np.uint32]

_CHUNK = np.uint64(VALUES_AT_ONCE)
_ZERO, _ONE, _TWO, _THREE, _FOUR = (np.uint64(k) for k in range(5))
_COUNT = np.uint32(1)
_LINES_AHEAD = np.uint64(LINES_AHEAD)
_LOW_32 = np.uint32(31)
_NO_TABLE = np.empty(0, np.int32)
Slots: TypeAlias = Any


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
    """The private tables of one task, for one plan.

    A row of them has the counters of the plan from its second place on. Without cuts the specials are counted where the
    rule of the cells puts them: -inf before the first cell, +inf after the last one, NaN after that.
    """

    def __init__(self, plan: CellPlan, policy: LaunchPolicy) -> None:
        self._count = _count_cut if plan.cuts.size else _count
        self._rule = rule_of(plan)
        if plan.cuts.size > policy.max_compared_cuts:
            self._rule = self._rule._replace(cut_table=cut_table(plan))
        lanes = policy.lanes if plan.integral or plan.wide or plan.cuts.size else 1
        self._tables = np.zeros((lanes, plan.n_counters + 1), np.uint32)
        self._plan = plan
        self._n_missing = 0

    def add(self, values: NDArray[Any]) -> None:
        """Count ``values`` (1-D, of the plan's dtype)."""
        self._count(read_only(values), self._rule, self._tables)

    def add_missing(self, n: int) -> None:
        """Count n more missing values."""
        self._n_missing += n

    def total(self) -> NDArray[np.uint32]:
        """Counts so far; length ``plan.n_counters``. Only once: the lanes are added up in the first."""
        _add_up(self._tables, self._plan.cuts.size == 0)
        total: NDArray[np.uint32] = self._tables[0, 1:]
        total[self._plan.n_index + rules.MISSING] += self._n_missing
        return total


def index_of(values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    """Counter of each value: cell plus cuts, or one of the three after the last index; same length."""
    return narrow_index_of(values, plan).astype(np.int64)


def narrow_index_of(values: NDArray[Any], plan: CellPlan) -> Indices:
    """``index_of`` in the 32 bits that it takes."""
    out = np.empty(values.size, np.uint32)
    _index(read_only(values), rule_of(plan), out)
    return out


def cut_table(plan: CellPlan) -> NDArray[np.int32]:
    """For each cell, and each special after them, how many cuts lie in lower cells; int32, one entry more."""
    found = _cut_tables.get(plan)
    if found is None:
        cells = index_of(plan.cuts, replace(plan, cuts=plan.cuts[:0]))
        found = np.searchsorted(cells, np.arange(plan.n_cells + rules.N_SPECIAL + 1)).astype(np.int32)
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


def _distance(x: Any, centre: Any, integral: Any) -> Any:
    """x - centre; in compiled code alone."""
    raise NotImplementedError


@overload(_distance, strict=False)
def _distance_for(x: Any, centre: Any, integral: Any) -> Callable[..., Any]:
    if isinstance(centre, types.Integer):
        return lambda x, centre, integral: wide_distance(x, centre)
    return lambda x, centre, integral: float_distance(x, centre, integral)


class Folded(NamedTuple):
    """The rule of the cells with its constants folded, in 32 bits for every type: twice as many fit a vector."""

    one: Any
    near_shift: Any
    far_shift: Any
    far_offset: Any
    top: Any
    below: Any
    above: Any


@inlined
def _folded(rule: Rule, apart: int) -> Folded:
    layout = layout_in(rule)
    dropped = 8 * rule.unit.itemsize - 32
    first = layout.bits_of_one >> layout.near_shift
    far_first = (layout.bits_of_one + layout.near_limit) >> layout.far_shift
    return Folded(
        layout.one,
        np.uint32(layout.near_shift - dropped) & _LOW_32,
        np.uint32(layout.far_shift - dropped) & _LOW_32,
        np.uint32(layout.near_cells - far_first + first),
        np.uint32(layout.half - 1 + 2 * apart + first),
        np.uint32(layout.half - 1 + apart + first),
        np.uint32(layout.half + apart - first),
    )


@inlined
def _slot(t: Any, f: Folded) -> Any:
    m = upper_bits(abs(t) + f.one)
    q = min(min(np.uint32(m >> f.near_shift), np.uint32(np.uint32(m >> f.far_shift) + f.far_offset)), f.top)
    return np.uint32(f.below - q) if t < 0 else np.uint32(f.above + q)


@inlined
def _cell_or_special(x: Any, t: Any, f: Folded, specials: Any) -> Any:
    missing, positive, negative = specials
    i = _slot(t, f)
    i = missing if x != x else i
    i = positive if x == np.inf else i
    return negative if x == -np.inf else i


@kernel
def _count(values: Values, rule: Rule, tables: Tables) -> None:
    f, centre, scale, integral = _folded(rule, 1), rule.centre[0], rule.unit[0], rule.numbers[8] != 0
    lanes = _lanes(tables)
    low, high = _beyond(tables)
    slots = np.empty(_CHUNK, np.uint32)
    n = np.uint64(values.size)
    whole = n - n % _CHUNK
    for start in range(_ZERO, whole, _CHUNK):
        if integral:
            for k in range(_CHUNK):
                slots[k] = _slot(_distance(values[start + k], centre, True) * scale, f)
        else:
            for k in range(_CHUNK):
                slots[k] = _slot(_distance(values[start + k], centre, False) * scale, f)
        _fetch(values, start)
        _increment(slots, lanes)
    for j in range(whole, n):
        tables[0, _slot(_distance(values[j], centre, integral) * scale, f)] += _COUNT
    _settle(values, tables, low, high)


@kernel
def _beyond(tables: Tables) -> Any:
    """How many values were counted before the first cell and right after the last one."""
    low, high = np.uint32(0), np.uint32(0)
    for lane in range(tables.shape[0]):
        low += tables[lane, 0]
        high += tables[lane, -3]
    return low, high


@kernel
def _settle(values: Values, tables: Tables, low: Any, high: Any) -> None:
    """Move what is finite, but so far out that t is not, from beyond the cells to the outermost ones: rarely there."""
    new_low, new_high = _beyond(tables)
    if new_low == low and new_high == high:
        return
    low, high = new_low - low, new_high - high
    for j in range(values.size):
        low -= np.uint32(values[j] == -np.inf)
        high -= np.uint32(values[j] == np.inf)
    tables[0, 0] -= np.uint32(low)
    tables[0, 1] += np.uint32(low)
    tables[0, -3] -= np.uint32(high)
    tables[0, -4] += np.uint32(high)


@kernel
def _count_cut(values: Values, rule: Rule, tables: Tables) -> None:
    f, centre, scale, integral = _folded(rule, 0), rule.centre[0], rule.unit[0], rule.numbers[8] != 0
    specials, cuts, cut_table = _specials(rule), rule.cuts, rule.cut_table
    slots = np.empty(_CHUNK, np.uint32)
    counters = tables[:, 1:]
    lanes = _lanes(counters)
    n = np.uint64(values.size)
    whole = n - n % _CHUNK
    for start in range(_ZERO, whole, _CHUNK):
        if integral:
            for k in range(_CHUNK):
                x = values[start + k]
                slots[k] = _cell_or_special(x, _distance(x, centre, True) * scale, f, specials)
        else:
            for k in range(_CHUNK):
                x = values[start + k]
                slots[k] = _cell_or_special(x, _distance(x, centre, False) * scale, f, specials)
        if cut_table.size:
            for k in range(_CHUNK):
                slots[k] += _searched(values[start + k], slots[k], cuts, cut_table)
        else:
            for c in range(cuts.size):
                cut = cuts[c]
                for k in range(_CHUNK):
                    slots[k] += np.uint32(values[start + k] >= cut)
        _fetch(values, start)
        _increment(slots, lanes)
    for j in range(whole, n):
        x = values[j]
        i = _cell_or_special(x, _distance(x, centre, integral) * scale, f, specials)
        if cut_table.size:
            i += _searched(x, i, cuts, cut_table)
        else:
            for cut in cuts:
                i += np.uint32(x >= cut)
        counters[0, i] += _COUNT


@kernel
def _index(values: Values, rule: Rule, index: Indices) -> None:
    f, centre, scale, integral = _folded(rule, 0), rule.centre[0], rule.unit[0], rule.numbers[8] != 0
    specials, cuts = _specials(rule), rule.cuts
    if integral:
        for j in range(values.size):
            x = values[j]
            index[j] = _cell_or_special(x, _distance(x, centre, True) * scale, f, specials)
    else:
        for j in range(values.size):
            x = values[j]
            index[j] = _cell_or_special(x, _distance(x, centre, False) * scale, f, specials)
    for cut in cuts:
        for j in range(values.size):
            index[j] += np.uint32(values[j] >= cut)


@inlined
def _specials(rule: Rule) -> Any:
    """The counters of missing, +inf and -inf, before cuts."""
    n_index, n_cuts = rule.numbers[7], rule.cuts.size
    searched = rule.cut_table.size != 0
    return (
        np.uint32(n_index + rules.MISSING - (n_cuts if searched else 0)),
        np.uint32(n_index + rules.POSITIVE_INFINITY - n_cuts),
        np.uint32(n_index + rules.NEGATIVE_INFINITY - (n_cuts if searched else 0)),
    )


@inlined
def _searched(x: Any, cell: Any, cuts: Values, table: NDArray[np.int32]) -> Any:
    low, high = table[cell], table[cell + _ONE]
    while low < high:
        middle = (low + high) >> 1
        if x >= cuts[middle]:
            low = middle + 1
        else:
            high = middle
    return np.uint32(low)


@inlined
def _fetch(values: Values, start: Any) -> None:
    a_line = values_per_line(values)
    first = start + a_line * _LINES_AHEAD
    for k in range(_ZERO, _CHUNK, a_line):
        prefetch(values, first + k)


@inlined
def _lanes(tables: Tables) -> Any:
    n = tables.shape[0]
    return tables[0], tables[1 % n], tables[2 % n], tables[3 % n]


@inlined
def _increment(slots: Indices, lanes: Any) -> None:
    a, b, c, d = lanes
    for k in range(_ZERO, _CHUNK, _FOUR):
        a[slots[k]] += _COUNT
        b[slots[k + _ONE]] += _COUNT
        c[slots[k + _TWO]] += _COUNT
        d[slots[k + _THREE]] += _COUNT


@kernel
def _add_up(tables: Tables, apart: bool) -> None:
    row = tables[0]
    for lane in range(1, tables.shape[0]):
        for i in range(row.size):
            row[i] += tables[lane, i]
    if apart:  # +inf, NaN, nothing and in front -inf, to missing, +inf, -inf
        row[-3], row[-2], row[-1] = row[-2], row[-3], row[0]
