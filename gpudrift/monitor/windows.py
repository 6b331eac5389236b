"""Which window each row belongs to: by calendar time, by a number of rows, in any order of the input."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import pairwise
from typing import Any, Final, Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Batch, Problem, Raw, Source, as_arrow, require_columns, type_name
from gpudrift.period import Period

#: Key of the rows that belong to no window.
NO_WINDOW: Final = np.iinfo(np.int64).min
#: More windows than anybody looks at, and than fit in memory beside hundreds of columns.
_MOST_WINDOWS: Final = 20_000
_EPOCH: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
_YEARS: Final = (datetime(1, 1, 1), datetime(9999, 1, 1))

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
    if dtype is None or not (pt.is_timestamp(dtype) or pt.is_date(dtype)):
        held = "cannot be read" if dtype is None else f"is {type_name(dtype)}"
        raise DataError(f"time {time!r} {held} in the {role} data; convert it to timestamps or dates")
    clock = WallClock(time, zone or (dtype.tz if pt.is_timestamp(dtype) else None), now)
    return RankLabels(clock, source, period.count) if period.is_rows else TimeLabels(clock, period)


@dataclass
class WallClock:
    """Reads a column of times as microseconds of wall-clock time, and remembers what was odd about them."""

    name: str
    zone_name: str | None
    now: datetime | None
    n_missing: int = 0
    n_future: int = 0
    zone: tzinfo | None = field(init=False)

    def __post_init__(self) -> None:
        self.zone = _zone(self.zone_name)

    def read(self, raw: Raw) -> NDArray[np.int64]:
        """Microseconds since 1970 on the wall clock; ``NO_WINDOW`` where there is no time."""
        local = self.local(raw)
        ticks = np.asarray(local.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).fill_null(NO_WINDOW))
        self.n_missing += int(np.count_nonzero(ticks == NO_WINDOW))
        if (latest := self._latest) is not None:
            self.n_future += int(np.count_nonzero(ticks > latest))
        return ticks

    def local(self, raw: Raw) -> pa.ChunkedArray:
        """Wall-clock timestamps without a zone; null beyond the years 1 to 9999."""
        times = as_arrow(raw)
        if pt.is_null(times.type):
            return times.cast(pa.timestamp("us"))
        if pt.is_date(times.type):
            times = times.cast(pa.timestamp("s" if pt.is_date32(times.type) else "ms"))
        unit = times.type.unit
        if times.type.tz:
            times = pc.local_timestamp(times.cast(pa.timestamp(unit, self.zone_name)))
        if unit in ("s", "ms"):  # others end within these years, or almost
            ticks = times.cast(pa.int64())
            scale = 1 if unit == "s" else 1000
            low, high = (int((year - _EPOCH).total_seconds()) * scale for year in _YEARS)
            inside = pc.and_(pc.greater_equal(ticks, low), pc.less(ticks, high))
            times = pc.if_else(inside, times, pa.scalar(None, times.type))
        return times

    def moment(self, ticks: int) -> datetime:
        """The time of some ticks; aware where there is a zone."""
        return self.aware(_EPOCH + ticks * _MICROSECOND)

    def aware(self, local: datetime) -> datetime:
        """A wall-clock time in its zone; one that a clock skips is as much later."""
        if self.zone is None:
            return local
        return local.replace(tzinfo=self.zone).astimezone(UTC).astimezone(self.zone)

    def problems(self) -> list[Problem]:
        """Times that are missing or in the future."""
        found = []
        if self.n_missing:
            what = f"has no time in {self.n_missing:,} rows, which are in no window"
            found.append(Problem(self.name, what, "they count in the whole report; mend them to place them"))
        if self.n_future:
            what = f"lies after {self.now} in {self.n_future:,} rows"
            found.append(Problem(self.name, what, "check the clock and the time zone of where they come from"))
        return found

    @property
    def _latest(self) -> int | None:
        if self.now is None:
            return None
        local = self.now
        if local.tzinfo is not None:
            local = (local.astimezone(self.zone) if self.zone else local.astimezone()).replace(tzinfo=None)
        return (local - _EPOCH) // _MICROSECOND


@dataclass
class TimeLabels:
    """Windows that begin where the calendar's do; the key is the start in microseconds of wall-clock time."""

    clock: WallClock
    period: Period
    n_late: int = 0
    _newest: int = NO_WINDOW

    @property
    def names(self) -> Sequence[str]:
        return [self.clock.name]

    def keys(self, batch: Batch) -> NDArray[np.int64]:
        raw = batch.columns[self.clock.name]
        self.clock.read(raw)
        starts = pc.floor_temporal(self.clock.local(raw), self.period.count, self.period.unit)
        keys = np.asarray(starts.cast(pa.timestamp("us"), safe=False).cast(pa.int64()).fill_null(NO_WINDOW))
        newest = np.maximum(np.maximum.accumulate(keys), self._newest)
        self.n_late += int(np.count_nonzero((keys < newest) & (keys != NO_WINDOW)))
        self._newest = int(newest[-1]) if newest.size else self._newest
        return keys

    def spans(self, keys: NDArray[np.int64]) -> list[Span]:
        starts = [_EPOCH + key * _MICROSECOND for key in keys.tolist()]
        return [(self.clock.aware(start), self.clock.aware(self.period.after(start))) for start in starts]

    def problems(self, keys: NDArray[np.int64]) -> list[Problem]:
        found = self.clock.problems()
        if self.n_late:
            what = f"is not in order: {self.n_late:,} rows come after rows of a later window"
            found.append(Problem(self.clock.name, what, "nothing to do: they count in their own window"))
        starts = [_EPOCH + key * _MICROSECOND for key in keys.tolist()]
        missing, empty = [], 0
        for one, other in pairwise(starts):
            if skipped := self.period.steps(one, other) - 1:
                empty += skipped
                missing.append(self.clock.aware(self.period.after(one)))
        if empty:
            shown = ", ".join(str(start) for start in missing[:3]) + (", ..." if empty > min(len(missing), 3) else "")
            what = f"has no row in {empty:,} window{'s' if empty > 1 else ''} of {self.period} (from {shown})"
            found.append(Problem(self.clock.name, what, "check whether data were lost there"))
        return found


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
    """So many rows after each other in the order of time; rows of one time stay in the order of the input."""

    clock: WallClock
    source: Source = field(repr=False)
    count: int
    _rank: NDArray[np.int64] | None = field(default=None, repr=False)
    _ticks: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64), repr=False)
    _first: int = 0

    @property
    def names(self) -> Sequence[str]:
        return []

    def keys(self, batch: Batch) -> NDArray[np.int64]:
        if self._rank is None:
            self._rank = self._ranked()
        first, self._first = self._first, self._first + batch.n_rows
        rank = self._rank[first : self._first]
        return np.where(rank < 0, NO_WINDOW, rank // self.count)

    def spans(self, keys: NDArray[np.int64]) -> list[Span]:
        last = self._ticks.size - 1
        firsts = [self.clock.moment(int(self._ticks[min(key * self.count, last)])) for key in [*keys.tolist()]]
        ends = [self.clock.moment(int(self._ticks[min((key + 1) * self.count, last)])) for key in keys.tolist()]
        return list(zip(firsts, ends, strict=True))

    def problems(self, keys: NDArray[np.int64]) -> list[Problem]:
        found = self.clock.problems()
        cuts = np.arange(self.count, self._ticks.size, self.count)
        ties = int(np.count_nonzero(self._ticks[cuts - 1] == self._ticks[cuts]))
        if ties:
            what = f"has rows of one time on both sides of a window's end, at {ties:,} of them"
            found.append(Problem(self.clock.name, what, "they stay in the order of the input"))
        if self._rank is not None and np.any(np.diff(self._rank[self._rank >= 0]) < 0):
            found.append(Problem(self.clock.name, "is not in order", "nothing to do: rows are taken in its order"))
        return found

    def _ranked(self) -> NDArray[np.int64]:
        """Place of each row in the order of time; negative where it has none."""
        read = [self.clock.read(batch.columns[self.clock.name]) for batch in self.source.batches([self.clock.name])]
        ticks = np.concatenate([np.empty(0, np.int64), *read])
        order = np.argsort(ticks, kind="stable")
        order = order[np.searchsorted(ticks[order], NO_WINDOW, side="right") :]
        rank = np.full(ticks.size, -1, np.int64)
        rank[order] = np.arange(order.size)
        self._ticks = ticks[order]
        return rank


def window_ranges(spans: Sequence[Span], window: Period, every: Period, *, expanding: bool) -> dict[Span, Range]:
    """The windows to report, and the base windows, first to last (not included), that each is made of.

    Windows that overlap are reported once they are whole.
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
    starts = [start.replace(tzinfo=None) for start, _ in spans]
    ranges = {}
    for k, (_, end) in enumerate(spans):
        start = window.before(end.replace(tzinfo=None))
        if start >= starts[0]:
            ranges[start.replace(tzinfo=end.tzinfo), end] = (bisect_left(starts, start), k + 1)
    return ranges


def check_number(n_windows: int, period: Period) -> None:
    """Raise DataError where windows are too many to be looked at."""
    if n_windows > _MOST_WINDOWS:
        raise DataError(f"{period} gives more than {_MOST_WINDOWS:,} windows; make them longer")


def _zone(name: str | None) -> tzinfo | None:
    if name is None:
        return None
    if offset := re.fullmatch(r"([+-])(\d\d):(\d\d)", name):  # Arrow's other way to name a zone
        minutes = 60 * int(offset[2]) + int(offset[3])
        return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        remedy = "name one such as Europe/Paris, or pip install tzdata"
        raise DataError(f"time zone {name!r} is not known here; {remedy}") from error
