"""Rows and weights by group and cell, of columns wherever they lie, are those of the reference."""

from __future__ import annotations

import gc
import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import grouping as grouping_module
from gpudrift_kernels import reference
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.errors import DeviceError
from gpudrift_kernels.grouping import Grouping, Tally
from gpudrift_kernels.rules import MISSING

from .devices import SIMULATED, SMALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpudrift_kernels.backend import Backend

pytestmark = pytest.mark.gpu

_ROWS = 400 if SMALL else 3_000_000
_DTYPES = ("float32", "float64", "int64", "uint64")


def _as_it_is(values: NDArray[Any]) -> Any:
    return values


def _on_device(values: NDArray[Any]) -> Any:
    from numba import cuda

    return cuda.to_device(values)


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column on either side, some of whose values are none."""

    rows: NDArray[Any]
    present: NDArray[np.bool_] | None = None
    place: Any = _as_it_is
    most_rows: int = 1 << 40

    @property
    def n_rows(self) -> int:
        return self.rows.size

    def aligned(self, start: int, stop: int) -> tuple[Any, Any]:
        if stop - start > self.most_rows:
            raise MemoryError
        present = None if self.present is None else self.place(self.present[start:stop])
        return self.place(self.rows[start:stop]), present


@dataclass(frozen=True, eq=False)
class Codes:
    """Codes of a local dictionary that changes every 1,000 rows, or every 100."""

    rows: NDArray[np.int32]
    n_categories: int
    place: Any = _as_it_is

    in_place = False

    @property
    def n_rows(self) -> int:
        return self.rows.size

    def codes(self, start: int, stop: int) -> tuple[Any, NDArray[np.int64]]:
        turn = start // (100 if SMALL else 1_000) % self.n_categories
        local = np.where(self.rows < 0, self.rows, (self.rows - turn) % self.n_categories)
        return self.place(local[start:stop].astype(np.int32)), np.roll(np.arange(self.n_categories), -turn)


def _grouping(n: int, n_groups: int, *, weighted: bool) -> Grouping:
    """Weights of either sign, whose sums wrap round."""
    rng = np.random.default_rng(n)
    weights = rng.integers(-(1 << 62), 1 << 62, n) if weighted else None
    return Grouping(rng.integers(0, n_groups, n).astype(np.int32), n_groups, weights)


def _grid(n_counters: int, a_cell: int) -> NDArray[np.int32]:
    return (np.arange(n_counters) // a_cell).astype(np.int32)


def _expected(column: Numbers, plan: CellPlan, grid: NDArray[np.int32], grouping: Grouping) -> Tally:
    counters = reference.index_of(column.rows.astype(plan.dtype), plan)
    if column.present is not None:
        counters[~column.present] = plan.n_index + MISSING
    return reference.tally(counters, grid, grouping)


def _assert_equal(found: Tally, expected: Tally, counter: type[np.generic] = np.uint32) -> None:
    assert found.rows.dtype == counter  # as on the CPU
    np.testing.assert_array_equal(found.rows, expected.rows)
    assert (found.weights is None) == (expected.weights is None)
    if found.weights is not None:
        assert found.weights.dtype == np.int64
        np.testing.assert_array_equal(found.weights, expected.weights)


@pytest.mark.parametrize("place", [_as_it_is, _on_device])
def test_hostile_values_are_tallied_as_the_reference_does(
    cuda_backend: Backend, plan: CellPlan, hostile: NDArray[Any], place: Any
) -> None:
    grouping = _grouping(hostile.size, 3, weighted=True)
    grid = _grid(plan.n_counters, 1)
    column = Numbers(hostile, np.random.default_rng(0).random(hostile.size) < 0.8, place)
    (found,) = cuda_backend.tally_cells([column], [plan], [grid], grouping)
    _assert_equal(found, _expected(column, plan, grid, grouping))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n", [0, 1, 149, _ROWS])
def test_a_table_of_every_dtype_and_place_comes_back_in_order(cuda_backend: Backend, n: int, weighted: bool) -> None:
    rng = np.random.default_rng(2)
    grouping = _grouping(n, 7, weighted=weighted)
    columns, plans, grids = [], [], []
    for dtype in _DTYPES:
        for place in (_as_it_is, _on_device):
            for present in (None, rng.random(n) < 0.5):
                columns.append(Numbers((rng.random(n) * 200).astype(dtype), present, place))
                plans.append(CellPlan(dtype, 100, 4, 11, 3, cuts=np.arange(len(columns) % 4)))
                grids.append(_grid(plans[-1].n_counters, 10 * len(columns)))
    found = list(cuda_backend.tally_cells(columns, plans, grids, grouping))
    for tally, *each in zip(found, columns, plans, grids, strict=True):
        _assert_equal(tally, _expected(*each, grouping))


@pytest.mark.parametrize(
    ("stored", "plan_dtype"),
    [("float16", "float32"), ("int32", "float64"), ("uint8", "float32"), ("int16", "int64"), ("uint32", "uint64")],
)
def test_rows_on_the_device_are_tallied_in_their_own_dtype(cuda_backend: Backend, stored: str, plan_dtype: str) -> None:
    rng = np.random.default_rng(1)
    rows = (rng.normal(size=_ROWS) * 50).astype(np.int64 if stored[0] != "f" else stored).astype(stored)
    column, plan = Numbers(rows, rng.random(_ROWS) < 0.9, _on_device), CellPlan(plan_dtype, 0, 3, 10, 5)
    grid, grouping = _grid(plan.n_counters, 20), _grouping(_ROWS, 4, weighted=False)
    (found,) = cuda_backend.tally_cells([column], [plan], [grid], grouping)
    _assert_equal(found, _expected(column, plan, grid, grouping))


@pytest.mark.parametrize("weighted", [False, True])
def test_categories_are_tallied_through_any_dictionary(cuda_backend: Backend, weighted: bool) -> None:
    rng = np.random.default_rng(3)
    for n in (0, 1, _ROWS):
        grouping = _grouping(n, 5, weighted=weighted)
        columns = [
            Codes(rng.integers(-2, n_categories, n).astype(np.int32), n_categories, place)
            for n_categories in (1, 12, 1_000)
            for place in (_as_it_is, _on_device)
        ]
        sizes = [column.n_categories for column in columns]
        grids = [_grid(size + 1, 1 + size // 7) for size in sizes]
        found = list(cuda_backend.tally_categories(columns, sizes, grids, grouping))
        for tally, column, grid in zip(found, columns, grids, strict=True):
            counters = np.where(column.rows < 0, column.n_categories, column.rows)
            _assert_equal(tally, reference.tally(counters, grid, grouping))


def test_a_code_without_a_category_is_missing(cuda_backend: Backend) -> None:
    class Short(Codes):
        def codes(self, start: int, stop: int) -> tuple[Any, NDArray[np.int64]]:
            return self.rows[start:stop], np.array([1, 3])  # of local code 1 it is "missing"

    column = Short(np.array([0, 1, 2, -1, -(2**31), 2**31 - 1], np.int32), 3)
    grouping = Grouping(np.zeros(6, np.int32), 1)
    (found,) = cuda_backend.tally_categories([column], [3], [_grid(4, 1)], grouping)
    assert found.rows.tolist() == [[0, 1, 0, 5]]


def test_a_table_that_the_memory_has_no_room_for_is_counted_some_groups_at_a_time(cuda_backend: Backend) -> None:
    cuda_backend.memory_bytes = 8 << 20  # type: ignore[attr-defined]  # of which tables take a quarter
    rng = np.random.default_rng(4)
    plan = CellPlan("float32", 0, 0, 11, 3)
    columns = [Numbers(rng.normal(size=300).astype(np.float32), None, place) for place in (_as_it_is, _on_device)] * 2
    grids = [_grid(plan.n_counters, a_cell) for a_cell in (1, 2_000, 1, 1)]
    grouping = _grouping(300, 40, weighted=True)
    found = list(cuda_backend.tally_cells(columns, [plan] * 4, grids, grouping))
    for tally, column, grid in zip(found, columns, grids, strict=True):
        _assert_equal(tally, _expected(column, plan, grid, grouping))


def test_where_32_bits_might_overflow_rows_are_counted_in_64(
    cuda_backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(grouping_module, "_MOST_ROWS", 99)
    plan, grouping = CellPlan("float32", 0, 0, 11, 3), _grouping(100, 3, weighted=True)
    column, grid = Numbers(np.linspace(-3, 3, 100, dtype=np.float32)), _grid(plan.n_counters, 9)
    (found,) = cuda_backend.tally_cells([column], [plan], [grid], grouping)
    _assert_equal(found, _expected(column, plan, grid, grouping), np.int64)


def test_no_column_and_no_group_give_no_tallies(cuda_backend: Backend) -> None:
    grouping = Grouping(np.empty(0, np.int32), 0, np.empty(0, np.int64))
    assert list(cuda_backend.tally_cells([], [], [], grouping)) == []
    assert list(cuda_backend.tally_categories([], [], [], grouping)) == []
    plan = CellPlan("int64", 0, 0, 11, 3)
    (found,) = cuda_backend.tally_cells(
        [Numbers(np.empty(0, np.int64))], [plan], [_grid(plan.n_counters, 50)], grouping
    )
    assert found.rows.shape == (0, plan.n_counters // 50 + 1)


def test_a_column_that_fails_leaves_nothing_behind(cuda_backend: Backend) -> None:
    class Broken(Numbers):
        def aligned(self, start: int, stop: int) -> tuple[Any, Any]:
            if stop > 20:
                raise OSError("truncated file")
            return super().aligned(start, stop)

    values, grouping = np.ones(400, np.float32), _grouping(400, 3, weighted=False)
    plan = CellPlan("float32", 0, 0, 11, 3)
    grid = _grid(plan.n_counters, 9)
    with pytest.raises(OSError, match="truncated file"):
        list(cuda_backend.tally_cells([Numbers(values), Broken(values)], [plan] * 2, [grid] * 2, grouping))
    (found,) = cuda_backend.tally_cells([Numbers(values)], [plan], [grid], grouping)
    _assert_equal(found, _expected(Numbers(values), plan, grid, grouping))


def test_rows_that_cannot_be_converted_at_once_are_halved_and_tallied_once(
    cuda_backend: Backend, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from gpudrift_kernels.cuda import tally_rows
    from gpudrift_kernels.cuda.memory import say_halved

    monkeypatch.setattr(tally_rows, "_FEWEST_ROWS", 32)
    say_halved.cache_clear()
    rows = np.random.default_rng(5).normal(size=_ROWS).astype(np.float32)
    columns = [Numbers(rows, None, _on_device), Numbers(rows, rows > 0, _on_device, most_rows=_ROWS // 5)]
    plan, grouping = CellPlan("float32", 0, 0, 11, 3), _grouping(_ROWS, 3, weighted=True)
    grid = _grid(plan.n_counters, 9)
    found = list(cuda_backend.tally_cells(columns, [plan] * 2, [grid] * 2, grouping))
    for tally, column in zip(found, columns, strict=True):
        _assert_equal(tally, _expected(column, plan, grid, grouping))
    assert [record.message for record in caplog.records] == [
        "the device has little memory left: rows on it are converted fewer at a time"
    ]
    with pytest.raises(DeviceError, match="has no memory left: free some, or lower GPUDRIFT_DEVICE_MEMORY"):
        list(cuda_backend.tally_cells([Numbers(rows, None, _on_device, most_rows=5)], [plan], [grid], grouping))


def test_converted_rows_are_kept_until_the_work_on_them_is_done(
    cuda_backend: Backend, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of three chunks two are still queued, for all that is known, when the third is filled."""
    from gpudrift_kernels.cuda import backend, staging, tally_rows

    for module in (backend, staging, tally_rows):
        monkeypatch.setattr(module, "STAGING", replace(module.STAGING, chunks=3))
    staging.staging.cache_clear()

    class Tracked(Numbers):
        def aligned(self, start: int, stop: int) -> tuple[Any, Any]:
            values, present = super().aligned(start, stop)
            if stop > start:
                assert all(ref() is not None for ref in made[-2:])
                made.append(weakref.ref(values))
            return values, present

    made: list[weakref.ref[Any]] = []
    n = 800 if SIMULATED else 6_000_000
    values, grouping = np.ones(n, np.float32), _grouping(n, 3, weighted=True)
    plan = CellPlan("float32", 0, 0, 11, 3)
    grid = _grid(plan.n_counters, 9)
    (found,) = cuda_backend.tally_cells([Tracked(values, None, _on_device)], [plan], [grid], grouping)
    _assert_equal(found, _expected(Numbers(values), plan, grid, grouping))
    assert len(made) > 2
    gc.collect()
    assert [ref() for ref in made] == [None] * len(made)


def test_nothing_is_counted_on_the_host(cuda_backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    from gpudrift_kernels.cpu import backend as cpu_backend

    def refuse(*_: Any) -> None:
        raise AssertionError("the CPU was asked")

    for verb in ("tally_cells", "tally_categories"):
        monkeypatch.setattr(cpu_backend.CpuBackend, verb, refuse)
    plan = CellPlan("float64", 0, 0, 11, 3)
    grid, grouping = _grid(plan.n_counters, 9), _grouping(50, 2, weighted=False)
    (numbers,) = cuda_backend.tally_cells([Numbers(np.ones(50))], [plan], [grid], grouping)
    (codes,) = cuda_backend.tally_categories([Codes(np.zeros(50, np.int32), 3)], [3], [_grid(4, 1)], grouping)
    assert numbers.rows.sum() == codes.rows.sum() == 50
