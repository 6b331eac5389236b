"""Sections: counts of a table by window and slice, which answer for any range of either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Batch, Problem
from gpudrift.monitor.drift_table import GroupTable
from gpudrift.monitor.slices import SliceLabels
from gpudrift.monitor.windows import NO_WINDOW, Range, Span, WindowLabels, check_number
from gpudrift.period import Period
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.group_counts import GroupCounts


@dataclass
class SectionLabels:
    """The group of each row: its window, its slice, or both at once."""

    windows: WindowLabels | None
    slices: SliceLabels | None
    period: Period | None
    _ordinals: dict[int, int] = field(default_factory=dict)

    @property
    def names(self) -> Sequence[str]:
        """Columns to read."""
        return [*(self.windows.names if self.windows else ()), *(self.slices.names if self.slices else ())]

    def keys(self, batch: Batch) -> NDArray[np.int64]:
        """Ordinal of the window, times the number of slices, plus the place of the slice."""
        window = np.zeros(batch.n_rows, np.int64)
        if self.windows is not None and self.period is not None:
            found, inverse = np.unique(self.windows.keys(batch), return_inverse=True)
            for key in found.tolist():
                self._ordinals.setdefault(key, len(self._ordinals))
            check_number(len(self._ordinals), self.period)
            window = np.array([self._ordinals[key] for key in found.tolist()], np.int64)[inverse.reshape(-1)]
        return window if self.slices is None else window * self.slices.n_slices + self.slices.places(batch)

    def sections(self, counts: GroupCounts, problems: Sequence[Problem]) -> Sections:
        """What was counted by these labels."""
        n_slices = self.slices.n_slices if self.slices else 1
        window_keys = np.array(list(self._ordinals) or [0], np.int64)
        order = np.argsort(window_keys)
        rank = np.argsort(order)  # of the window of each ordinal, in time
        place = np.full((window_keys.size, n_slices), -1, np.int64)
        place[rank[counts.keys // n_slices], counts.keys % n_slices] = np.arange(counts.keys.size)
        keys = window_keys[order]
        without = int(self.windows is not None and keys.size > 0 and keys[0] == NO_WINDOW)
        kept = keys[without:]
        remarks = [
            *(self.windows.problems(kept) if self.windows else ()),
            *(self.slices.problems() if self.slices else ()),
        ]
        return Sections(
            counts=counts,
            place=place,
            first=without,
            spans=tuple(self.windows.spans(kept)) if self.windows else (),
            keys=kept,
            by_time=self.period is not None and not self.period.is_rows,
            slices=self.slices,
            problems=tuple(problems),
            remarks=tuple(remarks),
        )


@dataclass(frozen=True, eq=False)
class Sections:
    """Rows by window and slice.

    Attributes
    ----------
    counts : GroupCounts
    place : ndarray of int64, shape (n_windows, n_slices)
        Place of each section in ``counts``; -1 where it has no row. Rows without a window come first.
    first : int
        The first window: 1 where there are rows without one.
    spans : tuple of Span
        Of the windows, in time; empty where rows have none.
    keys : ndarray of int64, ascending
        Of the windows: microseconds of wall-clock time at their start, where ``by_time``.
    by_time : bool
    slices : SliceLabels, optional
    problems : tuple of Problem
        Columns that could not be counted.
    remarks : tuple of Problem
        What was odd about times and slices.
    """

    counts: GroupCounts
    place: NDArray[np.int64]
    first: int
    spans: tuple[Span, ...]
    keys: NDArray[np.int64]
    by_time: bool
    slices: SliceLabels | None
    problems: tuple[Problem, ...]
    remarks: tuple[Problem, ...]

    @property
    def n_rows(self) -> NDArray[np.int64]:
        """Rows of each section, without those of no window; int64, shape (n_windows, n_slices)."""
        place = self.place[self.first :]
        return np.where(place < 0, 0, self.counts.n_rows[place])

    def __add__(self, other: Sections) -> Sections:
        """Rows of both: a late one joins its window.

        Raises
        ------
        DataError
            They are of different profiles or slices, or of windows that are no stretches of time.
        """
        if not (self.by_time and other.by_time):
            raise DataError("only windows of time can be added; name the column of times and a window such as 1d")
        slices, columns = _common_slices(self.slices, other.slices)
        one, two = self.counts, other.counts
        if one.grid.profile.profile_id != two.grid.profile.profile_id or one.tables.keys() != two.tables.keys():
            raise DataError("windows of different profiles or columns cannot be added; count both with one profile")
        all_keys = [np.append([NO_WINDOW] * side.first, side.keys).astype(np.int64) for side in (self, other)]
        keys = np.union1d(*all_keys)
        n_slices = slices.n_slices if slices else 1
        places = [np.full((keys.size, n_slices), -1, np.int64) for _ in all_keys]
        for place, own, side, at in zip(places, all_keys, (self, other), columns, strict=True):
            place[np.ix_(np.searchsorted(keys, own), at)] = side.place
        some = (places[0] >= 0) | (places[1] >= 0)
        place = np.where(some, np.cumsum(some).reshape(some.shape) - 1, -1)
        groups = [side[some] for side in places]
        spans = dict(zip([*self.keys.tolist(), *other.keys.tolist()], self.spans + other.spans, strict=True))
        first = int(keys[0] == NO_WINDOW)
        return replace(
            self,
            counts=one.joined(two, *groups),
            place=place,
            first=first,
            keys=keys[first:],
            spans=tuple(spans[key] for key in keys[first:].tolist()),
            slices=slices,
            problems=tuple(dict.fromkeys(self.problems + other.problems)),
            remarks=tuple(dict.fromkeys(self.remarks + other.remarks)),
        )

    def of(self, *, windows: slice | None = None, place: int | None = None) -> Counts:
        """Counts over the grid of a range of windows (all rows, if None), of one slice or of all."""
        chosen = self.place if windows is None else self.place[self.first :][windows]
        groups = (chosen if place is None else chosen[:, place]).reshape(-1)
        return self.counts.counts(groups[groups >= 0], self.problems)

    def tables(self, ranges: Sequence[Range], place: int | None = None) -> dict[int, GroupTable]:
        """Rows of each range of windows by the place of the column, of one slice or of all."""
        chosen = self.place[self.first :] if self.spans else self.place
        chosen = chosen if place is None else chosen[:, place : place + 1]
        first, last = (np.array([of[end] for of in ranges], np.int64) for end in (0, 1))
        squares = np.array([0 if g < 0 else self.counts.squares[g] for g in chosen.reshape(-1).tolist()], object)
        squares = _between(squares.reshape(chosen.shape).sum(axis=1), first, last)
        found = {}
        for f, table in self.counts.tables.items():
            rows = _between(_by_window(table.rows, chosen), first, last)
            effective = rows
            if table.weights is not None:
                weights = _between(_by_window(table.weights, chosen), first, last)
                total = weights.sum(axis=1)
                n_effective = np.array(
                    [t**2 / max(s, 1) for t, s in zip(total.tolist(), squares.tolist(), strict=True)]
                )
                effective = weights * (n_effective / np.maximum(total, 1))[:, None]
            found[f] = GroupTable(rows, effective)
        return found


def _common_slices(
    one: SliceLabels | None, other: SliceLabels | None
) -> tuple[SliceLabels | None, list[NDArray[np.int64]]]:
    """The slices of two tables, which come in the order of their sizes, and the places of each one's among them."""
    if one is None or other is None:
        if one is not other:
            raise DataError("windows with slices and without cannot be added; count both alike")
        return None, [np.zeros(1, np.int64)] * 2
    if one.names != other.names or (one != other and (one.n_pooled or other.n_pooled)):
        raise DataError("windows of other slices, or of pooled ones, cannot be added; raise max_slices to keep all")
    slices = replace(one, slices=tuple(dict.fromkeys(one.slices + other.slices)))
    place = {label: k for k, label in enumerate(slices.slices)}
    return slices, [np.array([*(place[label] for label in side.slices), len(place)]) for side in (one, other)]


def _by_window(table: NDArray[np.int64], chosen: NDArray[np.int64]) -> NDArray[np.int64]:
    """Sum over the slices that are chosen, shape (n_windows, n_cells)."""
    if chosen.shape[1] == 1:
        rows: NDArray[np.int64] = table[chosen[:, 0]]
        rows[chosen[:, 0] < 0] = 0
        return rows
    total = np.zeros((chosen.shape[0], table.shape[1]), np.int64)
    for groups in chosen.T:
        some = groups >= 0
        total[some] += table[groups[some]]
    return total


def _between(by_window: NDArray[Any], first: NDArray[np.int64], last: NDArray[np.int64]) -> NDArray[Any]:
    """Sums of windows first to last (not included) of each range."""
    if np.all(last - first == 1):
        return by_window if first.size == by_window.shape[0] else by_window[first]
    upto = np.cumsum(by_window, axis=0, dtype=object if by_window.dtype == object else np.int64)
    upto = np.concatenate([np.zeros_like(upto[:1]), upto])
    return np.asarray(upto[last] - upto[first])
