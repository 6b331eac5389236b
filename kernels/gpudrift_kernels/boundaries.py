"""Where the indices of a plan begin: the smallest value of each, found on the cell rule itself.

A formula only says where to start; from there the search gallops, then bisects, over the values of the dtype in their
order, so a rounding in the formula costs steps and never moves a boundary.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels import rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.compiled import inlined, kernel
from gpudrift_kernels.cpu.histogram import index_of
from gpudrift_kernels.cpu.read_only import read_only

_steps_from_centre = inlined(rules.steps_from_centre)
_side = inlined(rules.side)
_double_of = inlined(rules.double_of)
_SIGN = np.uint64(1 << 63)
_TOP_BIT = np.int64(-(1 << 63))


def first_values(indices: NDArray[np.int64], plan: CellPlan) -> NDArray[Any]:
    """Smallest finite value whose index is at least i, for each i; the largest finite value where there is none."""
    ranks = to_rank(_guesses(indices, plan), plan.dtype)
    value = np.empty(1, plan.dtype)
    value_bits = value.view(np.int32 if plan.dtype == "float32" else np.int64)
    folded = np.empty(1, plan.layout.float_type)
    kinds = plan.wide, plan.dtype == "uint64", plan.integral
    _search(
        read_only(indices), ranks, rank_limits(plan.dtype), kinds, plan.typed_centre, plan.scale, plan.layout,
        plan.cuts, value, value_bits, folded, folded.view(plan.layout.int_type),
    )  # fmt: skip
    return from_rank(ranks, plan.dtype)


@kernel
def _search(
    indices: NDArray[np.int64],
    ranks: NDArray[np.int64],
    limits: tuple[int, int],
    kinds: tuple[bool, bool, bool],
    centre: Any,
    scale: Any,
    layout: rules.Layout,
    cuts: NDArray[Any],
    value: NDArray[Any],
    value_bits: NDArray[Any],
    folded: NDArray[Any],
    folded_bits: NDArray[Any],
) -> None:
    """Guesses in, answers out. Gallop to a rank below the answer and one at or above it, then halve the distance."""
    smallest, largest = limits
    for k in range(indices.size):
        low = high = ranks[k]
        step = np.int64(1)
        while low > smallest and indices[k] <= _index(
            low, kinds, centre, scale, layout, cuts, value, value_bits, folded, folded_bits
        ):
            high = low
            low = low - step if low >= smallest + step else smallest
            step = min(2 * step, np.int64(1) << 61)
        step = np.int64(1)
        while high < largest and indices[k] > _index(
            high, kinds, centre, scale, layout, cuts, value, value_bits, folded, folded_bits
        ):
            low = high
            high = high + step if high <= largest - step else largest
            step = min(2 * step, np.int64(1) << 61)
        while low < high:
            middle = (low & high) + ((low ^ high) >> 1)  # the mean of the two, rounded down, without overflow
            if indices[k] <= _index(middle, kinds, centre, scale, layout, cuts, value, value_bits, folded, folded_bits):
                high = middle
            else:
                low = middle + 1
        ranks[k] = high


@kernel
def _index(
    rank: int,
    kinds: tuple[bool, bool, bool],
    centre: Any,
    scale: Any,
    layout: rules.Layout,
    cuts: NDArray[Any],
    value: NDArray[Any],
    value_bits: NDArray[Any],
    folded: NDArray[Any],
    folded_bits: NDArray[Any],
) -> int:
    """Index of the value of a rank: the rule of the histogram, a value at a time; the arrays hold one each."""
    wide, unsigned, integral = kinds
    if wide:
        value_bits[0] = rank ^ _TOP_BIT if unsigned else rank
        x = value[0]
        above = np.float64(np.uint64(x) - np.uint64(centre))  # modulo 2**64, exact where it is not negative
        below = np.float64(np.uint64(centre) - np.uint64(x))
        t = (-below if x < centre else above) * scale
    else:
        value_bits[0] = abs(rank)
        x = -value[0] if rank < 0 else value[0]
        t = ((_double_of(np.floor(x), np.ceil(x)) if integral else x) - centre) * scale
    folded[0] = abs(t) + layout.one
    q = np.int64(_steps_from_centre(folded_bits[0] - layout.bits_of_one, layout))
    cell = _side(t, q, np.int64(layout.half))
    low, high = 0, cuts.size
    while low < high:
        middle = (low + high) >> 1
        if x >= cuts[middle]:
            low = middle + 1
        else:
            high = middle
    return int(cell + low)


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
    own = index_of(plan.cuts, plan)  # where each cut begins: an index has as many cuts below as begin at or before it
    passed = np.searchsorted(own, indices, side="right")
    cell = indices - passed
    q = np.where(cell >= layout.half, cell - layout.half, layout.half - cell)
    near = q << int(layout.near_shift)
    far = int(layout.near_limit) + ((q - int(layout.near_cells)) << int(layout.far_shift))
    bits = np.where(q < int(layout.near_cells), near, far) + int(layout.bits_of_one)
    top = np.finfo(layout.float_type).max.view(layout.int_type)
    edge = np.minimum(bits, top).astype(layout.int_type).view(layout.float_type)
    # |t| + 1 reaches the edge by rounding, half a step below it; at the centre there is nothing to round
    rounding = np.where(edge > 1, (edge - np.nextafter(edge, layout.one)) / 2, 0).astype(layout.float_type)
    t = edge - layout.one - rounding
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
    at_cut = np.searchsorted(own, indices, side="left") < passed
    guess[at_cut] = plan.cuts[passed[at_cut] - 1]
    return guess
