"""What a column of times says, in every type, unit and zone."""

from __future__ import annotations

import datetime as dt
from itertools import product

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from gpudrift.errors import DataError
from gpudrift.frames import open_source
from gpudrift.monitor.wall_clock import NO_TIME, WallClock
from gpudrift.monitor.windows import window_labels
from gpudrift.period import Period

UTC = dt.UTC
#: Noon, and a time before 1970 that no unit of a second holds.
MOMENTS = [dt.datetime(2024, 3, 1, 12), dt.datetime(1969, 12, 31, 23, 59, 59, 500_000)]


def read(column, zone=None, now=None):
    """Instants and wall-clock times of a column, as datetimes, and the clock that read them."""
    source = open_source({"ts": column}, "current", again=True)
    (batch,) = source.batches(["ts"])
    dtype = source.types["ts"]
    clock = WallClock("ts", zone or getattr(dtype, "tz", None), now)
    times = clock.read(batch.columns["ts"])
    epoch = dt.datetime(1970, 1, 1)

    def shown(ticks):
        return [None if t == NO_TIME else epoch + dt.timedelta(microseconds=t) for t in ticks.tolist()]

    return shown(times.instant), shown(times.local), clock


@pytest.mark.parametrize(
    ("library", "unit"),
    [
        *product(("numpy", "pandas", "pyarrow", "dictionary"), ("s", "ms", "us", "ns")),
        *product(["polars"], ("ms", "us", "ns")),
        ("list", "us"),
    ],
)
def test_every_library_and_unit_says_the_same(library, unit):
    values = np.array([*MOMENTS, "NaT"], "M8[us]").astype(f"M8[{unit}]")
    column = {
        "numpy": lambda: values,
        "pandas": lambda: pd.Series(values),
        "polars": lambda: pl.Series(values),
        "pyarrow": lambda: pa.array(values),
        "dictionary": lambda: pa.array(values).dictionary_encode(),
        "list": lambda: [*MOMENTS, None],
    }[library]()
    expected = [MOMENTS[0], values[1].astype("M8[us]").item(), None]  # NumPy rounds to seconds its own way
    instant, local, clock = read(column)
    assert instant == local == expected
    assert (clock.n_missing, clock.n_beyond) == (1, 0)


@pytest.mark.parametrize("dtype", [pa.date32(), pa.date64()])
def test_a_date_is_its_midnight(dtype):
    days = [dt.date(2024, 2, 29), dt.date(1969, 12, 31), None]
    _, local, _ = read(pa.array(days, dtype))
    assert local == [dt.datetime(2024, 2, 29), dt.datetime(1969, 12, 31), None]


def test_nanoseconds_before_1970_round_down():
    _, local, _ = read(np.array([-1], "M8[ns]"))
    assert local == [dt.datetime(1969, 12, 31, 23, 59, 59, 999_999)]


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Asia/Kolkata", "+02:00", "-05:30", "UTC"])
def test_a_zone_shows_another_clock_and_the_same_instant(zone):
    stamps = pa.array([1_709_294_400, None], pa.timestamp("s", "UTC"))  # 2024-03-01 12:00 UTC
    instant, local, _ = read(stamps, zone)
    offset = {"Europe/Paris": 60, "America/New_York": -300, "Asia/Kolkata": 330, "+02:00": 120, "-05:30": -330}
    noon = dt.datetime(2024, 3, 1, 12)
    assert instant == [noon, None]
    assert local == [noon + dt.timedelta(minutes=offset.get(zone, 0)), None]


def test_the_clock_of_the_column_is_followed_unless_another_is_named():
    stamps = pd.Series(pd.to_datetime(["2024-07-01 00:30"])).dt.tz_localize("Europe/Paris")
    assert read(stamps)[1] == [dt.datetime(2024, 7, 1, 0, 30)]
    assert read(stamps, "America/New_York")[1] == [dt.datetime(2024, 6, 30, 18, 30)]


def test_times_without_a_zone_are_on_the_clock_that_is_named():
    instant, local, _ = read(np.array(["2024-07-01T12:00"], "M8[us]"), "Europe/Paris")
    assert instant == [dt.datetime(2024, 7, 1, 10)]
    assert local == [dt.datetime(2024, 7, 1, 12)]


def test_a_time_that_the_clock_skips_is_the_next_that_it_shows():
    instant, local, _ = read(np.array(["2024-03-31T02:20", "2024-03-31T03:00"], "M8[us]"), "Europe/Paris")
    assert instant == [dt.datetime(2024, 3, 31, 1)] * 2
    assert local == [dt.datetime(2024, 3, 31, 3)] * 2


@pytest.mark.parametrize(
    ("unit", "ticks"),
    [*product(("s", "ms", "us"), (2**63 - 1, -(2**63) + 1, 2**62, -(2**62))), ("s", 292 * 10**9)],
)
@pytest.mark.parametrize("zone", [None, "Europe/Paris", "America/New_York", "Asia/Tokyo"])
def test_a_time_beyond_the_calendar_is_none(unit, zone, ticks):
    stamps = pa.array([ticks, 0, None], pa.timestamp(unit, zone))
    instant, local, clock = read(stamps)
    assert instant == [None, dt.datetime(1970, 1, 1), None]
    assert local[0] is local[2] is None
    assert (clock.n_missing, clock.n_beyond) == (1, 1)
    assert [str(p).partition(",")[0] for p in clock.problems()] == [
        "ts: has no time in 1 row",
        "ts: lies outside of 0001-01-02 to 9999-12-30 in 1 row",
    ]


@pytest.mark.parametrize("zone", [None, "Europe/Paris", "America/New_York", "Asia/Tokyo", "+14:00", "-12:00"])
@pytest.mark.parametrize("window", ["1s", "7h", "1d", "3d", "1w", "1mo", "1y", "7y", "2147483647y", "100 rows"])
def test_windows_reach_both_ends_of_the_calendar(zone, window):
    days = ["0001-01-01", "0001-01-02", "0001-01-03", "1970-01-01", "9999-12-30", "9999-12-31"]
    source = open_source({"ts": np.array(days, "M8[us]")}, "current", again=True)
    labels = window_labels(source, "current", Period.parse(window), time="ts", zone=zone, now=None)
    (batch,) = source.batches(["ts"])
    keys = np.unique(labels.keys(batch))
    kept = keys[keys != NO_TIME]
    spans = labels.spans(kept)
    assert len(set(spans)) == len(kept) > 0
    assert all(start < end for start, end in spans)
    assert any("outside" in str(problem) for problem in labels.problems(kept))


@pytest.mark.parametrize(
    "name", ["Mars/Base", "+25:00", "-99:99", "+2", "Z", "utc", "/etc/passwd", "../UTC", "Europe", "Europe/Paris\0"]
)
def test_an_unknown_zone_is_named(name):
    with pytest.raises(DataError, match=r"time zone .* is not known here; name one such as Europe/Paris") as error:
        WallClock("ts", name, None)
    assert repr(name) in str(error.value)


@pytest.mark.parametrize(
    ("column", "zone", "n_future"),
    [
        (np.array(["2024-03-01T13:59", "2024-03-01T14:01"], "M8[us]"), None, 0),  # it may be so late in Kiritimati
        (np.array(["2024-03-02T01:59", "2024-03-02T02:01"], "M8[us]"), None, 1),
        (np.array(["2024-03-01T12:59", "2024-03-01T13:01"], "M8[us]"), "Europe/Paris", 1),
        (pa.array([1_709_294_399, 1_709_294_401], pa.timestamp("s", "America/New_York")), None, 1),
    ],
)
def test_times_after_now_are_counted_wherever_the_machine_stands(column, zone, n_future):
    *_, clock = read(column, zone, dt.datetime(2024, 3, 1, 12, tzinfo=UTC))
    assert clock.n_future == n_future


def test_now_without_a_zone_is_on_the_same_clock():
    now = dt.datetime(2024, 3, 1, 12)
    assert read(np.array(["2024-03-01T11:59", "2024-03-01T12:01"], "M8[us]"), None, now)[2].n_future == 1
    assert read(np.array(["2024-03-01T11:59", "2024-03-01T12:01"], "M8[us]"), "Asia/Tokyo", now)[2].n_future == 1
