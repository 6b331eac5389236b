"""What every test shares: one Numba cache per kernel source, Hypothesis settings, tests that need a tool."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def _kernel_digest(kernels: Path) -> str:
    digest = hashlib.sha256()
    for source in sorted(kernels.rglob("*.py")):
        digest.update(source.relative_to(kernels).as_posix().encode() + b"\0")
        digest.update(source.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


# Before anything imports numba: its cache looks at the file of a kernel only, so that a change in a function
# inlined from another file would go unnoticed. A cache for each state of the sources cannot be stale.
_REPOSITORY = Path(__file__).resolve().parents[1]
os.environ.setdefault(
    "NUMBA_CACHE_DIR", str(_REPOSITORY / ".cache" / f"numba-{_kernel_digest(_REPOSITORY / 'kernels')}")
)

import ctypes  # noqa: E402
import importlib.util  # noqa: E402
import shutil  # noqa: E402
from functools import cache  # noqa: E402
from typing import TYPE_CHECKING  # noqa: E402

import pytest  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

if importlib.util.find_spec("hypothesis"):  # the tests on a GPU do without
    from hypothesis import settings

    settings.register_profile("gpudrift", deadline=None, derandomize=True)
    settings.load_profile("gpudrift")

_REQUIRE = "GPUDRIFT_REQUIRE"


@cache
def _browser_missing() -> str | None:
    for program in ("chromium", "chromedriver"):
        if shutil.which(program) is None:
            return f"{program} is not on the PATH (Debian: apt-get install chromium chromium-driver)"
    if importlib.util.find_spec("selenium") is None:
        return "selenium is not installed (pip install selenium)"
    return None


@cache
def _gcc_missing() -> str | None:
    return None if shutil.which("gcc") else "gcc is not on the PATH (Debian: apt-get install gcc)"


@cache
def _gpu_missing() -> str | None:
    """Ask the driver itself: importing a CUDA library proves nothing, and makes a context."""
    if os.environ.get("NUMBA_ENABLE_CUDASIM") == "1":
        return None  # kernels/test_cuda_simulator.py runs them so
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        return "no NVIDIA driver (libcuda.so.1)"
    status = driver.cuInit(0)
    if status != 0:
        return f"the NVIDIA driver does not start (cuInit returned {status})"
    n_devices = ctypes.c_int(0)
    status = driver.cuDeviceGetCount(ctypes.byref(n_devices))
    if status != 0 or n_devices.value == 0:
        return f"the NVIDIA driver sees no GPU (cuDeviceGetCount returned {status})"
    return None


@cache
def _cuda_compiler_missing() -> str | None:
    for module, package in (("numba_cuda", "numba-cuda[cu13]"), ("cupy", "cupy-cuda13x")):
        if importlib.util.find_spec(module) is None:
            return f"{package} is not installed (pip install '{package}')"
    nvidia = importlib.util.find_spec("nvidia")
    folders = (nvidia.submodule_search_locations or ()) if nvidia else ()
    for tool, package in (("ptxas", "nvcc"), ("cuobjdump", "cuobjdump"), ("nvdisasm", "nvdisasm")):
        if shutil.which(tool) is None and not any(list(Path(f).glob(f"*/bin/{tool}")) for f in folders):
            return f"{tool} was not found (pip install nvidia-cuda-{package})"
    return None


def _server_missing() -> str | None:
    program = os.environ.get("GPUDRIFT_MLFLOW")
    if not program:
        return (
            "GPUDRIFT_MLFLOW does not name the mlflow of an environment that has its server (make registry-test does)"
        )
    return None if shutil.which(program) else f"{program}, which GPUDRIFT_MLFLOW names, cannot be run"


PROBES: dict[str, Callable[[], str | None]] = {
    "browser": _browser_missing,
    "gcc": _gcc_missing,
    "gpu": _gpu_missing,
    "cuda_compile": _cuda_compiler_missing,
    "server": _server_missing,
}
"""Marker of pyproject.toml: a probe that returns the reason why such a test cannot run here, or None."""


def required(environment: str) -> frozenset[str]:
    """Read the names of the markers that must not skip from a comma-separated list."""
    names = frozenset(name.strip() for name in environment.split(",") if name.strip())
    unknown = sorted(names - PROBES.keys())
    if unknown:
        raise pytest.UsageError(f"{_REQUIRE} names {', '.join(unknown)}; known are {', '.join(PROBES)}")
    return names


def pytest_configure() -> None:
    required(os.environ.get(_REQUIRE, ""))


def pytest_runtest_setup(item: pytest.Item) -> None:
    for marker in {marker.name for marker in item.iter_markers()} & PROBES.keys():
        reason = PROBES[marker]()
        if reason is None:
            continue
        if marker in required(os.environ.get(_REQUIRE, "")):
            pytest.fail(f"{_REQUIRE} names {marker}, but {reason}", pytrace=False)
        pytest.skip(reason)
