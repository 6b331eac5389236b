"""polars: value_counts, and one column of Parquet after the other; all processors."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import polars as pl

from gpudrift.bench import numpy_drift, processors

VERSION = pl.__version__
Contender = tuple[Callable[[], Any], Callable[[Any], Any]]


def categories(folder: Path) -> Contender:
    """Counts of both sides, joined by their texts."""
    sides = [pl.read_ipc(folder / f"{side}.arrow")["x"] for side in ("reference", "current")]

    def work() -> tuple[float, float]:
        p, q = (side.value_counts(name=f"n{i}") for i, side in enumerate(sides))
        counts = p.join(q, on="x", how="full").fill_null(0)
        return numpy_drift.psi_js(*(counts[f"n{i}"].cast(pl.Int64).to_numpy() for i in (0, 1)))

    return work, lambda found: {"js": found[1]}


def parquet(folder: Path) -> Contender:
    """A column at a time, then NumPy's fastest way on all processors."""

    def work() -> dict[str, numpy_drift.Drift]:
        scans = [pl.scan_parquet(folder / side / "*.parquet") for side in ("reference", "current")]
        found = {}
        with ThreadPoolExecutor(processors()) as pool:
            for name in scans[0].collect_schema().names():
                reference, current = (scan.select(name).collect()[name].to_numpy() for scan in scans)
                found[name] = numpy_drift.fast(reference, current, spread=pool.map)
        return found

    return work, lambda found: found
