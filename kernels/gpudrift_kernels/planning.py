"""A cell plan from one sorted sample: centre, scale, shape and cuts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cells import DTYPES, MAX_CUTS, CellPlan
from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.histogram import index_of

#: No cell that holds more than one value may hold more of the reference than this: the width of the KS interval.
MAX_SHARE: Final = 1 / 1024
#: A plan with at most so many cuts is taken at once: they were measured to cost next to nothing on the CPU.
_FEW_CUTS: Final = 8
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
    plans = (replace(plan, cuts=_cuts(sample, plan, limit)) for plan in _candidates(sample))
    best = next(plans)
    # with no row to spare every value is cut out, whatever the plan
    while limit and best.cuts.size > _FEW_CUTS and (plan := next(plans, None)) is not None:
        best = min(best, plan, key=lambda candidate: candidate.cuts.size)
    return best


def _candidates(sample: NDArray[Any]) -> Iterator[CellPlan]:
    """Dense about the median, dense about the mode, then spread over magnitudes from either end.

    A mode or an end that is an atom has no width to tell a scale, and is left out.
    """
    dtype = sample.dtype.name
    integral = dtype in ("float32", "float64") and _integral(sample)
    if integral:
        sample = sample * 2  # counted at floor(x) + ceil(x)
    reach = sample.size // 1024
    median = sample[sample.size // 2]
    scale = _scale_at_median(sample, median)
    mode, width = _densest(sample)
    lowest, highest = sample[0], sample[-1]
    for centre, spread, bits, octaves in (
        (median, scale, 11, 3),
        (median, scale / 2, 10, 5),
        (mode, 4 * width, 11, 3),
        (mode, 2 * width, 10, 5),
        (lowest, _distance(sample[reach], lowest), 8, 32),
        (highest, _distance(highest, sample[-1 - reach]), 8, 32),
    ):
        if not spread:
            continue
        exponent = _power(float(spread))
        shape = CellPlan(dtype=dtype, centre=0, exponent=0, bits=bits, octaves=octaves, integral=integral)
        exponent = min(max(exponent, -shape.max_exponent), shape.max_exponent)
        yield replace(shape, centre=_rounded(centre, exponent), exponent=exponent)


def _integral(sample: NDArray[Any]) -> bool:
    """Whether all values are whole numbers that can be doubled with room for their neighbours' halves."""
    limit = 2**22 if sample.dtype == np.float32 else _EXACT
    return bool(np.all(np.abs(sample[[0, -1]]) <= limit) and np.all(sample == np.floor(sample)))


def _scale_at_median(sample: NDArray[Any], median: Any) -> float:
    """The IQR; where it is 0, the median distance of values that differ; else |median| or 1."""
    spread = _distance(sample[3 * sample.size // 4], sample[sample.size // 4])
    if spread == 0:
        others = sample[sample != median]
        if not others.size:
            return abs(float(median)) or 1.0
        distances = np.sort(_distance(np.maximum(others, median), np.minimum(others, median)))
        spread = distances[distances.size // 2]
    return float(spread)


def _densest(sample: NDArray[Any]) -> tuple[Any, float]:
    """Middle of the shortest interval with an eighth of the sample, and its width."""
    reach = sample.size // 8
    widths = _distance(sample[reach:], sample[: sample.size - reach])
    i = int(np.argmin(widths))
    return sample[i + reach // 2], float(widths[i])


def _distance(above: Any, below: Any) -> Any:
    """above - below as float64, without wrapping; infinite where it leaves the doubles. above >= below."""
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


def _cuts(sample: NDArray[Any], plan: CellPlan, limit: int) -> NDArray[Any]:
    """Cuts that leave at most ``limit`` sample values in any part of a cell that holds more than one value."""
    cells = index_of(sample, plan)
    held = np.bincount(cells)
    if held.max() <= limit:
        return sample[:0]
    values, counts = np.unique(sample[held[cells] > limit], return_counts=True)
    cell, cell_before, cell_after = (index_of(v, plan) for v in (values, *_neighbours(values)))
    at, behind = _split(counts, cell, cell == cell_before, cell == cell_after, limit)
    cuts = np.unique(np.concatenate([values[at], _neighbours(values[behind])[1]]))
    return cuts[:MAX_CUTS]


def _neighbours(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """The values of the dtype right below and right above; infinite, or the same integer, at its ends."""
    if values.dtype.kind in "iu":
        info = np.iinfo(values.dtype)
        return np.maximum(values, info.min + 1) - 1, np.minimum(values, info.max - 1) + 1
    with np.errstate(over="ignore"):
        return np.nextafter(values, -np.inf), np.nextafter(values, np.inf)


@kernel
def _split(
    counts: NDArray[np.int64],
    cell: NDArray[np.int64],
    shared_before: NDArray[np.bool_],
    shared_after: NDArray[np.bool_],
    limit: int,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Walk the distinct values in order; True where a cut goes at a value, and right behind it."""
    at = np.zeros(counts.size, np.bool_)
    behind = np.zeros(counts.size, np.bool_)
    held = 0
    for r in range(counts.size):
        if r == 0 or cell[r] != cell[r - 1]:
            held = 0
        if counts[r] > limit:
            at[r] = shared_before[r]
            behind[r] = shared_after[r]
            held = 0
        elif held + counts[r] > limit:
            at[r] = True
            held = counts[r]
        else:
            held += counts[r]
    return at, behind
