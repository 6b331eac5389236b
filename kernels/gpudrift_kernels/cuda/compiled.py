"""How every Numba-CUDA kernel is compiled: on first use, for the device it runs on."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import cuda

_Function = TypeVar("_Function", bound=Callable[..., Any])

# A small table needs few blocks, which Numba takes for an oversight.
warnings.filterwarnings("ignore", message="Grid size .* will likely result in GPU under-utilization")


def kernel(function: Callable[..., None]) -> Any:
    """A kernel: ``kernel[grid, block, stream, shared_bytes](...)``. It never raises: check on the host first."""
    return cuda.jit(function)


def inlined(function: _Function) -> _Function:
    """Compile into the kernels that call it: for the rules, which the CPU wraps for itself."""
    return cast("_Function", cuda.jit(function, device=True))
