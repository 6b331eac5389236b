"""Times and windows that cannot be used: one line that names them, or a report that says what it left out."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

import gpudrift as gd
from gpudrift.errors import ConfigError, DataError

from .conftest import GOOD, problems

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HOURS = np.datetime64("2024-03-01", "us") + np.arange(500) * np.timedelta64(1, "h")


def check(times, **settings):
    return gd.check_drift(
        reference=GOOD, current={**GOOD, "ts": times}, now=NOW, **({"time": "ts", "window": "1w"} | settings)
    )


@pytest.mark.parametrize(
    ("times", "held"),
    [
        (HOURS.astype(str), "is string"), (np.arange(500), "is int64"), (np.arange(500.0), "is float64"),
        (np.ones(500, bool), "is bool"), (np.arange(500).astype("m8[s]"), "is duration[s]"), (pa.nulls(500), "is null"),
        (pa.array([[1]] * 500), "is list<item: int64>"), (np.array([dt.date(2024, 1, 1), "x"] * 250), "cannot be read"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("window", ["1d", "100 rows"])
def test_a_column_of_no_times_is_named(times, held, window):
    with pytest.raises(DataError) as error:
        check(times, window=window)
    assert str(error.value) == f"time 'ts' {held} in the current data; convert it to timestamps or dates"


def test_a_column_that_is_not_there_comes_with_those_that_are():
    with pytest.raises(DataError, match="current has no column 'tz': there is 'age', 'plan', 'ts'"):
        check(HOURS, time="tz")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"window": None}, 'time is for windows; give window too, such as "1d"'),
        ({"window": None, "time": None, "zone": "UTC"}, 'zone is for windows; give window too, such as "1d"'),
        ({"window": None, "time": None, "every": "1d"}, 'every is for windows; give window too, such as "1d"'),
        ({"time": None}, "windows of 1 week need time, the name of a column of timestamps"),
        ({"every": "5h"}, "window must be a whole number of every, got 1 week and 5 hours"),
        ({"every": "1 fortnight"}, "every must be a length such as 1d, 6h, 2w, 1mo or 5000 rows, got '1 fortnight'"),
        ({"expanding": True, "every": "1d"}, "expanding windows grow from the first one: leave every and against out"),
        ({"against": "last"}, "against.last is unknown"),
        ({"zone": ""}, "zone must be a name, got ''"),
        ({"zone": 5}, "zone must be a name, got 5"),
        ({"expanding": "yes"}, "expanding must be true or false, got 'yes'"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ConfigError) as error:
        check(HOURS, **settings)
    assert str(error.value).startswith(message)


@pytest.mark.parametrize("window", ["1s", "1 row"])
def test_windows_too_many_to_look_at_are_refused(window):
    current = {"age": np.zeros(30_000), "ts": np.arange(30_000).astype("M8[s]")}
    with pytest.raises(DataError, match="gives more than 20,000 windows; make them longer"):
        gd.check_drift(reference=GOOD, current=current, time="ts", window=window, now=NOW)


@pytest.mark.parametrize(
    "settings",
    [
        {"window": "1d"}, {"window": "1d", "expanding": True}, {"window": "7d", "every": "1d"}, {"window": "9 rows"},
        {"window": "1d", "against": "previous"}, {"window": "9 rows", "expanding": True}, {"zone": "Asia/Tokyo"},
    ],
    ids=str,
)  # fmt: skip
def test_without_any_time_the_whole_report_is_left(settings):
    report = check(np.full(500, np.datetime64("NaT", "us")), **settings)
    assert report["age"].n_current == 500
    assert len(report.windows) == 0
    assert report.windows.drifted == ()
    assert report.to_dict()["windows"] == []
    assert problems(report, "ts")[0].startswith("ts: has no time in 500 rows, in no window")
    with pytest.raises(DataError, match="no row has a time, so there is no window"):
        report.windows.between(dt.datetime(2024, 1, 1), dt.datetime(2024, 2, 1))


def test_what_is_odd_about_times_is_said_and_nothing_lost():
    times = HOURS.copy()
    times[3] = np.datetime64("NaT")
    times[5] = np.datetime64("2031-01-01")
    times[7] = np.datetime64("0001-01-01")
    times[9] = np.datetime64(2**62, "us")
    report = check(times, window="1mo")
    assert problems(report, "ts") == [
        "ts: has no time in 1 row, in no window; they count in the whole report; mend them to place them",
        "ts: lies outside of 0001-01-02 to 9999-12-30 in 2 rows, in no window; they count in the whole report; "
        "mend them to place them",
        "ts: lies after 2026-01-01 00:00:00+00:00 in 1 row; check the clock and the time zone of where they come from",
        "ts: is not in order, with 492 rows after those of a later window; "
        "nothing to do: they count in their own window",
        "ts: has no row in 81 windows of 1 month (from 2024-04-01 00:00:00, ...); check whether data were lost there",
    ]
    assert report["age"].n_current == 500
    assert [one.n_current for one in report.windows.values()] == [496, 1]


def test_a_window_of_few_rows_has_no_verdict_and_says_why():
    report = check(HOURS[:].astype("M8[us]"), window="480 rows")
    last = list(report.windows.values())[-1]
    assert last.n_current == 20
    assert not last.dataset_drift
    assert "too few for a verdict" in str(last.problems)


def test_duplicate_times_share_their_window():
    report = check(np.repeat(HOURS[:5], 100), window="1h")
    assert [one.n_current for one in report.windows.values()] == [100] * 5


def test_a_stream_that_comes_once_is_read_in_order_of_time():
    table = pa.table({**GOOD, "ts": HOURS[::-1].copy()})
    report = gd.check_drift(
        reference=GOOD, current=table.to_reader(max_chunksize=60), time="ts", window="200 rows", now=NOW
    )
    assert [one.n_current for one in report.windows.values()] == [200, 200, 100]
    assert "is not in order" in problems(report, "ts")[0]


def test_a_column_that_is_missing_from_the_current_data_is_missing_in_each_window():
    current = {"age": GOOD["age"], "ts": HOURS}
    report = gd.check_drift(reference=GOOD, current=current, time="ts", window="1w", now=NOW)
    for one in report.windows.values():
        assert list(one) == ["age"]
        assert problems(one, "plan") == problems(report, "plan") != []
