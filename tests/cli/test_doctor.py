"""``gpudrift doctor``: devices, versions, the kernel cache, and install lines."""

from __future__ import annotations

import sys
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest

from gpudrift import versions
from gpudrift_kernels import auto
from gpudrift_kernels.cuda import availability
from gpudrift_kernels.cuda.driver import Device, Driver
from gpudrift_kernels.errors import DeviceError

from .conftest import Run

_H100 = Device(0, "NVIDIA H100 80GB HBM3", 80 << 30, (9, 0), 132, 227 << 10, 228 << 10)


@pytest.fixture(autouse=True)
def no_device_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPUDRIFT_DEVICE", raising=False)
    monkeypatch.delenv("GPUDRIFT_DEVICE_MEMORY", raising=False)


def test_it_shows_devices_versions_and_the_kernel_cache(run: Run) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert result.stderr == ""
    for shown in ("gpudrift 0.", "cpu", "cuda", f"numpy {np.__version__}", "folder", "can be written"):
        assert shown in " ".join(result.stdout.split())


def test_what_is_missing_comes_with_its_install_line(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    known = (
        {"gpudrift": "0", "python": "3"}
        | dict.fromkeys(versions.PACKAGES, "1")
        | {"cupy-cuda13x": None, "pandas": None}
    )
    monkeypatch.setattr(versions, "versions", lambda: known)
    *_, pandas, cupy = run("doctor").stdout.splitlines()
    assert pandas.split(maxsplit=1) == ["pandas", "pip install pandas"]
    assert cupy.split(maxsplit=1) == ["cupy-cuda13x", 'pip install "gpudrift[gpu]"']


def test_nothing_missing_is_said(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"gpudrift": "0", "python": "3"} | dict.fromkeys(versions.PACKAGES, "1")
    monkeypatch.setattr(versions, "versions", lambda: known)
    assert run("doctor").stdout.endswith("\nNothing is missing\n")


def test_a_cache_that_cannot_be_written_gets_its_remedy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gpudrift.cli.doctor.os.access", lambda *_: False)
    assert "cannot be written; set NUMBA_CACHE_DIR to a folder that can" in run("doctor").stdout


def test_no_folder_for_a_cache_gets_its_remedy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("numba.core.caching.Cache.cache_path", None)
    assert "folder  none that can be written; set NUMBA_CACHE_DIR to one\n" in run("doctor").stdout


def _install(monkeypatch: pytest.MonkeyPatch, found: Driver, *, packages: bool = True) -> None:
    """This driver, and where ``packages`` numba-cuda and CuPy, as far as doctor can see."""
    for module in ("cuda.driver", "cuda.availability", "backend"):
        monkeypatch.setattr(f"gpudrift_kernels.{module}.driver", lambda: found)
    monkeypatch.setattr("gpudrift_kernels.cuda.availability.installed", lambda _: packages)
    monkeypatch.setattr("gpudrift_kernels.cuda.availability.toolkit_version", lambda: (13, 0))
    if packages:
        backend = ModuleType("backend")
        vars(backend)["CudaBackend"] = _Refusing
        monkeypatch.setitem(sys.modules, "gpudrift_kernels.cuda.backend", backend)
        monkeypatch.setitem(sys.modules, "cupy", ModuleType("cupy"))
    auto._FOUND.clear()
    availability._imports_cupy.cache_clear()


class _Refusing:
    """A GPU that refuses, for the reason that is set."""

    reason = ""

    def __init__(self, device: Device, **_: object) -> None:
        assert device == _H100

    def count_cells(self, *_: object) -> list[object]:
        if self.reason:
            raise DeviceError(self.reason)
        return []


def _shown(run: Run, name: str, **environment: str) -> str:
    """What stands behind a name."""
    result = run("doctor", **environment)
    assert (result.exit_code, result.stderr) == (0, "")
    (line,) = (line for line in result.stdout.splitlines() if line.split()[:1] == [name])
    return line.split(maxsplit=1)[1]


def test_gpus_are_shown_with_their_memory_and_driver(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, Driver((12, 8), (_H100,), None))
    shown = run("doctor").stdout
    assert "device 0  NVIDIA H100 80GB HBM3, 80 GiB, compute 9.0" in shown
    assert "driver    NVIDIA, for CUDA 12.8" in shown
    assert (
        "cuda      not available: the NVIDIA driver supports CUDA 12.8 and the installed toolkit is CUDA 13.0" in shown
    )


def test_a_driver_that_fails_is_shown_with_its_reason(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = "the NVIDIA driver (libcuda.so.1) does not start (error 999): nvidia-smi may say why"
    _install(monkeypatch, Driver((13, 0), (), problem, broken=True))
    assert _shown(run, "cuda") == f"not available: {problem}"
    assert _shown(run, "driver") == "NVIDIA, for CUDA 13.0"
    refused = f"error: 'cuda' cannot be used: {problem}. Or use 'cpu' or 'auto'"
    assert _shown(run, "GPUDRIFT_DEVICE", GPUDRIFT_DEVICE="cuda") == refused


def test_packages_that_do_not_fit_each_other_are_shown(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, Driver((13, 0), (_H100,), None))
    assert _shown(run, "cuda") == "ready, on device 0"
    monkeypatch.setitem(sys.modules, "gpudrift_kernels.cuda.backend", None)  # as if its import failed
    assert _shown(run, "cuda").startswith("not available: numba-cuda cannot be imported (")


def test_a_gpu_that_refuses_is_not_ready(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, Driver((13, 0), (_H100,), None))
    monkeypatch.setattr(_Refusing, "reason", "NVIDIA H100 80GB HBM3 has no memory left: free some")
    assert _shown(run, "cuda", GPUDRIFT_DEVICE_MEMORY="lots") == f"not available: {_Refusing.reason}"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("gpu", "error: must be auto, cpu, cuda or a GPU such as cuda:1, got 'gpu'"),
        ("cuda:7", "error: 'cuda:7' cannot be used: the NVIDIA driver sees 2 GPU(s), from cuda:0; "
         "see CUDA_VISIBLE_DEVICES"),
        ("cuda:1", "cuda:1, so that 'auto' takes device 1"),
        ("cuda", "cuda, so that 'auto' takes device 0"),
        ("cpu", "cpu, so that 'auto' takes the CPU"),
    ],
)  # fmt: skip
def test_the_device_of_the_environment_is_judged(
    run: Run, monkeypatch: pytest.MonkeyPatch, value: str, shown: str
) -> None:
    _install(monkeypatch, Driver((13, 0), (_H100, replace(_H100, ordinal=1)), None))
    assert _shown(run, "GPUDRIFT_DEVICE", GPUDRIFT_DEVICE=value) == shown


@pytest.mark.parametrize(
    ("value", "device", "shown"),
    [
        ("lots", "auto", "error: must be 8MiB to the 81920MiB of NVIDIA H100 80GB HBM3 ("),
        ("60GiB", "auto", "60GiB at most, of a GPU"),
        ("60GiB", "cpu", "60GiB at most, of a GPU"),
        ("60GiB", "cuda:1", "error: must be 8MiB to the 40960MiB of Smaller ("),
        ("60GiB", "gpu", "60GiB at most, of a GPU"),
    ],
)
def test_the_memory_of_the_environment_is_judged_by_the_gpu_that_is_taken(
    run: Run, monkeypatch: pytest.MonkeyPatch, value: str, device: str, shown: str
) -> None:
    smaller = replace(_H100, ordinal=1, name="Smaller", memory_bytes=40 << 30)
    _install(monkeypatch, Driver((13, 0), (_H100, smaller), None))
    found = _shown(run, "GPUDRIFT_DEVICE_MEMORY", GPUDRIFT_DEVICE=device, GPUDRIFT_DEVICE_MEMORY=value)
    assert found.startswith(shown)


def test_the_environment_is_judged_without_a_gpu_too(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    _install(monkeypatch, Driver(None, (), "no NVIDIA driver is installed"))
    assert _shown(run, "GPUDRIFT_DEVICE", GPUDRIFT_DEVICE="cuda:0") == (
        "error: 'cuda:0' cannot be used: no NVIDIA driver is installed. Or use 'cpu' or 'auto'"
    )
    assert _shown(run, "GPUDRIFT_DEVICE_MEMORY", GPUDRIFT_DEVICE_MEMORY="nan") == (
        "error: must be at least 8MiB (bytes, or with KiB, MiB, GiB, TiB, KB, MB, GB or TB), got 'nan'"
    )
    assert _shown(run, "GPUDRIFT_DEVICE_MEMORY", GPUDRIFT_DEVICE_MEMORY="1TiB") == "1TiB at most, of a GPU"
