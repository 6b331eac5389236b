"""A cell plan from one sorted sample: centre, scale, shape and cuts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cells import DTYPES, MAX_CUTS, CellPlan, largest_exponent
from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.histogram import index_of, narrow_index_of
from gpudrift_kernels.cpu.read_only import read_only

#: No cell that holds more than one value may hold more of the reference than this: the width of the KS interval.
MAX_SHARE: Final = 1 / 1024
#: A plan with at most so many cuts is taken at once. Up to 8 are compared; of more those of one cell are searched, at a
#: rate that does not depend on how many the others hold.
_FEW_CUTS: Final = 32
#: Of a few thousand values, the fewest that tell how a column is spread, and how many may be alike, or in one cell.
_FEWEST: Final = 1 << 11
_MOST_ALIKE: Final = 7
_MOST_IN_A_CELL: Final = 9
#: Values that are more often alike are cut out, if they are as many: their cuts are compared one by one.
_MOST_FREQUENT: Final = 4
#: The share of a fine cell is that of so many values in their order, spread evenly over the cells between them: it
#: may be so much of the largest. With 128 it is known to a tenth.
_WINDOW: Final = 128
_MARGIN: Final = 0.9
#: A coarse cell, far out, is unlike its neighbours, and few values say what it holds. With no more of 4,096 in any,
#: no simulated float32 column of many (gamma, Student's t, log-normal) had more than 1/1024 in one, and a tenth of the
#: float64 ones at most, whose coarse cells are four times as wide.
_MOST_COARSE: Final = {"float32": 3, "float64": 2}
#: Of each part of a cell that may hold no more values, so many tell nearly always that it does not.
_THINNED: Final = 8
#: Beyond this magnitude a double no longer holds every whole number and its neighbour's half.
_EXACT: Final = 2**51


def storage_dtype(sample: NDArray[Any]) -> str:
    """Type that a column is counted in, of ``DTYPES``.

    float16 and float32 stay float32, float64 stays. Integers are counted as float64 while the sample lies where a
    double is exact, so that an integer column may later arrive as floats (a null in pandas does that); larger ones
    in 64 bits.
    """
    if sample.dtype.kind == "f":
        return "float64" if sample.dtype.itemsize > 4 else "float32"
    if sample.size and (int(sample.max()) > _EXACT or int(sample.min()) < -_EXACT):
        return "uint64" if sample.dtype.kind == "u" else "int64"
    return "float64"


def plan_cells(sample: NDArray[Any], *, whole: bool) -> CellPlan:
    """Plan of a column from a sample of its finite values.

    Parameters
    ----------
    sample : 1-D ndarray of one of ``DTYPES``
        Finite values, ascending. May be empty.
    whole : bool
        The sample is the whole reference, so shares are exact and need no margin for sampling noise.

    Returns
    -------
    CellPlan
        In it no cell that holds more than one value holds more than 1/1024 of the sample (1/2048 where the sample
        is a part). Of the candidates the first that needs few cuts is taken, else the one that needs the fewest.
    """
    if sample.dtype.name not in DTYPES:
        raise ValueError(f"sample must be of {', '.join(DTYPES)}, got {sample.dtype.name}")
    if not sample.size:
        return CellPlan(dtype=sample.dtype.name, centre=sample.dtype.type(0).item(), exponent=0, bits=11, octaves=3)
    limit = int(sample.size * (MAX_SHARE if whole else MAX_SHARE / 2))
    candidates = _candidates(sample, integral=sample.dtype.kind == "f" and _integral(sample))
    best = next(candidates)
    cuts = _cuts(sample, best, limit, sample.size)
    # with no row to spare every value is cut out, whatever the plan
    while limit and cuts.size > _FEW_CUTS and (plan := next(candidates, None)) is not None:
        fewer = _cuts(sample, plan, limit, cuts.size - 1)
        if fewer.size < cuts.size:
            best, cuts = plan, fewer
    return replace(best, cuts=cuts[:MAX_CUTS]) if cuts.size else best


def plan_of_few(sample: NDArray[Any]) -> CellPlan | None:
    """Plan of a column of fractions from few of its finite values, where these tell enough.

    Parameters
    ----------
    sample : 1-D ndarray of float32 or float64
        Ascending.

    Returns
    -------
    CellPlan or None
        The first candidate in which, as far as a few thousand values tell, no cell holds more than 1/1024 of the
        column but those of at most four frequent values, which are cut out. None without such a candidate, or of fewer
        than 2,048 values. Whether it is so is left to those who count the column.
    """
    if sample.size < _FEWEST:
        return None
    frequent, rest = _apart(read_only(sample), _MOST_ALIKE)
    if frequent.size > _MOST_FREQUENT or rest.size <= _WINDOW:
        return None
    for plan in _candidates(sample, integral=False):
        near, half = int(plan.layout.near_cells), int(plan.layout.half)
        if _spread(narrow_index_of(rest, plan), sample.size, half - near, half + near, _MOST_COARSE[plan.dtype]):
            return replace(plan, cuts=np.unique(_around(frequent, plan))) if frequent.size else plan
    return None


def _candidates(sample: NDArray[Any], *, integral: bool) -> Iterator[CellPlan]:
    """Dense about the median, on its steeper side, about the mode, then spread over magnitudes from either end.

    A mode or an end that is an atom has no width to tell a scale, and is left out.
    """
    if integral:
        sample = sample * 2  # counted at floor(x) + ceil(x)
    for centre, spread, bits, octaves in _centres(sample):
        if spread:
            most = largest_exponent(sample.dtype.name)
            exponent = min(max(_power(float(spread)), -most), most)
            yield CellPlan(sample.dtype.name, _rounded(centre, exponent), exponent, bits, octaves, integral)


def _centres(sample: NDArray[Any]) -> Iterator[tuple[Any, float, int, int]]:
    """Centre, scale and shape of each candidate; what a later one needs is not computed before it is asked for."""
    median, lower, upper = (sample[k * sample.size // 4] for k in (2, 1, 3))
    scale = _scale_at_median(sample, median)
    yield median, scale, 11, 3
    yield median, scale / 2, 10, 5
    yield (lower if _distance(median, lower) < _distance(upper, median) else upper), scale / 2, 10, 5
    mode, width = _densest(sample)
    yield mode, 4 * width, 11, 3
    yield mode, 2 * width, 10, 5
    reach = sample.size // 1024
    yield sample[0], _distance(sample[reach], sample[0]), 8, 32
    yield sample[-1], _distance(sample[-1], sample[-1 - reach]), 8, 32


def _integral(sample: NDArray[Any]) -> bool:
    """Whether all values are whole numbers that can be doubled with room for their neighbours' halves."""
    limit = 2**22 if sample.dtype == np.float32 else _EXACT
    if np.any(np.abs(sample[[0, -1]]) > limit):
        return False
    return all(np.array_equal(part, np.floor(part)) for part in (sample[::1024], sample))  # mostly the first few tell


def _scale_at_median(sample: NDArray[Any], median: Any) -> float:
    """The IQR; where the median is an atom at least the median distance of the others; else |median| or 1.

    The quartiles of a column that is half zeros lie next to zero, whatever the rest of it is.
    """
    middle, reach = sample.size // 2, sample.size // 64
    spread = _distance(sample[3 * sample.size // 4], sample[sample.size // 4])
    atom = reach > 0 and (sample[middle - reach] == median or sample[middle + reach] == median)
    if spread == 0 or atom:
        others = sample[sample != median]
        if not others.size:
            return abs(float(median)) or 1.0
        distances = _distance(np.maximum(others, median), np.minimum(others, median))
        spread = max(spread, np.partition(distances, others.size // 2)[others.size // 2])
    return float(spread)


def _densest(sample: NDArray[Any]) -> tuple[Any, float]:
    """Middle of the shortest interval with an eighth of the sample, and its width."""
    reach = sample.size // 8
    widths = _distance(sample[reach:], sample[: sample.size - reach])
    i = int(np.argmin(widths))
    return sample[i + reach // 2], float(widths[i])


def _distance(above: Any, below: Any) -> Any:
    """above - below as float64, without wrapping; infinite where it leaves the doubles. above >= below."""
    if isinstance(above, np.floating):
        return float(above) - float(below)
    exact = np.uint64 if above.dtype.kind in "iu" else np.float64
    with np.errstate(over="ignore"):
        return (above.astype(exact) - below.astype(exact)).astype(np.float64)


def _power(scale: float) -> int:
    """floor(log2(scale)), the largest exponent for an infinite scale."""
    return 1022 if math.isinf(scale) else math.frexp(scale)[1] - 1


def _rounded(value: Any, exponent: int) -> float | int:
    """The centre, rounded to a quarter of the scale so that samples that nearly agree give the same plan."""
    if isinstance(value, np.integer):
        quarter, info = 1 << max(exponent - 2, 0), np.iinfo(value.dtype)
        nearest = (int(value) + quarter // 2) // quarter * quarter
        return min(max(nearest, int(info.min)), int(info.max))
    centre, limit = float(value), float(np.finfo(value.dtype).max)
    try:
        centre = math.ldexp(round(math.ldexp(centre, 2 - exponent)), exponent - 2)
    except OverflowError:  # so large beside the scale that it is a multiple of it, or at the end of the dtype
        return centre
    return min(max(centre, -limit), limit)


def _cuts(sample: NDArray[Any], plan: CellPlan, limit: int, most: int) -> NDArray[Any]:
    """Cuts that leave at most ``limit`` sample values in any part of a cell that holds more than one value.

    Where that takes more than ``most``, the first few more.
    """
    # more than limit values next to each other hold so many of every few
    few = max(limit // _THINNED, 1)
    if not _crowded(narrow_index_of(sample[::few], plan), (limit + 1) // few - 1):
        return sample[:0]
    cell = narrow_index_of(sample, plan)
    if not _crowded(cell, limit):
        return sample[:0]
    starts, atoms = np.empty(sample.size, np.int32), np.empty(sample.size, np.int32)
    n_starts, n_atoms = _walk(read_only(sample), cell, limit, most, starts, atoms)
    return np.unique(np.concatenate([sample[starts[:n_starts]], _around(sample[atoms[:n_atoms]], plan)]))


def _around(values: NDArray[Any], plan: CellPlan) -> NDArray[Any]:
    """Cuts that leave each of some values alone: at it and right behind it, where its cell holds others there."""
    cell, (before, after) = index_of(values, plan), _neighbours(values)
    return np.concatenate([values[index_of(before, plan) == cell], after[index_of(after, plan) == cell]])


def _neighbours(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The values of the dtype right below and right above; infinite, or the same integer, at its ends."""
    if values.dtype.kind in "iu":
        info = np.iinfo(values.dtype)
        return np.maximum(values, info.min + 1) - 1, np.minimum(values, info.max - 1) + 1
    with np.errstate(over="ignore"):
        return np.nextafter(values, -np.inf), np.nextafter(values, np.inf)


@kernel
def _crowded(cell: NDArray[np.uint32], limit: int) -> bool:
    """Whether any cell holds more than ``limit`` values of a sorted sample."""
    n = np.uint32(0)
    for i in range(cell.size - limit):
        n |= np.uint32(cell[i] == cell[i + limit])
    return bool(n)


@kernel
def _apart(sample: NDArray[Any], most: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Values of a sorted sample of which more than so many are alike, each once, and all others."""
    some = np.uint32(0)
    for i in range(sample.size - most):
        some |= np.uint32(sample[i] == sample[i + most])
    if not some:
        return sample[:0], sample
    frequent, rest = np.empty(sample.size // most, sample.dtype), np.empty_like(sample)
    n_frequent = n_rest = begin = 0
    for i in range(sample.size):
        rest[n_rest] = sample[i]
        n_rest += 1
        if i + 1 == sample.size or sample[i + 1] != sample[i]:
            if i + 1 - begin > most:
                frequent[n_frequent] = sample[i]
                n_frequent += 1
                n_rest -= i + 1 - begin
            begin = i + 1
    return frequent[:n_frequent], rest[:n_rest]


@kernel
def _spread(cell: NDArray[np.uint32], n: int, first_fine: int, end_fine: int, most_coarse: int) -> bool:
    """Whether cells of a sorted sample, of which n values were drawn, hold no more than they may; see above."""
    least = np.uint32(math.ceil(_WINDOW / (_MARGIN * MAX_SHARE * n)))
    found = np.uint32(0)
    for i in range(cell.size - _WINDOW):
        found |= np.uint32(cell[i + _WINDOW] - cell[i] < least)
    for i in range(cell.size - _MOST_IN_A_CELL):
        found |= np.uint32(cell[i] == cell[i + _MOST_IN_A_CELL])
    for i in range(cell.size - most_coarse):
        coarse = np.uint32(cell[i] < first_fine) | np.uint32(cell[i] >= end_fine)
        found |= coarse & np.uint32(cell[i] == cell[i + most_coarse])
    return bool(found == 0)


@kernel
def _walk(
    sample: NDArray[Any], cell: NDArray[np.uint32], limit: int, most: int, starts: NDArray[np.int32],
    atoms: NDArray[np.int32],
) -> tuple[int, int]:  # fmt: skip
    """Places in the sorted sample where a cut goes, and of values that alone are more than ``limit``; how many each."""
    n_starts = n_atoms = 0
    first = 0
    while first < sample.size and n_starts <= most:
        end = first + 1
        while end < sample.size and cell[end] == cell[first]:
            end += 1
        held = 0
        r = first if end - first > limit else end
        while r < end:
            stop = r + 1
            while stop < end and sample[stop] == sample[r]:
                stop += 1
            if stop - r > limit:
                atoms[n_atoms] = r
                n_atoms += 1
                held = 0
            elif held + stop - r > limit:
                starts[n_starts] = r
                n_starts += 1
                held = stop - r
            else:
                held += stop - r
            r = stop
        first = end
    return n_starts, n_atoms
