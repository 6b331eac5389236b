"""Grid: a coarser profile, over which thousands of windows and slices are counted side by side.

A profile has some ten thousand cells a column; a grid has a few hundred, each a run of them that lies within one PSI
bin. PSI, Jensen-Shannon and all that is taken from bins or categories stay the same to the last bit, but where
categories are in their thousands and the rarer ones share a cell; the certified interval of KS widens to about 1/256,
and 1/128 at most, where values repeat.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gpudrift.profiles.columns import CategoricalColumn, Column, Counted, NumericColumn, Pooled
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.extent import extent
from gpudrift.profiles.reference_profile import Profile
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import index_of
from gpudrift_kernels.rules import N_SPECIAL

#: What the id of a grid has behind that of the profile it was made from.
_OF_GRID: Final = "/grid"
#: Shares of the reference that the cells of a grid hold, about.
_PARTS: Final = 256
#: Cells within the outermost shares, in even steps of the plan's cells.
_TAIL_CELLS: Final = 16
#: Categories that all keep a cell of their own.
_MOST_CATEGORIES: Final = 4096
#: Rows from which a category keeps its own among more: chance moves them by 3%.
_CERTAIN_ROWS: Final = 1000


@dataclass(frozen=True, eq=False)
class Grid:
    """A profile over coarser cells.

    Attributes
    ----------
    profile : Profile
        Compares counts over the grid, as the profile that it was made from compares its own.
    cells : tuple of ndarray of int32
        For each column the grid's cell of each counter; from 0, ascending for numbers, and the last is that of the
        last counter.
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
        profile_id = profile.profile_id + _OF_GRID
        plans = tuple(column for column, _ in made)
        reference = replace(reference, profile_id=profile_id)
        return cls(replace(profile, profile_id=profile_id, plans=plans, reference=reference), cells)

    @property
    def n_cells(self) -> tuple[int, ...]:
        """Cells of each column, those of missing and infinite values included."""
        return tuple(int(lookup[-1]) + 1 for lookup in self.cells)


def id_without_grid(profile_id: str) -> str:
    """The id of a profile, from its own or from that of its grid, which windows of a report are counted over.

    Examples
    --------
    >>> id_without_grid("5f3a"), id_without_grid("5f3a/grid")
    ('5f3a', '5f3a')
    """
    return profile_id.removesuffix(_OF_GRID)


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
    found: list[Any] = [np.zeros(1, np.int64), column.bin_starts]
    if indices.size:
        n = int(rows.sum())
        rank = -(-np.arange(1, _PARTS) * n // _PARTS)
        parts = indices[np.searchsorted(np.cumsum(rows), rank)] + 1
        atoms = indices[rows * _PARTS >= n]
        first, last = int(indices[0]), int(indices[-1])
        tails = ((first, int(parts[0])), (int(parts[-1]), last + 1))
        steps = [np.linspace(start, stop, _TAIL_CELLS).astype(np.int64) for start, stop in tails]
        found += [parts, atoms, atoms + 1, *steps, [first, last + 1], _outside(column.plan, first, last)]
    starts: NDArray[np.int64] = np.unique(np.concatenate(found))
    return starts[starts < column.plan.n_index]


def _outside(plan: CellPlan, first: int, last: int) -> NDArray[np.int64]:
    """Indices of steps away from the reference: halves of a doubling of its range, up to a million of them.

    What lies beyond the reference is then known to a fifth of its distance.
    """
    reach = extent(np.array([first, last]), plan)
    low, high = reach.first[0].item(), reach.last[1].item()
    limits = np.iinfo(plan.dtype) if plan.wide else np.finfo(plan.dtype)
    span = (high - low) or abs(high) or 1
    halves = [2 ** (k / 2) - 1 for k in range(1, 41)] + [2.0**k for k in range(32, 1024, 128)]
    steps = [int(q * 64) * span // 64 if plan.wide else min(q * span, float(limits.max)) for q in halves]
    values = [
        min(max(end + sign * step, limits.min), limits.max) for end, sign in ((low, -1), (high, 1)) for step in steps
    ]
    return index_of(np.unique(np.array(values, plan.dtype)), plan)


def _pooled(column: CategoricalColumn, counted: Counted) -> tuple[CategoricalColumn, NDArray[np.int32]]:
    """Each category keeps a cell; among thousands only the frequent do, and the others share one.

    Which are frequent, chance must not decide: a pool of those that happen to be rare in the reference would differ
    from a window without drift. So it is tested together with what is new, as its mirror image.
    """
    size = len(column.vocabulary)
    if size <= _MOST_CATEGORIES:
        return column, np.arange(size + 2, dtype=np.int32)
    frequency = np.zeros(size, np.int64)
    known = counted[0] < size
    frequency[counted[0][known]] = counted[1][known]
    frequent = frequency >= max(int(frequency.sum()) / _PARTS, _CERTAIN_ROWS)
    kept = np.flatnonzero(frequent)
    lookup = np.full(size + 2, kept.size, np.int32)
    lookup[kept] = np.arange(kept.size)
    lookup[size:] = kept.size + 1 + np.arange(2)
    label = pa.array([f"{size - kept.size:,} rarer categories"], pa.large_string())
    vocabulary = pa.concat_arrays([column.vocabulary.take(pa.array(kept)), label])
    once, twice = (int(np.count_nonzero(frequency == times)) for times in (1, 2))
    return replace(column, vocabulary=vocabulary, pooled=Pooled(kept.size, once, twice)), lookup
