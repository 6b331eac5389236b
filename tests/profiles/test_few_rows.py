"""Columns of fractions are planned from few rows: the same in whatever form they come, and never coarser for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray
from scipy import stats

import gpudrift as gd
from gpudrift.profiles.columns import NumericColumn
from gpudrift.profiles.sampling import FEW_STEP, few_of, sample_positions

N = 70_001


def smooth(seed: int = 0) -> NDArray[np.float64]:
    return np.random.default_rng(seed).normal(size=N)


def column_of(profile: gd.Profile) -> NumericColumn:
    column = profile.plans[0]
    assert isinstance(column, NumericColumn)
    return column


def unseen() -> NDArray[np.bool_]:
    """Rows that are none of the few."""
    rows = np.ones(N, np.bool_)
    rows[few_of(sample_positions(N))] = False
    return rows


def test_the_few_are_every_so_many_of_the_sample_if_they_are_enough() -> None:
    assert few_of(np.arange(1 << 16)).tolist() == list(range(0, 1 << 16, FEW_STEP))
    assert few_of(np.arange(1000)).size == 0


@pytest.mark.parametrize("row_group_size", [1_000, 4_097, N])
def test_a_file_is_planned_as_the_same_rows_in_memory(tmp_path: Path, row_group_size: int) -> None:
    values = np.where(np.random.default_rng(1).random(N) < 0.1, np.nan, smooth())
    table = pa.table({"x": values, "y": pd.array(smooth(1), "Float64"), "heavy": np.exp(2 * smooth(2)).astype("f4")})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=row_group_size)
    assert gd.profile(tmp_path / "rows.parquet").profile_id == gd.profile(table).profile_id


def test_a_smooth_column_is_counted_without_cuts() -> None:
    assert column_of(gd.profile({"x": smooth()})).plan.cuts.size == 0


@pytest.mark.parametrize("share", [0.003, 0.2])
def test_an_atom_that_the_few_miss_is_cut_out_all_the_same(share: float) -> None:
    values = smooth()
    values[unseen() & (np.random.default_rng(3).random(N) < share)] = 0.25
    column = column_of(gd.profile({"x": values}))
    assert column.plan.cuts.size > 0
    assert column.width <= 1 / 1024


def test_columns_that_misled_are_counted_again_in_their_place() -> None:
    misled = smooth()
    misled[unseen()] /= 1000
    table = {
        "a": smooth(1),
        "b": misled,
        "c": smooth(2),
        "d": misled[::-1].copy(),
        "e": ["yes", None] * (N // 2) + ["no"],
    }
    together = gd.profile(table)
    for f, (name, values) in enumerate(table.items()):
        alone = gd.profile({name: values})
        for found, wanted in zip(together.reference.column(f), alone.reference.column(0), strict=True):
            np.testing.assert_array_equal(found, wanted)


def test_the_interval_holds_the_distance_of_a_column_that_misled() -> None:
    values = smooth()
    values[unseen()] /= 1000
    current = smooth(5) / 900
    found = gd.check_drift(reference={"x": values}, current={"x": current})["x"].ks
    assert found is not None
    assert found.lower <= stats.ks_2samp(values, current).statistic <= found.upper <= found.lower + 2 / 1024


@pytest.mark.parametrize("dtype", ["int64", "uint64"])
def test_whole_numbers_that_no_double_tells_apart_are_even_if_the_sample_has_none(dtype: str) -> None:
    rng = np.random.default_rng(6)
    rows = 4 * N
    reference, current = ((2**60 + rng.integers(low, low + 50, rows)).astype(dtype) for low in (0, 60))
    for side in (reference, current):
        side[sample_positions(rows)] = rng.integers(0, 100, 1 << 16)
    profile = gd.profile({"x": reference})
    assert column_of(profile).plan.dtype == dtype
    found = profile.compare(profile.count({"x": current}))["x"].ks
    assert found is not None
    assert found.lower <= stats.ks_2samp(reference, current).statistic <= found.upper <= found.lower + 2 / 1024


def test_whole_numbers_are_looked_at_in_full() -> None:
    counter = np.arange(N) * 1.0
    assert column_of(gd.profile({"x": counter})).grows
    assert column_of(gd.profile({"x": np.random.default_rng(4).permutation(counter)})).unique
    counter[unseen()] += 0.5
    assert not column_of(gd.profile({"x": counter})).grows


def test_a_column_with_values_in_few_of_the_few_is_planned_from_the_whole_sample() -> None:
    values = np.full(N, np.nan)
    values[::30] = smooth()[::30]
    assert column_of(gd.profile({"x": values})).width <= 1 / 1024
