"""Windows of a check: which rows each holds, and that its report is that of exactly those rows."""

from __future__ import annotations

import datetime as dt
import math
from collections import Counter
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd
from gpudrift.errors import DataError
from gpudrift.profiles.grid import Grid, regridded

from .conftest import NOW, columns

OF_BINS = ("psi", "js_distance", "hellinger", "kl", "total_variation", "l_infinity", "cramers_v", "new_rate")
HOUR = dt.timedelta(hours=1)


def hours(start: str, n: int, step: float = 1.0) -> np.ndarray:
    return np.datetime64(start, "us") + (np.arange(n) * step * 3600e6).astype("m8[us]")


def zoned(start: dt.datetime, n: int, step: dt.timedelta, zone: str) -> pa.Array:
    """Instants evenly apart, from a time of the zone."""
    first = start.replace(tzinfo=ZoneInfo(zone)).astimezone(dt.UTC)
    return pa.array([first + k * step for k in range(n)], pa.timestamp("us", zone))


def check(reference, current, **settings):
    return gd.check_drift(reference=reference, current=current, now=NOW, **({"time": "ts"} | settings))


def rows_of(report) -> dict:
    return {span: one.n_current for span, one in report.windows.items()}


def take(current, chosen):
    return {name: values[chosen] for name, values in current.items()}


def same(one, other) -> bool:
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def check_same_answer(window: gd.DriftReport, alone: gd.DriftReport) -> None:
    """All that bins tell is equal to the last bit; what cells bound lies within the bounds."""
    assert set(window) == set(alone)
    assert (window.n_reference, window.n_current) == (alone.n_reference, alone.n_current)
    for name in alone:
        for statistic in OF_BINS:
            assert same(getattr(window[name], statistic), getattr(alone[name], statistic)), (name, statistic)
        assert window[name].bins == alone[name].bins
        assert (window[name].reference, window[name].current) == (alone[name].reference, alone[name].current)
        assert window[name].tests.keys() == alone[name].tests.keys()
        for statistic, (lower, upper) in alone[name].intervals.items():
            outer = window[name].intervals[statistic]
            if not math.isnan(lower + upper):
                assert outer[0] <= lower + 1e-12 <= upper + 2e-12 <= outer[1] + 3e-12


@pytest.mark.parametrize(
    "settings",
    [
        {"window": "1d"}, {"window": "6h"}, {"window": "1w"}, {"window": "1mo"}, {"window": "3d", "every": "1d"},
        {"window": "1w", "expanding": True}, {"window": "700 rows"}, {"window": "900 rows", "every": "300 rows"},
    ],
    ids=str,
)  # fmt: skip
def test_a_window_answers_as_a_check_of_its_rows_alone(reference, settings):
    times = hours("2024-02-20", 3000, 0.3)
    times[::17] = np.datetime64("NaT")
    current = columns(3000, seed=1) | {"ts": np.random.default_rng(3).permutation(times)}
    report = check(reference, current, **settings)
    for start, end in list(report.windows)[:: max(1, len(report.windows) // 4)]:
        # NaT is in no window: it compares as false.
        inside = (current["ts"] >= np.datetime64(start)) & (current["ts"] < np.datetime64(end))
        check_same_answer(
            report.windows[start, end], gd.check_drift(reference=reference, current=take(current, inside))
        )


def test_the_report_is_that_of_a_check_without_windows(reference):
    current = columns(2000, seed=1) | {"ts": hours("2024-02-20", 2000)}
    plain = gd.check_drift(reference=reference, current={k: v for k, v in current.items() if k != "ts"})
    report = check(reference, current, window="1w")
    assert report.to_dict()["features"] == plain.to_dict()["features"]
    assert report.problems == plain.problems


@pytest.mark.parametrize("settings", [{"window": "1d"}, {"window": "500 rows"}], ids=str)
def test_windows_and_the_rows_without_a_time_make_up_all_rows(reference, settings):
    times = hours("2024-02-20", 3000)
    times[::7] = np.datetime64("NaT")
    current = columns(3000, seed=1) | {"ts": times}
    report = check(reference, current, **settings)
    profile = gd.profile(reference)
    total = profile.count(take(current, np.isnat(times)))
    grid = Grid.of(profile)
    total = regridded(total, grid.cells)
    windows = [report.windows.counts(span) for span in report.windows]
    assert {one.profile_id for one in windows} == {grid.profile.profile_id}
    for one in windows:
        total = total + gd.Counts(profile.profile_id, one.n_rows, one.keys, one.values)
    assert total == regridded(profile.count(current), grid.cells)


@pytest.mark.parametrize("settings", [{"window": "1d"}, {"window": "333 rows"}], ids=str)
def test_neither_order_nor_batches_change_a_window(reference, settings, tmp_path):
    current = columns(5000, seed=1)
    current["ts"] = hours("2024-02-20", 5000, 0.05).astype("M8[h]").astype("M8[us]")  # many rows of one time
    order = np.random.default_rng(0).permutation(5000)
    shuffled = take(current, order)
    pq.write_table(pa.table(shuffled), tmp_path / "shuffled.parquet", row_group_size=37)
    reader = pa.table(current).to_reader(max_chunksize=211)
    expected = check(reference, current, **settings)
    for other in (shuffled, str(tmp_path / "shuffled.parquet"), reader):
        found = check(reference, other, **settings)
        assert list(found.windows) == list(expected.windows)
        for span in expected.windows:
            assert found.windows.counts(span) == expected.windows.counts(span)


def test_rows_of_one_time_stay_together_and_none_is_lost(reference):
    days = np.repeat(np.arange("2024-01-01", "2024-01-11", dtype="M8[D]"), 100)
    report = check(reference, columns(1000, seed=1) | {"ts": days}, window="250 rows")
    assert list(rows_of(report).values()) == [300, 300, 300, 100]
    assert "stay together: windows hold up to 300 rows" in str(report.problems)
    one = check(reference, columns(1000, seed=1) | {"ts": np.full(1000, days[0])}, window="250 rows")
    assert list(rows_of(one).values()) == [1000]


def test_rows_without_a_time_column_are_windows_in_their_order(reference):
    report = check(reference, columns(1000, seed=1), time=None, window="300 rows")
    assert rows_of(report) == {(0, 300): 300, (300, 600): 300, (600, 900): 300, (900, 1000): 100}
    check_same_answer(
        report.windows[300, 600],
        gd.check_drift(reference=reference, current=take(columns(1000, seed=1), slice(300, 600))),
    )
    assert report.windows.between(0, 600).n_current == 600


def test_months_are_as_long_as_the_calendar_has_them(reference):
    report = check(reference, columns(24 * 366, seed=1) | {"ts": hours("2024-01-01", 24 * 366)}, window="1mo")
    assert [n // 24 for n in rows_of(report).values()] == [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    assert next(iter(report.windows)) == (dt.datetime(2024, 1, 1), dt.datetime(2024, 2, 1))


def test_weeks_begin_on_monday_and_days_before_1970_count_too(reference):
    report = check(reference, columns(24 * 40, seed=1) | {"ts": hours("1969-12-20", 24 * 40)}, window="1w")
    starts = [start for start, _ in report.windows]
    assert {start.weekday() for start in starts} == {0}
    assert starts[0] == dt.datetime(1969, 12, 15)
    assert list(rows_of(report).values()) == [48, *[168] * 5, 72]


@pytest.mark.parametrize("zone", ["Europe/Paris", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata"])
@pytest.mark.parametrize("month", [3, 4, 10, 11])
def test_days_hold_the_rows_of_the_wall_clock(reference, zone, month):
    """By the clock of Python's zoneinfo: 23 hours in spring, 25 in autumn."""
    times = zoned(dt.datetime(2024, month, 1), 24 * 31 * 2, dt.timedelta(minutes=30), zone)
    report = check(reference, pa.table(columns(len(times), seed=1) | {"ts": times}), window="1d")
    days = Counter(moment.astimezone(ZoneInfo(zone)).date() for moment in times.to_pylist())
    assert {start.date(): n for (start, _), n in rows_of(report).items()} == days
    assert not any(p.feature == "ts" for p in report.problems)
    for start, end in report.windows:
        assert (start.hour, end.hour, str(start.tzinfo)) == (0, 0, zone)


@pytest.mark.parametrize(
    ("zone", "spring", "autumn"),
    [
        ("Europe/Paris", dt.datetime(2024, 3, 31), dt.datetime(2024, 10, 27)),
        ("America/New_York", dt.datetime(2024, 3, 10), dt.datetime(2024, 11, 3)),
    ],
)
def test_the_hour_that_a_clock_skips_is_no_lost_window_and_the_one_it_repeats_is_one(reference, zone, spring, autumn):
    for day, n_rows, n_windows in ((spring, 23, 23), (autumn, 25, 24)):
        times = zoned(day, n_rows * 12, dt.timedelta(minutes=5), zone)
        table = pa.table(columns(len(times), seed=1) | {"ts": times})
        report = check(reference, table, window="1h")
        found = rows_of(report)
        assert len(found) == n_windows
        assert sorted(set(found.values())) == ([12] if day == spring else [12, 24])
        assert report.problems == check(reference, table, window="1d").problems  # neither late nor missing
        quarters = check(reference, table, window="15min")
        assert sum(rows_of(quarters).values()) == n_rows * 12
        assert quarters.problems == report.problems


def test_rows_in_order_of_time_are_not_mixed_up_by_the_hour_that_repeats(reference):
    times = zoned(dt.datetime(2024, 10, 27), 25 * 12, dt.timedelta(minutes=5), "Europe/Paris")
    current = columns(len(times), seed=1)
    report = check(reference, pa.table(current | {"ts": times}), window="6 rows")
    assert list(rows_of(report).values()) == [6] * 50
    assert all(end - start == HOUR / 2 for start, end in list(report.windows)[:-1])
    for k, span in enumerate(report.windows):
        inside = check(reference, take(current, slice(6 * k, 6 * k + 6)), time=None, window="6 rows")
        assert report.windows.counts(span) == inside.windows.counts((0, 6))


def test_a_naive_time_that_the_clock_skips_joins_the_next_window(reference):
    times = np.concatenate([hours("2024-03-31T00:00", 12, 1 / 12), hours("2024-03-31T02:00", 24, 1 / 12)])
    report = check(reference, columns(36, seed=1) | {"ts": times}, window="15min", zone="Europe/Paris")
    found = {start.strftime("%H:%M"): n for (start, _), n in rows_of(report).items()}
    assert found == {"00:00": 3, "00:15": 3, "00:30": 3, "00:45": 3, "03:00": 15, "03:15": 3, "03:30": 3, "03:45": 3}


def test_rolling_windows_are_whole_and_hold_their_steps(reference):
    current = columns(24 * 10, seed=1) | {"ts": hours("2024-02-26", 24 * 10)}
    report = check(reference, current, window="3d", every="1d")
    assert list(rows_of(report).values()) == [72] * 8
    assert next(iter(report.windows)) == (dt.datetime(2024, 2, 26), dt.datetime(2024, 2, 29))
    assert list(report.windows)[-1] == (dt.datetime(2024, 3, 4), dt.datetime(2024, 3, 7))


def test_a_rolling_month_reaches_back_to_the_same_day(reference):
    current = columns(24 * 60, seed=1) | {"ts": hours("2024-02-01", 24 * 60)}
    report = check(reference, current, window="1mo", every="1d")
    assert rows_of(report)[dt.datetime(2024, 2, 1), dt.datetime(2024, 3, 1)] == 29 * 24
    assert rows_of(report)[dt.datetime(2024, 2, 15), dt.datetime(2024, 3, 15)] == 29 * 24
    assert rows_of(report)[dt.datetime(2024, 2, 29), dt.datetime(2024, 3, 31)] == 31 * 24


def test_rolling_windows_span_an_empty_one_and_end_in_it(reference):
    times = hours("2024-02-01", 24 * 9)
    kept = (times < np.datetime64("2024-02-04")) | (times >= np.datetime64("2024-02-05"))
    report = check(reference, take(columns(24 * 9, seed=1) | {"ts": times}, kept), window="2d", every="1d")
    assert list(rows_of(report).values()) == [48, 48, 24, 24, 48, 48, 48, 48]
    assert (dt.datetime(2024, 2, 3), dt.datetime(2024, 2, 5)) in report.windows
    assert "has no row in 1 window of 1 day (from 2024-02-04" in str(report.problems)


@pytest.mark.parametrize(("zone", "skipped"), [("Africa/Cairo", "2024-04-26"), ("Europe/Paris", "2024-03-31")])
def test_rolling_windows_hold_the_rows_between_their_ends_where_the_clock_skips_a_start(reference, zone, skipped):
    """Midnight in Cairo, two in Paris: a window may begin and end there."""
    first = dt.datetime.fromisoformat(skipped) - dt.timedelta(days=3)
    table = pa.table(columns(24 * 7, seed=1) | {"ts": zoned(first, 24 * 7, HOUR, zone)})
    instants = np.asarray(table["ts"].cast(pa.int64()))
    for settings in ({"window": "3d", "every": "1d"}, {"window": "6h", "every": "2h"}):
        found = rows_of(check(reference, table, **settings))
        assert len(found) > 4
        for (start, end), n_rows in found.items():
            inside = (instants >= start.timestamp() * 1e6) & (instants < end.timestamp() * 1e6)
            assert n_rows == np.count_nonzero(inside), (start, end)


def test_expanding_windows_begin_with_the_first(reference):
    current = columns(240, seed=1) | {"ts": hours("2024-02-26", 240)}
    report = check(reference, current, window="1d", expanding=True)
    assert list(rows_of(report).values()) == list(range(24, 241, 24))
    assert {start for start, _ in report.windows} == {dt.datetime(2024, 2, 26)}


def test_a_window_against_the_one_before_has_its_rows_as_reference(reference):
    current = columns(24 * 21, seed=1) | {"ts": hours("2024-02-26", 24 * 21)}
    report = check(reference, current, window="1w", against="previous")
    assert [(one.n_reference, one.n_current) for one in report.windows.values()] == [(168, 168)] * 2
    start, end = next(iter(report.windows))
    before = current["ts"] < np.datetime64(start)
    inside = (current["ts"] >= np.datetime64(start)) & (current["ts"] < np.datetime64(end))
    profile = gd.profile(reference)
    grid = Grid.of(profile)
    moved = [regridded(profile.count(take(current, rows)), grid.cells) for rows in (before, inside)]
    one = report.windows[start, end]
    plan = one["plan"]
    f, g = (dict(zip(*(a.tolist() for a in side.column(3)), strict=True)) for side in moved)
    names = [*grid.profile.plans[3].vocabulary.to_pylist(), "new"]
    assert {b.label: (b.reference, b.current) for b in plan.bins} == {
        name: (f.get(k, 0), g.get(k, 0)) for k, name in enumerate(names) if f.get(k, 0) + g.get(k, 0)
    }


def test_overlapping_windows_against_the_one_before_do_not_share_rows(reference):
    current = columns(24 * 8, seed=1) | {"ts": hours("2024-02-26", 24 * 8)}
    report = check(reference, current, window="2d", every="1d", against="previous")
    assert [(one.n_reference, one.n_current) for one in report.windows.values()] == [(48, 48)] * 5


def test_a_rolling_window_is_compared_with_as_much_time_before_it_whatever_is_empty(reference):
    day = np.repeat([d for d in range(30) if d not in (10, 11) and not 15 <= d < 20], 24)
    current = columns(len(day), seed=1) | {"ts": np.datetime64("2024-02-01", "us") + day.astype("m8[D]")}
    report = check(reference, current, window="3d", every="1d", against="previous")
    expected = {}
    for start in range(3, 28):
        inside = np.count_nonzero((day >= start) & (day < start + 3))
        before = [np.count_nonzero((day >= start - back) & (day < start - back + 3)) for back in range(3, start + 1, 3)]
        if inside and any(before):
            expected[start] = next(filter(None, before)), inside
    found = {(start - dt.datetime(2024, 2, 1)).days: one for (start, _), one in report.windows.items()}
    assert {start: (one.n_reference, one.n_current) for start, one in found.items()} == expected
    assert [entry["rows"]["reference"] for entry in report.to_dict()["windows"]] == [n for n, _ in expected.values()]


def test_stored_counts_answer_any_range_afterwards(reference):
    current = columns(24 * 12, seed=1) | {"ts": hours("2024-02-26", 24 * 12)}
    windows = check(reference, current, window="1d").windows
    found = windows.between(dt.datetime(2024, 2, 28), dt.datetime(2024, 3, 2, 12))
    inside = (current["ts"] >= np.datetime64("2024-02-28")) & (current["ts"] < np.datetime64("2024-03-02"))
    check_same_answer(found, gd.check_drift(reference=reference, current=take(current, inside)))


@pytest.mark.parametrize(
    ("start", "end", "message"),
    [
        (dt.datetime(2024, 3, 1), dt.datetime(2024, 3, 1), "no window lies between"),
        (dt.datetime(1999, 3, 1), dt.datetime(1999, 4, 1), "no window lies between"),
        ("2024-02-26", "2024-02-28", "are no times like"),
        (0, 3, "are no times like"),
        (dt.datetime(2024, 3, 1, tzinfo=dt.UTC), dt.datetime(2024, 3, 3, tzinfo=dt.UTC), "are no times like"),
    ],
)
def test_a_range_without_windows_is_refused(reference, start, end, message):
    current = columns(48, seed=1) | {"ts": hours("2024-02-26", 48)}
    with pytest.raises(DataError, match=message):
        check(reference, current, window="1d").windows.between(start, end)


def test_a_moved_week_is_found_and_the_others_are_not(reference):
    current = columns(8000, seed=1) | {"ts": hours("2024-01-01", 8000, 0.1)}
    moved = (current["ts"] >= np.datetime64("2024-01-15")) & (current["ts"] < np.datetime64("2024-01-22"))
    current["visits"] = np.where(moved, current["visits"] + 2, current["visits"])
    report = check(reference, current, window="1w")
    assert report.windows.drifted == ((dt.datetime(2024, 1, 15), dt.datetime(2024, 1, 22)),)
    entry = report.to_dict()["windows"][2]
    assert (entry["start"], entry["end"]) == ("2024-01-15T00:00:00", "2024-01-22T00:00:00")
    assert entry["dataset_drift"] is True
    assert entry["features"]["visits"]["drifted"] is True


def test_the_time_is_not_compared_unless_asked_for(reference):
    stream = columns(480, seed=1) | {"ts": hours("2024-02-26", 480)}
    assert "ts" not in check(stream, stream, window="1w")
    assert "ts" in check(stream, stream, window="1w", columns=["ts", "x"])


def in_any_order(report: gd.DriftReport) -> dict:
    """Equal slices stand in the order of their sizes, which late rows change."""
    whole = report.to_dict()
    return whole | {"slices": sorted(whole.get("slices", []), key=str)}


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("settings", [{}, {"every": "6h"}, {"expanding": True}, {"slices": ["plan"]}], ids=str)
def test_late_rows_join_their_window(reference, settings, weights):
    rng = np.random.default_rng(0)
    times = hours("2024-02-26", 3000, 0.1)
    times[::41] = np.datetime64("NaT")
    current = columns(3000, seed=1) | {"ts": times, "w": rng.exponential(size=3000)}
    late = rng.random(3000) < 0.2
    late[times < np.datetime64("2024-02-28")] = True  # windows that came only late
    late[times >= np.datetime64("2024-03-08")] = False
    champion = gd.profile(reference | {"w": rng.exponential(size=6000)}, weights=weights)
    champion = reference | {"w": rng.exponential(size=6000)} if "slices" in settings else champion
    settings = {"window": "1d", "weights": weights, **settings}
    whole, in_time, later = (
        check(champion, take(current, rows), **settings) for rows in (slice(None), ~late, late)
    )  # fmt: skip
    for total in (in_time.windows + later.windows, later.windows + in_time.windows):
        assert list(total) == list(whole.windows)
        for span in whole.windows:
            assert total.counts(span) == whole.windows.counts(span)
            assert in_any_order(total[span]) == in_any_order(whole.windows[span])
        assert total.drifted == whole.windows.drifted
    for label in whole.slices or ():
        parts = [one.slices.windows(label) for one in (later, in_time)]
        found, expected = parts[0] + parts[1], whole.slices.windows(label)
        assert list(found) == list(expected)
        for span in expected:
            assert found[span].to_dict() == expected[span].to_dict()


def test_windows_of_different_kinds_are_not_added(reference):
    current = columns(480, seed=1) | {"ts": hours("2024-02-26", 480)}
    days, hundreds = (check(reference, current, window=window).windows for window in ("1d", "100 rows"))
    with pytest.raises(DataError, match="windows of different settings cannot be added; check both with the same"):
        days + hundreds
    with pytest.raises(DataError, match="only windows of time can be added; name the column of times"):
        hundreds + hundreds
    with pytest.raises(DataError, match="of different profiles"):
        days + check(columns(5000, seed=5), current, window="1d").windows
    sliced = reference | {"s": np.resize(["a", "b", "c"], 6000)}
    few = [
        check(sliced, current | {"s": np.full(480, label)}, window="1d", slices=["s"], max_slices=1).windows
        for label in "ab"
    ]
    with pytest.raises(DataError, match="of pooled ones, cannot be added; raise max_slices to keep all"):
        few[0] + few[1]
    with pytest.raises(DataError, match="windows of different settings cannot be added"):
        days + few[0]


def test_a_category_that_came_to_stay_is_new_once_against_the_window_before() -> None:
    rng = np.random.default_rng(0)
    reference = {"c": rng.choice(list("abcd"), 20_000)}
    came = (np.arange(10_000) >= 6000) & (rng.random(10_000) < 0.2)
    current = {"c": np.where(came, "z", rng.choice(list("abcd"), 10_000))}
    windows = gd.check_drift(reference=reference, current=current, window="2000 rows", against="previous").windows
    assert windows is not None
    assert windows.drifted == ((6000, 8000),)
    assert [report["c"].new_rate > 0.1 for report in windows.values()] == [False, False, True, False]
