"""A year of days by twenty slices and fifty features is counted in a gigabyte."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

#: Checks one file against another by day and slice; prints what was found and the peak of resident memory, in KiB.
CHECK = """
import re, sys
from pathlib import Path
import gpudrift as gd

reference, current = sys.argv[1:]
report = gd.check_drift(reference=reference, current=current, time="ts", window="1d", slices=["shop"])
peak = re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1]
counted = sum(report.windows.counts(span).n_rows for span in report.windows)
print(len(report.windows), len(report.slices), len(report), counted, peak)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_year_by_day_and_slice_fits_in_a_gigabyte(tmp_path: Path) -> None:
    n_days, n_slices, n_features, n_rows = 365, 20, 50, 10_000
    rng = np.random.default_rng(0)
    for name, days in (("reference.parquet", 40), ("current.parquet", n_days)):
        with pq.ParquetWriter(tmp_path / name, _table(rng, 0, n_features, n_slices, 1).schema) as writer:
            for day in range(days):
                writer.write_table(_table(rng, day, n_features, n_slices, n_rows))
    command = [sys.executable, "-c", CHECK, str(tmp_path / "reference.parquet"), str(tmp_path / "current.parquet")]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    *found, peak_kib = map(int, done.stdout.split())
    assert found == [n_days, n_slices, n_features + 1, n_days * n_rows]
    assert peak_kib << 10 < 10**9


def _table(rng: np.random.Generator, day: int, n_features: int, n_slices: int, n_rows: int) -> pa.Table:
    """A day of rows in order of time; the shop is a feature too."""
    start = np.datetime64("2023-01-01", "us") + np.timedelta64(day, "D")
    times = start + np.sort(rng.integers(0, 86_400_000_000, n_rows)).astype("m8[us]")
    features = {f"x{j}": rng.normal(size=n_rows).astype(np.float32) for j in range(n_features)}
    return pa.table({**features, "ts": times, "shop": rng.integers(0, n_slices, n_rows).astype(str)})
