"""Grid: a coarser profile, over which thousands of windows and slices are counted side by side.

A profile has some ten thousand cells a column; a grid has a few hundred, each a run of them that lies within one PSI
bin. PSI, Jensen-Shannon and all that is taken from bins or categories stay the same to the last bit, but where more
than 256 categories share cells; the certified interval of KS widens to about 1/256, and 1/128 at most, where values
repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gpudrift.profiles.columns import CategoricalColumn, Column, Counted, NumericColumn
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.reference_profile import Profile
from gpudrift_kernels.rules import N_SPECIAL

#: Shares of the reference that the cells of a grid hold, about, and categories that keep a cell of their own.
_PARTS: Final = 256
#: Cells of a grid on either side of the outermost parts: the plan's cells widen with the distance from the centre, so
#: even steps in their number are steps in the order of magnitude.
_TAIL_CELLS: Final = 16


@dataclass(frozen=True, eq=False)
class Grid:
    """A profile over coarser cells.

    Attributes
    ----------
    profile : Profile
        Compares counts over the grid, as the profile that it was made from compares its own.
    cells : tuple of ndarray of int32
        For each column the grid's cell of each counter; ascending in numbers, from 0.
    """

    profile: Profile
    cells: tuple[NDArray[np.int32], ...]

    @classmethod
    def of(cls, profile: Profile) -> Grid:
        """The grid of a profile."""
        made = [_on_grid(column, profile.reference.column(f)) for f, column in enumerate(profile.plans)]
        cells = tuple(lookup for _, lookup in made)
        reference = regridded(profile.reference, cells)
        # An id of its own: counts of the one are no counts of the other.
        profile_id = f"{profile.profile_id}/grid"
        plans = tuple(column for column, _ in made)
        reference = replace(reference, profile_id=profile_id)
        return cls(replace(profile, profile_id=profile_id, plans=plans, reference=reference), cells)

    @property
    def n_cells(self) -> tuple[int, ...]:
        """Cells of each column, those of missing and infinite values included."""
        return tuple(int(lookup[-1]) + 1 for lookup in self.cells)


def regridded(counts: Counts, cells: tuple[NDArray[np.int32], ...]) -> Counts:
    """Counts of a profile over its grid."""

    def dense(f: int, counters: NDArray[np.int64], amounts: NDArray[np.int64]) -> NDArray[np.int64]:
        total = np.zeros(int(cells[f][-1]) + 1, np.int64)
        np.add.at(total, cells[f][counters], amounts)
        return total

    return Counts.gather(
        counts.profile_id,
        counts.n_rows,
        (
            (f, dense(f, *counts.column(f)), None if (heavy := counts.weight(f)) is None else dense(f, *heavy))
            for f in range(len(cells))
        ),
        weighted=counts.weights is not None,
        squares=counts.squares,
        problems=counts.problems,
    )


def _on_grid(column: Column, counted: Counted) -> tuple[Column, NDArray[np.int32]]:
    if isinstance(column, CategoricalColumn):
        return _pooled(column, counted)
    starts = _starts(column, column.value_counts(counted))
    lookup = np.searchsorted(starts, np.arange(column.plan.n_index), side="right") - 1
    special = starts.size + np.arange(N_SPECIAL)
    return replace(column, cells=starts), np.append(lookup, special).astype(np.int32)


def _starts(column: NumericColumn, counted: Counted) -> NDArray[np.int64]:
    """First index of each cell: the PSI bins, equal shares of the reference, its atoms, and steps of its tails."""
    indices, rows = counted
    end = column.plan.n_index
    found = [np.zeros(1, np.int64), column.bin_starts]
    if indices.size:
        n = int(rows.sum())
        rank = -(-np.arange(1, _PARTS) * n // _PARTS)
        parts = indices[np.searchsorted(np.cumsum(rows), rank)] + 1
        atoms = indices[rows * _PARTS >= n]
        first, last = int(indices[0]), int(indices[-1])
        tails = ((0, first), (first, int(parts[0])), (int(parts[-1]), last + 1), (last + 1, end))
        steps = [np.linspace(start, stop, _TAIL_CELLS).astype(np.int64) for start, stop in tails]
        found += [parts, atoms, atoms + 1, *steps]
    starts: NDArray[np.int64] = np.unique(np.concatenate(found))
    return starts[starts < end]


def _pooled(column: CategoricalColumn, counted: Counted) -> tuple[CategoricalColumn, NDArray[np.int32]]:
    """The most frequent categories keep a cell; the others share some, by descending frequency; then new, missing."""
    size = len(column.vocabulary)
    if size <= _PARTS:
        return column, np.arange(size + 2, dtype=np.int32)
    frequency = np.zeros(size, np.int64)
    known = counted[0] < size
    frequency[counted[0][known]] = counted[1][known]
    order = np.argsort(-frequency, kind="stable")
    kept, rest = np.sort(order[: _PARTS // 2]), order[_PARTS // 2 :]
    reached = np.cumsum(frequency[rest])
    # At most half the parts again, of about equal shares, numbered by descending frequency.
    share = (reached - frequency[rest]) * (_PARTS // 2) // max(int(reached[-1]), 1)
    _, pool = np.unique(share, return_inverse=True)
    lookup = np.empty(size + 2, np.int32)
    lookup[kept] = np.arange(kept.size)
    lookup[rest] = kept.size + pool
    n_pools = int(pool[-1]) + 1
    lookup[size:] = kept.size + n_pools + np.arange(2)
    labels = [f"{int(n):,} categories, pool {k + 1}" for k, n in enumerate(np.bincount(pool))]
    vocabulary = pa.concat_arrays([column.vocabulary.take(pa.array(kept)), pa.array(labels, pa.large_string())])
    once, twice = (int(np.count_nonzero(frequency == times)) for times in (1, 2))
    return replace(column, vocabulary=vocabulary, seen=(once, twice)), lookup
