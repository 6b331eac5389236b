"""Parquet, however it is cut into files, folders and row groups, is the table that was written."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd
from gpudrift.frames import open_source, parquet, source


@pytest.fixture
def folder(tmp_path: Path, table: pa.Table) -> Path:
    """Three files, one of them in a folder below, besides what is no part of the table."""
    (tmp_path / "b" / "_temporary").mkdir(parents=True)
    (tmp_path / ".hidden").mkdir()
    pq.write_table(table[:100], tmp_path / "a.parquet")
    pq.write_table(table[100:450], tmp_path / "b" / "a.pq")
    pq.write_table(table[450:], tmp_path / "c.parquet")
    for other in ("b/_temporary/x.parquet", ".hidden/x.parquet", "_metadata", ".c.parquet.crc", "notes.txt"):
        (tmp_path / other).write_text("no part of the table")
    return tmp_path


@pytest.mark.parametrize("row_group_size", [1, 33, 500, 10_000])
def test_row_groups_of_any_size_give_the_same_profile(
    tmp_path: Path, table: pa.Table, champion: gd.Profile, row_group_size: int
) -> None:
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=row_group_size)
    made = gd.profile(tmp_path / "x.parquet")
    assert made.profile_id == champion.profile_id
    assert champion.count(str(tmp_path / "x.parquet")) == champion.reference


@pytest.mark.parametrize("rows", [13, 97, 699, 700, 701])
def test_batches_of_any_size_give_the_same_profile(
    folder: Path, champion: gd.Profile, rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "MOST_BATCH_ROWS", rows)
    monkeypatch.setattr(source, "MOST_BATCH_ROWS", rows)
    batches = open_source(folder, "reference", again=True).batches(["whole"])
    assert max(batch.n_rows for batch in batches) <= max(rows, 1) + min(rows, 350)
    made = gd.profile(folder)
    assert made.profile_id == champion.profile_id
    assert champion.count(folder) == champion.reference


def test_every_way_to_name_files_gives_the_same_profile(folder: Path, champion: gd.Profile) -> None:
    files = [folder / "a.parquet", folder / "b" / "a.pq", folder / "c.parquet"]
    ways = [
        folder,
        str(folder),
        [f"{folder}/*.parquet", f"{folder}/?/a*"],
        files,
        [str(path) for path in reversed(files)],
        (folder / "b", f"{folder}/*.parquet"),
        [folder, files[0]],
    ]
    for way in ways:
        assert gd.profile(way).profile_id == champion.profile_id
        assert champion.count(way) == champion.reference


def test_a_relative_path_is_taken_from_here(
    folder: Path, champion: gd.Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    assert champion.count(".") == champion.reference
    assert champion.count(["a.parquet", "b/a.pq", "*c.parquet"]) == champion.reference


@pytest.mark.parametrize("dtype", [pa.large_string(), pa.string_view(), pa.dictionary(pa.int32(), pa.string())])
def test_every_stored_type_of_text_gives_the_same_profile(
    tmp_path: Path, table: pa.Table, champion: gd.Profile, dtype: pa.DataType
) -> None:
    pq.write_table(table.set_column(4, "text", table["text"].cast(dtype)), tmp_path / "x.parquet", row_group_size=70)
    assert gd.profile(tmp_path / "x.parquet").profile_id == champion.profile_id


def test_folders_of_a_hive_are_columns(tmp_path: Path) -> None:
    rows = pa.table({"x": np.arange(60.0), "year": np.repeat([2023, 2024], 30), "place": ["a b", "c/d", None] * 20})
    for year in (2023, 2024):
        for place, name in (("a b", "a%20b"), ("c/d", "c%2Fd"), (None, "__HIVE_DEFAULT_PARTITION__")):
            target = tmp_path / f"year={year}" / f"place={name}"
            target.mkdir(parents=True)
            mine = [i for i, row in enumerate(rows.to_pylist()) if (row["year"], row["place"]) == (year, place)]
            pq.write_table(rows.take(mine).select(["x"]), target / "part-0.parquet")
    report = gd.check_drift(reference=tmp_path, current=f"{tmp_path}/year=*/*")
    assert set(report) == {"x", "year", "place"}
    assert not report.dataset_drift
    assert report["year"].dtype == "int64"
    assert {b.label: b.current for b in report["place"].bins} == {"a b": 20, "c/d": 20}
    assert report["place"].missing_reference == 20
    champion = gd.profile(tmp_path)
    assert champion.count(tmp_path) == champion.count(rows) == champion.reference
    assert gd.profile(tmp_path / "year=2023" / "place=a%20b").columns == ("x",)
    assert gd.profile(f"{tmp_path}/year=2023/*").columns == ("x", "place")


def test_a_folder_of_the_name_of_a_column_is_named_and_the_column_read(tmp_path: Path) -> None:
    for year in (2023, 2024):
        (tmp_path / f"year={year}").mkdir()
        pq.write_table(pa.table({"x": np.arange(50.0), "year": [7] * 50}), tmp_path / f"year={year}" / "x.parquet")
    report = gd.check_drift(reference=tmp_path, current={"x": np.arange(50.0), "year": [7] * 50})
    assert [str(problem) for problem in report.problems] == [
        f"year: is a column of {tmp_path}/year=2023/x.parquet and the name of a folder above it (year=2023); "
        "the column is read; rename one"
    ]
    assert report["year"].psi == 0


def test_names_that_are_no_text_are_read(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/key=\xff"
    os.mkdir(folder)
    with open(folder + b"/\xfe.parquet", "wb") as file:
        pq.write_table(pa.table({"x": np.arange(50.0)}), file)
    pq.write_table(pa.table({"x": np.arange(50.0), "y": np.arange(50)}), tmp_path / "x.parquet")
    report = gd.check_drift(reference=tmp_path, current=tmp_path)
    assert {b.label for b in report["key"].bins} == {"\\xff"}
    assert str(report.problems[-1]) == (
        f"y: is missing from {tmp_path}/key=\\xff/\\xfe.parquet; its rows there count as missing; write it there too"
    )
    assert report.to_json().encode()


def test_a_folder_whose_key_is_no_number_everywhere_is_text(tmp_path: Path) -> None:
    for name in ("1", "2", "east"):
        (tmp_path / f"zone={name}").mkdir()
        pq.write_table(pa.table({"x": np.arange(40.0)}), tmp_path / f"zone={name}" / "x.parquet")
    report = gd.check_drift(reference=tmp_path, current=tmp_path)
    assert [b.label for b in report["zone"].bins] == ["1", "2", "east"]


def test_a_column_that_a_file_lacks_counts_as_missing_there_and_is_named(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": np.arange(50.0), "y": ["a"] * 50}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"x": np.arange(50.0)}), tmp_path / "2.parquet")
    report = gd.check_drift(reference=tmp_path / "1.parquet", current=tmp_path)
    assert report["y"].missing_current == 50
    assert [str(problem) for problem in report.problems if problem.feature == "y"] == [
        f"y: is missing from {tmp_path}/2.parquet; its rows there count as missing; write it there too"
    ]


def test_files_may_hold_numbers_of_several_types(tmp_path: Path) -> None:
    pieces = [np.arange(40, dtype=np.int32), np.arange(40, 80.0), np.arange(80, 120, dtype=np.float32)]
    for i, piece in enumerate(pieces):
        pq.write_table(pa.table({"x": piece, "y": np.zeros(40)}), tmp_path / f"{i}.parquet")
    whole = gd.profile({"x": np.arange(120.0), "y": np.zeros(120)})
    assert whole.count(tmp_path) == whole.reference
    made = gd.profile(tmp_path)
    assert np.array_equal(made.reference.keys, whole.reference.keys)
    assert [str(problem) for problem in made.problems] == [
        f"x: is int32 in {tmp_path}/0.parquet and float64 in {tmp_path}/1.parquet and float32 in "
        f"{tmp_path}/2.parquet, counted as float64; write one type"
    ]


def test_files_may_hold_times_of_several_units(tmp_path: Path) -> None:
    when = np.datetime64("2024-01-01", "ms") + np.arange(90).astype("m8[ms]") * 1001
    pq.write_table(pa.table({"x": when[:50]}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"x": when[50:].astype("M8[ns]")}), tmp_path / "1.parquet")
    whole = gd.profile({"x": when})
    assert whole.count(tmp_path) == whole.reference
    assert np.array_equal(gd.profile(tmp_path).reference.values, whole.reference.values)


def test_a_file_whose_column_is_all_null_takes_the_type_of_the_others(tmp_path: Path) -> None:
    for name, values in (("n", np.arange(50.0)), ("s", ["a", "b"] * 25)):
        for i, column in enumerate((pa.nulls(50), values)):
            pq.write_table(pa.table({name: column}), tmp_path / f"{i}.parquet")
        report = gd.check_drift(reference=tmp_path, current=tmp_path)
        assert (report[name].missing_current, report[name].n_current) == (50, 100)
        assert report.problems == ()


def test_a_column_of_types_that_do_not_go_together_is_named_and_the_rest_compared(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1] * 50, "y": np.arange(50.0)}), tmp_path / "0.parquet")
    pq.write_table(pa.table({"x": ["a"] * 50, "y": np.arange(50.0)}), tmp_path / "1.parquet")
    report = gd.check_drift(reference=tmp_path, current=tmp_path)
    assert set(report) == {"y"}
    assert [str(problem) for problem in report.problems if problem.feature == "x"] == [
        f"x: is int64 in {tmp_path}/0.parquet and string in {tmp_path}/1.parquet; write one type"
    ]


def test_columns_of_odd_names_are_read(tmp_path: Path) -> None:
    names = ["", "a.b", "két\nsor", "x=1", " "]
    rows = pa.table({name: np.arange(40.0) * k for k, name in enumerate(names, 1)})
    pq.write_table(rows, tmp_path / "x.parquet")
    champion = gd.profile(rows)
    assert gd.profile(tmp_path / "x.parquet").profile_id == champion.profile_id
    assert set(gd.check_drift(reference=rows, current=tmp_path / "x.parquet")) == set(names)


@pytest.mark.parametrize("exact", [False, True])
def test_a_check_of_files_reports_what_a_check_of_the_rows_in_memory_does(
    folder: Path, table: pa.Table, exact: bool
) -> None:
    later = table.set_column(2, "real", pa.chunked_array([np.random.default_rng(9).normal(0.3, 1.2, 700)]))
    pq.write_table(later, folder / "later.parq", row_group_size=64)
    in_memory = gd.check_drift(reference=table, current=later, exact=exact)
    (folder / "reference").mkdir()
    pq.write_table(table, folder / "reference" / "x.parquet", row_group_size=128)
    from_files = gd.check_drift(reference=folder / "reference", current=folder / "later.parq", exact=exact)
    assert from_files.to_dict() == in_memory.to_dict()
    assert from_files["real"].drifted


def test_text_is_read_as_dictionaries_only_where_it_is_stored_so(tmp_path: Path) -> None:
    often, once = ["x" * 10_000, "y" * 10_000] * 5_000, [f"{k}" * 50 for k in range(10_000)]
    pq.write_table(pa.table({"often": often, "once": once}), tmp_path / "x.parquet")
    source = open_source(tmp_path / "x.parquet", "reference", again=True)
    types = {name: raw.type for name, raw in next(iter(source.batches(["often", "once"]))).columns.items()}
    assert types == {"often": pa.dictionary(pa.int32(), pa.string()), "once": pa.string()}
    report = gd.check_drift(reference=tmp_path, current={"often": often, "once": once})
    assert {b.reference for b in report["often"].bins} == {b.current for b in report["often"].bins} == {5_000}


@pytest.mark.parametrize("row_group_size", [100, 999, 10_000])
def test_the_sample_of_long_texts_does_not_depend_on_batches(tmp_path: Path, row_group_size: int) -> None:
    texts = pa.array([f"{k} " + "x" * (k % 4_000) if k % 9 else None for k in range(20_000)])
    pq.write_table(pa.table({"x": texts}), tmp_path / "x.parquet", row_group_size=row_group_size)
    assert gd.profile(tmp_path / "x.parquet").profile_id == gd.profile({"x": texts}).profile_id


def test_rows_can_be_counted_where_no_column_is_wanted(folder: Path) -> None:
    assert sum(batch.n_rows for batch in open_source(folder, "current", again=True).batches([])) == 700
