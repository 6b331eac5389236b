"""The shares of rows that a monitor watches, each with an interval that its true value lies in."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.profiles import Counts, Profile
from gpudrift.profiles.bins import bin_counts
from gpudrift.profiles.columns import CategoricalColumn, Column, Counted, NumericColumn
from gpudrift.profiles.grid import Grid

#: Share of the reference below which a category is watched together with all other such ones.
_SMALLEST_CATEGORY: Final = 0.01

#: Good-Turing's estimate of the share of values that a sample does not hold is too small by more than
#: this times sqrt(ln(3 / delta) / n) with a probability of at most delta: McAllester and Schapire (2000).
_UNSEEN: Final = 2.0 * math.sqrt(2.0) + math.sqrt(3.0)


@dataclass(frozen=True, eq=False)
class WatchedShares:
    """Sets of rows of one column, and the hits that counts hold in each.

    Of numbers: the PSI bins, and all below each of their edges but the outermost. Of categories: each with at least
    1% of the reference, all others together, and those unseen in the reference. Of both: rows without a value, of all
    rows; the others are shares of the rows with one.

    Attributes
    ----------
    feature : str
    place : int
        Of the column in the profile.
    column : Column
    kept : ndarray of int64
        Categories watched alone; empty for numbers.
    """

    feature: str
    place: int
    column: Column
    kept: NDArray[np.int64]

    @classmethod
    def of(cls, profile: Profile, place: int) -> WatchedShares:
        """Those of a column of a profile."""
        column = profile.plans[place]
        kept = np.empty(0, np.int64)
        if isinstance(column, CategoricalColumn):
            indices, rows = profile.reference.column(place)
            known = indices < len(column.vocabulary)
            frequent = rows[known] >= max(_SMALLEST_CATEGORY * int(rows.sum()), 1)
            kept = indices[known][frequent]
        return cls(column.name, place, column, kept)

    def on(self, grid: Grid) -> WatchedShares:
        """The same sets in counts over the grid: edges of bins are edges of its cells, frequent categories keep one."""
        kept = grid.cells[self.place][self.kept].astype(np.int64) if self.kept.size else self.kept
        return replace(self, column=grid.profile.plans[self.place], kept=kept)

    def hits(self, counts: Counts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rows in each set, and the rows it is a share of."""
        counted = counts.column(self.place)
        if isinstance(self.column, NumericColumn):
            return _numeric(self.column, counted)
        return _categorical(self.column, self.kept, counted)

    def bounds(self, reference: Counts, delta: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper limit of each share; any true one lies outside with a probability of at most ``delta``.

        Chernoff's bound n kl(r / n, p) <= ln(1 / delta) on either side, with one row more or less, since the edges of
        the bins are order statistics of the same rows. Without rows: 0 and 1.
        """
        hits, rows = self.hits(reference)
        # at most 1 / 0.01 categories can be as frequent as the ones picked, whichever they are
        n_tests = 2.0 * max(hits.size, 1.0 / _SMALLEST_CATEGORY if self.kept.size else 0.0)
        nats = math.log(n_tests / delta)
        upper = _furthest(np.minimum(hits + 1, rows), rows, nats)
        lower = 1.0 - _furthest(np.minimum(rows - hits + 1, rows), rows, nats)
        if isinstance(self.column, CategoricalColumn):
            n = int(rows[-2])
            once = int(np.count_nonzero(_vocabulary_rows(self.column, reference.column(self.place)) == 1))
            unseen = once / n + _UNSEEN * math.sqrt((nats + math.log(3.0)) / n) if n else 1.0
            upper[-2], lower[-2] = (1.0 if self.column.truncated else min(1.0, unseen)), 0.0
        return lower, upper


def watched_shares(profile: Profile) -> list[WatchedShares]:
    """Of every column that takes part in a verdict: not of one that looks like an index, unless it was named."""
    return [
        WatchedShares.of(profile, place)
        for place, column in enumerate(profile.plans)
        if column.name in profile.explicit or not (column.unique or column.grows)
    ]


def _numeric(column: NumericColumn, counted: Counted) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    bins = bin_counts(column.bin_starts, *column.value_counts(counted))
    below = np.cumsum(bins)
    values, rows = int(below[-1]), int(counted[1].sum())
    # below the first edge lies the first bin, above the last edge the last one
    hits = np.concatenate([bins, below[1:-2], [rows - values]])
    return hits, np.append(np.full(hits.size - 1, values), rows)


def _categorical(
    column: CategoricalColumn, kept: NDArray[np.int64], counted: Counted
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    dense = np.zeros(column.n_counters, np.int64)
    dense[counted[0]] = counted[1]
    rows, missing, new = int(dense.sum()), int(dense[-1]), int(dense[-2])
    values = rows - missing
    hits = np.concatenate([dense[kept], [values - int(dense[kept].sum()), new, missing]])
    return hits, np.append(np.full(hits.size - 1, values), rows)


def _vocabulary_rows(column: CategoricalColumn, counted: Counted) -> NDArray[np.int64]:
    return counted[1][counted[0] < len(column.vocabulary)]


def _furthest(hits: NDArray[np.int64], rows: NDArray[np.int64], nats: float) -> NDArray[np.float64]:
    """Largest p with n kl(hits / n, p) <= nats, from the safe side; 1 without rows."""
    share = hits / np.maximum(rows, 1)
    low, high = share, np.ones(share.size)
    for _ in range(50):
        middle = 0.5 * (low + high)
        with np.errstate(divide="ignore", invalid="ignore"):
            kept = np.where(share > 0.0, share * np.log(share / middle), 0.0)
            left = np.where(share < 1.0, (1.0 - share) * np.log((1.0 - share) / (1.0 - middle)), 0.0)
        beyond = rows * (kept + left) > nats
        low, high = np.where(beyond, low, middle), np.where(beyond, middle, high)
    return high
