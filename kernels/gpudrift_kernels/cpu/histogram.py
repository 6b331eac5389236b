"""Histogram of one column over the cells of its plan.

A few vectors of values at a time:

    values  [ x x x x ... ]  -> t -> |t| + 1 -> bits -> slot -> + cuts     (loops that LLVM vectorises and unrolls)
    tables  lane 0  lane 1   <- one increment a value, lanes in turn       (scatter)

They are so few that a processor which runs out of order computes the next slots while it increments these, and a value
costs little more than its increment. Values are fetched some lines ahead: the increments touch none of them.
Tables are private to the task: nobody races. 32-bit counters: a task must see fewer than 2**32 rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple, TypeAlias
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels import rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.compiled import inlined, kernel
from gpudrift_kernels.cpu.intrinsics import carray, pointer_at, prefetch, values_per_line
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.cpu.slots import distance, folded, layout_in, slot_at
from gpudrift_kernels.occupied import Occupied, fill_occupied
from gpudrift_kernels.tuning import LINES_AHEAD, VALUES_AT_ONCE, LaunchPolicy, policy_for

Values: TypeAlias = NDArray[Any]
Indices: TypeAlias = NDArray[np.uint32]
Tables: TypeAlias = NDArray[np.uint32]

# Unsigned, so that no index is tested for wrap-around
_N = np.uint64(VALUES_AT_ONCE)
_LINES_AHEAD = np.uint64(LINES_AHEAD)
_ZERO, _ONE, _TWO, _THREE, _FOUR = (np.uint64(k) for k in range(5))
_COUNT = np.uint32(1)
_NO_TABLE = np.empty(0, np.uint16)


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
    cut_table : for each slot, how many cuts lie in lower ones; empty where cuts are compared one by one.
    """

    centre: NDArray[Any]
    unit: NDArray[Any]
    numbers: NDArray[Any]
    cuts: NDArray[Any]
    cut_table: NDArray[np.uint16]


class Workspace:
    """The private tables of one task, for one plan: a row of counters by slot for each lane, shifted by cuts passed."""

    def __init__(self, plan: CellPlan, policy: LaunchPolicy) -> None:
        self._rule = _rule_for(plan, policy)
        self._tables = np.zeros((_n_lanes(plan, policy), plan.n_counters + 1), np.uint32)
        self._n_missing = 0

    def add(self, values: NDArray[Any]) -> None:
        """Count ``values`` (1-D, of the plan's dtype)."""
        _count(read_only(values), self._rule, self._tables)

    def add_missing(self, n: int) -> None:
        """Count n more missing values."""
        self._n_missing += n

    def total(self) -> NDArray[np.uint32]:
        """Counts so far; length ``plan.n_counters``. Only once: the lanes are added up in the first."""
        _add_up(self._tables, self._n_missing)
        total: NDArray[np.uint32] = self._tables[0, 1:]
        return total


def occupied_each(columns: Sequence[tuple[Values, CellPlan, int]]) -> list[Occupied]:
    """Counts that are not zero of whole columns: contiguous values of one type, their plan, and further missing values.

    In one call: a thread that comes back waits for others.
    """
    listed, rules = np.empty((len(columns), 5), np.int64), []
    for k, (values, plan, n_missing) in enumerate(columns):
        policy = policy_for(values.size)
        listed[k] = values.ctypes.data, values.size, n_missing, plan.n_counters, _n_lanes(plan, policy)
        rules.append(_rule_for(plan, policy))
    centre, unit, numbers, cuts, tables = map(np.concatenate, zip(*rules, strict=True))
    packed = Rule(centre, unit.reshape(len(rules), -1), numbers.reshape(len(rules), -1), cuts, tables)
    n_cuts, n_slots = (np.array([part.size for part in parts]) for parts in list(zip(*rules, strict=True))[3:])
    most = int(listed[:, 3].sum()) + 1  # what is next to be written is written over if it is zero
    places, rows, ends = np.empty(most, np.int64), np.empty(most, np.int64), np.empty(len(rules), np.int64)
    _count_each(listed, columns[0][0][:0], packed, n_cuts, n_slots, places, rows, ends)
    return list(zip(np.split(places, ends)[:-1], np.split(rows, ends)[:-1], strict=True))


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


def _rule_for(plan: CellPlan, policy: LaunchPolicy) -> Rule:
    """The rule of a plan as a policy compares its cuts."""
    rule = rule_of(plan)
    return rule._replace(cut_table=_slot_table(plan)) if plan.cuts.size > policy.max_compared_cuts else rule


def _n_lanes(plan: CellPlan, policy: LaunchPolicy) -> int:
    """Private histograms of a task."""
    return policy.lanes if plan.integral or plan.wide or plan.cuts.size else 1


_rules: WeakKeyDictionary[CellPlan, Rule] = WeakKeyDictionary()
_slot_tables: WeakKeyDictionary[CellPlan, NDArray[np.uint16]] = WeakKeyDictionary()
_cut_tables: WeakKeyDictionary[CellPlan, NDArray[np.int32]] = WeakKeyDictionary()


@inlined
def _numbers(rule: Rule, special: int) -> Any:
    """The folded layout, the centre, the scale and whether integral: numbers in registers."""
    layout = layout_in(rule)
    return folded(layout, 8 * rule.unit.itemsize, special), rule.centre[0], rule.unit[0], rule.numbers[8] != 0


@kernel
def _count(values: Values, rule: Rule, tables: Tables) -> None:
    f, centre, scale, integral = _numbers(rule, 1)
    cuts, cut_table = rule.cuts, rule.cut_table
    n_compared = np.uint64(0 if cut_table.size else cuts.size)
    in_fours = n_compared - n_compared % _FOUR
    n_values = np.uint64(values.size)
    whole = n_values - n_values % _N
    n_far = _far(tables, n_compared)
    lanes = _lanes(tables)
    slots = np.empty(_N, np.uint32)
    for start in range(_ZERO, whole, _N):
        if integral:
            for k in range(_N):
                slots[k] = slot_at(distance(values[start + k], centre, True) * scale, f)
        else:
            for k in range(_N):
                slots[k] = slot_at(distance(values[start + k], centre, False) * scale, f)
        for c in range(_ZERO, in_fours, _FOUR):
            four = cuts[c], cuts[c + _ONE], cuts[c + _TWO], cuts[c + _THREE]
            for k in range(_N):
                slots[k] += _passed_of_four(values[start + k], four)
        for c in range(in_fours, n_compared):
            cut = cuts[c]
            for k in range(_N):
                slots[k] += np.uint32(not values[start + k] < cut)
        if cut_table.size:
            for k in range(_N):
                slots[k] += _passed_by_table(values[start + k], slots[k], cuts, cut_table)
        _fetch(values, start)
        _increment(slots, lanes)
    for j in range(whole, n_values):
        slot = slot_at(distance(values[j], centre, integral) * scale, f)
        passed = _passed_by_table(values[j], slot, cuts, cut_table) if cut_table.size else _passed(values[j], cuts)
        tables[0, slot + passed] += _COUNT
    if _far(tables, n_compared) != n_far:
        _settle(values, rule, n_compared, tables[0])


# How many cuts x has passed, by not being below them: NaN all of them, and its slot stays behind all others.


@inlined
def _passed_of_four(x: Any, four: Any) -> Any:
    a, b, c, d = four
    return np.uint32(np.uint32(not x < a) + np.uint32(not x < b) + np.uint32(not x < c) + np.uint32(not x < d))


@inlined
def _passed_by_table(x: Any, slot: Any, cuts: Values, table: NDArray[np.uint16]) -> Any:
    return _passed_between(x, cuts, np.uint64(table[slot]), np.uint64(table[slot + _ONE]))


@kernel
def _passed(x: Any, cuts: Values) -> Any:
    return _passed_between(x, cuts, _ZERO, np.uint64(cuts.size))


@inlined
def _passed_between(x: Any, cuts: Values, low: Any, high: Any) -> Any:
    while low < high:
        middle = (low + high) >> _ONE
        if x < cuts[middle]:
            high = middle
        else:
            low = middle + _ONE
    return np.uint32(low)


@inlined
def _fetch(values: Values, start: Any) -> None:
    in_line = values_per_line(values)
    for k in range(start, start + _N, in_line):
        prefetch(values, k + in_line * _LINES_AHEAD)


@inlined
def _lanes(tables: Tables) -> Any:
    n = tables.shape[0]
    return tables[0], tables[1 % n], tables[2 % n], tables[3 % n]


@inlined
def _increment(slots: Indices, lanes: Any) -> None:
    a, b, c, d = lanes
    for k in range(_ZERO, _N, _FOUR):
        a[slots[k]] += _COUNT
        b[slots[k + _ONE]] += _COUNT
        c[slots[k + _TWO]] += _COUNT
        d[slots[k + _THREE]] += _COUNT


@kernel
def _far(tables: Tables, n_compared: Any) -> Any:
    """How many values were counted where those are whose t is infinite, and perhaps others."""
    n = np.int64(0)
    for lane in range(tables.shape[0]):
        row = tables[lane]
        for k in range(np.int64(n_compared) + 1):
            n += np.int64(row[k]) + np.int64(row[row.size - 3 - k])
    return n


@kernel
def _settle(values: Values, rule: Rule, n_compared: Any, row: Indices) -> None:
    """Move finite values whose t is infinite from the slots of the infinities to the outermost cells."""
    centre, scale, integral, cuts = rule.centre[0], rule.unit[0], rule.numbers[8] != 0, rule.cuts
    n = np.int64(0)
    for j in range(values.size):
        n += np.int64(np.isfinite(values[j]) & np.isinf(distance(values[j], centre, integral) * scale))
    for j in range(values.size if n else 0):
        t = distance(values[j], centre, integral) * scale
        if np.isfinite(values[j]) and np.isinf(t):
            passed = np.int64(_passed(values[j], cuts))
            ahead = cuts.size - passed
            if t < 0:  # the table of cuts has none passed here, and all of them on the other side
                row[min(passed, np.int64(n_compared))] -= _COUNT
                row[1 + passed] += _COUNT
            else:
                row[row.size - 3 - min(ahead, np.int64(n_compared))] -= _COUNT
                row[row.size - 4 - ahead] += _COUNT


@kernel
def _count_each(
    columns: NDArray[np.int64], like: Values, packed: Rule, n_cuts: NDArray[np.int64], n_slots: NDArray[np.int64],
    places: NDArray[np.int64], rows: NDArray[np.int64], ends: NDArray[np.int64],
) -> None:  # fmt: skip
    """Count each column by its row of the rules, whose cuts and tables lie behind each other."""
    cut = slot = n = 0
    for k in range(len(columns)):
        address, n_values, n_missing, n_counters, n_lanes = columns[k]
        cuts, table = packed.cuts[cut : cut + n_cuts[k]], packed.cut_table[slot : slot + n_slots[k]]
        rule = Rule(packed.centre[k : k + 1], packed.unit[k], packed.numbers[k], cuts, table)
        tables = np.zeros((n_lanes, n_counters + 1), np.uint32)
        _count(carray(pointer_at(address, like), (n_values,)), rule, tables)
        _add_up(tables, n_missing)
        n += fill_occupied(tables[0, 1:], places[n:], rows[n:])
        cut, slot, ends[k] = cut + n_cuts[k], slot + n_slots[k], n


@kernel
def _add_up(tables: Tables, n_missing: int) -> None:
    """The lanes in the first, and the specials of its slots in the order of the counters, which begin at 1."""
    row = tables[0]
    for lane in range(1, tables.shape[0]):
        for i in range(row.size):
            row[i] += tables[lane, i]
    special = row[-3:]
    negative, positive, missing = row[0], special[0], special[1] + np.uint32(n_missing)
    special[rules.MISSING], special[rules.POSITIVE_INFINITY] = missing, positive
    special[rules.NEGATIVE_INFINITY] = negative


@kernel
def _index(values: Values, rule: Rule, index: Indices) -> None:
    f, centre, scale, integral = _numbers(rule, 0)
    n_index = rule.numbers[7]
    if integral:
        for j in range(values.size):
            index[j] = slot_at(distance(values[j], centre, True) * scale, f)
    else:
        for j in range(values.size):
            index[j] = slot_at(distance(values[j], centre, False) * scale, f)
    for cut in rule.cuts:
        for j in range(values.size):
            index[j] += np.uint32(values[j] >= cut)
    missing = np.uint32(n_index + rules.MISSING)
    positive = np.uint32(n_index + rules.POSITIVE_INFINITY)
    negative = np.uint32(n_index + rules.NEGATIVE_INFINITY)
    for j in range(values.size):
        i = missing if values[j] != values[j] else index[j]
        i = positive if values[j] == np.inf else i
        index[j] = negative if values[j] == -np.inf else i
