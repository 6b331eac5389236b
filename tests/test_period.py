"""Period: what a window's length may be called, and where it leads on the calendar."""

from __future__ import annotations

from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudrift.errors import ConfigError
from gpudrift.period import Period

UNITS = ("second", "minute", "hour", "day", "week", "month", "quarter", "year")


@pytest.mark.parametrize(
    ("text", "count", "unit"),
    [
        ("1d", 1, "day"), ("day", 1, "day"), ("6h", 6, "hour"), (" 15 min ", 15, "minute"), ("2 Weeks", 2, "week"),
        ("1mo", 1, "month"), ("q", 1, "quarter"), ("10y", 10, "year"), ("30s", 30, "second"),
        ("5000 rows", 5000, "row"), ("5_000 rows", 5000, "row"), ("5,000rows", 5000, "row"),
    ],
)  # fmt: skip
def test_a_length_is_read_in_every_spelling(text, count, unit):
    assert Period.parse(text) == Period(count, unit)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "-1d",
        "0d",
        "1.5h",
        "1e3 rows",
        "1 fortnight",
        "1m",
        "d1",
        "1d1h",
        "\N{FULLWIDTH DIGIT ONE}d",
        "_d",
        f"{2**31} rows",
        7,
        None,
    ],
)
def test_anything_else_is_refused_with_examples(text):
    with pytest.raises(ConfigError, match=r"every must be a length such as 1d, 6h, 2w, 1mo or 5000 rows, got") as error:
        Period.parse(text, what="every")
    assert repr(text) in str(error.value)


def test_a_month_later_is_the_same_day_or_the_last():
    month = Period(1, "month")
    assert month.after(datetime(2024, 1, 31)) == datetime(2024, 2, 29)
    assert month.after(datetime(2023, 1, 31)) == datetime(2023, 2, 28)
    assert month.before(datetime(2024, 3, 15, 6)) == datetime(2024, 2, 15, 6)
    assert Period(1, "year").after(datetime(2024, 2, 29)) == datetime(2025, 2, 28)
    assert Period(1, "quarter").after(datetime(2023, 10, 1)) == datetime(2024, 1, 1)


@pytest.mark.parametrize("unit", UNITS)
def test_the_calendar_ends_rather_than_overflows(unit):
    most = Period(2**31 - 1, unit)
    assert most.after(datetime(9999, 1, 1)) == datetime.max
    assert most.before(datetime(1, 2, 1)) == datetime.min


@given(
    start=st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)),
    count=st.integers(1, 40),
    unit=st.sampled_from(UNITS),
    steps=st.integers(0, 5),
)
def test_windows_lie_end_to_end(start, count, unit, steps):
    """Where rows are placed by Arrow and windows end by Period, both must see one calendar."""
    period = Period(count, unit)

    def floor(moment: datetime) -> datetime:
        found: datetime = pc.floor_temporal(pa.scalar(moment, pa.timestamp("us")), count, unit).as_py()
        return found

    first = last = floor(start)
    assert first <= start < period.after(first)
    for _ in range(steps):
        following = period.after(last)
        assert floor(following) == following
        assert floor(following - timedelta(microseconds=1)) == last
        assert period.before(following) == last
        last = following
    assert period.steps(first, last) == steps


@pytest.mark.parametrize(
    ("window", "every", "whole"),
    [
        ("7d", "1d", True), ("1w", "1d", True), ("1d", "6h", True), ("1mo", "1d", True), ("1y", "1mo", True),
        ("1q", "1mo", True), ("6mo", "1q", True), ("5000 rows", "1000 rows", True),
        ("1mo", "1w", False), ("1d", "7h", False), ("1d", "1w", False), ("1mo", "1q", False), ("1d", "1mo", False),
        ("5000 rows", "3000 rows", False), ("1d", "100 rows", False), ("100 rows", "1d", False),
    ],
)  # fmt: skip
def test_a_window_is_a_whole_number_of_steps(window, every, whole):
    assert Period.parse(window).divides_into(Period.parse(every)) is whole
