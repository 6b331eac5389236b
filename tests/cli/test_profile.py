"""``gpudrift profile``: a reference becomes a file."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd

from .conftest import N_ROWS, Run, write


@pytest.mark.usefixtures("files")
def test_the_profile_is_the_one_that_the_library_makes(run: Run) -> None:
    result = run("profile", "reference.parquet", "-o", "champion.gdp")
    assert result.exit_code == 0
    assert result.stdout == f"wrote champion.gdp: {N_ROWS:,} rows, 3 columns\n"
    assert gd.load_profile("champion.gdp").profile_id == gd.profile("reference.parquet").profile_id


def test_several_references_are_one(run: Run, tmp_path: Path) -> None:
    for k in range(3):
        write(tmp_path / f"part{k}.parquet", centre=0.0, seed=k)
    assert run("profile", "part0.parquet", "part[12].parquet", "-o", "all.gdp").exit_code == 0
    assert gd.load_profile("all.gdp").n_rows == 3 * N_ROWS


@pytest.mark.usefixtures("files")
def test_columns_and_kinds_are_chosen(run: Run) -> None:
    options = ("--columns", "age,income", "--categorical", "income")
    result = run("profile", "reference.parquet", "--output", "champion.gdp", *options)
    assert result.stdout.endswith("2 columns\n")
    assert [plan.kind for plan in gd.load_profile("champion.gdp").plans] == ["numeric", "categorical"]


def test_problems_of_the_reference_are_named(run: Run, tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1, 2, 3], "nested": [[1], [2], [3]]}), tmp_path / "rows.parquet")
    result = run("profile", "rows.parquet", "-o", "champion.gdp")
    assert result.exit_code == 0
    first, second = result.stdout.splitlines()
    assert first.startswith("problem: nested: ")
    assert second == "wrote champion.gdp: 3 rows, 1 column"


@pytest.mark.usefixtures("files")
def test_a_profile_is_known_by_its_ending_in_capitals_too(run: Run) -> None:
    assert run("profile", "reference.parquet", "-o", "CHAMPION.GDP").exit_code == 0
    assert run("check", "--reference", "CHAMPION.GDP", "--current", "same.parquet").exit_code == 0
    assert gd.check_drift(reference="CHAMPION.GDP", current="same.parquet").n_reference == N_ROWS
