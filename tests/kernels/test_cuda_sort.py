from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.cpu import sort as cpu_sort

from .devices import SIMULATED, SMALL

if TYPE_CHECKING:
    from gpudrift_kernels.backend import Backend

_ROWS = 300 if SMALL else 2_000_000


@pytest.mark.gpu
@pytest.mark.skipif(SIMULATED, reason="the simulator has no CuPy to sort with")
@pytest.mark.parametrize("dtype", ["float32", "float64", "int64", "uint64"])
def test_exact_ks_is_the_reference_s_whatever_fits_the_memory(cuda_backend: Backend, dtype: str) -> None:
    rng = np.random.default_rng(1)
    f, g = ((rng.normal(size=n) * 1e4 + 1e5).astype(dtype) for n in (_ROWS, _ROWS // 2))
    if dtype[0] == "f":
        f[::7], f[1::7], f[2::70] = np.nan, np.inf, -np.inf
    for memory_bytes in (1 << 30, 10_000):
        cuda_backend.memory_bytes = memory_bytes  # type: ignore[attr-defined]
        sorted_f, sorted_g = cuda_backend.sort(f), cuda_backend.sort(g)
        np.testing.assert_array_equal(sorted_f, cpu_sort.sort(f))
        assert cuda_backend.ks_sorted(sorted_f, sorted_g) == reference.ks_sorted(sorted_f, sorted_g)
        assert cuda_backend.ks_sorted(sorted_f, sorted_g[:0]) == 0


@pytest.mark.gpu
def test_without_cupy_the_host_sorts(cuda_backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpudrift_kernels.cuda.backend.has_cupy", lambda: False)
    f, g = np.array([3.0, np.nan, 1.0]), np.array([2.0, 5.0])
    assert cuda_backend.sort(f).tolist() == [1.0, 3.0]
    assert cuda_backend.ks_sorted(cuda_backend.sort(f), g) == 0.5
