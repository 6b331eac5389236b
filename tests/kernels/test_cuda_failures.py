"""What CUDA libraries raise, as one line; from their own classes where they are installed, else from stand-ins."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from gpudrift_kernels.cuda import availability
from gpudrift_kernels.cuda.driver import Device, Driver
from gpudrift_kernels.cuda.failures import explained, is_out_of_memory
from gpudrift_kernels.errors import BackendUnavailable, DeviceError, GpudriftError

if TYPE_CHECKING:
    from collections.abc import Callable

_H100 = Device(0, "NVIDIA H100", 80 << 30, (9, 0), 132, 227 << 10, 228 << 10)


class _Numbered(Exception):
    """Of CuPy: the number is its status."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class _Coded(Exception):
    """Of Numba: the number is its code."""

    def __init__(self, code: int, said: str) -> None:
        super().__init__(said)
        self.code = code


class _Named(Exception):
    """Of cuda.core: the number is only named."""


class _NotFound(RuntimeError):
    """Of cuda.pathfinder: a library of the toolkit."""


@pytest.fixture(autouse=True)
def libraries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries that are loaded, as far as they can raise."""
    for name, members in {
        "cupy_backends.cuda.api.runtime": {"CUDARuntimeError": _Numbered},
        "numba.cuda.cudadrv.error": {"CudaDriverError": _Coded, "CudaSupportError": ImportError},
        "cuda.core._utils.cuda_utils": {"CUDAError": _Named},
        "cuda.pathfinder": {"DynamicLibNotFoundError": _NotFound},
        "cuda.bindings.driver": {
            "CUresult": type("CUresult", (), {"CUDA_ERROR_OUT_OF_MEMORY": 2, "CUDA_ERROR_NO_DEVICE": 100})
        },
    }.items():
        module = ModuleType(name)
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(availability, "driver", lambda: Driver((13, 0), (_H100,), None))
    monkeypatch.setattr(availability, "toolkit_version", lambda: (13, 5))


@pytest.mark.parametrize(
    ("error", "kind", "said"),
    [
        (MemoryError(), DeviceError, "H100 has no memory left: free some, or lower GPUDRIFT_DEVICE_MEMORY"),
        (_Numbered(2, "cudaErrorMemoryAllocation"), DeviceError, "H100 has no memory left"),
        (_Named("CUDA_ERROR_OUT_OF_MEMORY: not enough"), DeviceError, "H100 has no memory left"),
        (_Coded(222, "[222] Call to cuModuleLoad"), BackendUnavailable,
         'H100 cannot be used: the NVIDIA driver supports CUDA 13.0 and the installed toolkit is CUDA 13.5: '
         'update the driver, or pip install "cuda-toolkit==13.0.*"'),
        (_Numbered(35, "cudaErrorInsufficientDriver"), BackendUnavailable, "supports CUDA 13.0 and the installed"),
        (_Numbered(36, "cudaErrorCallRequiresNewerDriver"), BackendUnavailable, "supports CUDA 13.0 and the installed"),
        (_Named("CUDA_ERROR_NO_DEVICE: There is none. Three more sentences. And a last one."), BackendUnavailable,
         "H100 is not there (CUDA_ERROR_NO_DEVICE: There is none): see nvidia-smi"),
        (_NotFound('Failure finding "libnvrtc.so.13": No such file\n  listdir("/a/b"):'), BackendUnavailable,
         'H100 cannot be used: Failure finding "libnvrtc.so.13": pip install "gpudrift[gpu]"'),
        (_Numbered(101, "invalid device ordinal"), BackendUnavailable,
         "H100 is not there (invalid device ordinal): see nvidia-smi and CUDA_VISIBLE_DEVICES"),
        (_Coded(209, "no binary"), BackendUnavailable, "update numba-cuda and CuPy"),
        (_Coded(400, "[400] Call to cuStreamSynchronize"), DeviceError,
         "a stream or context has been destroyed ([400] Call to cuStreamSynchronize): keep it until the array is"),
        (_Numbered(700, "cudaErrorIllegalAddress:\nan illegal memory access"), DeviceError,
         "H100 failed (cudaErrorIllegalAddress: an illegal memory access): keep arrays until they are counted; "
         "this process cannot use it any more, start a new one"),
        (_Coded(3, "CUDA initialized before forking"), DeviceError, "start workers by spawn"),
        (ImportError("\nCUDA is disabled\n"), BackendUnavailable, "cannot be used: CUDA is disabled; or use 'cpu'"),
        (_Coded(999, "[999] unknown"), DeviceError, "H100 failed ([999] unknown): nvidia-smi may say why"),
    ],
)  # fmt: skip
def test_each_failure_is_one_line_that_says_what_to_do(error: Exception, kind: type[GpudriftError], said: str) -> None:
    with pytest.raises(kind) as raised, explained("NVIDIA H100"):
        raise error
    assert said in str(raised.value)
    assert len(str(raised.value).splitlines()) == 1
    assert raised.value.__cause__ is error


@pytest.mark.parametrize("error", [ValueError("a bad column"), DeviceError("an array lies on device 1")])
def test_what_no_cuda_library_raised_stays_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised, explained("NVIDIA H100"):
        raise error
    assert raised.value is error


@pytest.mark.cuda_compile
def test_a_library_that_is_not_found_raises_what_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # the stand-ins
    pathfinder = pytest.importorskip("cuda.pathfinder")
    said = "H100 cannot be used: Failure finding .*: pip install"
    with pytest.raises(BackendUnavailable, match=said), explained("NVIDIA H100"):
        raise pathfinder.DynamicLibNotFoundError('Failure finding "libnvrtc.so.13": No such file')


def _cupy() -> Exception:
    return pytest.importorskip("cupy_backends.cuda.api.runtime").CUDARuntimeError(2)  # type: ignore[no-any-return]


def _cupy_pool() -> Exception:
    return pytest.importorskip("cupy").cuda.memory.OutOfMemoryError(1, 2)  # type: ignore[no-any-return]


def _numba() -> Exception:
    driver, bindings = pytest.importorskip("numba.cuda.cudadrv.driver"), pytest.importorskip("cuda.bindings.driver")
    return driver.CudaAPIError(bindings.CUresult.CUDA_ERROR_OUT_OF_MEMORY, "full")  # type: ignore[no-any-return]


@pytest.mark.cuda_compile
@pytest.mark.parametrize("made", [_cupy, _cupy_pool, _numba])
def test_the_installed_libraries_number_their_errors_so(
    made: Callable[[], Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # the stand-ins
    error = made()
    assert is_out_of_memory(error)
    with pytest.raises(DeviceError, match="H100 has no memory left"), explained("NVIDIA H100"):
        raise error
