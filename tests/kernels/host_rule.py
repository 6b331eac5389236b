"""histogram.cu compiled for the host: its rule, and a stand-in for CuPy that counts by it."""

from __future__ import annotations

import ctypes
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from gpudrift_kernels.tuning import cuda_policy_for

_HERE = Path(__file__).parent
_OPTIONS = (
    "-std=c++17",
    "-O2",
    "-Wall",
    "-Wextra",
    "-Werror",
    "-Wno-unknown-pragmas",
    "-ffp-contract=off",
    "-fno-strict-aliasing",
)


def host_rule(stored: str, plan_dtype: str) -> ctypes.CDLL:
    """The library of a pair of dtypes, compiled with the definitions that the GPU's kernel gets."""
    from gpudrift_kernels.cuda.raw_histogram import options_for

    return _compiled(options_for(cuda_policy_for((9, 0), plan_dtype), stored, plan_dtype))


@cache
def _compiled(options: tuple[str, ...]) -> ctypes.CDLL:
    from gpudrift_kernels.cuda.raw_histogram import SOURCE

    definitions = [option for option in options if option.startswith("-D")]
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "rule.so"
        command = [
            "gcc",
            *_OPTIONS,
            *definitions,
            "-shared",
            "-fPIC",
            f"-I{SOURCE.parent}",
            str(_HERE / "host_rule.cpp"),
        ]
        subprocess.run([*command, "-o", str(library)], check=True)
        return ctypes.CDLL(str(library))


def host_cupy() -> ModuleType:
    """As much of CuPy as the histogram uses; what it launches runs on the host, over the simulator's arrays."""

    class Kernel:
        ptr = 0
        most_shared_bytes = 48 << 10

        def __init__(self, library: ctypes.CDLL) -> None:
            self.library = library

        def __call__(
            self, grid: tuple[int, int], block: tuple[int], arguments: tuple[np.uint64], *, shared_mem: int
        ) -> None:
            assert grid[0] >= 1
            assert block[0] <= 1024
            assert shared_mem <= Kernel.most_shared_bytes
            self.library.histogram(ctypes.c_void_p(int(arguments[0])), ctypes.c_uint(grid[0]), ctypes.c_uint(grid[1]))

    class Module:
        def load(self, code: bytes) -> None:
            self.library = _compiled(tuple(code.decode().split("\n")))

        def get_function(self, name: str) -> Kernel:
            assert name == "histogram"
            return Kernel(self.library)

    def compile_using_nvrtc(source: str, options: tuple[str, ...]) -> tuple[bytes, None]:
        assert "histogram" in source
        return "\n".join(options).encode(), None

    def set_attribute(kernel: int, attribute: int, value: int) -> None:
        assert attribute == 8  # of cuda.h, enum CUfunction_attribute
        Kernel.most_shared_bytes = value

    class Nothing:
        def __init__(self, number: int) -> None: ...

        def __enter__(self) -> None: ...

        def __exit__(self, *error: Any) -> None: ...

    module = ModuleType("cupy")
    cuda = ModuleType("cupy.cuda")
    vars(cuda).update(
        Device=Nothing, ExternalStream=Nothing, function=SimpleNamespace(Module=Module),
        compiler=SimpleNamespace(compile_using_nvrtc=compile_using_nvrtc),
        driver=SimpleNamespace(funcSetAttribute=set_attribute, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES=8),
    )  # fmt: skip
    vars(module).update(cuda=cuda)
    return module
