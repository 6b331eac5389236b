from __future__ import annotations

import sys
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels import reference
from gpudrift_kernels.cpu import sort as cpu_sort
from gpudrift_kernels.cuda import sort as cuda_sort
from gpudrift_kernels.cuda.memory import say_halved

from .devices import SIMULATED, SMALL

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from gpudrift_kernels.backend import Backend


@pytest.fixture
def cramped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """NumPy in the place of CuPy, on a device that takes 3,000 values at a time; what it was given."""
    given: list[int] = []

    class Device:
        def __init__(self, ordinal: int) -> None: ...

        def __enter__(self) -> None: ...

        def __exit__(self, *error: object) -> None: ...

    def asarray(values: NDArray[Any]) -> NDArray[Any]:
        if values.size > 3_000:
            raise MemoryError
        given.append(values.size)
        return values.copy()

    module = ModuleType("cupy")
    vars(module).update(
        asarray=asarray, isfinite=np.isfinite, asnumpy=np.asarray,
        cuda=SimpleNamespace(Device=Device),
    )  # fmt: skip
    monkeypatch.setitem(sys.modules, "cupy", module)
    say_halved.cache_clear()
    return given


def test_a_sort_that_finds_no_memory_takes_fewer_values_at_a_time_and_says_so_once(
    cramped: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    rng = np.random.default_rng(2)
    f, g = rng.normal(size=10_000), rng.normal(size=5_000)
    assert [cuda_sort.sort(side, 0, 1 << 30).tolist() == np.sort(side).tolist() for side in (f, g)] == [True, True]
    assert cramped == [2_500] * 6
    assert [record.message for record in caplog.records] == [
        "the device has little memory left: values are sorted fewer at a time"
    ]


def test_a_device_that_cannot_even_sort_a_few_values_is_an_error(
    cramped: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(sys.modules["cupy"], "asarray", full)
    with pytest.raises(MemoryError):
        cuda_sort.sort(np.ones(10_000), 0, 1 << 30)


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
    assert cuda_backend.sort(f).tolist() == cuda_backend.sort(f.copy(), overwrite=True).tolist() == [1.0, 3.0]
    assert cuda_backend.ks_sorted(cuda_backend.sort(f), g) == 0.5
