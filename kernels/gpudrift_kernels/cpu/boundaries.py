"""Where the indices of a plan begin: the smallest value of each, found on the cell rule itself.

A formula only says where to start; from there the search gallops, then bisects, over the values of the dtype in their
order, so a rounding in the formula costs steps and never moves a boundary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import cut_table, index_of

_SIGN = np.uint64(1 << 63)


def first_values(indices: NDArray[np.int64], plan: CellPlan) -> NDArray[Any]:
    """Smallest finite value whose index is at least i, for each i; the largest finite value where there is none."""

    def reached(ranks: NDArray[np.int64], active: NDArray[np.bool_]) -> NDArray[np.bool_]:
        out = np.zeros(ranks.shape, bool)
        out[active] = index_of(from_rank(ranks[active], plan.dtype), plan) >= indices[active]
        return out

    smallest, largest = rank_limits(plan.dtype)
    low = to_rank(_guesses(indices, plan), plan.dtype)
    high = low.copy()
    active = np.ones(low.shape, bool)
    step = 1
    while (active := active & reached(low, active) & (low > smallest)).any():
        high = np.where(active, low, high)
        low = np.where(active, np.maximum(low, smallest + step) - step, low)
        step = min(2 * step, 1 << 62)
    active = ~reached(high, np.ones(low.shape, bool))
    step = 1
    while (active := active & ~reached(high, active) & (high < largest)).any():
        low = np.where(active, high, low)
        high = np.where(active, np.minimum(high, largest - step) + step, high)
        step = min(2 * step, 1 << 62)
    while (active := low < high).any():
        middle = (low & high) + ((low ^ high) >> 1)  # the mean of the two, rounded down, without overflow
        found = reached(middle, active)
        high = np.where(active & found, middle, high)
        low = np.where(active & ~found, middle + 1, low)
    return from_rank(high, plan.dtype)


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


def _guesses(indices: NDArray[np.int64], plan: CellPlan) -> NDArray[Any]:
    """The cut an index begins at, or the inverse of the cell rule in floating point, clipped to the dtype."""
    layout, dtype = plan.layout, np.dtype(plan.dtype)
    table = cut_table(plan)
    first_index = np.arange(plan.n_cells + 1) + table
    cell = np.searchsorted(first_index, indices, side="right") - 1
    into = indices - first_index[cell]  # 0: the cell's own start; k: its k-th cut
    q = np.where(cell >= layout.half, cell - layout.half, layout.half - cell)
    near = q << int(layout.near_shift)
    far = int(layout.near_limit) + ((q - int(layout.near_cells)) << int(layout.far_shift))
    bits = np.where(q < int(layout.near_cells), near, far) + int(layout.bits_of_one)
    top = np.finfo(layout.float_type).max.view(layout.int_type)
    t = np.minimum(bits, top).astype(layout.int_type).view(layout.float_type) - layout.one
    limits = np.iinfo(dtype) if plan.wide else np.finfo(dtype)
    with np.errstate(over="ignore", invalid="ignore"):
        distance = np.where(cell >= layout.half, t, -t) / plan.scale
        if plan.wide:  # Python's integers: the sum may leave 64 bits before it is clipped
            far_away = 1 << 65
            steps = np.clip(distance, -far_away, far_away).tolist()
            sums = [min(max(int(plan.centre) + int(d), int(limits.min)), int(limits.max)) for d in steps]
            guess = np.array(sums, dtype)
        else:
            guess = (distance + plan.typed_centre) / (2 if plan.integral else 1)
            guess = np.clip(np.nan_to_num(guess), limits.min, limits.max).astype(dtype)
    if plan.cuts.size:
        cut = plan.cuts[np.clip(table[cell] + into - 1, 0, plan.cuts.size - 1)]
        guess = np.where(into > 0, cut, guess)
    return guess
