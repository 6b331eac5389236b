from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.boundaries import extents, from_rank, fullest_of_several, rank_limits, to_rank
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu.histogram import index_of

if TYPE_CHECKING:
    from numpy.typing import NDArray


def test_an_index_begins_where_the_reference_says(plan: CellPlan) -> None:
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
    first, _ = extents(indices, plan)
    assert first.dtype == plan.dtype
    np.testing.assert_array_equal(first, reference.first_values(indices, plan))


@pytest.mark.parametrize("to_the_next", [True, False])
def test_an_index_ends_right_below_what_follows_it(plan: CellPlan, to_the_next: bool) -> None:
    rng = np.random.default_rng(4)
    indices = np.unique(np.concatenate([[0, plan.n_index - 2, plan.n_index - 1], rng.integers(0, plan.n_index, 200)]))
    until = indices + 1 if to_the_next else np.append(indices[1:], plan.n_index)
    first, last = extents(indices, plan, None if to_the_next else until)
    begins, follows = (to_rank(reference.first_values(i, plan), plan.dtype) for i in (indices, until))
    expected = np.maximum(follows - 1, begins)
    if follows[-1] == rank_limits(plan.dtype)[1]:  # no index follows: it ends with the dtype
        expected[-1] = follows[-1]
    assert last.dtype == plan.dtype
    np.testing.assert_array_equal(to_rank(first, plan.dtype), begins)
    np.testing.assert_array_equal(to_rank(last, plan.dtype), expected)


def test_no_smaller_value_reaches_an_index(plan: CellPlan) -> None:
    indices = np.arange(plan.n_index + 1)
    ranks = to_rank(extents(indices, plan)[0], plan.dtype)
    lowest, highest = rank_limits(plan.dtype)
    reached = index_of(from_rank(ranks, plan.dtype), plan) >= indices
    np.testing.assert_array_equal(reached | (ranks == highest), True)
    before = from_rank(np.maximum(ranks, lowest + 1) - 1, plan.dtype)
    np.testing.assert_array_equal((index_of(before, plan) < indices) | (ranks == lowest), True)


@pytest.mark.parametrize("n_single", [0, 1, 40])
def test_the_fullest_index_of_several_values_is_no_single_one(plan: CellPlan, n_single: int) -> None:
    rng = np.random.default_rng(5)
    indices = np.unique(np.concatenate([index_of(plan.cuts, plan)[:500], rng.integers(0, plan.n_index, 400)]))
    indices = indices[index_of(extents(indices, plan)[0], plan) == indices]  # others hold nothing
    first, last = extents(indices, plan)
    rows = rng.integers(1, 1000, indices.size)
    rows[np.flatnonzero(first == last)[:n_single]] += 5000
    assert fullest_of_several(indices, rows, plan) == rows[first != last].max(initial=0)
    assert fullest_of_several(indices[first == last], rows[first == last], plan) == 0


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
def test_an_index_out_of_range_begins_at_an_end_of_the_dtype(dtype: str) -> None:
    plan = CellPlan(dtype, 0, 0, 11, 3)
    (smallest, largest), _ = extents(np.array([-5, plan.n_index + 5]), plan)
    info: Any = np.iinfo(dtype) if plan.wide else np.finfo(dtype)
    assert (smallest, largest) == (info.min, info.max)


def test_no_index_gives_no_value() -> None:
    assert [values.size for values in extents(np.empty(0, np.int64), CellPlan("float32", 0, 0, 11, 3))] == [0, 0]


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
