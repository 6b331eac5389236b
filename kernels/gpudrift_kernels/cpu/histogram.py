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
_NO_TABLE = np.empty(0, np.uint16)
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
    cut_table: NDArray[np.uint16]


class Workspace:
    """The private tables of one task, for one plan.

    A row of them has the counters of the plan from its second place on. Without cuts the specials are counted where the
    rule of the cells puts them: -inf before the first cell, +inf after the last one, NaN after that.
    """

    def __init__(self, plan: CellPlan, policy: LaunchPolicy) -> None:
        self._rule = rule_of(plan)
        if plan.cuts.size > policy.max_compared_cuts:
            self._rule = self._rule._replace(cut_table=_slot_table(plan))
        lanes = policy.lanes if plan.integral or plan.wide or plan.cuts.size else 1
        self._tables = np.zeros((lanes, plan.n_counters + 1), np.uint32)
        self._plan = plan
        self._n_missing = 0

    def add(self, values: NDArray[Any]) -> None:
        """Count ``values`` (1-D, of the plan's dtype)."""
        _count(read_only(values), self._rule, self._tables)

    def add_missing(self, n: int) -> None:
        """Count n more missing values."""
        self._n_missing += n

    def total(self) -> NDArray[np.uint32]:
        """Counts so far; length ``plan.n_counters``. Only once: the lanes are added up in the first."""
        _add_up(self._tables)
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
    """For each cell, how many cuts lie in lower cells; int32, one entry more than cells."""
    found = _cut_tables.get(plan)
    if found is None:
        cells = index_of(plan.cuts, replace(plan, cuts=plan.cuts[:0]))
        found = np.searchsorted(cells, np.arange(plan.n_cells + 1)).astype(np.int32)
        _cut_tables[plan] = found
    return found


def _slot_table(plan: CellPlan) -> NDArray[np.uint16]:
    """For each slot, how many cuts lie in lower ones; -inf has passed none, +inf and NaN all of them."""
    found = _slot_tables.get(plan)
    if found is None:
        found = np.pad(cut_table(plan), (1, 2), "edge").astype(np.uint16)
        _slot_tables[plan] = found
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
_slot_tables: WeakKeyDictionary[CellPlan, NDArray[np.uint16]] = WeakKeyDictionary()
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


@kernel
def _count(values: Values, rule: Rule, tables: Tables) -> None:
    f, centre, scale, integral = _folded(rule, 1), rule.centre[0], rule.unit[0], rule.numbers[8] != 0
    cuts, cut_table = rule.cuts, rule.cut_table
    n_compared = np.uint64(0 if cut_table.size else cuts.size)
    lanes = _lanes(tables)
    n_far = _far(tables, n_compared)
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
        for c in range(_ZERO, n_compared - n_compared % _FOUR, _FOUR):
            four = cuts[c], cuts[c + _ONE], cuts[c + _TWO], cuts[c + _THREE]
            for k in range(_CHUNK):
                slots[k] += _passed_of_four(values[start + k], four)
        for c in range(n_compared - n_compared % _FOUR, n_compared):
            cut = cuts[c]
            for k in range(_CHUNK):
                slots[k] += np.uint32(not values[start + k] < cut)
        if cut_table.size:
            for k in range(_CHUNK):
                slots[k] += _searched(values[start + k], slots[k], cuts, cut_table)
        _fetch(values, start)
        _increment(slots, lanes)
    for j in range(whole, n):
        slot = _slot(_distance(values[j], centre, integral) * scale, f)
        passed = _searched(values[j], slot, cuts, cut_table) if cut_table.size else _passed(values[j], cuts)
        tables[0, slot + passed] += _COUNT
    if _far(tables, n_compared) != n_far:
        _settle(values, rule, n_compared, tables[0])


@inlined
def _passed_of_four(x: Any, four: Any) -> Any:
    a, b, c, d = four
    return np.uint32(np.uint32(not x < a) + np.uint32(not x < b) + np.uint32(not x < c) + np.uint32(not x < d))


@inlined
def _searched(x: Any, slot: Any, cuts: Values, table: NDArray[np.uint16]) -> Any:
    low, high = np.uint64(table[slot]), np.uint64(table[slot + _ONE])
    while low < high:
        middle = (low + high) >> _ONE
        if x < cuts[middle]:
            high = middle
        else:
            low = middle + _ONE
    return np.uint32(low)


@kernel
def _passed(x: Any, cuts: Values) -> Any:
    """How many cuts are not above x; NaN has passed all of them."""
    low, high = 0, cuts.size
    while low < high:
        middle = (low + high) >> 1
        if x < cuts[middle]:
            high = middle
        else:
            low = middle + 1
    return np.uint32(low)


@kernel
def _far(tables: Tables, n_compared: int) -> Any:
    """How many values were counted where one lies whose t is infinite."""
    n = np.int64(0)
    for lane in range(tables.shape[0]):
        row = tables[lane]
        for k in range(np.int64(n_compared) + 1):
            n += np.int64(row[k]) + np.int64(row[row.size - 3 - k])
    return n


@kernel
def _settle(values: Values, rule: Rule, n_compared: int, row: Indices) -> None:
    """Move what is finite, but so far out that its t is not, to the outermost cells: it was counted beyond them."""
    centre, scale, integral, cuts = rule.centre[0], rule.unit[0], rule.numbers[8] != 0, rule.cuts
    n = np.int64(0)
    for j in range(values.size):
        n += np.int64(np.isfinite(values[j]) & np.isinf(_distance(values[j], centre, integral) * scale))
    for j in range(values.size if n else 0):
        t = _distance(values[j], centre, integral) * scale
        if np.isfinite(values[j]) and np.isinf(t):
            passed = np.int64(_passed(values[j], cuts))
            ahead = cuts.size - passed
            if t < 0:
                row[min(passed, np.int64(n_compared))] -= _COUNT
                row[1 + passed] += _COUNT
            else:
                row[row.size - 3 - min(ahead, np.int64(n_compared))] -= _COUNT
                row[row.size - 4 - ahead] += _COUNT


@kernel
def _index(values: Values, rule: Rule, index: Indices) -> None:
    f, centre, scale, integral = _folded(rule, 0), rule.centre[0], rule.unit[0], rule.numbers[8] != 0
    n_index = rule.numbers[7]
    if integral:
        for j in range(values.size):
            index[j] = _slot(_distance(values[j], centre, True) * scale, f)
    else:
        for j in range(values.size):
            index[j] = _slot(_distance(values[j], centre, False) * scale, f)
    for cut in rule.cuts:
        for j in range(values.size):
            index[j] += np.uint32(values[j] >= cut)
    missing = np.uint32(n_index + rules.MISSING)
    positive = np.uint32(n_index + rules.POSITIVE_INFINITY)
    negative = np.uint32(n_index + rules.NEGATIVE_INFINITY)
    for j in range(values.size):
        i, x = index[j], values[j]
        i = missing if x != x else i
        i = positive if x == np.inf else i
        index[j] = negative if x == -np.inf else i


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
def _add_up(tables: Tables) -> None:
    row = tables[0]
    for lane in range(1, tables.shape[0]):
        for i in range(row.size):
            row[i] += tables[lane, i]
    row[-3], row[-2], row[-1] = row[-2], row[-3], row[0]  # +inf, NaN, nothing and in front -inf, to missing, +inf, -inf
