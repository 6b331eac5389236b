"""Smallest and largest value that an index of a plan holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.boundaries import first_values
from gpudrift_kernels.cells import CellPlan


@dataclass(frozen=True, eq=False)
class Extent:
    """First and last value of each of some indices, in the plan's dtype."""

    first: NDArray[Any]
    last: NDArray[Any]

    @property
    def single(self) -> NDArray[np.bool_]:
        """Where nothing can hide inside: the index holds one value."""
        return np.asarray(self.first == self.last)


def extent(indices: NDArray[np.int64], plan: CellPlan, *, until: NDArray[np.int64] | None = None) -> Extent:
    """Extent of occupied indices: each ends right below the smallest value of the next, or of ``until``."""
    if until is None:
        # most indices are followed by one that is asked for as well: search for the others only
        alone = np.flatnonzero(np.append(indices[1:] != indices[:-1] + 1, True)[: indices.size])
        found = first_values(np.concatenate([indices, indices[alone] + 1]), plan)
        first, following = found[: indices.size], found[1 : indices.size + 1].copy()
        following[alone] = found[indices.size :]
    else:
        found = first_values(np.concatenate([indices, until]), plan)
        first, following = found[: indices.size], found[indices.size :]
    limit: Any = np.iinfo(plan.dtype).max if plan.wide else np.finfo(plan.dtype).max
    if plan.wide:
        last = following - (following > first).astype(following.dtype)
    else:
        with np.errstate(over="ignore"):  # below the smallest number there is none
            last = np.maximum(np.nextafter(following, following.dtype.type(-np.inf)), first)
    topmost = following == limit
    if topmost.any():  # nothing follows: it ends with the dtype
        last[topmost & (indices == indices.max())] = limit
    return Extent(first, last)


def as_float(values: NDArray[Any], plan: CellPlan) -> NDArray[np.float64]:
    """Values of a plan's dtype as float64; 64-bit integers less the centre, which is subtracted exactly."""
    if not plan.wide:
        return values.astype(np.float64)
    centre = plan.typed_centre
    unsigned, base = values.astype(np.uint64), np.asarray(centre).astype(np.uint64)
    return np.where(values < centre, -(base - unsigned).astype(np.float64), (unsigned - base).astype(np.float64))
