"""Smallest and largest value that an index of a plan holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.boundaries import extents
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
    """Extent of occupied indices, ascending: each ends right below the smallest value of the next, or of ``until``."""
    return Extent(*extents(indices, plan, until))


def as_float(values: NDArray[Any], plan: CellPlan) -> NDArray[np.float64]:
    """Values of a plan's dtype as float64; 64-bit integers less the centre, which is subtracted exactly."""
    if not plan.wide:
        return values.astype(np.float64)
    centre = plan.typed_centre
    unsigned, base = values.astype(np.uint64), np.asarray(centre).astype(np.uint64)
    return np.where(values < centre, -(base - unsigned).astype(np.float64), (unsigned - base).astype(np.float64))
