"""A side without a row, and one with too few of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd

from .conftest import GOOD

EMPTY: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame({"age": [], "plan": []}),
    "pandas, typed": lambda: pd.DataFrame(GOOD).head(0),
    "polars": lambda: pl.DataFrame(GOOD).head(0),
    "pyarrow": lambda: pa.table(GOOD).slice(0, 0),
    "pyarrow without a chunk": lambda: pa.table(GOOD).schema.empty_table(),
    "stream": lambda: pa.table(GOOD).slice(0, 0).to_reader(),
    "array": lambda: np.empty((0, 3)),
    "mapping": lambda: {"age": [], "plan": []},
}


@pytest.mark.parametrize("empty", EMPTY.values(), ids=EMPTY)
def test_an_empty_reference_is_refused(empty: Callable[[], Any]) -> None:
    with pytest.raises(gd.DataError, match=r"^reference has no rows; pass at least one$"):
        gd.check_drift(reference=empty(), current=GOOD)


@pytest.mark.parametrize("empty", EMPTY.values(), ids=EMPTY)
def test_an_empty_current_is_refused(empty: Callable[[], Any]) -> None:
    with pytest.raises(gd.DataError, match=r"^current has no rows; pass at least one$"):
        gd.check_drift(reference=GOOD, current=empty())


def test_an_empty_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table(GOOD).slice(0, 0), tmp_path / "empty.parquet")
    with pytest.raises(gd.DataError, match=r"^reference has no rows; pass at least one$"):
        gd.profile(tmp_path / "empty.parquet")


@pytest.mark.parametrize(("n_rows", "shown"), [(1, "1 value"), (29, "29 values")])
def test_too_few_rows_for_a_verdict_are_named(n_rows: int, shown: str) -> None:
    few = {name: values[:n_rows] for name, values in GOOD.items()}
    for reference, current, side in ((GOOD, few, "current"), (few, GOOD, "reference")):
        report = gd.check_drift(reference=reference, current=current)
        remark = f"has {shown} in the {side} data, too few for a verdict; collect at least 30"
        assert [str(problem) for problem in report.problems] == [f"{name}: {remark}" for name in GOOD]
        assert not report.dataset_drift
        assert report.to_dict()["features"]["age"]["p_value"] is None
    assert gd.check_drift(reference=GOOD, current={name: values[:30] for name, values in GOOD.items()}).problems == ()
