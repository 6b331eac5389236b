"""How the beginning or the end of a window is written: a date, a time, a row number."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime


def moment_labels(moments: Sequence[datetime | int]) -> list[str]:
    """Write the moments of one series alike, as short as tells them apart: dates where all of them are midnights.

    A time has its offset from UTC only where a clock that was put back gives it twice.

    Examples
    --------
    >>> moment_labels([datetime(2024, 3, 1), datetime(2024, 4, 1)]), moment_labels([0, 5000])
    (['2024-03-01', '2024-04-01'], ['0', '5,000'])
    >>> moment_labels([datetime(2024, 3, 1, 6), datetime(2024, 3, 1, 12)])
    ['2024-03-01 06:00', '2024-03-01 12:00']
    """
    times = [moment for moment in moments if isinstance(moment, datetime)]
    if len(times) < len(moments):
        return [f"{moment:,}" for moment in moments]
    pattern = "%Y-%m-%d"
    if any((t.hour, t.minute, t.second, t.microsecond) != (0, 0, 0, 0) for t in times):
        pattern += " %H:%M" + (":%S" if any(t.second or t.microsecond for t in times) else "")
    labels = [t.strftime(pattern) for t in times]
    if len(set(labels)) < len(set(times)):
        labels = [f"{label} {t.strftime('%z')}".rstrip() for label, t in zip(labels, times, strict=True)]
    return labels
