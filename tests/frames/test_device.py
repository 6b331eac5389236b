"""Columns on a GPU are profiled and counted as the same columns on the host."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import gpudrift as gd
from gpudrift.frames import NumberReader
from gpudrift.frames.device import DeviceColumn

from .gpu_stand_ins import Addressed, CudfSeries, Resident, Tensor

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from numpy.typing import NDArray

N_ROWS = 20_000
SIMULATED = os.environ.get("NUMBA_ENABLE_CUDASIM") == "1"


def _columns() -> dict[str, NDArray[Any]]:
    rng = np.random.default_rng(0)
    real = rng.normal(size=N_ROWS)
    real[::17] = np.nan
    return {
        "real": real,
        "single": rng.normal(size=N_ROWS).astype(np.float32),
        "half": rng.normal(size=N_ROWS).astype(np.float16),
        "whole": rng.poisson(4, N_ROWS).astype(np.int32),
        "wide": rng.integers(-(2**62), 2**62, N_ROWS),
        "strided": rng.normal(size=(N_ROWS, 3))[:, 1],
        "flag": rng.random(N_ROWS) < 0.5,
    }


@pytest.mark.usefixtures("cupy")
def test_a_table_on_the_device_gives_the_profile_and_counts_of_the_host() -> None:
    columns = _columns()
    resident = {name: Tensor(values) for name, values in columns.items()}
    champion = gd.profile(columns, backend="cpu")
    assert gd.profile(resident, backend="cpu").profile_id == champion.profile_id
    assert champion.count(resident, backend="cpu") == champion.count(columns, backend="cpu")


@pytest.mark.usefixtures("cupy")
def test_exact_statistics_are_those_of_the_host() -> None:
    columns, rng = _columns(), np.random.default_rng(1)
    current = {"real": columns["real"] + 0.1, "whole": rng.poisson(5, N_ROWS)}
    on_device = gd.check_drift(
        reference={name: Tensor(values) for name, values in columns.items()},
        current={name: Tensor(values) for name, values in current.items()},
        exact=True, backend="cpu",
    )  # fmt: skip
    on_host = gd.check_drift(reference=columns, current=current, exact=True, backend="cpu")
    assert on_device.to_dict() == on_host.to_dict()


@pytest.mark.usefixtures("cupy")
def test_a_matrix_on_the_device_is_a_table_of_its_columns() -> None:
    matrix = np.random.default_rng(2).normal(size=(500, 2))
    assert gd.profile(Tensor(matrix), backend="cpu").profile_id == gd.profile(matrix, backend="cpu").profile_id
    assert gd.profile(Tensor(matrix[:, 0]), backend="cpu").columns == ("x",)


@pytest.mark.usefixtures("cupy")
def test_an_array_that_only_tells_its_address_is_a_column() -> None:
    values = np.random.default_rng(4).normal(size=500)
    assert gd.profile({"x": Addressed(values)}, backend="cpu").profile_id == gd.profile({"x": values}).profile_id


def test_threads_that_read_a_column_wait_for_the_stream_that_it_came_on(
    cupy: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[object] = []
    stream = SimpleNamespace(ptr=0xB5, record=lambda: "what is queued now")
    monkeypatch.setattr(cupy.cuda, "get_current_stream", lambda: stream)
    null = SimpleNamespace(wait_event=waited.append)
    monkeypatch.setattr(cupy.cuda, "Stream", SimpleNamespace(null=null), raising=False)
    gd.profile({"x": Tensor(np.arange(500.0))}, backend="cpu")
    assert waited == ["what is queued now"]


@pytest.mark.usefixtures("cupy")
def test_nulls_beside_the_values_are_counted_and_left_out() -> None:
    values, null = np.arange(10, dtype=np.int64), np.arange(10) % 3 == 0
    column = DeviceColumn(values.view(Resident), null)
    found, n_null = NumberReader(column, "number", "float64").values(1, 8)
    assert (found.tolist(), n_null) == ([1, 2, 4, 5, 7], 2)
    assert column.to_arrow().null_count == 4
    assert column.rows_at(np.array([0, 1])).to_pylist() == [None, 1]  # type: ignore[union-attr]


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize(
    ("stored", "plan", "kept"),
    [("float16", "float32", True), ("int8", "float64", True), ("int64", "float64", True), ("float32", "float64", True),
     ("int16", "int64", True), ("uint8", "uint64", True), ("float64", "float32", False), ("int8", "uint64", False),
     ("uint64", "int64", False), ("float64", "int64", False)],
)  # fmt: skip
def test_values_are_converted_only_where_no_kernel_widens_them(stored: str, plan: str, kept: bool) -> None:
    info: Any = np.finfo(stored) if stored[0] == "f" else np.iinfo(stored)
    ends = [info.min, info.max] if plan != "int64" or stored[0] != "f" else [-(2.0**53), 2.0**53]
    values = np.array([*ends, 0, 3], stored)
    if stored[0] == "f" and plan[0] == "f":
        values = np.append(values, [np.inf, np.nan]).astype(stored)
    found, n_missing = NumberReader(DeviceColumn(values.view(Resident)), "number", plan).values(0, values.size)
    expected, _ = NumberReader(values, "number", plan).values(0, values.size)
    assert n_missing == 0
    assert (found.dtype == stored) == kept
    with np.errstate(over="ignore"):
        np.testing.assert_array_equal(np.asarray(found).astype(plan), expected)


@pytest.mark.parametrize("with_null", [False, True])
@pytest.mark.parametrize(
    ("stored", "plan"),
    [("float32", "float32"), ("float64", "float32"), ("float16", "int64"), ("float64", "int64"), ("int8", "uint64"),
     ("int32", "float64")],
)  # fmt: skip
def test_values_in_the_place_of_their_row_stay_on_the_device(
    cupy: ModuleType, monkeypatch: pytest.MonkeyPatch, stored: str, plan: str, with_null: bool
) -> None:
    monkeypatch.delattr(cupy, "asnumpy")  # which brings rows to the host
    rows = np.array([3, 0, 5, 7, 2, 0, 9], stored)
    if stored[0] == "f":
        rows[[1, 3]] = np.nan
    null = np.array([0, 0, 1, 1, 0, 0, 0], bool) if with_null else None
    reader = NumberReader(DeviceColumn(rows.view(Resident), null), "number", plan)
    values, present = reader.aligned(1, 7)
    assert present is None or (present.dtype == bool and present.flags.c_contiguous)
    there = np.ones(6, bool) if present is None else present
    expected = np.ones(6, bool) if null is None else ~null[1:]
    if plan == "int64":  # in the others a NaN is a value, which is counted as missing
        expected &= ~np.isnan(rows[1:])
    np.testing.assert_array_equal(there, expected)
    np.testing.assert_array_equal(np.asarray(values)[there].astype(plan), rows[1:][expected].astype(plan))
    alone, n_missing = reader.values(1, 7)
    assert n_missing == 6 - there.sum()
    np.testing.assert_array_equal(np.asarray(values)[there], alone)


@pytest.mark.usefixtures("cupy")
def test_weighted_rows_on_the_device_are_those_of_the_host() -> None:
    columns = {**_columns(), "w": np.random.default_rng(3).random(N_ROWS)}
    resident = {name: Tensor(values) for name, values in columns.items()}
    champion = gd.profile(columns, weights="w", backend="cpu")
    assert gd.profile(resident, weights="w", backend="cpu").profile_id == champion.profile_id
    assert champion.count(resident, backend="cpu") == champion.reference


@pytest.mark.usefixtures("cupy")
@pytest.mark.parametrize(
    ("column", "why"),
    [
        (Tensor(np.ones(5, np.complex64)), "complex64 has neither order nor categories"),
        (Tensor(np.ones((5, 2, 2))), "it has 3 dimensions"),
    ],
)
def test_a_bad_column_is_named_and_the_rest_is_compared(column: Tensor, why: str) -> None:
    made = gd.profile({"good": np.arange(5.0), "bad": column}, backend="cpu")
    assert made.columns == ("good",)
    assert [why in problem.what for problem in made.problems] == [True]


@pytest.mark.usefixtures("cupy")
def test_a_series_of_cudf_is_counted_as_the_same_one_of_pandas() -> None:
    rng = np.random.default_rng(5)
    texts = pd.Series(rng.choice(["a", "b", "été", None], 5_000), dtype=object)
    whole = pd.Series(rng.integers(0, 9, 5_000)).astype("Int64")
    whole[::7] = pd.NA
    reference = {"text": texts, "whole": whole, "real": pd.Series(rng.normal(size=5_000))}
    current = {"text": texts.replace({"b": "new"}), "whole": whole[::-1], "real": reference["real"] + 1}
    champion = gd.profile(reference, backend="cpu")
    assert gd.profile(_as_cudf(reference), backend="cpu").profile_id == champion.profile_id
    assert champion.count(_as_cudf(current), backend="cpu") == champion.count(current, backend="cpu")


def _as_cudf(table: dict[str, pd.Series[Any]]) -> dict[str, CudfSeries]:
    return {name: CudfSeries(series) for name, series in table.items()}


def test_without_cupy_the_install_line_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(gd.DependencyMissing, match=r'columns on a GPU need CuPy: pip install "gpudrift\[gpu\]"'):
        gd.profile({"x": Tensor(np.ones(5))})


def _as_cupy(values: NDArray[Any]) -> Any:
    return pytest.importorskip("cupy").asarray(values)


def _as_torch(values: NDArray[Any]) -> Any:
    torch = pytest.importorskip("torch")
    return torch.asarray(np.ascontiguousarray(values)).to("cuda")


def _as_numba(values: NDArray[Any]) -> Any:
    from numba import cuda

    return cuda.to_device(np.ascontiguousarray(values))


@pytest.mark.gpu
@pytest.mark.skipif(SIMULATED, reason="the simulator's arrays are no CUDA arrays")
@pytest.mark.parametrize("to_device", [_as_cupy, _as_torch, _as_numba])
def test_every_library_s_arrays_are_counted_on_the_gpu(to_device: Callable[[NDArray[Any]], Any]) -> None:
    columns = {name: values for name, values in _columns().items() if name != "flag"}
    resident = {name: to_device(values) for name, values in columns.items()}
    champion = gd.profile(columns, backend="cpu")
    assert gd.profile(resident, backend="cuda").profile_id == champion.profile_id
    assert champion.count(resident, backend="cuda") == champion.reference
    assert champion.count(resident, backend="cpu") == champion.reference
    assert champion.count(pa.table(columns), backend="cuda") == champion.reference


@pytest.mark.gpu
@pytest.mark.skipif(SIMULATED, reason="the simulator's arrays are no CUDA arrays")
@pytest.mark.parametrize("to_device", [_as_cupy, _as_torch, _as_numba])
def test_weighted_rows_of_every_library_are_counted_on_the_gpu(to_device: Callable[[NDArray[Any]], Any]) -> None:
    columns = {**_columns(), "w": np.random.default_rng(3).random(N_ROWS)}
    del columns["flag"]
    resident = {name: to_device(values) for name, values in columns.items()}
    champion = gd.profile(columns, weights="w", backend="cpu")
    assert gd.profile(resident, weights="w", backend="cuda").profile_id == champion.profile_id
    for table in (resident, pa.table(columns)):
        assert champion.count(table, backend="cuda") == champion.reference


@pytest.mark.gpu
@pytest.mark.skipif(SIMULATED, reason="the simulator has no streams")
def test_work_waits_for_the_stream_of_the_caller() -> None:
    cupy = pytest.importorskip("cupy")
    champion = gd.profile({"x": np.arange(1000.0)}, backend="cpu")
    for _ in range(20):
        with cupy.cuda.Stream(non_blocking=True):
            late = cupy.sin(cupy.arange(20_000_000.0)).sum() * 0 + cupy.arange(1000.0)
            counts = champion.count({"x": late}, backend="cuda")
            made = gd.profile({"x": late}, backend="cuda")
        assert counts == champion.reference
        assert made.profile_id == champion.profile_id
