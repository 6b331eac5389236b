from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd

if TYPE_CHECKING:
    from pathlib import Path


def _sides(n: int, m: int) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    rng = np.random.default_rng(3)
    reference = {"x": rng.normal(size=n), "same": np.arange(n) % 70_000.0, "tied": rng.poisson(4, n)}
    current = {"x": rng.normal(0.01, 1, m), "same": np.arange(m) % 70_000.0, "tied": rng.poisson(4.1, m)}
    return reference, current


@pytest.mark.parametrize("columns", [["x"], ["x", "same", "tied"]], ids=["a thread a side", "a thread a column"])
def test_exact_distances_are_the_same_bits_on_any_number_of_threads(columns: list[str]) -> None:
    reference, current = _sides(140_000, 90_001)
    found = {
        tuple((f.ks, f.wasserstein) for f in report.values())
        for report in (
            gd.check_drift(reference=reference, current=current, columns=columns, exact=True, backend=backend)
            for backend in (gd.get_backend("cpu", threads=threads) for threads in (1, 2, 3, 8))
        )
    }
    assert len(found) == 1


def test_exact_distances_leave_the_caller_s_columns_as_they_were() -> None:
    reference, current = _sides(3_000, 2_000)
    before = [column.copy() for side in (reference, current) for column in side.values()]
    gd.check_drift(reference=reference, current=current, exact=True)
    for column, copy in zip([*reference.values(), *current.values()], before, strict=True):
        np.testing.assert_array_equal(column, copy)


@pytest.mark.parametrize("form", ["contiguous", "strided", "parquet"])
def test_exact_distances_take_the_memory_of_one_copy_of_each_side(tmp_path: Path, form: str) -> None:
    n_rows, n_columns = 1_000_000, 3
    rows = np.random.default_rng(4).normal(size=(n_rows, n_columns))
    table: object = {f"x{k}": np.ascontiguousarray(rows[:, k]) for k in range(n_columns)}
    if form == "strided":
        table = rows
    if form == "parquet":
        pq.write_table(pa.table(table), tmp_path / "rows.parquet", row_group_size=100_000)
        table = str(tmp_path / "rows.parquet")
    gd.check_drift(reference=table, current=table, exact=True, backend=gd.get_backend("cpu", threads=1))
    tracemalloc.start()
    try:
        gd.check_drift(reference=table, current=table, exact=True, backend=gd.get_backend("cpu", threads=1))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 * 8 * n_rows + (8 << 20)  # both sides of one column, sorted; slices, tables and the rest
