"""Which window each row belongs to: by calendar time, by a number of rows, in any order of the input."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, Final, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Batch, Problem, Source, held_type, require_columns, type_name
from gpudrift.monitor.wall_clock import NO_TIME, WallClock, counted_rows, from_ticks, shown
from gpudrift.period import Period

#: Key of the rows that belong to no window.
NO_WINDOW: Final = NO_TIME
#: More windows than anybody looks at, and than fit in memory beside hundreds of columns.
_MOST_WINDOWS: Final = 20_000

#: Start and end (not included) of a window: times, or row numbers where there is no time.
Span = tuple[Any, Any]
#: Base windows, first to last (not included).
Range = tuple[int, int]


class WindowLabels(Protocol):
    """Tells the window of each row."""

    @property
    def names(self) -> Sequence[str]:
        """Columns to read."""
        ...

    def keys(self, batch: Batch) -> NDArray[np.int64]:
        """Key of the window of each row, ascending in time; ``NO_WINDOW`` where it has none."""
        ...

    def spans(self, keys: NDArray[np.int64]) -> list[Span]:
        """Start and end of the windows of ascending keys."""
        ...

    def problems(self, keys: NDArray[np.int64]) -> list[Problem]:
        """What to know of the times that were read."""
        ...


def window_labels(
    source: Source, role: str, period: Period, *, time: str | None, zone: str | None, now: datetime | None
) -> WindowLabels:
    """Labels of the windows of a source.

    Parameters
    ----------
    period : Period
        Length of a window.
    time : str, optional
        Column of timestamps or dates; needed unless windows are of rows, whose order it is then.
    zone : str, optional
        Time zone of the wall clock that windows follow; that of the column by default.
    now : datetime, optional
        Later times are named. One without a zone is on the same wall clock.

    Raises
    ------
    DataError
        No such column, or one that holds no times; an unknown zone.
    """
    if time is None:
        if not period.is_rows:
            raise DataError(f"windows of {period} need a time column; name it, or count windows in rows")
        return RowLabels(period.count)
    require_columns(source, [time], role)
    dtype = source.types.get(time)
    if dtype is None or not (pt.is_timestamp(dtype := held_type(dtype)) or pt.is_date(dtype)):
        held = "cannot be read" if dtype is None else f"is {type_name(dtype)}"
        raise DataError(f"time {time!r} {held} in the {role} data; convert it to timestamps or dates")
    clock = WallClock(time, zone or (dtype.tz if pt.is_timestamp(dtype) else None), now)
    return RankLabels(clock, source, period) if period.is_rows else TimeLabels(clock, period)


@dataclass
class TimeLabels:
    """Windows that begin where the calendar's do; the key is the start in microseconds of wall-clock time.

    An hour that the clock shows twice is one window; one that it skips is none.
    """

    clock: WallClock
    period: Period
    n_late: int = 0
    _newest: int = NO_WINDOW
    _latest: int = NO_WINDOW

    @property
    def names(self) -> Sequence[str]:
        return [self.clock.name]

    def keys(self, batch: Batch) -> NDArray[np.int64]:
        instant, local = self.clock.read(batch.columns[self.clock.name])
        stamps = pa.array(local, mask=local == NO_TIME).cast(pa.timestamp("us"))
        starts = pc.floor_temporal(stamps, self.period.count, self.period.unit)
        keys = np.asarray(starts.cast(pa.int64()).fill_null(NO_WINDOW))
        newest = np.maximum(np.maximum.accumulate(keys), self._newest)
        latest = np.maximum(np.maximum.accumulate(instant), self._latest)
        # The wall clock alone goes back once a year.
        self.n_late += int(np.count_nonzero((keys < newest) & (instant < latest) & (keys != NO_WINDOW)))
        if keys.size:
            self._newest, self._latest = int(newest[-1]), int(latest[-1])
        return keys

    def spans(self, keys: NDArray[np.int64]) -> list[Span]:
        zone = self.clock.zone
        return [(shown(start, zone), shown(self.period.after(start), zone)) for start in self._starts(keys)]

    def problems(self, keys: NDArray[np.int64]) -> list[Problem]:
        found = self.clock.problems()
        if self.n_late:
            what = f"is not in order, with {counted_rows(self.n_late)} after those of a later window"
            found.append(Problem(self.clock.name, what, "nothing to do: they count in their own window"))
        missing, empty = [], 0
        for one, other in pairwise(self._starts(keys)):
            if skipped := self._skipped(one, other):
                empty += skipped
                missing.append(shown(self.period.after(one), self.clock.zone))
        if empty:
            listed = ", ".join(str(start) for start in missing[:3]) + (", ..." if empty > min(len(missing), 3) else "")
            what = f"has no row in {empty:,} window{'s' if empty > 1 else ''} of {self.period} (from {listed})"
            found.append(Problem(self.clock.name, what, "check whether data were lost there"))
        return found

    def _starts(self, keys: NDArray[np.int64]) -> list[datetime]:
        """Of windows, on the wall clock."""
        return [from_ticks(key) for key in keys.tolist()]

    def _skipped(self, one: datetime, other: datetime) -> int:
        """Windows between the starts of two, without those of an hour that the clock skips."""
        steps = self.period.steps(one, other) - 1
        if not steps or self.clock.zone is None or self.period.unit in ("month", "quarter", "year"):
            return steps
        passed = shown(other, self.clock.zone).astimezone(UTC) - shown(self.period.after(one), self.clock.zone)
        return min(steps, -(-passed // timedelta(seconds=self.period.seconds)))


@dataclass
class RowLabels:
    """So many rows after each other; the key is the number of the window."""

    count: int
    n_rows: int = 0

    @property
    def names(self) -> Sequence[str]:
        return []

    def keys(self, batch: Batch) -> NDArray[np.int64]:
        first, self.n_rows = self.n_rows, self.n_rows + batch.n_rows
        return np.arange(first, self.n_rows) // self.count

    def spans(self, keys: NDArray[np.int64]) -> list[Span]:
        return [(key * self.count, min((key + 1) * self.count, self.n_rows)) for key in keys.tolist()]

    def problems(self, keys: NDArray[np.int64]) -> list[Problem]:
        return []


@dataclass
class RankLabels:
    """So many rows after each other in the order of time, and those of the same time as the last of them.

    So that neither the order of the input decides where a row belongs, nor two windows hold one time.
    """

    clock: WallClock
    source: Source = field(repr=False)
    period: Period
    _window: NDArray[np.int64] | None = field(default=None, repr=False)
    _starts: list[int] = field(default_factory=list, repr=False)
    _largest: int = 0
    _first: int = 0

    @property
    def names(self) -> Sequence[str]:
        return []

    def keys(self, batch: Batch) -> NDArray[np.int64]:
        if self._window is None:
            self._window = self._ranked()
        first, self._first = self._first, self._first + batch.n_rows
        return self._window[first : self._first]

    def spans(self, keys: NDArray[np.int64]) -> list[Span]:
        moments = [self.clock.moment(start) for start in self._starts]
        return [(moments[key], moments[key + 1]) for key in keys.tolist()]

    def problems(self, keys: NDArray[np.int64]) -> list[Problem]:
        found = self.clock.problems()
        if self._largest > self.period.count:
            what = f"is the same in many rows, which stay together: windows hold up to {self._largest:,} rows"
            found.append(Problem(self.clock.name, what, f"nothing to do, or cut windows by time, not {self.period}"))
        window = np.empty(0, np.int64) if self._window is None else self._window[self._window != NO_WINDOW]
        if np.any(window[1:] < window[:-1]):
            found.append(Problem(self.clock.name, "is not in order", "nothing to do: rows are taken in its order"))
        return found

    def _ranked(self) -> NDArray[np.int64]:
        """Window of each row; fills in the instants at which windows start, and that at which the last ends."""
        batches = self.source.batches([self.clock.name])
        read = [self.clock.read(batch.columns[self.clock.name]).instant for batch in batches]
        instants = np.concatenate([np.empty(0, np.int64), *read])
        times, rows = np.unique(instants[instants != NO_TIME], return_counts=True)
        window = np.full(instants.size, NO_WINDOW)
        if not times.size:
            return window
        before = np.append(0, np.cumsum(rows))
        cuts = [0]
        while cuts[-1] < times.size:
            check_number(len(cuts), self.period)
            cut = np.searchsorted(before, before[cuts[-1]] + self.period.count)
            cuts.append(min(int(cut), times.size))
        starts = times[cuts[:-1]]
        self._starts = [*starts.tolist(), int(times[-1]) + 1]
        self._largest = int(np.diff(before[cuts]).max())
        placed = np.searchsorted(starts, instants, side="right") - 1
        return np.where(instants == NO_TIME, window, placed)


def window_ranges(spans: Sequence[Span], window: Period, every: Period, *, expanding: bool) -> dict[Span, Range]:
    """The windows to report, and the base windows, first to last (not included), that each is made of.

    Windows that overlap are reported once they are whole, those that end where there is no row too.
    """
    if not spans:
        return {}
    if expanding:
        return {(spans[0][0], end): (0, k + 1) for k, (_, end) in enumerate(spans)}
    if window == every:
        return {span: (k, k + 1) for k, span in enumerate(spans)}
    if window.is_rows:
        n = window.count // every.count
        return {(spans[k - n][0], spans[k - 1][1]): (k - n, k) for k in range(n, len(spans) + 1)}
    zone, starts, ranges = spans[0][0].tzinfo, _wall_clock_starts(spans, every), {}
    for k, start in enumerate(starts):
        end = every.after(start)
        upto = starts[k + 1] if k + 1 < len(starts) else end
        while end <= upto and (first := window.before(end)) <= start:
            if first >= starts[0]:
                ranges[shown(first, zone), shown(end, zone)] = (bisect_left(starts, first), k + 1)
                check_number(len(ranges), every)
            end = every.after(end)
    return ranges


def ranges_before(spans: Sequence[Span], of: Mapping[Span, Range], window: Period, every: Period) -> dict[Span, Range]:
    """The base windows of the window before, for each that has one: of the same length, right before its start.

    Where no row lies there, of the last one before that has rows.
    """
    if window == every or window.is_rows:
        return {span: (2 * first - last, first) for span, (first, last) in of.items() if 2 * first >= last}
    starts, before = _wall_clock_starts(spans, every), {}
    for span, end in zip(of, _wall_clock_starts(list(of), every), strict=True):
        last = bisect_left(starts, end)
        if last and (empty := window.steps(starts[last - 1], end) - 1) > 0:
            end = replace(window, count=empty * window.count).before(end)
        while last and (start := window.before(end)) >= starts[0]:
            if start <= starts[last - 1]:
                before[span] = bisect_left(starts, start), last
                break
            end = start
    return before


def _wall_clock_starts(spans: Sequence[Span], every: Period) -> list[datetime]:
    """Where windows begin on a wall clock that skips nothing: one that begins in an hour skipped is shown later."""
    shown_starts = pa.array([start.replace(tzinfo=None) for start, _ in spans], pa.timestamp("us"))
    starts = pc.floor_temporal(shown_starts, every.count, every.unit)
    return [from_ticks(tick) for tick in starts.cast(pa.int64()).to_pylist()]


def check_number(n_windows: int, period: Period) -> None:
    """Raise DataError where windows are too many to be looked at."""
    if n_windows > _MOST_WINDOWS:
        raise DataError(f"{period} gives more than {_MOST_WINDOWS:,} windows; make them longer")
