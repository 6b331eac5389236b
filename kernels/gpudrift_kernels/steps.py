"""Two step functions over the same ascending cells, a cell at a time: what NumPy takes twenty passes for.

    cells   |  c0  |  c1  |  c2  | ...
    ends    0     e0     e1     e2  ...   F - G between cells, from running totals, divided once
    inside    [low0, high0]  ...          how far F - G can go within a cell

On the host, by one thread without the GIL; nothing is shared.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.intrinsics import bits_of, float_of
from gpudrift_kernels.cpu.read_only import read_only

Floats = NDArray[np.float64]

#: Areas are those of values below 2**1021: the sum of all is at most their range, below 2**1022.
SUMMED_BELOW: Final = 1021
#: Terms that a lane adds up before they join the sum: fewer roundings than one after the other.
_BLOCK = 32


def differences(reference: NDArray[Any], current: NDArray[Any], n: float, m: float) -> tuple[Floats, Floats, Floats]:
    """F - G between the cells, shape (cells + 1,), and the highest and lowest it can be in each, shape (cells,).

    Counts are of one dtype, int64 or float64; ``n`` and ``m`` are what they add up to.
    """
    ends, highest, lowest = np.empty(reference.size + 1), np.empty(reference.size), np.empty(reference.size)
    fill_differences(read_only(reference), read_only(current), float(n), float(m), ends, highest, lowest)
    return ends, highest, lowest


@kernel
def fill_differences(
    reference: NDArray[Any], current: NDArray[Any], n: float, m: float, ends: Floats, highest: Floats, lowest: Floats
) -> None:
    """What ``differences`` says: running totals first, so that the compiler vectorises the divisions."""
    rows_f, rows_g = reference[:0].sum(), current[:0].sum()  # zeros of the counts' dtype
    f, g = np.empty(ends.size), np.empty(ends.size)
    f[0] = g[0] = ends[0] = 0.0
    for i in range(reference.size):
        rows_f += reference[i]
        rows_g += current[i]
        f[i + 1], g[i + 1] = rows_f, rows_g
    for i in range(1, ends.size):
        f[i] /= n
        g[i] /= m
    for i in range(reference.size):
        ends[i + 1] = f[i + 1] - g[i + 1]
        highest[i] = f[i + 1] - g[i]
        lowest[i] = f[i] - g[i + 1]


def largest(ends: Floats, highest: Floats, lowest: Floats, single: NDArray[np.bool_]) -> tuple[float, float]:
    """Largest |F - G| between cells, and of that and all that can be within cells that are not single."""
    found: tuple[float, float] = largest_of(*map(read_only, (ends, highest, lowest, single)))
    return found


@kernel
def largest_of(ends: Floats, highest: Floats, lowest: Floats, single: NDArray[np.bool_]) -> tuple[float, float]:
    """What ``largest`` says."""
    known = furthest = np.int64(0)  # doubles that are not negative are ordered as their bits, whose order is total
    for i in range(single.size):
        known = max(known, np.int64(bits_of(abs(ends[i + 1]))))
    for i in range(single.size):
        inside = np.int64(bits_of(max(highest[i], -lowest[i])))  # the highest is at least the lowest
        furthest = max(furthest, inside if not single[i] else np.int64(0))
    return float_of(known), float_of(max(known, furthest))


def areas(ends: Floats, highest: Floats, lowest: Floats, start: Floats, stop: Floats) -> tuple[float, ...]:
    """Integral of |F - G|: over the gaps between cells, and over the cells at their midpoints, at least, at most."""
    found: tuple[float, ...] = areas_of(*map(read_only, (ends, highest, lowest, start, stop)))
    return found


@kernel
def areas_of(
    ends: Floats, highest: Floats, lowest: Floats, start: Floats, stop: Floats
) -> tuple[float, float, float, float]:
    """What ``areas`` says."""
    n = start.size
    gap, middle, low, high = np.zeros(n), np.empty(n), np.empty(n), np.empty(n)
    for i in range(1, n):
        gap[i] = abs(ends[i]) * (start[i] - stop[i - 1])
    for i in range(n):
        width = stop[i] - start[i]
        middle[i] = 0.5 * (abs(ends[i]) + abs(ends[i + 1])) * width
        low[i] = max(0.0, max(lowest[i], -highest[i])) * width
        high[i] = max(highest[i], -lowest[i]) * width
    return total_of(gap), total_of(middle), total_of(low), total_of(high)


@kernel
def total_of(terms: Floats) -> float:
    """Their sum in eight lanes of at most ``_BLOCK`` each: in an order that no processor's vectors change."""
    total = 0.0
    for block in range(0, terms.size - 7, 8 * _BLOCK):
        a = b = c = d = e = f = g = h = 0.0
        for i in range(block, min(block + 8 * _BLOCK, terms.size - 7), 8):
            a, b, c, d = a + terms[i], b + terms[i + 1], c + terms[i + 2], d + terms[i + 3]
            e, f, g, h = e + terms[i + 4], f + terms[i + 5], g + terms[i + 6], h + terms[i + 7]
        total += ((a + b) + (c + d)) + ((e + f) + (g + h))
    for i in range(terms.size & ~7, terms.size):
        total += terms[i]
    return total


def moments(counts: NDArray[Any], start: Floats, stop: Floats) -> tuple[float, float, int]:
    """Mean and variance of rows at the midpoints of their cells, over 2**e and 4**e, and e: their values lie within it.

    Two passes about the start of the fullest cell. Some count is above 0; cells without any are as if they were not
    there.
    """
    found: tuple[float, float, int] = moments_of(*map(read_only, (counts, start, stop)))
    return found


@kernel
def moments_of(counts: NDArray[Any], start: Floats, stop: Floats) -> tuple[float, float, int]:
    """What ``moments`` says."""
    n = most = counts[:0].sum()  # a zero of the counts' dtype
    for i in range(counts.size):
        n += counts[i]
        most = max(most, counts[i])
    first = fullest = 0
    last = counts.size - 1
    while counts[first] <= 0:
        first += 1
    while counts[last] <= 0:
        last -= 1
    while counts[fullest] < most:
        fullest += 1
    exponent = math.frexp(max(abs(start[first]), abs(stop[last])))[1]
    # no double holds a power above 2**1023: raised twice, which rounds nothing
    unit, more = math.ldexp(1.0, min(-exponent, 1023)), math.ldexp(1.0, max(-exponent - 1023, 0))
    pivot = start[fullest] * unit * more
    offset, share = np.empty(last + 1 - first), np.empty(last + 1 - first)
    for i in range(offset.size):
        k = first + i
        share[i] = counts[k] / n
        offset[i] = 0.5 * ((start[k] * unit * more - pivot) + (stop[k] * unit * more - pivot))
    mean = total_of(share * offset)
    variance = total_of(share * (offset - mean) ** 2)
    return pivot + mean, variance, exponent


@kernel
def radius_of(counts: NDArray[Any], start: Floats, stop: Floats, exponent: int) -> float:
    """Root mean square of half the widths of the cells, over 2**exponent, within which their values lie."""
    unit, more = math.ldexp(1.0, min(-exponent, 1023)), math.ldexp(1.0, max(-exponent - 1023, 0))
    n, squares = counts[:0].sum(), np.empty(counts.size)
    for i in range(counts.size):
        half = 0.5 * stop[i] * unit * more - 0.5 * start[i] * unit * more
        squares[i] = counts[i] * half * half if counts[i] > 0 else 0.0
        n += counts[i]
    return math.sqrt(total_of(squares) / n)


def between(starts: NDArray[np.int64], places: NDArray[np.int64], counts: NDArray[Any]) -> NDArray[Any]:
    """Counts below the first start, from each start up to the next, and from the last on; both ascending."""
    out = np.zeros(starts.size + 1, counts.dtype)
    fill_between(read_only(starts), read_only(places), read_only(counts), out)
    return out


@kernel
def fill_between(starts: NDArray[np.int64], places: NDArray[np.int64], counts: NDArray[Any], out: NDArray[Any]) -> None:
    """What ``between`` says, a bin at a time."""
    begin = 0
    for b in range(out.size):
        end = np.searchsorted(places, starts[b]) if b < starts.size else places.size
        total = counts[:0].sum()
        for i in range(begin, end):
            total += counts[i]
        out[b] = total
        begin = end


def quantiles(places: NDArray[np.int64], counts: NDArray[np.int64], parts: int) -> NDArray[np.int64]:
    """Place that holds the k-th of so many equal parts of the rows, k = 1 to parts - 1; places ascend, with some row.

    Examples
    --------
    >>> quantiles(np.array([3, 5, 8]), np.array([2, 1, 1]), 4).tolist()
    [3, 3, 5]
    """
    out = np.empty(parts - 1, np.int64)
    _fill_quantiles(read_only(places), read_only(counts), out)
    return out


@kernel
def _fill_quantiles(places: NDArray[np.int64], counts: NDArray[np.int64], out: NDArray[np.int64]) -> None:
    n, i = counts.sum(), 0
    total = counts[0]
    for k in range(out.size):
        rank = -(-(k + 1) * n // (out.size + 1))  # rows at or below it, rounded up
        while total < rank:
            i += 1
            total += counts[i]
        out[k] = places[i]
