"""WallClock: a column of times, as instants and as what a clock on the wall shows."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Problem, Raw, as_arrow, held_type

#: In place of a time that is missing or in no calendar.
NO_TIME: Final = np.iinfo(np.int64).min
_EPOCH: Final = datetime(1970, 1, 1)
_MICROSECOND: Final = timedelta(microseconds=1)
#: A day from the ends of what a datetime holds, so that any zone can show it.
_FIRST: Final = (datetime(1, 1, 2) - _EPOCH) // _MICROSECOND
_LAST: Final = (datetime(9999, 12, 31) - _EPOCH) // _MICROSECOND
_EARLIEST: Final = (datetime.min - _EPOCH) // _MICROSECOND
#: Ticks a second of each unit; a date counts days.
_TICKS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
#: No place on Earth is further ahead of UTC.
_FURTHEST_AHEAD: Final = timezone(timedelta(hours=14))


class Times(NamedTuple):
    """Microseconds since 1970 of each row, int64; ``NO_TIME`` where there is none.

    ``instant`` orders rows, ``local`` is on the wall clock; they are the same without a zone.
    """

    instant: NDArray[np.int64]
    local: NDArray[np.int64]


@dataclass
class WallClock:
    """Reads a column of times, and remembers what was odd about them.

    Parameters
    ----------
    zone_name : str, optional
        Zone of the wall clock; times of the column that have no zone are on it already.
    now : datetime, optional
        Later times are counted. One with a zone, beside times without, is taken where clocks are furthest ahead.
    """

    name: str
    zone_name: str | None
    now: datetime | None
    n_missing: int = 0
    n_beyond: int = 0
    n_future: int = 0
    zone: tzinfo | None = field(init=False)

    def __post_init__(self) -> None:
        if self.zone_name is not None:
            self.zone_name, self.zone = _zone(self.zone_name)
        else:
            self.zone = None

    def read(self, raw: Raw) -> Times:
        """The times of a batch."""
        column = as_arrow(raw)
        column = column.cast(held_type(column.type))
        ticks, n_missing = _microseconds(column)
        self.n_missing += n_missing
        self.n_beyond += int(np.count_nonzero(ticks == NO_TIME)) - n_missing
        times = self._on_clock(ticks, aware=pt.is_timestamp(column.type) and column.type.tz is not None)
        if (latest := self._latest) is not None:
            self.n_future += int(np.count_nonzero(times.instant > latest))
        return times

    def moment(self, instant: int) -> datetime:
        """The time of an instant; aware where there is a zone, by its offset then, so that no two look the same."""
        if self.zone is None:
            return _EPOCH + instant * _MICROSECOND
        shown = (_EPOCH + instant * _MICROSECOND).replace(tzinfo=UTC).astimezone(self.zone)
        return shown.replace(tzinfo=timezone(shown.utcoffset() or timedelta(0)))

    def problems(self) -> list[Problem]:
        """Times that are missing, in no calendar or in the future."""
        found = []
        for n_rows, what in (
            (self.n_missing, "has no time"),
            (self.n_beyond, "lies outside of 0001-01-02 to 9999-12-30"),
        ):
            if n_rows:
                remedy = "they count in the whole report; mend them to place them"
                found.append(Problem(self.name, f"{what} in {counted_rows(n_rows)}, in no window", remedy))
        if self.n_future:
            what = f"lies after {self.now} in {counted_rows(self.n_future)}"
            found.append(Problem(self.name, what, "check the clock and the time zone of where they come from"))
        return found

    def _on_clock(self, ticks: NDArray[np.int64], *, aware: bool) -> Times:
        if self.zone_name is None:
            return Times(ticks, ticks)
        stamps = pa.array(ticks, mask=ticks == NO_TIME).cast(pa.timestamp("us"))
        if aware:
            return Times(ticks, _ticks(pc.local_timestamp(stamps.cast(pa.timestamp("us", self.zone_name)))))
        # A time that the clock skips is the next that it shows. One that it shows twice cannot be told apart.
        stamps = pc.assume_timezone(stamps, self.zone_name, ambiguous="earliest", nonexistent="latest")
        return Times(_ticks(stamps), _ticks(pc.local_timestamp(stamps)))

    @property
    def _latest(self) -> int | None:
        if self.now is None:
            return None
        now = self.now if self.now.tzinfo or self.zone is None else self.now.replace(tzinfo=self.zone)
        if now.tzinfo is not None:
            now = now.astimezone(UTC if self.zone else _FURTHEST_AHEAD).replace(tzinfo=None)
        return (now - _EPOCH) // _MICROSECOND


def shown(local: datetime, zone: tzinfo | None) -> datetime:
    """A wall-clock time in its zone; one that the clock skips is as much later."""
    if zone is None:
        return local
    try:
        return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    except OverflowError:  # at the ends of the calendar
        return local.replace(tzinfo=zone)


def from_ticks(local: int) -> datetime:
    """The time of microseconds since 1970; the calendar's first where they lie before it."""
    return _EPOCH + max(local, _EARLIEST) * _MICROSECOND


def counted_rows(n: int) -> str:
    """So many rows, in words.

    Examples
    --------
    >>> counted_rows(1), counted_rows(1234)
    ('1 row', '1,234 rows')
    """
    return f"{n:,} row" + ("s" if n > 1 else "")


def _microseconds(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], int]:
    """Microseconds since 1970, rounded down, and how many are missing; those out of reach are not a time either."""
    if pt.is_null(column.type):
        return np.full(len(column), NO_TIME), len(column)
    if pt.is_date(column.type):
        column = column.cast(pa.timestamp("s" if pt.is_date32(column.type) else "ms"))
    ticks = np.asarray(column.cast(pa.int64()).fill_null(NO_TIME))
    missing = np.asarray(column.is_null())
    scale = _TICKS[column.type.unit]
    inside = ticks // scale == np.clip(ticks // scale, _FIRST // 10**6, _LAST // 10**6)
    ticks = np.where(inside, ticks, 0)
    ticks = ticks // (scale // 10**6) if scale > 10**6 else ticks * (10**6 // scale)
    return np.where(inside & ~missing, ticks, NO_TIME), int(np.count_nonzero(missing))


def _ticks(stamps: pa.Array) -> NDArray[np.int64]:
    return np.asarray(stamps.cast(pa.int64()).fill_null(NO_TIME))


def _zone(name: str) -> tuple[str, tzinfo]:
    """A zone, and what Arrow calls it."""
    try:
        if offset := re.fullmatch(r"([+-])(\d\d):?(\d\d)", name, re.ASCII):  # another way to name a zone
            minutes = 60 * int(offset[2]) + int(offset[3])
            fixed = timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
            return f"{offset[1]}{offset[2]}:{offset[3]}", fixed
        zone = ZoneInfo(name)
        pc.local_timestamp(pa.array([0], pa.timestamp("us", name)))  # Arrow has a list of its own
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        remedy = "name one such as Europe/Paris, or install the system's tzdata"
        raise DataError(f"time zone {name!r} is not known here; {remedy}") from error
    return name, zone
