"""What the CUDA libraries raise when something goes wrong on a GPU, as one line that says what to do.

The driver, the runtime, Numba, CuPy and cuda.core each have exceptions of their own over the same numbers
(cuda.h, enum CUresult), so that the number decides.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from gpudrift_kernels.cuda.availability import INSTALL_LINE, too_old, too_old_for_bindings
from gpudrift_kernels.errors import BackendUnavailable, DeviceError, GpudriftError

#: Module and name of what may be raised; a library that is not loaded has raised nothing.
_RAISED: Final = (
    ("numba.cuda.cudadrv.error", "CudaDriverError"),  # CudaAPIError is one
    ("numba.cuda.cudadrv.error", "CudaRuntimeError"),
    ("numba.cuda.cudadrv.error", "CudaSupportError"),
    ("numba.cuda.cudadrv.error", "NvvmError"),
    ("numba.cuda.cudadrv.error", "NvvmSupportError"),
    ("numba.cuda.cudadrv.error", "NvrtcError"),
    ("numba.cuda.cudadrv.error", "CCSupportError"),
    ("numba.cuda.cudadrv.driver", "CudaAPIError"),  # the simulator's is no CudaDriverError
    ("numba.cuda.cudadrv.driver", "LinkerError"),
    ("cuda.core._utils.cuda_utils", "CUDAError"),
    ("cuda.bindings._internal.utils", "FunctionNotFoundError"),  # the driver's libcuda.so.1 lacks it
    ("cuda.pathfinder", "DynamicLibNotFoundError"),
    ("cupy_backends.cuda.api.driver", "CUDADriverError"),
    ("cupy_backends.cuda.api.runtime", "CUDARuntimeError"),
    ("cupy_backends.cuda.libs.nvrtc", "NVRTCError"),
    ("cupy.cuda.compiler", "CompileException"),
)

_OUT_OF_MEMORY: Final = 2
_DRIVER_TOO_OLD: Final = (35, 36, 222)  # for the runtime, for one call of it, for the PTX
_NO_DEVICE: Final = (100, 101)  # none, or not this one
_DESTROYED: Final = (201, 400, 709)  # an invalid context or handle, a destroyed context
_NO_CODE: Final = (209, 218)  # for this device; PTX that is none
_LOST: Final = (214, 700, 714, 715, 716, 717, 718, 719)  # of memory or a kernel: the context is gone for good


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Raise what goes wrong on a GPU as a DeviceError, or BackendUnavailable where it cannot be used at all.

    Parameters
    ----------
    where : str
        What the message calls the GPU.
    """
    try:
        yield
    except raised() as error:
        raise explanation(error, where) from error


def explanation(error: BaseException, where: str) -> GpudriftError:
    """The error of ours that says what one of a CUDA library means."""
    number = _number_of(error)
    whole = " ".join(str(error).split()) or type(error).__name__
    said = re.split(r"\.(?: |$)", whole)[0]  # the first sentence: cuda.core writes a paragraph
    if is_out_of_memory(error):
        return DeviceError(f"{where} has no memory left: free some, or lower GPUDRIFT_DEVICE_MEMORY")
    if number in _DRIVER_TOO_OLD:
        return BackendUnavailable(f"{where} cannot be used: {too_old()}")
    if type(error).__name__ == "FunctionNotFoundError":
        return BackendUnavailable(f"{where} cannot be used: {too_old_for_bindings(said)}")
    if number in _NO_DEVICE:
        return BackendUnavailable(f"{where} is not there ({said}): see nvidia-smi and CUDA_VISIBLE_DEVICES")
    if number in _NO_CODE:
        return BackendUnavailable(f"{where} is not known to the installed toolkit ({said}): update numba-cuda and CuPy")
    if number in _DESTROYED:
        return DeviceError(f"a stream or context has been destroyed ({said}): keep it until the array is counted")
    if number in _LOST:
        return DeviceError(
            f"{where} failed ({said}): keep arrays until they are counted; "
            "this process cannot use it any more, start a new one"
        )
    if "fork" in whole:
        return DeviceError(f"{where} was used before this process was forked ({said}): start workers by spawn")
    if whole.startswith("Failure finding"):  # of a library of the toolkit, and then all places without it
        return BackendUnavailable(f"{where} cannot be used: {whole.partition(':')[0]}: {INSTALL_LINE}")
    if isinstance(error, ImportError):  # how Numba says that it does without CUDA
        return BackendUnavailable(f"{where} cannot be used: {said}; or use 'cpu'")
    return DeviceError(f"{where} failed ({said}): nvidia-smi may say why; 'cpu' does without it")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error of any library says that no memory is left."""
    return isinstance(error, MemoryError) or _number_of(error) == _OUT_OF_MEMORY


def raised() -> tuple[type[BaseException], ...]:
    """Classes of what CUDA libraries raise, for an ``except``: it asks only once there is something to catch."""
    found = (getattr(sys.modules.get(module), name, None) for module, name in _RAISED)
    return (MemoryError, *(kind for kind in found if kind is not None))


def _number_of(error: BaseException) -> int | None:
    """CUresult of an error: Numba's ``code``, CuPy's ``status``, or the name in a message of cuda.core."""
    number: Any = getattr(error, "code", getattr(error, "status", None))
    if number is None and (name := re.search(r"CUDA_ERROR_\w+", str(error))):
        results = getattr(sys.modules.get("cuda.bindings.driver"), "CUresult", None)
        number = getattr(results, name[0], None)
    return None if number is None else int(number)
