"""Parquet whose numbers are read onto a GPU gives the profile and the counts of Parquet that the host reads."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd
from gpudrift.frames import open_source, parquet_device
from gpudrift.frames.device import DeviceColumn
from gpudrift_kernels.backend import Residence
from gpudrift_kernels.cpu.backend import CpuBackend

from .gpu_stand_ins import CudfParquet, CudfSeries

N_ROWS = 5_000
GROUP_ROWS = 500
#: Each row of the table below takes 4 + 8 + 8 bytes of numbers and a byte each for nulls: two row groups a batch.
BATCH_BYTES = 2 * GROUP_ROWS * 23

if TYPE_CHECKING:
    from types import ModuleType


class CpuBesideGpu(CpuBackend):
    """Counts on the host what was read onto the second GPU."""

    residence = Residence(1, BATCH_BYTES)  # type: ignore[assignment]


@pytest.fixture
def cudf(cupy: ModuleType, monkeypatch: pytest.MonkeyPatch) -> CudfParquet:
    module = CudfParquet()
    monkeypatch.setitem(sys.modules, "cudf", module)
    monkeypatch.setattr("gpudrift.frames.parquet.reads_parquet", lambda: True)
    parquet_device._say_once.cache_clear()
    return module


def _table(seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    whole = pa.array(rng.integers(0, 50, N_ROWS), mask=rng.random(N_ROWS) < 0.1)
    real = rng.normal(size=N_ROWS)
    real[::11] = np.nan
    return pa.table(
        {
            "text": rng.choice(["a", "b", "été"], N_ROWS),
            "whole": whole,
            "single": rng.normal(size=N_ROWS).astype(np.float32),
            "day": pa.array(rng.integers(0, 900, N_ROWS).astype(np.int32)).cast(pa.date32()),
            "real": pa.array(real, mask=rng.random(N_ROWS) < 0.2),
            "flag": rng.random(N_ROWS) < 0.5,
        }
    )


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Two files below folders that name a column; the second has a number less, and one in another type."""
    first, second = _table(0), _table(1).drop_columns(["whole"])
    second = second.set_column(2, "day", second["day"]).set_column(1, "single", second["single"].cast(pa.float64()))
    paths = [tmp_path / "year=2025" / "a.parquet", tmp_path / "year=2026" / "b.parquet"]
    for path, table in zip(paths, (first, second), strict=True):
        path.parent.mkdir()
        pq.write_table(table, path, row_group_size=GROUP_ROWS)
    return paths


def test_profile_and_counts_are_those_of_the_host(cudf: CudfParquet, files: list[Path], tmp_path: Path) -> None:
    backend = CpuBesideGpu(2)
    for table in (files[0], tmp_path):
        champion = gd.profile(table, backend="cpu")
        assert not cudf.asked
        assert gd.profile(table, backend=backend).profile_id == champion.profile_id
        assert champion.count(table, backend=backend) == champion.reference
        exact = [
            gd.check_drift(reference=table, current=files[1], exact=True, backend=which).to_dict()
            for which in ("cpu", backend)
        ]
        assert exact[0] == exact[1]
        assert cudf.asked
        cudf.asked.clear()


def test_numbers_go_to_the_gpu_a_few_row_groups_at_a_time(cudf: CudfParquet, files: list[Path]) -> None:
    source = open_source(files[0], "current", again=True, residence=CpuBesideGpu.residence)
    batches = list(source.batches(["text", "real", "whole", "single"]))
    assert [batch.n_rows for batch in batches] == [2 * GROUP_ROWS] * 5
    for batch in batches:
        on_gpu = {name: raw for name, raw in batch.columns.items() if isinstance(raw, DeviceColumn)}
        assert list(batch.columns) == ["text", "real", "whole", "single"]
        assert set(on_gpu) == {"real", "whole", "single"}
        assert {column.device.id for column in on_gpu.values()} == {1}
        assert sum(column.nbytes + column.array.shape[0] for column in on_gpu.values()) <= BATCH_BYTES
    assert [asked["row_groups"] for asked in cudf.asked] == [[[g, g + 1]] for g in range(0, 10, 2)]
    assert {asked["device"] for asked in cudf.asked} == {1}


def test_a_row_group_larger_than_the_memory_is_read_on_the_host(cudf: CudfParquet, files: list[Path]) -> None:
    small = Residence(0, GROUP_ROWS * 23 - 1)
    batches = list(open_source(files[0], "current", again=True, residence=small).batches(["real", "whole", "single"]))
    assert sum(batch.n_rows for batch in batches) == N_ROWS
    assert not cudf.asked


def test_what_cudf_does_not_read_is_read_on_the_host_and_said_once(
    cudf: CudfParquet, files: list[Path], caplog: pytest.LogCaptureFixture
) -> None:
    cudf.most_groups = 1
    champion = gd.profile(files[0], backend="cpu")
    assert champion.count(files[0], backend=CpuBesideGpu(2)) == champion.reference
    assert len(cudf.asked) == 5
    assert [record.message for record in caplog.records] == [
        f"cuDF does not read {files[0]}: std::bad_alloc: out_of_memory; such row groups are read on the host"
    ]


@pytest.mark.gpu
@pytest.mark.skipif(os.environ.get("NUMBA_ENABLE_CUDASIM") == "1", reason="the simulator reads no files")
def test_a_gpu_gives_the_profile_and_counts_of_the_host(files: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("cudf")
    champion = gd.profile(tmp_path, backend="cpu")
    assert gd.profile(tmp_path, backend="cuda").profile_id == champion.profile_id
    assert champion.count(files, backend="cuda") == champion.count(files, backend="cpu")


def test_without_cudf_the_host_reads(files: list[Path]) -> None:
    source = open_source(files[0], "current", again=True, residence=Residence(0, 1 << 30))
    assert not any(
        isinstance(raw, DeviceColumn) for batch in source.batches(["real"]) for raw in batch.columns.values()
    )


def test_only_what_cudf_26_10_has_is_asked_of_it(cudf: CudfParquet, files: list[Path]) -> None:
    recorded: dict[str, list[str]] = json.loads((Path(__file__).parent / "cudf_26_10.json").read_text())
    list(open_source(files[0], "current", again=True, residence=CpuBesideGpu.residence).batches(["real"]))
    asked: set[str] = set().union(*(set(options) - {"device"} for options in cudf.asked))
    assert asked <= set(recorded["cudf.read_parquet"])
    members = {name for name in vars(CudfSeries) if not name.startswith("_")} | {"dtype", "null_count"}
    assert members <= set(recorded["cudf.Series"])  # which are all that the stand-in has
    accessor = CudfSeries(pd.Series(["a"])).cat
    assert set(vars(accessor)) == set(recorded["cudf.core.accessors.categorical.CategoricalAccessor"])
