from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.cpu.histogram import Workspace
from gpudrift_kernels.tuning import CPU, STAGING, LaunchPolicy, cuda_policy_for, numba_grid, policy_for

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpudrift_kernels.cells import CellPlan


@pytest.mark.parametrize("policy", [policy for _, policy in CPU])
def test_every_cpu_policy_counts_what_the_reference_counts(
    policy: LaunchPolicy, plan: CellPlan, hostile: NDArray[Any]
) -> None:
    workspace = Workspace(plan, policy)
    workspace.add(hostile)
    np.testing.assert_array_equal(workspace.total(), reference.histogram(hostile, plan))


def test_every_number_of_rows_has_a_policy_and_larger_columns_later_ones() -> None:
    limits = [rows for rows, _ in CPU]
    assert limits == sorted(limits)
    for rows, policy in CPU:
        assert policy_for(rows - 1) == policy


@pytest.mark.parametrize("capability", [(5, 0), (7, 5), (8, 0), (8, 9), (9, 0), (10, 3), (12, 1), (99, 0)])
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
def test_every_gpu_has_a_policy_that_it_can_run(capability: tuple[int, int], dtype: str) -> None:
    policy = cuda_policy_for(capability, dtype)
    assert policy.threads % 32 == 0
    assert policy.threads <= 1024
    assert policy.threads * policy.blocks <= (1024 if capability < (8, 0) else 1536 if capability[0] == 12 else 2048)


def test_a_gpu_newer_than_all_that_are_known_gets_the_newest_policy() -> None:
    assert cuda_policy_for((99, 0), "float32") == cuda_policy_for((12, 0), "float32")
    assert cuda_policy_for((9, 5), "float64") == cuda_policy_for((9, 0), "float64")


def test_a_grid_has_a_block_for_few_rows_and_no_more_than_is_asked_for() -> None:
    assert [numba_grid(n, 512) for n in (0, 1, 1 << 14, (1 << 14) + 1, 1 << 40)] == [1, 1, 1, 2, 512]


def test_a_chunk_holds_what_a_thread_converts_at_a_time() -> None:
    assert STAGING.rows_per_piece * 8 <= STAGING.chunk_bytes
