"""Whether CUDA can be used here, and what to install where it cannot: nothing of CUDA is imported without a GPU."""

from __future__ import annotations

import ctypes
import logging
from functools import cache
from importlib import metadata
from importlib.util import find_spec
from typing import Final

from gpudrift_kernels.cuda.driver import driver

#: CUDA 13 is the first that the packages of the gpu extra are built for.
_OLDEST_DRIVER: Final = (13, 0)
INSTALL_LINE: Final = 'pip install "gpudrift[gpu]"'

#: What the import of a package raises whose parts, or whose neighbours, do not fit each other.
BROKEN: Final = (ImportError, AttributeError, OSError, RuntimeError)

_log = logging.getLogger(__name__)
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
    """Whether CuPy is there: it brings the fastest histogram and the sort on the device. One that is broken is not."""
    return installed("cupy") and _imports_cupy()


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
def _imports_cupy() -> bool:
    try:
        import cupy  # noqa: F401
    except BROKEN as error:
        said = " ".join(str(error).split())
        _log.warning("counting without CuPy, which cannot be imported (%s): %s", said, INSTALL_LINE)
        return False
    return True


@cache
def installed(module: str) -> bool:
    """Whether a module could be imported; asked once, since every count begins with it."""
    return find_spec(module) is not None


@cache
def toolkit_version() -> tuple[int, int] | None:
    """CUDA version of the compiler that Numba loads, which writes code that an older driver refuses; None: unknown."""
    try:
        from cuda.pathfinder import DynamicLibNotFoundError, load_nvidia_dynamic_lib
    except ImportError:
        return None
    try:
        if load_nvidia_dynamic_lib("nvvm").found_via == "site-packages":
            major, minor, *_ = metadata.version("nvidia-nvvm").split(".")
            return int(major), int(minor)
        return _nvrtc_version(load_nvidia_dynamic_lib("nvrtc").abs_path)  # of the same toolkit, and it can tell
    except (DynamicLibNotFoundError, metadata.PackageNotFoundError):
        return None


def _nvrtc_version(path: str) -> tuple[int, int]:
    major, minor = ctypes.c_int(), ctypes.c_int()
    ctypes.CDLL(path).nvrtcVersion(ctypes.byref(major), ctypes.byref(minor))
    return major.value, minor.value
