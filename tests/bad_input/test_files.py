"""Files that are no Parquet, break off, or are not there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd

from .conftest import GOOD


@pytest.fixture
def parquet(tmp_path: Path) -> bytes:
    """A Parquet file of the good columns, as bytes."""
    pq.write_table(pa.table(GOOD), tmp_path / "good.parquet")
    return (tmp_path / "good.parquet").read_bytes()


def test_a_file_that_is_no_parquet_is_named_with_the_reason(tmp_path: Path, parquet: bytes) -> None:
    contents = {
        "zero.parquet": (b"", "empty"),
        "half.parquet": (parquet[: len(parquet) // 2], "cut short"),
        "tail.parquet": (parquet[:-1], "cut short"),
        "four.parquet": (b"PAR1", "cut short"),
        "table.csv": (b"a,b\n1,2\n", "not Parquet"),
    }
    for name, (content, why) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(gd.DataError) as raised:
            gd.check_drift(reference=GOOD, current=tmp_path / name)
        assert str(raised.value) == (
            f"current holds no readable Parquet in {tmp_path}/{name} ({why}); write it again or leave it out"
        )


def test_all_broken_files_of_a_directory_are_named_at_once(tmp_path: Path, parquet: bytes) -> None:
    (tmp_path / "cut.parquet").write_bytes(parquet[:-20])
    (tmp_path / "zero.parquet").write_bytes(b"")
    with pytest.raises(gd.DataError) as raised:
        gd.profile(tmp_path)
    assert str(raised.value) == (
        f"reference holds no readable Parquet in {tmp_path}/cut.parquet (cut short), {tmp_path}/zero.parquet (empty); "
        "write it again or leave it out"
    )
    for k in range(8):
        (tmp_path / f"more{k}.parquet").write_bytes(b"")
    with pytest.raises(gd.DataError, match=r"more3\.parquet \(empty\) and 5 more; write it again or leave it out$"):
        gd.profile(tmp_path)


def test_a_file_that_breaks_off_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    table = pa.table({"x": np.random.default_rng(0).normal(size=50_000)})
    pq.write_table(table, path, row_group_size=10_000, compression="zstd")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 5_000] = bytes(5_000)
    path.write_bytes(content)
    with pytest.raises(gd.DataError, match=rf"^reference {path} cannot be read to its end: .+; write it again$"):
        gd.profile(path)


def test_a_file_that_is_gone_when_it_is_read_is_named(tmp_path: Path, parquet: bytes) -> None:
    from gpudrift.frames import open_source

    (tmp_path / "x.parquet").write_bytes(parquet)
    source = open_source(tmp_path / "x.parquet", "current", again=True)
    (tmp_path / "x.parquet").unlink()
    with pytest.raises(gd.DataError, match=rf"^current {tmp_path}/x.parquet cannot be read to its end: "):
        list(source.batches(["age"]))


def test_a_stream_that_breaks_off_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stream() -> pa.RecordBatchReader:
        def batches() -> Any:
            yield pa.record_batch(GOOD)
            raise OSError("connection lost")

        return pa.RecordBatchReader.from_batches(pa.record_batch(GOOD).schema, batches())

    with pytest.raises(gd.DataError) as raised:
        gd.check_drift(reference=GOOD, current=stream())
    assert str(raised.value) == "current is a stream that breaks off: connection lost; mend what it reads from"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(gd.DataError, match=r"^reference is a stream that cannot be kept in .+: connection lost; mend "):
        gd.check_drift(reference=stream(), current=GOOD)
    assert list(tmp_path.iterdir()) == []


PATHS = {
    "missing": "reference {} is not there; check the path",
    "folder": "reference {} holds no Parquet file; check the path",
    "no*.parquet": "reference {} holds no Parquet file; check the path",
}


@pytest.mark.parametrize(("name", "message"), PATHS.items())
def test_a_path_without_parquet_is_named(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("no table")
    for path in (tmp_path / name, [str(tmp_path / name)]):
        with pytest.raises(gd.DataError) as raised:
            gd.check_drift(reference=path, current=GOOD)
        assert str(raised.value) == message.format(tmp_path / name)


def test_files_with_columns_of_the_same_name_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(gd.DataError) as raised:
        gd.profile(tmp_path)
    assert str(raised.value) == f"reference {tmp_path}/x.parquet has two columns named 'a'; rename one"
