from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference, rules
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu import histogram
from gpudrift_kernels.cpu.histogram import Workspace, index_of
from gpudrift_kernels.rules import MISSING, NEGATIVE_INFINITY, POSITIVE_INFINITY
from gpudrift_kernels.tuning import LARGE, SMALL, VALUES_AT_ONCE, LaunchPolicy

if TYPE_CHECKING:
    from numpy.typing import NDArray

_BLOCK = VALUES_AT_ONCE


def _histogram(values: NDArray[Any], plan: CellPlan, policy: LaunchPolicy = LARGE) -> NDArray[np.int64]:
    workspace = Workspace(plan, policy)
    workspace.add(values)
    return workspace.total()


def test_every_value_gets_the_index_of_the_reference(plan: CellPlan, hostile: NDArray[Any]) -> None:
    np.testing.assert_array_equal(index_of(hostile, plan), reference.index_of(hostile, plan))


def test_counts_equal_the_reference_under_any_policy_and_size(plan: CellPlan, hostile: NDArray[Any]) -> None:
    odd = replace(LARGE, lanes=3, max_compared_cuts=0)
    compared = replace(LARGE, max_compared_cuts=300)
    expected = reference.index_of(hostile, plan)
    for policy in (SMALL, LARGE, odd, compared):
        for n in (0, 1, 5, 2047, 2048, 2049, 5000, _BLOCK - 1, _BLOCK, _BLOCK + 1, 2 * _BLOCK + 7, hostile.size):
            counts = np.bincount(expected[:n], minlength=plan.n_counters)
            np.testing.assert_array_equal(_histogram(hostile[:n], plan, policy), counts, f"{n} rows, {policy}")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_missing_and_infinities_are_counted_apart(dtype: str) -> None:
    plan = CellPlan(dtype, 0.0, 0, 11, 3, cuts=np.array([1.0]))
    counts = _histogram(np.array([np.nan, -np.nan, np.inf, np.inf, np.inf, -np.inf, 2.0], dtype), plan)
    special = counts[plan.n_index :]
    assert (special[MISSING], special[POSITIVE_INFINITY], special[NEGATIVE_INFINITY]) == (2, 3, 1)
    assert counts[: plan.n_index].sum() == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "int64"])
@pytest.mark.parametrize("n_cuts", [0, 1, 6, 20])
def test_finite_values_whose_distance_overflows_lie_in_the_outermost_cells(dtype: str, n_cuts: int) -> None:
    plan = CellPlan(dtype, 0, -126 if dtype == "float32" else -1022, 11, 3)
    most = np.iinfo(dtype).max if plan.wide else np.finfo(dtype).max
    far = np.array([most, most // 2, -most, -(most // 2)] * 50, dtype)  # times the scale each is beyond the type of t
    near = np.arange(-5, 6).astype(dtype)
    infinite = near[:0] if plan.wide else np.array([np.inf, -np.inf, -np.inf, np.nan], dtype)
    plan = replace(plan, cuts=np.sort(np.array([(-1) ** k * (most // k) for k in range(2, n_cuts + 2)], dtype)))
    workspace = Workspace(plan, LARGE)
    pieces = [near, np.tile(far, 3), np.repeat(infinite, 40), far[:3], np.concatenate([far, infinite, near])]
    for piece in pieces:
        workspace.add(piece)
    np.testing.assert_array_equal(workspace.total(), reference.histogram(np.concatenate(pieces), plan))


def test_pieces_add_up_to_the_whole() -> None:
    plan = CellPlan("float32", 0.0, 0, 11, 3)
    values = np.random.default_rng(1).normal(size=9_000).astype(np.float32)
    workspace = Workspace(plan, LARGE)
    for piece in np.array_split(values, 7):
        workspace.add(piece)
    np.testing.assert_array_equal(workspace.total(), reference.histogram(values, plan))


def test_read_only_and_strided_input_is_counted_as_it_is() -> None:
    plan = CellPlan("float64", 0.0, 0, 11, 3)
    values = np.random.default_rng(2).normal(size=6_000)
    expected = reference.histogram(values[::-3], plan)
    values.flags.writeable = False
    np.testing.assert_array_equal(_histogram(values[::-3], plan), expected)


def test_one_version_of_a_kernel_serves_every_sort_of_array() -> None:
    plan = CellPlan("float32", 0.0, 0, 11, 3)
    _histogram(np.zeros(3, np.float32), plan)
    versions = len(histogram._count.signatures)
    frozen = np.zeros(8, np.float32)
    frozen.flags.writeable = False
    for values in (frozen, frozen[::2], np.zeros((4, 2), np.float32)[:, 1]):
        _histogram(values, replace(plan, cuts=np.arange(30)))
    assert len(histogram._count.signatures) == versions


def test_the_classes_that_caches_on_disk_name_stay_where_they_are() -> None:
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in (histogram.Rule, rules.Layout)]
    assert names == ["gpudrift_kernels.cpu.histogram.Rule", "gpudrift_kernels.rules.Layout"]
