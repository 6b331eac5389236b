"""Where the indices of a plan begin and end: the smallest and largest value of each, found on the cell rule itself.

A formula only says where to start; from there the search gallops, then bisects, over the values of the dtype in their
order, so a rounding in the formula costs steps and never moves a boundary.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.histogram import Rule, index_of, rule_of
from gpudrift_kernels.cpu.intrinsics import bits_of, float_of
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.cpu.slots import cell_at, distance, layout_in

_SIGN = np.uint64(1 << 63)
_TOP_BIT = np.int64(-(1 << 63))
_WIDE = 2.0**63
_FEW_CUTS = 8
_FEW_TRIED = 16
_LARGEST = float(np.finfo(np.float64).max)


def extents(
    indices: NDArray[np.int64], plan: CellPlan, until: NDArray[np.int64] | None = None
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Smallest and largest value of each of some indices; the latter right below the smallest of the index ``until``.

    Parameters
    ----------
    indices : int64, ascending
        An index beyond the last begins with the largest finite value.
    until : int64, of the same length, optional
        Above the indices; the next index by default.

    Returns
    -------
    first, last : ndarray of the plan's dtype
        The last index ends with the dtype where no value lies above it.
    """
    values = np.empty((2, indices.size), plan.dtype)
    following = indices + 1 if until is None else until
    fill_extents(read_only(indices), read_only(following), *bounds_of(plan), *values)
    return values[0], values[1]


def bounds_of(plan: CellPlan) -> tuple[Rule, NDArray[np.int64], int, int]:
    """A plan as ``fill_extents`` takes it: its rule, the index of each cut, the ranks at the ends of its dtype."""
    return rule_of(plan), index_of(plan.cuts, plan) if plan.cuts.size else _NONE, *rank_limits(plan.dtype)


_NONE = np.empty(0, np.int64)


def fullest_of_several(indices: NDArray[np.int64], rows: NDArray[np.int64], plan: CellPlan) -> int:
    """Most rows of an index that holds more than one value, 0 without any; indices ascend, and all have rows.

    Examples
    --------
    >>> plan = CellPlan("float64", 0.0, 0, 11, 3, cuts=[1.0, np.nextafter(1.0, 2.0)])
    >>> x = np.array([1.0, 1.0, 1.0, 5.0, 5.0])
    >>> fullest_of_several(*np.unique(index_of(x, plan), return_counts=True), plan)
    2
    """
    return int(_fullest_of_several(read_only(indices), read_only(rows), *bounds_of(plan)))


@kernel
def _fullest_of_several(
    indices: NDArray[np.int64], rows: NDArray[np.int64], rule: Rule, at_cuts: NDArray[np.int64], smallest: int,
    largest: int,
) -> int:  # fmt: skip
    above: Any = np.iinfo(np.int64).max
    for tried in range(_FEW_TRIED + 1):
        most: Any = np.int64(0)
        for k in range(rows.size):
            most = max(most, rows[k] if rows[k] < above else 0)
        # nearly always the fullest holds more than one value, or one of the next few
        some = np.flatnonzero(rows == most) if tried < _FEW_TRIED else np.flatnonzero(rows <= most)
        first, last = np.empty(some.size, rule.centre.dtype), np.empty(some.size, rule.centre.dtype)
        fill_extents(indices[some], indices[some] + 1, rule, at_cuts, smallest, largest, first, last)
        found = rows[some][first != last]
        if found.size:
            return int(found.max())
        above = most
    return 0


@kernel
def fill_extents(
    indices: NDArray[np.int64], until: NDArray[np.int64], rule: Rule, at_cuts: NDArray[np.int64], smallest: int,
    largest: int, first: NDArray[Any], last: NDArray[Any],
) -> None:  # fmt: skip
    """What ``extents`` says. Most indices are followed by one that is asked for: only the others' ends are searched."""
    n, centre = indices.size, rule.centre[0]
    alone = np.empty(n, np.int64)
    n_alone = np.int64(0)
    for i in range(n):
        alone[n_alone] = i
        n_alone += np.int64(i + 1 == n or indices[min(i + 1, n - 1)] != until[i])
    begin = _ranks(indices, rule, at_cuts, smallest, largest)
    beyond = _ranks(until[alone[:n_alone]], rule, at_cuts, smallest, largest)
    end = np.empty(n, np.int64)
    end[: n - 1] = begin[1:]
    for k in range(n_alone):
        end[alone[k]] = beyond[k]
    for i in range(n):
        first[i], last[i] = _value_of(begin[i], centre), _value_of(max(end[i] - 1, begin[i]), centre)
    if n and end[n - 1] == largest:
        layout, scale, integral = layout_in(rule), rule.unit[0], rule.numbers[8] != 0
        if _index_at(largest, layout, centre, scale, integral, rule.cuts) < until[n - 1]:
            last[n - 1] = _value_of(largest, centre)


@kernel
def _ranks(
    indices: NDArray[np.int64], rule: Rule, at_cuts: NDArray[np.int64], smallest: int, largest: int
) -> NDArray[np.int64]:
    """Rank of the smallest value whose index is at least i, for each i; the largest where there is none.

    Nearly always the guess is right, or one short: looked up for all, in loops that the compiler vectorises.
    """
    layout, centre, scale, integral = layout_in(rule), rule.centre[0], rule.unit[0], rule.numbers[8] != 0
    cuts = rule.cuts
    low = _guesses(indices, rule, at_cuts, smallest, largest)
    found, neighbour, beside = np.empty_like(low), np.empty_like(low), np.empty_like(low)
    _indices_at(low, layout, centre, scale, integral, cuts, found)
    for k in range(indices.size):
        neighbour[k] = low[k] + 2 * np.int64(found[k] < indices[k]) - 1
    _indices_at(neighbour, layout, centre, scale, integral, cuts, beside)
    for k in range(indices.size):
        short = np.int64(found[k] < indices[k])
        if np.int64(beside[k] >= indices[k]) != short:
            low[k] = _gallop(low[k], indices[k], rule, smallest, largest)
        else:
            low[k] += short
    return low


@kernel
def _guesses(
    indices: NDArray[np.int64], rule: Rule, at_cuts: NDArray[np.int64], smallest: int, largest: int
) -> NDArray[np.int64]:
    """The rank at which each index begins, about; both of its neighbours are ranks too."""
    layout, centre, scale, integral = layout_in(rule), rule.centre[0], rule.unit[0], rule.numbers[8] != 0
    passed = np.zeros(indices.size, np.int64)
    if at_cuts.size:
        for k in range(indices.size):
            passed[k] = _not_above(at_cuts, indices[k])
    out = np.empty(indices.size, np.int64)
    if integral:
        for k in range(indices.size):
            out[k] = _guess(_distance_of(indices[k] - passed[k], layout, scale), centre, True, smallest, largest)
    else:  # a loop of its own, which the compiler vectorises
        for k in range(indices.size):
            out[k] = _guess(_distance_of(indices[k] - passed[k], layout, scale), centre, False, smallest, largest)
    for k in range(indices.size):
        if passed[k] and at_cuts[passed[k] - 1] == indices[k]:
            out[k] = _rank_of(rule.cuts[passed[k] - 1])
        out[k] = min(max(out[k], smallest + 1), largest - 1)
    return out


@kernel
def _gallop(low: Any, index: int, rule: Rule, smallest: int, largest: int) -> Any:
    """From a guess gallop to ranks between which the answer lies, then halve their distance."""
    layout, centre, scale, integral = layout_in(rule), rule.centre[0], rule.unit[0], rule.numbers[8] != 0
    cuts = rule.cuts
    high = low
    step: Any = np.int64(1)
    if _index_at(high, layout, centre, scale, integral, cuts) >= index:
        while low > smallest:
            low = high - step if high >= smallest + step else smallest
            if _index_at(low, layout, centre, scale, integral, cuts) < index:
                low += 1
                break
            high = low
            step = min(2 * step, np.int64(1) << 61)
    else:
        while high < largest:
            low = high + 1
            high = high + step if high <= largest - step else largest
            if _index_at(high, layout, centre, scale, integral, cuts) >= index:
                break
            step = min(2 * step, np.int64(1) << 61)
        else:
            low = largest
    while low < high:
        middle = (low & high) + ((low ^ high) >> 1)  # the mean of the two, rounded down, without overflow
        if _index_at(middle, layout, centre, scale, integral, cuts) >= index:
            high = middle
        else:
            low = middle + 1
    return high


@kernel
def _indices_at(
    ranks: NDArray[np.int64], layout: Any, centre: Any, scale: Any, integral: bool, cuts: NDArray[Any],
    out: NDArray[np.int64],
) -> None:  # fmt: skip
    """Index of the value of each rank, as ``_index_at``."""
    for k in range(ranks.size):
        out[k] = np.int64(cell_at(distance(_value_of(ranks[k], centre), centre, integral) * scale, layout))
    if cuts.size > _FEW_CUTS:
        for k in range(ranks.size):
            out[k] += _not_above(cuts, _value_of(ranks[k], centre))
    else:
        for cut in cuts:
            for k in range(ranks.size):
                out[k] += np.int64(_value_of(ranks[k], centre) >= cut)


@kernel
def _index_at(rank: int, layout: Any, centre: Any, scale: Any, integral: bool, cuts: NDArray[Any]) -> int:
    """Index of the value of a rank: the rule of the histogram, a value at a time."""
    x = _value_of(rank, centre)
    return int(np.int64(cell_at(distance(x, centre, integral) * scale, layout)) + _not_above(cuts, x))


@kernel
def _not_above(ascending: NDArray[Any], x: Any) -> int:
    """How many of some ascending numbers are at most x."""
    low, high = 0, ascending.size
    while low < high:
        middle = (low + high) >> 1
        if x >= ascending[middle]:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def _distance_of(cell: Any, layout: Any, scale: Any) -> Any:
    """About the smallest x - centre of a cell: the inverse of the rule, with the rounding of |t| + 1 and of x - centre.

    In float64, where the halves of float32's steps have a place.
    """
    half = np.int64(layout.half)
    q = min(cell - half if cell >= half else half - cell, half)
    near = np.int64(q) << np.int64(layout.near_shift)
    far = np.int64(layout.near_limit) + ((q - np.int64(layout.near_cells)) << np.int64(layout.far_shift))
    bits = (near if q < layout.near_cells else far) + np.int64(layout.bits_of_one)
    edge, below = _edge(bits, layout.one), _edge(bits - 1, layout.one)
    t = edge - 1.0 - ((edge - below) / 2.0 if q else 0.0)  # at the centre there is nothing to round
    return min(max((t if cell >= half else -t) / np.float64(scale), -_LARGEST), _LARGEST)


# What differs between the storage types, by the type of one argument; compiled code has no other names for it.


def _edge(bits: Any, one: Any) -> Any:
    """The float of these bits as float64, the largest finite one where they hold none."""
    raise NotImplementedError


def _value_of(rank: Any, centre: Any) -> Any:
    """The value at a rank, in the type of the centre."""
    raise NotImplementedError


def _rank_of(x: Any) -> Any:
    """The rank of a finite value."""
    raise NotImplementedError


def _guess(distance: Any, centre: Any, integral: Any, smallest: Any, largest: Any) -> Any:
    """The rank of a value about so far from the centre."""
    raise NotImplementedError


@overload(_edge, strict=False)
def _edge_for(bits: Any, one: Any) -> Callable[..., Any]:
    width, top = (np.int32, 0x7F7FFFFF) if one == types.float32 else (np.int64, 0x7FEFFFFFFFFFFFFF)
    return lambda bits, one: np.float64(float_of(width(min(bits, top))))


@overload(_value_of, strict=False)
def _value_of_for(rank: Any, centre: Any) -> Callable[..., Any]:
    if centre == types.int64:
        return lambda rank, centre: rank
    if centre == types.uint64:
        return lambda rank, centre: np.uint64(rank ^ _TOP_BIT)
    width = np.int32 if centre == types.float32 else np.int64

    def from_bits(rank: Any, centre: Any) -> Any:
        magnitude = float_of(width(abs(rank)))
        return -magnitude if rank < 0 else magnitude

    return from_bits


@overload(_rank_of, strict=False)
def _rank_of_for(x: Any) -> Callable[..., Any]:
    if x == types.int64:
        return lambda x: x
    if x == types.uint64:
        return lambda x: np.int64(x) ^ _TOP_BIT

    def from_bits(x: Any) -> Any:
        bits = np.int64(bits_of(abs(x)))
        return -bits if x < 0 else bits

    return from_bits


@overload(_guess, strict=False)
def _guess_for(distance: Any, centre: Any, integral: Any, smallest: Any, largest: Any) -> Callable[..., Any]:
    if isinstance(centre, types.Integer):

        def whole(distance: Any, centre: Any, integral: Any, smallest: Any, largest: Any) -> Any:
            rank = _rank_of(centre)
            about = np.float64(rank) + distance
            if about <= -_WIDE:
                return smallest
            if about >= _WIDE:
                return largest
            return rank + np.int64(distance) if abs(distance) < _WIDE else np.int64(about)

        return whole
    top = float(np.finfo("float32" if centre == types.float32 else "float64").max)
    storage = np.float32 if centre == types.float32 else np.float64

    def rounded(distance: Any, centre: Any, integral: Any, smallest: Any, largest: Any) -> Any:
        # x - centre reaches the distance by rounding, half a step below it
        half_step = distance - float_of(bits_of(distance) - 1) if distance > 0 else 0.0
        value = distance - half_step / 2.0 + np.float64(centre)
        if not integral:
            return _rank_of(storage(min(max(value, -top), top)))
        doubled = np.ceil(min(max(value, -top), top))
        below = np.floor(doubled / 2.0)
        return _rank_of(storage(below)) + (
            doubled > 2.0 * below
        )  # an odd number stands for all that follow a whole one

    return rounded


@cache
def rank_limits(dtype: str) -> tuple[int, int]:
    """Ranks of the smallest and the largest finite value of a dtype."""
    if dtype in ("int64", "uint64"):
        return -(1 << 63), (1 << 63) - 1
    top = int(np.finfo(dtype).max.view(np.int32 if dtype == "float32" else np.int64))
    return -top, top


def to_rank(values: NDArray[Any], dtype: str) -> NDArray[np.int64]:
    """Place of each value among the values of its dtype in ascending order; both zeros have rank 0."""
    if dtype == "int64":
        return values.astype(np.int64)
    if dtype == "uint64":
        return (values ^ _SIGN).view(np.int64)
    bits = np.abs(values).view(np.int32 if dtype == "float32" else np.int64).astype(np.int64)
    return np.asarray(np.where(values < 0, -bits, bits))


def from_rank(ranks: NDArray[np.int64], dtype: str) -> NDArray[Any]:
    """The value at each rank."""
    if dtype == "int64":
        return ranks
    if dtype == "uint64":
        return ranks.view(np.uint64) ^ _SIGN
    bits = np.abs(ranks).astype(np.int32 if dtype == "float32" else np.int64)
    magnitude = bits.view(dtype)
    return np.asarray(np.where(ranks < 0, -magnitude, magnitude))
