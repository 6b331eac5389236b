"""Whether CUDA can be used here, and what to install where it cannot: nothing of CUDA is imported to find out."""

from __future__ import annotations

from functools import cache
from importlib import metadata
from importlib.util import find_spec
from typing import Final

from gpudrift_kernels.cuda.driver import driver

#: CUDA 13 is the first that the packages of the gpu extra are built for.
_OLDEST_DRIVER: Final = (13, 0)
INSTALL_LINE: Final = 'pip install "gpudrift[gpu]"'

_COMPILERS: Final = ("nvvm", "nvrtc", "nvJitLink")


def obstacle() -> str | None:
    """Why CUDA cannot be used, with the remedy; None where it can."""
    found = driver()
    if found.problem is not None or found.version is None:
        return found.problem
    if not installed("numba_cuda"):
        return f"numba-cuda is not installed: {INSTALL_LINE}"
    toolkit = toolkit_version()
    if found.version < _OLDEST_DRIVER or (toolkit is not None and found.version < toolkit):
        return too_old()
    return None


def too_old() -> str:
    """That the driver is too old for the toolkit, both versions, and what to do."""
    has, needs = driver().version or (0, 0), max(toolkit_version() or _OLDEST_DRIVER, _OLDEST_DRIVER)
    supported, wanted = ".".join(map(str, has)), ".".join(map(str, needs))
    text = f"the NVIDIA driver supports CUDA {supported} and the installed toolkit is CUDA {wanted}: "
    if has >= _OLDEST_DRIVER:
        return text + f'update the driver, or pip install "cuda-toolkit=={supported}.*"'
    return text + "update the driver to R580 or newer"


def too_old_for_bindings(said: str) -> str:
    """That the driver lacks what cuda-bindings call, both versions, and what to do."""
    supported, bindings = ".".join(map(str, driver().version or ())), metadata.version("cuda-bindings")
    text = f"the NVIDIA driver is for CUDA {supported}, too old for the installed cuda-bindings {bindings} ({said}): "
    return text + f'update the driver, or pip install "cuda-bindings=={supported}.*"'


def has_cupy() -> bool:
    """Whether CuPy is installed: it brings the fastest histogram and the sort on the device."""
    return installed("cupy")


def compiler_missing() -> str | None:
    """Which library of the toolkit that Numba compiles with is not found, with the remedy; they are loaded.

    Found as Numba finds them, which asks for numba-cuda to be there: ``pip install numba-cuda`` alone brings none.
    """
    try:
        from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib
    except ImportError:
        return None
    for library in _COMPILERS:
        try:
            load_nvidia_dynamic_lib(library)
        except DynamicLibNotFoundError:
            return f"{library} of the CUDA toolkit is not found: {INSTALL_LINE}"
    return None


@cache
def installed(module: str) -> bool:
    """Whether a module could be imported; asked once, since every count begins with it."""
    return find_spec(module) is not None


@cache
def toolkit_version() -> tuple[int, int] | None:
    """CUDA version of the compiler that is installed, which writes code that an older driver refuses."""
    try:
        major, minor, *_ = metadata.version("nvidia-nvvm").split(".")
    except metadata.PackageNotFoundError:
        return None
    return int(major), int(minor)
