"""Two step functions over the same ascending cells, a cell at a time: what NumPy takes twenty passes for.

    cells   |  c0  |  c1  |  c2  | ...
    ends    0     e0     e1     e2  ...   F - G between cells, from running totals, divided once
    inside    [low0, high0]  ...          how far F - G can go within a cell

On the host, by one thread without the GIL; nothing is shared.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.read_only import read_only

Floats = NDArray[np.float64]


def differences(reference: NDArray[Any], current: NDArray[Any], n: float, m: float) -> tuple[Floats, Floats, Floats]:
    """F - G between the cells, shape (cells + 1,), and the highest and lowest it can be in each, shape (cells,).

    Counts are of one dtype, int64 or float64; ``n`` and ``m`` are what they add up to.
    """
    ends, highest, lowest = np.empty(reference.size + 1), np.empty(reference.size), np.empty(reference.size)
    _differences(read_only(reference), read_only(current), float(n), float(m), ends, highest, lowest)
    return ends, highest, lowest


@kernel
def _differences(
    reference: NDArray[Any], current: NDArray[Any], n: float, m: float, ends: Floats, highest: Floats, lowest: Floats
) -> None:
    rows_f, rows_g = reference[:0].sum(), current[:0].sum()  # zeros of the counts' dtype
    f = g = ends[0] = 0.0
    for i in range(reference.size):
        rows_f += reference[i]
        rows_g += current[i]
        next_f, next_g = rows_f / n, rows_g / m
        ends[i + 1] = next_f - next_g
        highest[i] = next_f - g
        lowest[i] = f - next_g
        f, g = next_f, next_g


def largest(ends: Floats, highest: Floats, lowest: Floats, single: NDArray[np.bool_]) -> tuple[float, float]:
    """Largest |F - G| between cells, and of that and all that can be within cells that are not single."""
    found: tuple[float, float] = _largest(*map(read_only, (ends, highest, lowest, single)))
    return found


@kernel
def _largest(ends: Floats, highest: Floats, lowest: Floats, single: NDArray[np.bool_]) -> tuple[float, float]:
    known = furthest = 0.0
    for i in range(single.size):
        known = max(known, abs(ends[i + 1]))
        if not single[i]:
            furthest = max(furthest, max(highest[i], -lowest[i]))  # the highest is at least the lowest
    return known, max(known, furthest)


def areas(ends: Floats, highest: Floats, lowest: Floats, start: Floats, stop: Floats) -> tuple[Floats, ...]:
    """Parts of the integral of |F - G|: of the gaps between cells, then of each cell at midpoint, at least, at most."""
    out = (np.empty(max(start.size - 1, 0)), *(np.empty(start.size) for _ in range(3)))
    _areas(*map(read_only, (ends, highest, lowest, start, stop)), *out)
    return out


@kernel
def _areas(
    ends: Floats, highest: Floats, lowest: Floats, start: Floats, stop: Floats,
    gaps: Floats, midpoint: Floats, at_least: Floats, at_most: Floats,
) -> None:  # fmt: skip
    for i in range(gaps.size):
        gaps[i] = abs(ends[i + 1]) * (start[i + 1] - stop[i])
    for i in range(start.size):
        width = stop[i] - start[i]
        midpoint[i] = 0.5 * (abs(ends[i]) + abs(ends[i + 1])) * width
        at_least[i] = max(0.0, max(lowest[i], -highest[i])) * width
        at_most[i] = max(highest[i], -lowest[i]) * width


def between(starts: NDArray[np.int64], places: NDArray[np.int64], counts: NDArray[Any]) -> NDArray[Any]:
    """Counts below the first start, from each start up to the next, and from the last on; both ascending."""
    out = np.zeros(starts.size + 1, counts.dtype)
    _between(read_only(starts), read_only(places), read_only(counts), out)
    return out


@kernel
def _between(starts: NDArray[np.int64], places: NDArray[np.int64], counts: NDArray[Any], out: NDArray[Any]) -> None:
    b = 0
    for i in range(places.size):
        while b < starts.size and starts[b] <= places[i]:
            b += 1
        out[b] += counts[i]
