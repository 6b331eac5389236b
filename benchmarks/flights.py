"""Flights of 2013 as training data: what is known before departure, month by month.

Arrival more than 15 minutes late ("late"), and the minutes ("minutes"). Departure and arrival times, delays and air
time would tell the answer. Every tenth row of each month is kept out of training.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gpudrift.datasets import by_month, load_flights

COLUMNS: Final = [
    "carrier", "origin", "dest", "distance", "hour", "minute", "weekday", "temp", "dewp", "humid", "wind_dir",
    "wind_speed", "precip", "pressure", "visib",
]  # fmt: skip
NUMBERS: Final = COLUMNS[3:]
#: The month whose rows are about a tenth of those up to it.
NEWEST: Final = 10


def months_of_flights() -> dict[int, pa.Table]:
    """Flights that arrived, by month, in the order of their schedule."""
    flights = load_flights().sort_by("time_hour")
    flights = flights.filter(pc.is_valid(flights["arr_delay"]))
    day = np.datetime64("2013-01-01", "M") + (flights["month"].to_numpy() - 1)
    date = day.astype("datetime64[D]") + (flights["day"].to_numpy() - 1)
    flights = flights.append_column("weekday", pa.array(date.astype(np.int64) % 7))
    flights = flights.append_column("late", pc.greater(flights["arr_delay"], 15))
    flights = flights.append_column("minutes", flights["arr_delay"].cast(pa.float64()))
    return by_month(flights)


def rows_of(months: dict[int, pa.Table], which: Sequence[int], target: str) -> pa.Table:
    """Rows to train on: nine of ten of each month."""
    tables = (months[month].select([*COLUMNS, target]) for month in which)
    return pa.concat_tables([table.filter(pa.array(np.arange(len(table)) % 10 != 0)) for table in tables])


def kept_out(table: pa.Table, target: str) -> pa.Table:
    """The tenth that is never trained on."""
    return table.select([*COLUMNS, target]).take(pa.array(np.arange(0, len(table), 10)))
