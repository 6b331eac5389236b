"""Grouping: the group and the weight of each row, and the Tally that counting by them gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

_MOST_ROWS: Final = np.iinfo(np.uint32).max


@dataclass(frozen=True, eq=False)
class Grouping:
    """What is known of each row of a batch beside its values.

    Attributes
    ----------
    groups : ndarray of int32, shape (n_rows,)
        Each in 0 .. n_groups - 1.
    n_groups : int
    weights : ndarray of int64, shape (n_rows,), optional
        Whole multiples of a unit: integers, so that their sums have the same bits in any order.
    """

    groups: NDArray[np.int32]
    n_groups: int
    weights: NDArray[np.int64] | None = None

    @property
    def counter(self) -> type[np.uint32] | type[np.int64]:
        """What the rows of a table are counted in: half the memory, where no counter can overflow."""
        return np.uint32 if self.groups.size <= _MOST_ROWS else np.int64


class Tally(NamedTuple):
    """Rows by group and cell (uint32, or int64), and the sums of their weights (int64); shape (n_groups, n_cells)."""

    rows: NDArray[np.int64]
    weights: NDArray[np.int64] | None = None

    def __add__(self, other: Tally) -> Tally:  # type: ignore[override]  # of sums, not of tuples
        weights = None if self.weights is None or other.weights is None else self.weights + other.weights
        return Tally(self.rows + other.rows, weights)
