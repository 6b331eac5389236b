"""Period: the length of a window, in rows or in calendar time."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gpudrift.errors import ConfigError

#: Units by every spelling: those of time in the order of their length.
_SPELLINGS: Final = {
    "row": ("row", "rows"),
    "second": ("s", "sec", "second", "seconds"),
    "minute": ("min", "minute", "minutes"),
    "hour": ("h", "hour", "hours"),
    "day": ("d", "day", "days"),
    "week": ("w", "week", "weeks"),
    "month": ("mo", "month", "months"),
    "quarter": ("q", "quarter", "quarters"),
    "year": ("y", "year", "years"),
}
_UNIT_OF: Final = {spelling: unit for unit, spellings in _SPELLINGS.items() for spelling in spellings}
_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 7 * 86_400}
_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
#: Mean length of a month in the Gregorian calendar.
_SECONDS_A_MONTH: Final = 365.2425 * 86_400 / 12


@dataclass(frozen=True)
class Period:
    """So many rows, or so much calendar time.

    Days, weeks (from Monday), months, quarters and years begin where the calendar's do; hours, minutes and seconds
    where the day does. Several of them count from 1970 (weeks from 29 December 1969), several years from the year 0.

    Attributes
    ----------
    count : int
    unit : str
        row, second, minute, hour, day, week, month, quarter or year.

    Examples
    --------
    >>> Period.parse("6h"), Period.parse("5000 rows"), str(Period.parse("1mo"))
    (Period(count=6, unit='hour'), Period(count=5000, unit='row'), '1 month')
    """

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str, *, what: str = "window") -> Period:
        """From "1d", "6h", "15min", "2 weeks", "1mo", "5_000 rows".

        Raises
        ------
        ConfigError
            With what was given and what is understood.
        """
        found = re.fullmatch(r"\s*([0-9][0-9_,]*)?\s*([A-Za-z]+)\s*", text) if isinstance(text, str) else None
        unit = _UNIT_OF.get(found[2].lower()) if found else None
        count = int((found[1] or "1").replace(",", "").replace("_", "") or "0") if found else 0
        if unit is None or not 0 < count < 1 << 31:
            raise ConfigError(f"{what} must be a length such as 1d, 6h, 2w, 1mo or 5000 rows, got {text!r}")
        return cls(count, unit)

    @property
    def is_rows(self) -> bool:
        """Whether it is a number of rows, not a time."""
        return self.unit == "row"

    @property
    def seconds(self) -> float:
        """Length in seconds; months at their mean length, rows NaN."""
        if self.is_rows:
            return float("nan")
        if self.unit in _SECONDS:
            return float(self.count * _SECONDS[self.unit])
        return self.count * _MONTHS[self.unit] * _SECONDS_A_MONTH

    def after(self, start: datetime) -> datetime:
        """The wall-clock time one period later; the last representable one where the calendar ends.

        A month later is the same day of the month, or its last.

        Examples
        --------
        >>> Period(1, "month").after(datetime(2024, 1, 31))
        datetime.datetime(2024, 2, 29, 0, 0)
        """
        return self._shifted(start, 1)

    def before(self, end: datetime) -> datetime:
        """The wall-clock time one period earlier; the first representable one where the calendar begins."""
        return self._shifted(end, -1)

    def divides_into(self, every: Period) -> bool:
        """Whether it is a whole number of shorter periods, or of equal ones, wherever it begins.

        Examples
        --------
        >>> Period(1, "month").divides_into(Period(1, "day")), Period(1, "month").divides_into(Period(1, "week"))
        (True, False)
        """
        if self.is_rows or every.is_rows:
            return self.unit == every.unit and self.count % every.count == 0
        if self.unit in _MONTHS and every.unit in _MONTHS:
            return (self.count * _MONTHS[self.unit]) % (every.count * _MONTHS[every.unit]) == 0
        whole = _SECONDS["day"] if self.unit in _MONTHS else int(self.seconds)
        return every.unit in _SECONDS and whole % int(every.seconds) == 0

    def steps(self, first: datetime, last: datetime) -> int:
        """Periods from one beginning to another."""
        if self.unit in _SECONDS:
            return (last - first) // timedelta(seconds=self.count * _SECONDS[self.unit])
        months = 12 * (last.year - first.year) + last.month - first.month
        return months // (self.count * _MONTHS[self.unit])

    def __str__(self) -> str:
        return f"{self.count:,} {self.unit}" + ("s" if self.count > 1 else "")

    def _shifted(self, moment: datetime, sign: int) -> datetime:
        try:
            if self.unit in _SECONDS:
                return moment + timedelta(seconds=sign * self.count * _SECONDS[self.unit])
            months = 12 * moment.year + moment.month - 1 + sign * self.count * _MONTHS[self.unit]
            year, month = months // 12, months % 12 + 1
            return moment.replace(year=year, month=month, day=min(moment.day, calendar.monthrange(year, month)[1]))
        except (OverflowError, ValueError):
            return datetime.max if sign > 0 else datetime.min
