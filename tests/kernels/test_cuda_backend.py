"""Rows on a device, and rows of the host that go there, are counted as the reference does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.rules import MISSING

from .devices import SIMULATED

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpudrift_kernels.backend import Backend

pytestmark = pytest.mark.gpu

_ROWS = 400 if SIMULATED else 3_000_000


@dataclass(frozen=True, eq=False)
class Numbers:
    """A column wherever its rows are; on the host with nulls that no value stands for."""

    rows: Any
    n_null: int = 0

    @property
    def n_rows(self) -> int:
        return self.rows.shape[0] + self.n_null

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

    @property
    def n_rows(self) -> int:
        return self.rows.size

    def codes(self, start: int, stop: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        local = np.where(self.rows < 0, self.rows, (self.rows - self.turn) % self.n_categories)
        return local[start:stop].astype(np.int32), np.roll(np.arange(self.n_categories), -self.turn)


def _on_device(values: NDArray[Any]) -> Any:
    from numba import cuda

    return cuda.to_device(values)


def _expected(column: Numbers, values: NDArray[Any], plan: CellPlan) -> NDArray[np.int64]:
    counts = reference.histogram(values, plan)
    counts[plan.n_index + MISSING] += column.n_null
    return counts


def test_hostile_values_are_counted_as_the_reference_does(
    cuda_backend: Backend, plan: CellPlan, hostile: NDArray[Any]
) -> None:
    (counts,) = cuda_backend.count_cells([Numbers(_on_device(hostile))], [plan])
    assert counts.dtype == np.int64
    np.testing.assert_array_equal(counts, reference.histogram(hostile, plan))


@pytest.mark.parametrize(
    ("stored", "plan_dtype"),
    [("float16", "float32"), ("int32", "float64"), ("uint8", "float32"), ("int64", "float64"), ("int16", "int64"),
     ("uint32", "uint64"), ("float32", "float64")],
)  # fmt: skip
def test_rows_on_the_device_are_counted_in_their_own_dtype(cuda_backend: Backend, stored: str, plan_dtype: str) -> None:
    values = (np.random.default_rng(1).normal(size=_ROWS) * 50).astype(np.int64 if stored[0] != "f" else stored)
    values = values.astype(stored)
    plan = CellPlan(plan_dtype, 0, 3, 10, 5, cuts=np.arange(0, 40, 4))
    (counts,) = cuda_backend.count_cells([Numbers(_on_device(values))], [plan])
    np.testing.assert_array_equal(counts, reference.histogram(values.astype(plan_dtype), plan))


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
        Codes(rng.integers(-2, n_categories, n).astype(np.int32), n_categories, turn)
        for n in (0, 1, 151, _ROWS)
        for n_categories in sizes
        for turn in (0, 5)
    ]
    found = list(cuda_backend.count_categories(columns, [column.n_categories for column in columns]))
    for counts, column in zip(found, columns, strict=True):
        assert counts.dtype == np.int64
        np.testing.assert_array_equal(counts, reference.categories(column.rows, column.n_categories))


def test_no_column_gives_no_counts(cuda_backend: Backend) -> None:
    assert list(cuda_backend.count_cells([], [])) == []
    assert list(cuda_backend.count_categories([], [])) == []
