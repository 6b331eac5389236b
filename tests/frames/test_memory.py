"""Parquet is read in bounded memory, whatever the size of the file and of its row groups."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

MIB = 1 << 20

#: Checks a file against itself; prints the rows, and the resident memory before and at its peak, in KiB.
CHECK = """
import re, sys
from pathlib import Path
import gpudrift as gd

def resident(line):
    return int(re.search(line + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

warm, path = sys.argv[1:]
gd.check_drift(reference=warm, current=warm)
before = resident("VmRSS")
report = gd.check_drift(reference=path, current=path)
assert not report.dataset_drift
print(report.n_current, before, resident("VmHWM"))
"""


def check(path: Path) -> tuple[int, int, int]:
    """Rows checked, and bytes resident before and at the peak, in a process of its own."""
    warm = path.with_name("warm.parquet")
    pq.write_table(pa.table({f"x{j}": np.arange(1000.0) for j in range(8)}), warm)
    command = [sys.executable, "-c", CHECK, str(warm), str(path)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    n_rows, before, peak = map(int, done.stdout.split())
    return n_rows, before << 10, peak << 10


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_row_group_is_never_held_whole(tmp_path: Path) -> None:
    values = np.arange(6_000_000) % 1000 / 7
    path = tmp_path / "x.parquet"
    pq.write_table(
        pa.table({f"x{j}": values for j in range(8)}), path, row_group_size=len(values), use_dictionary=False
    )
    n_rows, before, peak = check(path)
    assert n_rows == 6_000_000
    assert peak - before < 250 * MIB < 8 * values.nbytes


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_four_gigabytes_are_checked_within_one_and_a_half(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    path = tmp_path / "x.parquet"
    schema = pa.schema([(f"x{j}", pa.float64()) for j in range(8)])
    groups = [1 << 20] * 30 + [122_880] * 100 + [16 << 20]
    with pq.ParquetWriter(path, schema, use_dictionary=False) as writer:
        for n_rows in groups:
            writer.write_table(pa.table([rng.random(n_rows) for _ in schema], schema), row_group_size=n_rows)
    assert path.stat().st_size > 3.8e9
    n_rows, _, peak = check(path)
    path.unlink()
    assert n_rows == sum(groups)
    assert peak < 1_500_000_000
