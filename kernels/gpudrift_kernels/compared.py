"""Everything that the counters of two sides of a column say of its numbers, in one call.

    reference  counters, rows  \\   rows by bin; missing and infinite ones
                                >  cells that either occupies, and where each begins and ends
    current    counters, rows  /   moments of the reference, largest |F - G|, areas between F and G

A thread that comes back from compiled code waits for the interpreter while another one holds it: wide tables are
compared by several at once only where each stays away for long.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from gpudrift_kernels.boundaries import bounds_of, fill_extents
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.histogram import Rule
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.cpu.slots import wide_distance
from gpudrift_kernels.occupied import fill_aligned
from gpudrift_kernels.rules import N_SPECIAL
from gpudrift_kernels.steps import (
    SUMMED_BELOW,
    Floats,
    areas_of,
    fill_between,
    fill_differences,
    largest_of,
    moments_of,
    radius_of,
)

#: Counters of one column, ascending, and the rows of each: int64, or float64 for effective rows.
Counted = tuple[NDArray[np.int64], NDArray[Any]]

_NO_GRID = read_only(np.empty(0, np.int64))


class Compared(NamedTuple):
    """Two sides of a column of numbers.

    Attributes
    ----------
    bins : ndarray, shape (2, bins)
        Rows of either side by bin.
    special : ndarray, shape (2, 3)
        Rows of either side that are missing, +inf and -inf.
    cells : Cells, optional
        What the occupied cells say; None where either side has no values.
    """

    bins: NDArray[Any]
    special: NDArray[Any]
    cells: Cells | None


class Cells(NamedTuple):
    """What the cells of two sides say of the distance between them.

    Attributes
    ----------
    mean, variance : float
        Of the reference, over 2**exponent and its square, as ``steps.moments`` says.
    exponent : int
    radius : float
        Root mean square of half the cells' widths, over 2**exponent: the standard deviation of the rows themselves is
        at most so far from that of their midpoints.
    lower, upper : float
        The largest |F - G| between cells, and with all that can be inside, as ``steps.largest`` says.
    areas : tuple of four floats
        As ``steps.areas`` says, of values over 2**reach.
    reach : int
        The values lie within 2**(reach + 1021).
    """

    mean: float
    variance: float
    exponent: int
    radius: float
    lower: float
    upper: float
    areas: tuple[float, float, float, float]
    reach: int


def compared(
    reference: Counted,
    current: Counted,
    plan: CellPlan,
    starts: NDArray[np.int64],
    grid: NDArray[np.int64] | None = None,
    first: int = 0,
) -> Compared:
    """What the counters of two sides say.

    Parameters
    ----------
    reference, current : tuple of two 1-D ndarrays
        Counters, ascending, and their rows, none of them zero; those after the last of values are the special ones.
    starts : ndarray of int64, ascending
        Indices of the plan at which a bin begins; the first bin is open below and has none.
    grid : ndarray of int64, ascending, optional
        First index of each cell that is counted; without it the counters are the plan's indices.
    first : int
        What stands for counter 0, and all others are as much more.
    """
    dtype = np.result_type(reference[1], current[1])
    (i, f), (j, g) = (
        (read_only(side[0]), read_only(side[1].astype(dtype, copy=False))) for side in (reference, current)
    )
    bins, special = np.empty((2, starts.size + 1), dtype), np.zeros((2, N_SPECIAL), dtype)
    begins = starts if grid is None else np.searchsorted(grid, starts)
    found, *cells = _compared(
        i, f, j, g, _NO_GRID if grid is None else read_only(grid), plan.n_index, first,
        read_only(begins), *bounds_of(plan), bins, special,
    )  # fmt: skip
    return Compared(bins, special, Cells(*cells) if found else None)


@kernel
def _compared(
    i: NDArray[np.int64], f: NDArray[Any], j: NDArray[np.int64], g: NDArray[Any], grid: NDArray[np.int64], n_index: int,
    first: int, begins: NDArray[np.int64], rule: Rule, at_cuts: NDArray[np.int64], smallest: int, largest: int,
    bins: NDArray[Any], special: NDArray[Any],
) -> tuple[Any, ...]:  # fmt: skip
    end = first + (grid.size if grid.size else n_index)
    n, m = _set_apart(i, f, end, special[0]), _set_apart(j, g, end, special[1])
    i, f, j, g = i[:n], f[:n], j[:m], g[:m]
    begins = begins + first
    fill_between(begins, i, f, bins[0])
    fill_between(begins, j, g, bins[1])
    if not bins[0].any() or not bins[1].any():
        return False, 0.0, 0.0, 0, 0.0, 0.0, 0.0, (0.0, 0.0, 0.0, 0.0), 0
    places, left, right = np.empty(n + m, np.int64), np.empty(n + m, f.dtype), np.empty(n + m, f.dtype)
    size = fill_aligned(i, f, j, g, places, left, right)
    places, left, right = places[:size] - first, left[:size], right[:size]
    start, stop, single = np.empty(size), np.empty(size), np.empty(size, np.bool_)
    _fill_reach(places, grid, n_index, rule, at_cuts, smallest, largest, start, stop, single)
    mean, variance, exponent = moments_of(left, start, stop)
    radius = radius_of(left, start, stop, exponent)
    ends, highest, lowest = np.empty(size + 1), np.empty(size), np.empty(size)
    # the last running totals, so that F and G end at 1
    fill_differences(left, right, _in_order(left), _in_order(right), ends, highest, lowest)
    lower, upper = largest_of(ends, highest, lowest, single)
    reach = math.frexp(max(abs(start[0]), abs(stop[-1])))[1] - SUMMED_BELOW
    _scale(start, -reach)
    _scale(stop, -reach)
    return True, mean, variance, exponent, radius, lower, upper, areas_of(ends, highest, lowest, start, stop), reach


@kernel
def _in_order(rows: NDArray[Any]) -> Any:
    """Their sum, added up one after the other."""
    total = rows[:0].sum()
    for i in range(rows.size):
        total += rows[i]
    return total


@kernel
def _set_apart(counters: NDArray[np.int64], rows: NDArray[Any], end: int, special: NDArray[Any]) -> int:
    """Rows of the special counters, which come last, from ``end`` on; how many others there are."""
    n = counters.size
    while n and counters[n - 1] >= end:
        n -= 1
        special[counters[n] - end] = rows[n]
    return n


@kernel
def _fill_reach(
    places: NDArray[np.int64], grid: NDArray[np.int64], n_index: int, rule: Rule, at_cuts: NDArray[np.int64],
    smallest: int, largest: int, start: Floats, stop: Floats, single: NDArray[np.bool_],
) -> None:  # fmt: skip
    """Smallest and largest value of each cell as doubles, less the centre if they are wide; whether they are one."""
    indices, until = places, places + 1
    if grid.size:
        indices = grid[places]
        for k in range(places.size):
            until[k] = grid[until[k]] if until[k] < grid.size else n_index
    centre = rule.centre[0]
    first, last = np.empty(places.size, rule.centre.dtype), np.empty(places.size, rule.centre.dtype)
    fill_extents(indices, until, rule, at_cuts, smallest, largest, first, last)
    for k in range(places.size):
        start[k], stop[k], single[k] = _as_double(first[k], centre), _as_double(last[k], centre), first[k] == last[k]


@kernel
def _scale(values: Floats, exponent: int) -> None:
    """By 2**exponent: raised in steps where no double holds the power, of which none rounds; lowered in one."""
    while exponent:
        step = min(exponent, 1023)
        values *= math.ldexp(1.0, step)
        exponent -= step


def _as_double(value: Any, centre: Any) -> Any:
    """A value, or if it is an integer the value less the centre."""
    raise NotImplementedError


@overload(_as_double, strict=False)
def _as_double_for(value: Any, centre: Any) -> Callable[..., Any]:
    if isinstance(value, types.Integer):
        return lambda value, centre: wide_distance(value, centre)
    return lambda value, centre: np.float64(value)
