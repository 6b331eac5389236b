"""Both sides of one column, as the rules of other packages see them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.error_rates.kinds import Values

#: Stretches in row order; what nannyml's default chunker makes.
N_CHUNKS: Final = 10


@dataclass(frozen=True, eq=False)
class Sample:
    """Values with the rows that hold each, by chunk; missing ones left out.

    Attributes
    ----------
    values : ndarray of float64
        In any order, repeats allowed.
    rows, chunk : ndarray of int64, same shape
        How many rows hold the value, all of them in this chunk.
    missing : int
        Rows without a value.
    """

    values: Values
    rows: NDArray[np.int64]
    chunk: NDArray[np.int64]
    missing: int

    @classmethod
    def of_rows(cls, values: Values) -> Sample:
        """From rows in their order; the last chunk takes what does not divide."""
        chunk = np.minimum(np.arange(values.size) // (values.size // N_CHUNKS), N_CHUNKS - 1)
        kept = ~np.isnan(values)
        missing = values.size - int(np.count_nonzero(kept))
        return cls(values[kept], np.ones(values.size - missing, np.int64), chunk[kept], missing)

    @classmethod
    def of_counts(cls, values: Values, counts: NDArray[np.int64]) -> Sample:
        """From counts of shape (chunks, values)."""
        kept = ~np.isnan(values)
        held = counts[:, kept]
        values = np.broadcast_to(values[kept], held.shape)
        chunk = np.broadcast_to(np.arange(N_CHUNKS)[:, None], held.shape)
        some = held > 0
        return cls(values[some], held[some], chunk[some], int(counts[:, ~kept].sum()))

    @cached_property
    def n(self) -> int:
        """Rows with a value."""
        return int(self.rows.sum())

    @cached_property
    def ordered(self) -> tuple[Values, NDArray[np.int64]]:
        """Values in ascending order, and the rows at or below each."""
        if self.n == self.rows.size:
            return np.sort(self.values), np.arange(1, self.n + 1)
        order = np.argsort(self.values)
        return self.values[order], np.cumsum(self.rows[order])

    def at_or_below(self, points: Values) -> NDArray[np.int64]:
        """Rows with a value at or below each point."""
        values, behind = self.ordered
        return np.append(0, behind)[np.searchsorted(values, points, side="right")]

    def distinct(self) -> Values:
        """Distinct values, ascending."""
        values, _ = self.ordered
        return values[np.append(True, values[1:] != values[:-1])] if values.size else values

    def mean_std(self) -> tuple[float, float]:
        """Mean, and standard deviation with ddof 0."""
        mean = float(np.dot(self.values, self.rows)) / self.n
        return mean, float(np.sqrt(np.dot((self.values - mean) ** 2, self.rows) / self.n))


@dataclass(frozen=True, eq=False)
class Pair:
    """One column on both sides."""

    reference: Sample
    current: Sample
    categorical: bool

    @cached_property
    def difference(self) -> tuple[Values, Values]:
        """All values of both sides, ascending with repeats, and F - G at each."""
        points = np.sort(np.concatenate([self.reference.ordered[0], self.current.ordered[0]]), kind="stable")
        f, g = (side.at_or_below(points) / side.n for side in (self.reference, self.current))
        return points, f - g

    @cached_property
    def n_distinct(self) -> int:
        """Distinct values of both sides together."""
        points, _ = self.difference
        return int(np.count_nonzero(points[1:] != points[:-1])) + 1

    @cached_property
    def ks(self) -> float:
        """Exact Kolmogorov-Smirnov distance."""
        return float(np.abs(self.difference[1]).max())

    @cached_property
    def wasserstein(self) -> float:
        """Exact first Wasserstein distance."""
        points, gap = self.difference
        return float(np.dot(np.abs(gap[:-1]), np.diff(points)))

    @cached_property
    def table(self) -> NDArray[np.int64]:
        """Rows of every value that occurs, ascending; shape (2, values)."""
        values = np.unique(np.concatenate([self.reference.distinct(), self.current.distinct()]))
        found = np.zeros((2, values.size), np.int64)
        for row, side in zip(found, (self.reference, self.current), strict=True):
            np.add.at(row, np.searchsorted(values, side.values), side.rows)
        return found
