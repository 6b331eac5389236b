"""pandas: value_counts, and one column of Parquet after the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.feather as feather

from gpudrift.bench import numpy_drift

VERSION = pd.__version__
Contender = tuple[Callable[[], Any], Callable[[Any], Any]]


def categories(folder: Path) -> Contender:
    """Counts of both sides, aligned by their texts."""
    sides = [feather.read_table(folder / f"{side}.arrow").to_pandas()["x"] for side in ("reference", "current")]

    def work() -> tuple[float, float]:
        counts = pd.concat([side.value_counts() for side in sides], axis=1).fillna(0)
        return numpy_drift.psi_js(*(counts.iloc[:, i].to_numpy() for i in (0, 1)))

    return work, lambda found: {"js": found[1]}


def parquet(folder: Path) -> Contender:
    """A column at a time, then NumPy's fastest way."""
    import pyarrow.parquet as pq

    def work() -> dict[str, numpy_drift.Drift]:
        found = {}
        for name in pq.read_schema(next((folder / "reference").iterdir())).names:
            sides = (pd.read_parquet(folder / side, columns=[name])[name] for side in ("reference", "current"))
            found[name] = numpy_drift.fast(*(side.to_numpy() for side in sides))
        return found

    return work, lambda found: found
