from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.boundaries import first_values, from_rank, rank_limits, to_rank
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import index_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_first_values_equal_the_reference(plan: CellPlan) -> None:
    half = int(plan.layout.half)
    at_cuts = index_of(plan.cuts, plan)
    indices = np.concatenate(
        [
            [0, 1, half - 1, half, half + 1, plan.n_index - 1, plan.n_index],
            at_cuts[:40] - 1,
            at_cuts[:40],
            at_cuts[:40] + 1,
            np.random.default_rng(3).integers(0, plan.n_index, 60),
        ]
    )
    found = first_values(indices, plan)
    assert found.dtype == plan.dtype
    np.testing.assert_array_equal(found, reference.first_values(indices, plan))


def test_no_smaller_value_reaches_an_index(plan: CellPlan) -> None:
    indices = np.arange(plan.n_index + 1)
    ranks = to_rank(first_values(indices, plan), plan.dtype)
    lowest, highest = rank_limits(plan.dtype)
    reached = index_of(from_rank(ranks, plan.dtype), plan) >= indices
    np.testing.assert_array_equal(reached | (ranks == highest), True)
    before = from_rank(np.maximum(ranks, lowest + 1) - 1, plan.dtype)
    np.testing.assert_array_equal((index_of(before, plan) < indices) | (ranks == lowest), True)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
def test_an_index_out_of_range_begins_at_an_end_of_the_dtype(dtype: str) -> None:
    plan = CellPlan(dtype, 0, 0, 11, 3)
    smallest, largest = first_values(np.array([-5, plan.n_index + 5]), plan)
    info: Any = np.iinfo(dtype) if plan.wide else np.finfo(dtype)
    assert (smallest, largest) == (info.min, info.max)


def test_no_index_gives_no_value() -> None:
    assert first_values(np.empty(0, np.int64), CellPlan("float32", 0, 0, 11, 3)).size == 0


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
def test_ranks_count_the_values_of_a_dtype_in_order(dtype: str) -> None:
    lowest, highest = rank_limits(dtype)
    ranks = np.array([lowest, lowest + 1, -2, -1, 0, 1, 2, highest - 1, highest])
    values: NDArray[Any] = from_rank(ranks, dtype)
    assert values.dtype == dtype
    assert np.all(values[1:] > values[:-1])
    np.testing.assert_array_equal(to_rank(values, dtype), ranks)
    if dtype.startswith("f"):
        step = np.nextafter(values[:-1], np.inf)
        np.testing.assert_array_equal(step[[0, 2, 3, 4, 5, 7]], values[[1, 3, 4, 5, 6, 8]])
        assert to_rank(np.array([-0.0], dtype), dtype) == 0
