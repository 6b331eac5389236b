"""Rows of one side of a feature, and those of them without a finite value."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gpudrift.profiles.columns import Counted


@dataclass(frozen=True)
class RowCounts:
    """Rows of one side of a feature.

    Attributes
    ----------
    n, missing, infinite : int
        Rows; those of them that are null or NaN, and that are +inf or -inf.
    n_effective, missing_effective, infinite_effective : float
        Rows of equal weight that say as much; the same numbers without weights.
    """

    n: int
    missing: int
    infinite: int
    n_effective: float
    missing_effective: float
    infinite_effective: float

    @classmethod
    def unweighted(cls, n: int, missing: int, infinite: int) -> RowCounts:
        """Of rows without weights."""
        return cls(n, missing, infinite, n, missing, infinite)

    @property
    def missing_rate(self) -> float:
        """Share of the rows that are missing, by weight; NaN without rows."""
        return self.missing_effective / self.n_effective if self.n_effective else math.nan

    @property
    def absent_effective(self) -> float:
        """Effective rows without a finite value; a rounding of their sum makes no more of them than there are rows."""
        return min(self.missing_effective + self.infinite_effective, self.n_effective)


def row_counts(counted: Counted, effective: Counted, missing: int, infinite: Sequence[int] = ()) -> RowCounts:
    """Rows of a column, with those of some counters apart."""
    rows = _apart(counted, missing, infinite)
    return RowCounts(*rows, *(rows if effective is counted else _apart(effective, missing, infinite)))


def _apart(counted: Counted, missing: int, infinite: Sequence[int]) -> tuple[Any, Any, Any]:
    counters, rows = counted
    special = int(counters.searchsorted(missing))
    apart = dict(zip(counters[special:].tolist(), rows[special:].tolist(), strict=True))
    return rows.sum().item(), apart.get(missing, 0), sum(apart.get(k, 0) for k in infinite)
