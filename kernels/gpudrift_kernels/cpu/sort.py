"""Exact Kolmogorov-Smirnov statistic: sort both sides, then one merge."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.read_only import read_only


def sort(values: NDArray[Any]) -> NDArray[Any]:
    """The finite values in ascending order; a copy. NumPy sorts without the GIL, with AVX-512 where there is."""
    ascending = np.sort(values)
    if values.dtype.kind != "f":
        return ascending
    first, last = np.searchsorted(ascending, -np.inf, "right"), np.searchsorted(ascending, np.inf, "left")
    return ascending[first:last]  # NaN comes after all others


def ks_sorted(reference: NDArray[Any], current: NDArray[Any]) -> float:
    """Largest absolute difference of two empirical CDFs, from sorted finite values; 0 where a side is empty."""
    return max(ks_of(part) for part in parts(reference, current, 1))


class Part(NamedTuple):
    """Neighbouring rows of both sides, how many lie below them, and how many there are in all."""

    reference: NDArray[Any]
    current: NDArray[Any]
    below_reference: int
    below_current: int
    n_reference: int
    n_current: int


def parts(reference: NDArray[Any], current: NDArray[Any], n_parts: int) -> list[Part]:
    """The sorted rows of two sides in parts that no value is shared between."""
    first = reference[[reference.size * k // n_parts for k in range(1, n_parts)]] if reference.size else reference
    i, j = ([0, *side.searchsorted(first).tolist(), side.size] for side in (reference, current))
    return [
        Part(reference[i[k] : i[k + 1]], current[j[k] : j[k + 1]], i[k], j[k], reference.size, current.size)
        for k in range(len(first) + 1)
    ]


def ks_of(part: Part) -> float:
    """Largest absolute difference of the two distribution functions at the values of a part, and at its end."""
    if not part.n_reference or not part.n_current:
        return 0.0
    return float(_merge(read_only(part.reference), read_only(part.current), *part[2:]))


@kernel
def _merge(reference: NDArray[Any], current: NDArray[Any], i_0: int, j_0: int, n: int, m: int) -> float:
    """One step a value, without a branch that data decide: which side is next is a coin toss to the processor."""
    share, other_share = 1.0 / n, 1.0 / m
    i = j = 0
    largest = 0.0
    while i + 1 < reference.size and j + 1 < current.size:
        a, b = reference[i], current[j]
        x = min(a, b)
        i += int(a <= b)
        j += int(b <= a)
        if reference[i] == x or current[j] == x:
            i, j = _behind(reference, i, x), _behind(current, j, x)
        # A product may be off in its last bits: it says where a division can find more, and the division how much.
        if abs((i_0 + i) * share - (j_0 + j) * other_share) > largest - 1e-14:
            largest = max(largest, abs((i_0 + i) / n - (j_0 + j) / m))
    while i < reference.size and j < current.size:
        x = min(reference[i], current[j])
        i, j = _behind(reference, i, x), _behind(current, j, x)
        largest = max(largest, abs((i_0 + i) / n - (j_0 + j) / m))
    # from where a side is used up the difference moves one way, to the end of the part
    return max(largest, abs((i_0 + reference.size) / n - (j_0 + current.size) / m))


@kernel
def _behind(ascending: NDArray[Any], start: int, x: Any) -> int:
    """First place from ``start`` on whose value is above x: in doubling steps, since a run of ties may be long."""
    low, step = start, 1
    while low < ascending.size and ascending[low] <= x:
        start = low + 1
        low += step
        step *= 2
    high = min(low, ascending.size)
    while start < high:
        middle = (start + high) >> 1
        if ascending[middle] <= x:
            start = middle + 1
        else:
            high = middle
    return start
