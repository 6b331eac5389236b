"""GroupCounts: the rows of many groups, windows by slices, counted side by side over a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gpudrift.frames import Batch, Problem
from gpudrift.profiles.columns import Column
from gpudrift.profiles.counting import tallies
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.grid import Grid
from gpudrift.profiles.weights import squares_by_group
from gpudrift_kernels.backend import Backend
from gpudrift_kernels.grouping import Grouping, Tally


class Labels(Protocol):
    """Tells the group of each row."""

    @property
    def names(self) -> Sequence[str]:
        """Columns to read."""
        ...

    def keys(self, batch: Batch) -> NDArray[np.int64]:
        """Key of the group of each row; shape (n_rows,)."""
        ...


@dataclass(frozen=True, eq=False)
class GroupCounts:
    """Rows of each group by column and cell of a grid.

    Attributes
    ----------
    grid : Grid
    keys : ndarray of int64, ascending, shape (n_groups,)
        What the labels call each group.
    n_rows : ndarray of int64, shape (n_groups,)
    squares : tuple of int
        Sum of the squared weights of each group; zeros without weights.
    tables : mapping of int to Tally
        For the place of each column that could be counted, shape (n_groups, n_cells); in the smallest unsigned type
        that holds them, since there may be thousands of groups.
    """

    grid: Grid
    keys: NDArray[np.int64]
    n_rows: NDArray[np.int64]
    squares: tuple[int, ...]
    tables: Mapping[int, Tally]

    def counts(self, groups: NDArray[np.int64], problems: Sequence[Problem] = ()) -> Counts:
        """Counts of the rows of some groups, given by their places, together."""
        weighted = any(table.weights is not None for table in self.tables.values())
        return Counts.gather(
            self.grid.profile.profile_id,
            int(self.n_rows[groups].sum()),
            (
                (f, _summed(table.rows, groups), None if table.weights is None else _summed(table.weights, groups))
                for f, table in sorted(self.tables.items())
            ),
            weighted=weighted,
            squares=sum(self.squares[g] for g in groups.tolist()),
            problems=problems,
        )

    def joined(self, other: GroupCounts, own: NDArray[np.int64], theirs: NDArray[np.int64]) -> GroupCounts:
        """Groups each of which adds one of these to one of the other's, by place; a place of -1 adds nothing."""

        def added(one: NDArray[Any], two: NDArray[Any]) -> NDArray[Any]:
            total = np.zeros((own.size, *one.shape[1:]), np.int64)
            for table, places in ((one, own), (two, theirs)):
                total[places >= 0] += table[places[places >= 0]]
            return total

        tables = {}
        for f, table in self.tables.items():
            heavy, others = table.weights, other.tables[f].weights
            weights = None if heavy is None or others is None else added(heavy, others)
            tables[f] = Tally(added(table.rows, other.tables[f].rows), weights)
        pairs = zip(own.tolist(), theirs.tolist(), strict=True)
        squares = tuple((self.squares[a] if a >= 0 else 0) + (other.squares[b] if b >= 0 else 0) for a, b in pairs)
        n_rows = added(self.n_rows, other.n_rows)
        return GroupCounts(self.grid, np.arange(own.size), n_rows, squares, tables)


class GroupCounter:
    """Fills GroupCounts batch by batch: the ``groups`` of ``count_source``.

    Groups may appear in any order and any number of times; the result does not depend on it.
    """

    def __init__(self, grid: Grid, labels: Labels, backend: Backend) -> None:
        self._grid = grid
        self._labels = labels
        self._backend = backend
        self._places: dict[int, int] = {}
        self._n_rows = np.zeros(0, np.int64)
        self._squares: list[int] = []
        self._tables: dict[int, Tally] = {}
        self._usable: set[int] = set(range(len(grid.cells)))

    @property
    def names(self) -> Sequence[str]:
        """Columns that tell the groups."""
        return self._labels.names

    def add(self, batch: Batch, columns: Mapping[int, Column], weights: NDArray[np.int64] | None) -> None:
        """Count the rows of a batch; ``columns`` are those that can be counted, of the profile that the grid is of."""
        keys, groups, n_rows = np.unique(self._labels.keys(batch), return_inverse=True, return_counts=True)
        for key in keys.tolist():
            self._places.setdefault(key, len(self._places))
        places = np.array([self._places[key] for key in keys.tolist()], np.int64)
        n_groups = len(self._places)
        self._n_rows = _grown(self._n_rows, n_groups)
        self._n_rows[places] += n_rows
        grouping = Grouping(groups.astype(np.int32).reshape(-1), keys.size, weights)
        self._squares += [0] * (n_groups - len(self._squares))
        if weights is not None:
            for place, squares in zip(
                places.tolist(), squares_by_group(weights, grouping.groups, keys.size), strict=True
            ):
                self._squares[place] += squares
        self._usable &= set(columns)
        for f, tally in tallies(batch, columns, dict(enumerate(self._grid.cells)), grouping, self._backend):
            self._tables[f] = _added(self._tables.get(f), tally, places, n_groups)

    def finish(self) -> GroupCounts:
        """What was counted, with the groups in the order of their keys."""
        keys = np.array(list(self._places), np.int64)
        order = np.argsort(keys)
        tables = {}
        for f in sorted(self._tables):
            table = self._tables.pop(f)  # one at a time: all of them twice would not fit
            if f in self._usable:
                weights = None if table.weights is None else _grown(table.weights, keys.size)[order]
                tables[f] = Tally(_grown(table.rows, keys.size)[order], weights)
        squares = tuple(self._squares[g] for g in order.tolist())
        return GroupCounts(self._grid, keys[order], _grown(self._n_rows, keys.size)[order], squares, tables)


def _added(table: Tally | None, tally: Tally, places: NDArray[np.int64], n_groups: int) -> Tally:
    """The table with some rows added, in the smallest type that holds its largest number."""
    if table is None:
        n_cells = tally.rows.shape[1]
        weights = None if tally.weights is None else np.zeros((0, n_cells), np.int64)
        table = Tally(np.zeros((0, n_cells), _UNSIGNED[0]), weights)
    rows = _widened(_grown(table.rows, n_groups), int(table.rows.max(initial=0)) + int(tally.rows.max(initial=0)))
    rows[places] += tally.rows.astype(rows.dtype)
    if table.weights is None or tally.weights is None:
        return Tally(rows)
    weights = _grown(table.weights, n_groups)
    weights[places] += tally.weights
    return Tally(rows, weights)


def _widened(rows: NDArray[Any], most: int) -> NDArray[Any]:
    """In a type that holds ``most`` rows."""
    fitting = next((dtype for dtype in _UNSIGNED if most <= np.iinfo(dtype).max), np.int64)
    return rows.astype(fitting, copy=False) if np.iinfo(fitting).max > np.iinfo(rows.dtype).max else rows


def _grown(table: NDArray[np.int64], n_groups: int) -> NDArray[np.int64]:
    """The table with a row for each of so many groups."""
    if table.shape[0] == n_groups:
        return table
    larger = np.zeros((n_groups, *table.shape[1:]), table.dtype)
    larger[: table.shape[0]] = table
    return larger


def _summed(table: NDArray[np.int64], groups: NDArray[np.int64]) -> NDArray[np.int64]:
    total: NDArray[np.int64] = table[groups].sum(axis=0, dtype=np.int64)
    return total


#: Types of a table, the smallest first.
_UNSIGNED = (np.uint16, np.uint32)
