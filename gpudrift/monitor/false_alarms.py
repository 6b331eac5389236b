"""A rate of false alarms: "1 per quarter", or a probability per window."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

from gpudrift.errors import ConfigError
from gpudrift.nearest import hint
from gpudrift.period import Period

#: Days; a month and a quarter are those of the mean Gregorian year.
_YEAR: Final = 365.2425
_DAYS: Final = {
    "hour": 1 / 24, "day": 1.0, "week": 7.0, "month": _YEAR / 12, "quarter": _YEAR / 4, "year": _YEAR,
}  # fmt: skip


@dataclass(frozen=True)
class FalseAlarms:
    """How often a report may be flagged without drift.

    Attributes
    ----------
    asked : str
        In the user's words.
    per_window : float in (0, 1)
        Probability that the report of a window has any flag.
    """

    asked: str
    per_window: float

    @classmethod
    def parse(cls, asked: str | float, window: str | float | None = None) -> FalseAlarms:
        """From a text or a probability.

        Parameters
        ----------
        asked : str or float
            "1 per quarter", "2 per year", "0.5 per week"; or a probability per window.
        window : str or float, optional
            For a text: how long a window is ("1d", "6h", "1w", "1mo"), or how many windows
            there are in the period that the text names.

        Raises
        ------
        ConfigError
            A text that is no rate, windows of unknown length, or a rate of an alarm in every window or in none.

        Examples
        --------
        >>> round(FalseAlarms.parse("1 per quarter", "1d").per_window, 5)
        0.01095
        >>> FalseAlarms.parse("2 per year", 52).per_window == 2 / 52
        True
        >>> FalseAlarms.parse(0.01)
        FalseAlarms(asked='0.01 per window', per_window=0.01)
        """
        if isinstance(asked, str):
            times, period = _times_and_period(asked)
            rate = times / _windows_in(period, window, asked)
        elif isinstance(asked, int | float) and not isinstance(asked, bool):
            rate, asked = float(asked), f"{asked:g} per window"
        else:
            raise ConfigError(f"false_alarms must be a text such as '1 per quarter' or a probability, got {asked!r}")
        if not 0 < rate < 1:
            raise ConfigError(f"false_alarms must be a probability between 0 and 1 a window, got {rate:g} ({asked})")
        return cls(asked, rate)


def _times_and_period(text: str) -> tuple[float, str]:
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?|\.\d+)\s+(?:per|a|an|every)\s+([a-z]+?)s?\s*", text.lower())
    if not found:
        raise ConfigError(f"false_alarms {text!r} is no rate: write '1 per quarter', or a probability per window")
    times, period = float(found[1]), found[2]
    if period not in _DAYS:
        raise ConfigError(f"false_alarms {text!r}: {period!r} is unknown: {hint(period, _DAYS)}")
    return times, period


def _windows_in(period: str, window: str | float | None, asked: str) -> float:
    if window is None:
        raise ConfigError(
            f"false_alarms {asked!r} needs the length of a window: pass window='1d', or the windows in a {period}"
        )
    if isinstance(window, str):
        return _DAYS[period] / _length_in_days(window)
    if isinstance(window, bool) or not isinstance(window, int | float) or not 0 < window < math.inf:
        raise ConfigError(f"window must be a length such as '1d' or the windows in a {period}, got {window!r}")
    return float(window)


def _length_in_days(text: str) -> float:
    length = Period.parse(text)
    if length.is_rows:
        raise ConfigError(f"windows of {length} have no length in time; give false_alarms as a probability per window")
    return length.seconds / 86_400
