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
        """From rows in their order, a multiple of ten."""
        if values.size % N_CHUNKS:
            raise ValueError(f"rows must be a multiple of {N_CHUNKS}, got {values.size}")
        chunk = np.arange(values.size) // (values.size // N_CHUNKS)
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
        """Values of both sides, ascending with repeats, and F - G; of repeats the last one's counts."""
        both = np.concatenate([self.reference.values, self.current.values])
        order = np.argsort(both)
        f = np.concatenate([self.reference.rows, np.zeros_like(self.current.rows)])
        g = np.concatenate([np.zeros_like(self.reference.rows), self.current.rows])
        return both[order], np.cumsum(f[order]) / self.reference.n - np.cumsum(g[order]) / self.current.n

    @cached_property
    def _last(self) -> NDArray[np.bool_]:
        """Where the next value is a larger one."""
        points, _ = self.difference
        return np.append(points[1:] > points[:-1], True)

    @cached_property
    def n_distinct(self) -> int:
        """Distinct values of both sides together."""
        return int(np.count_nonzero(self._last))

    @cached_property
    def ks(self) -> float:
        """Exact Kolmogorov-Smirnov distance."""
        return float(np.abs(self.difference[1][self._last]).max())

    @cached_property
    def wasserstein(self) -> float:
        """Exact first Wasserstein distance."""
        points, gap = self.difference
        return float(np.dot(np.abs(gap[:-1]), np.diff(points)))

    @cached_property
    def table(self) -> NDArray[np.int64]:
        """Rows of every value that occurs, ascending; shape (2, values)."""
        values = np.unique(np.concatenate([self.reference.values, self.current.values]))
        found = np.zeros((2, values.size), np.int64)
        for row, side in zip(found, (self.reference, self.current), strict=True):
            np.add.at(row, np.searchsorted(values, side.values), side.rows)
        return found
