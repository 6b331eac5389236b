"""Exact Kolmogorov-Smirnov and Wasserstein distances: sort both sides, then a merge that keeps nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np
from numba import types
from numba.extending import overload
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.steps import total_of


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


#: Terms added up before their sum joins that of all: with 20 million in one sum the last four digits would be noise.
_TERMS: Final = 4096


def area_sorted(reference: NDArray[Any], current: NDArray[Any], exponent: int = 0) -> float:
    """Integral of |F - G| times 2^exponent, for two empirical CDFs of sorted finite values; 0 where a side is empty.

    Both sides are of one dtype, of any magnitude: floats are multiplied before they are subtracted, by at most 2^2046;
    whole numbers are subtracted exactly, and take no exponent.
    """
    if not reference.size or not current.size:
        return 0.0
    first = min(exponent, 1023)
    return float(_area(read_only(reference), read_only(current), 2.0**first, 2.0 ** (exponent - first)))


@kernel
def _area(reference: NDArray[Any], current: NDArray[Any], factor: float, factor_too: float) -> float:
    """One step a value, without a branch that data decide; ties are steps of width 0."""
    n, m = reference.size, current.size
    share, other_share = 1.0 / n, 1.0 / m
    i = j = 0
    total = 0.0
    x = min(reference[0], current[0])
    while i < n and j < m:
        some = 0.0
        for _ in range(_TERMS):
            if i == n or j == m:
                break
            a, b = reference[i], current[j]
            following = min(a, b)
            some += abs(i * share - j * other_share) * _width(x, following, factor, factor_too)
            x = following
            i += int(a <= b)
            j += int(b <= a)
        total += some
    # One side is used up: the rest of the other one's function, whose distance from 1 shrinks step by step.
    rest, begin, step = (reference, i, share) if i < n else (current, j, other_share)
    for first in range(begin, rest.size, _TERMS):
        some = 0.0
        for k in range(first, min(first + _TERMS, rest.size)):
            some += (rest.size - k) * step * _width(x, rest[k], factor, factor_too)
            x = rest[k]
        total += some
    return total


def moments_sorted(values: NDArray[Any], exponent: int = 0) -> tuple[float, float]:
    """Mean of sorted finite values above the first, and their variance; times 2^exponent as `area_sorted`."""
    first = min(exponent, 1023)
    rows, factors = read_only(values), (2.0**first, 2.0 ** (exponent - first))
    mean = math.fsum(_sums(rows, *factors, 0.0, squared=False)) / values.size
    return mean, math.fsum(_sums(rows, *factors, mean, squared=True)) / values.size


@kernel
def _sums(values: NDArray[Any], factor: float, factor_too: float, mean: float, squared: bool) -> NDArray[np.float64]:
    """Of the differences from the mean, or of their squares, for every few values."""
    sums, terms = np.empty(-(-values.size // _TERMS)), np.empty(_TERMS)
    for k in range(sums.size):
        part = values[k * _TERMS : (k + 1) * _TERMS]
        for i in range(part.size):
            terms[i] = _width(values[0], part[i], factor, factor_too) - mean
        if squared:
            for i in range(part.size):
                terms[i] *= terms[i]
        sums[k] = total_of(terms[: part.size])
    return sums


def _width(start: Any, stop: Any, factor: Any, factor_too: Any) -> Any:
    """From one value to a later one, as float64."""
    raise NotImplementedError


@overload(_width, strict=False)
def _width_for(start: Any, stop: Any, factor: Any, factor_too: Any) -> Callable[..., Any]:
    if isinstance(start, types.Integer):  # the distance of two 64-bit numbers fits 64 bits without a sign
        return lambda start, stop, factor, factor_too: np.float64(np.uint64(stop) - np.uint64(start))

    def of_floats(start: Any, stop: Any, factor: Any, factor_too: Any) -> Any:
        return np.float64(stop) * factor * factor_too - np.float64(start) * factor * factor_too

    return of_floats
