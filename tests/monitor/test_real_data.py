"""Windows and slices of real data: what moved is found where it moved, and what hardly did is not."""

from __future__ import annotations

import datetime as dt
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

import gpudrift as gd
from gpudrift.datasets.flights import load_flights

from .conftest import NOW

#: find_spec does not run the package, whose own requirements need not be there.
NANNYML = find_spec("nannyml")
needs_nannyml = pytest.mark.skipif(NANNYML is None, reason="pip install --no-deps nannyml==0.13.1")
WEATHER = {"temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"}


def nannyml(name: str) -> Path:
    assert NANNYML is not None
    return Path(NANNYML.submodule_search_locations[0]) / "datasets" / "data" / name


@pytest.fixture(scope="module")
def weeks() -> gd.DriftReport:
    """All flights of 2013 against those of its first quarter, by week of New York and airport."""
    flights = load_flights()
    return gd.check_drift(
        reference=flights.filter(pc.field("month") <= 3), current=flights, now=NOW,
        columns=["carrier", "dest", "distance", "sched_dep_time", *sorted(WEATHER)],
        time="time_hour", window="1w", zone="America/New_York", slices=["origin"],
    )  # fmt: skip


def test_every_flight_is_in_a_week_that_begins_on_monday(weeks):
    assert len(weeks.windows) == 53
    assert sum(one.n_current for one in weeks.windows.values()) == 336_776
    assert {start.weekday() for start, _ in weeks.windows} == {0}
    assert next(iter(weeks.windows))[0].date() == dt.date(2012, 12, 31)
    assert not any("no row" in str(problem) for problem in weeks.problems)
    assert any("is not in order" in str(problem) for problem in weeks.problems)  # months run 1, 10, 11, 12, 2, ...


def test_the_weather_of_a_summer_week_has_moved_and_the_carriers_have_not(weeks):
    july = {span: one for span, one in weeks.windows.items() if span[0].month == 7}
    assert len(july) == 5
    for one in july.values():
        assert "temp" in one.drifted
        assert one["temp"].mean_change.value > 2  # standard deviations of the winter's temperature
        assert not {"carrier", "distance", "sched_dep_time"} & set(one.drifted)


def test_each_airport_is_compared_with_itself(weeks):
    assert {label[0]: one.n_current for label, one in weeks.slices.items()} == {
        "EWR": 120_835, "JFK": 111_279, "LGA": 104_662
    }  # fmt: skip
    july = next(one for span, one in weeks.windows.items() if span[0].month == 7)
    assert sum(one.n_current for one in july.slices.values()) == july.n_current
    for one in weeks.slices.values():
        assert {"temp", "dewp"} <= set(one.drifted)


@needs_nannyml
@pytest.mark.slow
def test_employment_does_not_alarm_though_its_p_values_are_nought():
    reference, current = (pq.read_table(nannyml(f"employment_MA_{part}.pq")) for part in ("reference", "analysis"))
    columns = [name for name in current.column_names if name not in ("id", "year", "prediction")]
    year = pc.strptime(current["year"].cast(pa.string()), format="%Y", unit="s")
    report = gd.check_drift(
        reference=reference, current=current.append_column("ts", year), time="ts", window="1y", columns=columns
    )
    assert [one.n_current for one in report.windows.values()] == [69_126, 69_635, 70_131]
    assert not report.dataset_drift
    assert report.windows.drifted == ()
    assert min(f.log_p_value for one in report.windows.values() for f in one.values()) < -200
    assert max(f.psi for one in report.windows.values() for f in one.values()) < 0.015
    # Within a year from 2017 on the file is sorted: those who live in institutions stand apart. Shuffled, as rows
    # come in where they are no file, neither a month's nor a quarter's number of them alarms.
    order = np.lexsort((np.random.default_rng(0).random(current.num_rows), current["year"].to_numpy()))
    for window in ("5700 rows", "17000 rows"):
        report = gd.check_drift(reference=reference, current=current.take(order), window=window, columns=columns)
        assert report.windows.drifted == ()


@needs_nannyml
@pytest.mark.slow
def test_the_car_loans_are_seen_to_move_in_the_window_in_which_they_do():
    reference, current = (
        pyarrow.csv.read_csv(nannyml(f"synthetic_car_loan_{part}.csv")) for part in ("reference", "analysis")
    )
    columns = [name for name in current.column_names if name not in ("id", "timestamp", "y_pred")]
    report = gd.check_drift(reference=reference, current=current, window="500 rows", columns=columns)
    flagged = [one.dataset_drift for one in report.windows.values()]
    assert all(flagged[50:])  # from row 25,000 of these, 75,000 of all
    assert sum(flagged[:50]) <= 6  # alpha of 50 is 2.5: 6 and more in 4% of trials
    change = report.windows.change_point()
    assert (change.earliest, change.at, change.latest) == (25_000, 25_000, 25_000)
    assert change.probability > 0.999
