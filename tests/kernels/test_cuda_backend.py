"""Rows on a device, and rows of the host that go there, are counted as the reference does."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cuda.driver import Driver
from gpudrift_kernels.errors import DeviceError
from gpudrift_kernels.occupied import Occupied, occupied
from gpudrift_kernels.rules import MISSING

from .devices import SIMULATED, SMALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpudrift_kernels.backend import Backend

pytestmark = pytest.mark.gpu

_ROWS = 400 if SMALL else 3_000_000


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column wherever its rows are; on the host with nulls that no value stands for."""

    rows: Any
    n_null: int = 0

    @property
    def n_rows(self) -> int:
        return self.rows.shape[0] + self.n_null

    in_place = False

    def values(self, start: int, stop: int) -> tuple[Any, int]:
        """The nulls are the last rows."""
        n = self.rows.shape[0]
        return self.rows[min(start, n) : min(stop, n)], max(stop - max(start, n), 0)


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes of a local dictionary that is turned by some codes."""

    rows: NDArray[np.int32]
    n_categories: int
    turn: int
    resident: bool

    in_place = False

    @property
    def n_rows(self) -> int:
        return self.rows.size

    def codes(self, start: int, stop: int) -> tuple[Any, NDArray[np.int64]]:
        local = np.where(self.rows < 0, self.rows, (self.rows - self.turn) % self.n_categories)
        local = local[start:stop].astype(np.int32)
        return _on_device(local) if self.resident else local, np.roll(np.arange(self.n_categories), -self.turn)


def _on_device(values: NDArray[Any]) -> Any:
    from numba import cuda

    return cuda.to_device(values)


def _expected(column: Numbers, values: NDArray[Any], plan: CellPlan) -> Occupied:
    counts = reference.histogram(values, plan)
    counts[plan.n_index + MISSING] += column.n_null
    return occupied(counts)


def test_hostile_values_are_counted_as_the_reference_does(
    cuda_backend: Backend, plan: CellPlan, hostile: NDArray[Any]
) -> None:
    (counts,) = cuda_backend.count_cells([Numbers(_on_device(hostile))], [plan])
    np.testing.assert_array_equal(counts, occupied(reference.histogram(hostile, plan)))


@pytest.mark.parametrize(
    ("stored", "plan_dtype"),
    [("float16", "float32"), ("int32", "float64"), ("uint8", "float32"), ("int64", "float64"), ("int16", "int64"),
     ("uint32", "uint64"), ("float32", "float64"), ("float16", "float64"), ("uint16", "float32")],
)  # fmt: skip
def test_rows_on_the_device_are_counted_in_their_own_dtype(cuda_backend: Backend, stored: str, plan_dtype: str) -> None:
    values = (np.random.default_rng(1).normal(size=_ROWS) * 50).astype(np.int64 if stored[0] != "f" else stored)
    values = values.astype(stored)
    plan = CellPlan(plan_dtype, 0, 3, 10, 5, cuts=np.arange(0, 40, 4))
    (counts,) = cuda_backend.count_cells([Numbers(_on_device(values))], [plan])
    np.testing.assert_array_equal(counts, occupied(reference.histogram(values.astype(plan_dtype), plan)))


def test_a_table_of_every_dtype_place_and_length_comes_back_in_order(cuda_backend: Backend) -> None:
    rng = np.random.default_rng(2)
    columns, plans, expected = [], [], []
    for n in (0, 1, 149, 151, _ROWS):
        for dtype in ("float32", "float64", "int64", "uint64"):
            values = (rng.random(n) * 200).astype(dtype)
            plan = CellPlan(dtype, 100, 4, 11, 3, cuts=np.arange(n % 4))
            for rows in (values, _on_device(values)) if n else (values,):
                columns.append(Numbers(rows, n_null=n % 7 if rows is values else 0))
                plans.append(plan)
                expected.append(_expected(columns[-1], values, plan))
    found = list(cuda_backend.count_cells(columns, plans))
    for counts, wanted in zip(found, expected, strict=True):
        np.testing.assert_array_equal(counts, wanted)


def test_categories_are_counted_through_any_dictionary(cuda_backend: Backend) -> None:
    rng = np.random.default_rng(3)
    sizes = (1, 12, 1_000)
    columns = [
        Codes(rng.integers(-2, n_categories, n).astype(np.int32), n_categories, turn, resident)
        for n in (0, 1, 151, _ROWS)
        for n_categories in sizes
        for turn, resident in ((0, False), (5, False), (5, True))
    ]
    found = list(cuda_backend.count_categories(columns, [column.n_categories for column in columns]))
    for counts, column in zip(found, columns, strict=True):
        assert counts.dtype == np.int64
        np.testing.assert_array_equal(counts, reference.categories(column.rows, column.n_categories))


def test_no_column_gives_no_counts(cuda_backend: Backend) -> None:
    assert list(cuda_backend.count_cells([], [])) == []
    assert list(cuda_backend.count_categories([], [])) == []


def test_columns_whose_tables_fill_the_memory_are_counted_in_groups(
    cuda_backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpudrift_kernels.cuda import staging

    monkeypatch.setattr(staging, "STAGING", replace(staging.STAGING, fewest_chunk_bytes=1 << 8))
    cuda_backend.memory_bytes = 2 << 20  # type: ignore[attr-defined]  # tables of three plans in a quarter of it
    values = np.linspace(-3, 3, 100).astype(np.float32)
    plan = CellPlan("float32", 0, 0, 11, 3)
    found = list(cuda_backend.count_cells([Numbers(values)] * 7, [plan] * 7))
    assert len(found) == 7
    for counts in found:
        np.testing.assert_array_equal(counts, occupied(reference.histogram(values, plan)))


def test_a_column_that_fails_leaves_nothing_behind(cuda_backend: Backend) -> None:
    class Broken(Numbers):
        in_place = False

        def values(self, start: int, stop: int) -> tuple[Any, int]:
            if stop > 100:
                raise OSError("truncated file")
            return super().values(start, stop)

    values = np.ones(400, np.float32)
    plan = CellPlan("float32", 0, 0, 11, 3)
    with pytest.raises(OSError, match="truncated file"):
        list(cuda_backend.count_cells([Numbers(values), Broken(values)], [plan] * 2))
    (counts,) = cuda_backend.count_cells([Numbers(values)], [plan])
    np.testing.assert_array_equal(counts, occupied(reference.histogram(values, plan)))


@pytest.mark.skipif(not SIMULATED, reason="a real device is not filled up for a test")
@pytest.mark.usefixtures("cuda_backend")
class TestMemory:
    """What happens when a device has less of it than is asked for."""

    def test_chunks_are_halved_until_they_fit_and_it_is_said_once(
        self, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        from gpudrift_kernels.cuda import staging

        monkeypatch.setattr(staging, "cuda", _Cramped(1024))
        made = staging.staging(0, 1 << 20)
        assert made.chunk_bytes == 1024
        assert staging.staging(0, 1 << 20) is made
        assert [record.message for record in caplog.records] == [
            "the device has little memory left: rows go to it 1 KiB at a time"
        ]

    def test_a_device_without_any_says_what_to_do(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from gpudrift_kernels.cuda import staging

        monkeypatch.setattr(staging, "cuda", _Cramped(100))
        with pytest.raises(DeviceError, match="free some, raise GPUDRIFT_DEVICE_MEMORY, or count on the CPU"):
            staging.staging(0, 1 << 20)

    def test_no_room_for_the_tables_is_one_clear_line(
        self, monkeypatch: pytest.MonkeyPatch, cuda_backend: Backend
    ) -> None:
        def full(*_: Any, **__: Any) -> None:
            raise MemoryError

        monkeypatch.setattr("gpudrift_kernels.cuda.plan_tables.cuda.to_device", full)
        with pytest.raises(DeviceError, match="no memory left: free some, or lower GPUDRIFT_DEVICE_MEMORY"):
            list(cuda_backend.count_cells([Numbers(np.ones(5))], [CellPlan("float64", 0, 0, 11, 3)]))


def test_rows_that_cannot_be_converted_at_once_are_halved_and_counted_once(
    cuda_backend: Backend, caplog: pytest.LogCaptureFixture
) -> None:
    from gpudrift_kernels.cuda.memory import say_halved

    class Greedy(Numbers):
        """Its conversion needs more memory than there is, beyond 2,000 rows; the third column's fails alone."""

        in_place = False

        def values(self, start: int, stop: int) -> tuple[Any, int]:
            if stop - start > 2_000:
                raise MemoryError
            return super().values(start, stop)

    say_halved.cache_clear()
    rows = np.random.default_rng(5).normal(size=5_000).astype(np.float32)
    columns = [Numbers(_on_device(rows), n_null=9), Numbers(_on_device(rows)), Greedy(_on_device(rows), n_null=3)]
    plan = CellPlan("float32", 0, 0, 11, 3)
    found = list(cuda_backend.count_cells(columns, [plan] * 3))
    for counts, column in zip(found, columns, strict=True):
        np.testing.assert_array_equal(counts, _expected(column, rows, plan))
    assert [record.message for record in caplog.records] == [
        "the device has little memory left: rows on it are converted fewer at a time"
    ]


def test_columns_on_several_gpus_are_an_error_and_on_another_are_counted_there(
    cuda_backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gpudrift_kernels.cuda import backend

    places = iter([0, 1])
    monkeypatch.setattr(backend, "ordinal_of", lambda _: next(places))
    columns = [Numbers(_on_device(np.ones(5, np.float32)))] * 2
    with pytest.raises(DeviceError, match="columns lie on GPUs 0 and 1: move them to one"):
        list(cuda_backend.count_cells(columns, [CellPlan("float32", 0, 0, 11, 3)] * 2))
    second = replace(cuda_backend.device, ordinal=1)  # type: ignore[attr-defined]
    monkeypatch.setattr(backend, "driver", lambda: Driver((13, 0), (cuda_backend.device, second), None))  # type: ignore[attr-defined]
    monkeypatch.setattr(backend, "ordinal_of", lambda _: 1)
    assert cuda_backend._beside([columns[0].rows]).device is second  # type: ignore[attr-defined]
    assert cuda_backend._beside([np.ones(5)]) is cuda_backend  # type: ignore[attr-defined]


class _Cramped:
    """Numba's cuda on a device that gives only so many bytes at a time."""

    def __init__(self, n_bytes: int) -> None:
        self._n_bytes = n_bytes

    def __getattr__(self, name: str) -> Any:
        from numba import cuda

        return getattr(cuda, name)

    def device_array(self, n: int, dtype: Any) -> Any:
        from numba import cuda

        if self._n_bytes < n < 100_000:  # records are larger, and not what this is about
            raise MemoryError
        return cuda.device_array(n, dtype)


@pytest.mark.skipif(SIMULATED, reason="the simulator runs one kernel at a time")
def test_eight_threads_at_once_get_the_same_counts(cuda_backend: Backend) -> None:
    values = np.random.default_rng(4).normal(size=100_000).astype(np.float32)
    plan = CellPlan("float32", 0, 0, 11, 3)
    expected = occupied(reference.histogram(values, plan))
    columns = [Numbers(values), Numbers(_on_device(values))]

    def count(_: int) -> list[Occupied]:
        return list(cuda_backend.count_cells(columns, [plan, plan]))

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(count, range(16)):
            for counts in found:
                np.testing.assert_array_equal(counts, expected)
