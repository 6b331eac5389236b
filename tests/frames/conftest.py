"""A table of every plain sort of column."""

from __future__ import annotations

import datetime as dt
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest

import gpudrift as gd

from .gpu_stand_ins import cupy_stand_in

if TYPE_CHECKING:
    from types import ModuleType

N_ROWS = 700


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """NumPy in the place of CuPy."""
    module = cupy_stand_in()
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


@pytest.fixture(scope="session")
def table() -> pa.Table:
    """700 rows; a seventh of each column but the first is missing."""
    rng = np.random.default_rng(0)
    places = rng.integers(0, 4, N_ROWS).tolist()
    start = dt.datetime(2024, 2, 29, 23, 59)

    def gaps(values: list[Any], missing: Any = None) -> list[Any]:
        return [missing if i % 7 == 3 else value for i, value in enumerate(values)]

    return pa.table(
        {
            "whole": pa.array(rng.integers(-50, 50, N_ROWS)),
            "gaps": pa.array(gaps(rng.integers(0, 9, N_ROWS).tolist())),
            "real": pa.array(gaps(rng.normal(size=N_ROWS).tolist(), float("nan"))),
            "flag": pa.array(gaps([place > 1 for place in places])),
            "text": pa.array(gaps([("", "été", "日本 🚗", "x" * 300)[place] for place in places])),
            "when": pa.array(gaps([start + dt.timedelta(hours=i * i % 999) for i in range(N_ROWS)])),
            "day": pa.array(gaps([start.date() + dt.timedelta(days=i * i % 99) for i in range(N_ROWS)])),
            "zoned": pa.array(
                gaps([start + dt.timedelta(minutes=i * i % 999) for i in range(N_ROWS)]),
                pa.timestamp("us", "Europe/Paris"),
            ),
        }
    )


@pytest.fixture(scope="session")
def champion(table: pa.Table) -> gd.Profile:
    return gd.profile(table)
