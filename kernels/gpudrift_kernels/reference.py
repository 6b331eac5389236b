"""Each verb in plain NumPy: slow, obvious, and the truth that tests hold every device to."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.grouping import Grouping, Tally
from gpudrift_kernels.rules import MISSING, NEGATIVE_INFINITY, POSITIVE_INFINITY


def scaled(values: NDArray[Any], plan: CellPlan) -> NDArray[Any]:
    """t = (x - centre) * scale in the working type; 64-bit integers subtract exactly first."""
    centre = plan.typed_centre
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        if plan.wide:
            x, c = values.astype(np.uint64), np.asarray(centre).astype(np.uint64)
            distance = np.where(values < centre, -(c - x).astype(np.float64), (x - c).astype(np.float64))
        elif plan.integral:
            distance = np.floor(values) + np.ceil(values) - centre
        else:
            distance = values - centre
        return np.asarray(distance * plan.scale)


def cell_of(values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    """Cell number of each finite value, before cuts; int64, same length."""
    layout = plan.layout
    half, near_limit = int(layout.half), int(layout.near_limit)
    t = scaled(np.asarray(values, plan.dtype), plan)
    with np.errstate(over="ignore", invalid="ignore"):
        b = (np.abs(t) + layout.one).view(layout.int_type).astype(np.int64) - int(layout.bits_of_one)
    near = b >> int(layout.near_shift)
    far = int(layout.near_cells) + ((b - near_limit) >> int(layout.far_shift))
    q = np.minimum(np.where(b < near_limit, near, far), half - 1)
    return np.asarray(np.where(t < 0, half - 1 - q, half + q))


def index_of(values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    """Counter of each value: cell plus cuts, or one of the three after the last index."""
    values = np.asarray(values, plan.dtype)
    index = cell_of(values, plan) + np.searchsorted(plan.cuts, values, side="right")
    if not plan.wide:
        index[np.isnan(values)] = plan.n_index + MISSING
        index[values == np.inf] = plan.n_index + POSITIVE_INFINITY
        index[values == -np.inf] = plan.n_index + NEGATIVE_INFINITY
    return index


def histogram(values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    """Count of every index and special; int64, length ``plan.n_counters``."""
    return np.bincount(index_of(values, plan), minlength=plan.n_counters)


def categories(codes: NDArray[np.int32], n_codes: int) -> NDArray[np.int64]:
    """Count of the codes 0 .. n_codes - 1, then of all others (missing); int64, length n_codes + 1."""
    missing = (codes < 0) | (codes >= n_codes)
    return np.bincount(np.where(missing, n_codes, codes), minlength=n_codes + 1)


def tally(counters: NDArray[np.int64], grid: NDArray[np.int32], grouping: Grouping) -> Tally:
    """Rows and weights by group and grid cell, each int64 of shape (n_groups, n_cells)."""
    shape = grouping.n_groups, int(grid[-1]) + 1
    place = grouping.groups, grid[counters]

    def summed(amounts: NDArray[np.int64]) -> NDArray[np.int64]:
        total = np.zeros(shape, np.int64)
        np.add.at(total, place, amounts)
        return total

    rows = summed(np.ones(counters.size, np.int64))
    if grouping.weights is None:
        return Tally(rows)
    return Tally(rows, summed(grouping.weights))


def first_values(indices: NDArray[np.int64], plan: CellPlan) -> NDArray[Any]:
    """Smallest finite value whose index is at least i, for each i; the largest finite value where there is none.

    Bisection over the values of the dtype in their order, on ``index_of`` itself and never by formula.
    """
    low, high = _rank_limits(plan.dtype)
    lo, hi = np.full(indices.shape, low, object), np.full(indices.shape, high, object)
    while np.any(lo < hi):
        middle = lo + (hi - lo) // 2
        reached = index_of(_from_rank(middle, plan.dtype), plan) >= indices
        hi, lo = np.where(reached, middle, hi), np.where(reached, lo, np.minimum(middle + 1, hi))
    return _from_rank(lo, plan.dtype)


def ks_sorted(reference: NDArray[Any], current: NDArray[Any]) -> float:
    """Largest absolute difference of two empirical CDFs, from sorted finite values; 0 where a side is empty."""
    if not reference.size or not current.size:
        return 0.0
    both = np.concatenate([reference, current])
    share_reference = np.searchsorted(reference, both, side="right") / reference.size
    share_current = np.searchsorted(current, both, side="right") / current.size
    return float(np.max(np.abs(share_reference - share_current)))


def _rank_limits(dtype: str) -> tuple[int, int]:
    """Ranks of the smallest and the largest finite value of a dtype."""
    if np.dtype(dtype).kind in "iu":
        return int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
    width = np.int32 if dtype == "float32" else np.int64
    top = int(np.finfo(dtype).max.view(width))
    return -top, top


def _from_rank(rank: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Value of a rank: ranks count the values of a dtype in ascending order, with 0 (both signs) at rank 0."""
    if np.dtype(dtype).kind in "iu":
        return rank.astype(dtype)
    width = np.int32 if dtype == "float32" else np.int64
    magnitude = np.abs(rank).astype(width).view(dtype)
    return np.asarray(np.where(rank < 0, -magnitude, magnitude), dtype)
