from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from gpudrift_kernels import backend
from gpudrift_kernels.backend import Backend, get_backend
from gpudrift_kernels.cpu.backend import CpuBackend, available_processors
from gpudrift_kernels.cuda import availability
from gpudrift_kernels.cuda.driver import Device, Driver
from gpudrift_kernels.cuda.memory import memory_limit
from gpudrift_kernels.errors import BackendUnavailable, ConfigError, GpudriftError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


_toolkit_version = availability.toolkit_version.__wrapped__
_H100 = Device(0, "NVIDIA H100", 80 << 30, (9, 0), 132, 227 << 10, 228 << 10)
_NO_DRIVER = Driver(None, (), "no NVIDIA driver (libcuda.so.1) is installed")


@pytest.fixture(autouse=True)
def no_device_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPUDRIFT_DEVICE", raising=False)
    monkeypatch.delenv("GPUDRIFT_DEVICE_MEMORY", raising=False)
    _machine(monkeypatch, _NO_DRIVER)
    backend._SAID.clear()


def _machine(
    monkeypatch: pytest.MonkeyPatch,
    found: Driver,
    *,
    packages: Sequence[str] = ("numba_cuda", "cupy"),
    toolkit: tuple[int, int] | None = (13, 0),
) -> None:
    """A machine with this driver and these packages, as far as choosing a device can see."""
    for module in (availability, backend):
        monkeypatch.setattr(module, "driver", lambda: found)
    monkeypatch.setattr(availability, "installed", lambda name: name in packages)
    monkeypatch.setattr(availability, "toolkit_version", lambda: toolkit)


def _toolkit(monkeypatch: pytest.MonkeyPatch, found_via: str, nvrtc: str | None) -> tuple[int, int] | None:
    """The version that is found where the compiler lies there, beside this nvrtc; None: there is no nvrtc."""

    class NotFound(RuntimeError):
        pass

    def load(library: str) -> SimpleNamespace:
        if library == "nvrtc" and nvrtc is None:
            raise NotFound
        return SimpleNamespace(found_via=found_via, abs_path=nvrtc)

    finder = SimpleNamespace(DynamicLibNotFoundError=NotFound, load_nvidia_dynamic_lib=load)
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", finder)
    monkeypatch.setitem(sys.modules, "cuda", SimpleNamespace(pathfinder=finder))
    monkeypatch.setattr(availability.metadata, "version", {"nvidia-nvvm": "13.5.37"}.__getitem__)
    return _toolkit_version()


@pytest.mark.gcc
def test_the_toolkit_is_the_one_that_is_loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A package beside a CUDA_HOME that goes first says nothing of it."""
    source = "int nvrtcVersion(int *major, int *minor) { *major = 13; *minor = 1; return 0; }"
    nvrtc = str(tmp_path / "libnvrtc.so")
    subprocess.run(["gcc", "-shared", "-fPIC", "-x", "c", "-", "-o", nvrtc], input=source.encode(), check=True)
    assert _toolkit(monkeypatch, "site-packages", None) == (13, 5)
    assert _toolkit(monkeypatch, "CUDA_PATH", nvrtc) == (13, 1)
    assert _toolkit(monkeypatch, "conda", None) is None
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", None)
    assert _toolkit_version() is None


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_the_cpu_counts_on_every_processor_by_default(name: str) -> None:
    found = get_backend(name)
    assert isinstance(found, CpuBackend)
    assert (found.name, found.threads) == ("cpu", available_processors())


def test_a_caller_may_say_how_many_threads() -> None:
    found = get_backend("cpu", threads=3)
    assert isinstance(found, CpuBackend)
    assert found.threads == 3


def test_a_backend_is_returned_as_it_is() -> None:
    mine: Backend = CpuBackend(1)
    assert get_backend(mine) is mine


def test_cuda_never_falls_back() -> None:
    with pytest.raises(BackendUnavailable, match=r"backend 'cuda' cannot be used: no NVIDIA driver") as error:
        get_backend("cuda")
    assert isinstance(error.value, GpudriftError)


def test_auto_takes_a_gpu_that_can_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba.cuda")
    _machine(monkeypatch, Driver((13, 0), (_H100,), None))
    chosen: Any = get_backend("auto", threads=2)
    for found in (chosen.gpu, get_backend("cuda", threads=2)):
        assert (found.name, found.device, found.memory_bytes) == ("cuda", _H100, 1 << 30)
    assert (chosen.name, chosen.cpu.threads) == ("cuda", 2)
    assert get_backend("cpu").name == "cpu"


def test_a_missing_package_comes_with_its_install_line(monkeypatch: pytest.MonkeyPatch) -> None:
    _machine(monkeypatch, Driver((13, 0), (_H100,), None), packages=())
    with pytest.raises(BackendUnavailable, match=re.escape('numba-cuda is not installed: pip install "gpudrift[gpu]"')):
        get_backend("cuda")


def test_packages_that_do_not_fit_each_other_are_a_reason_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _machine(monkeypatch, Driver((13, 0), (_H100,), None))
    monkeypatch.setitem(sys.modules, "gpudrift_kernels.cuda.backend", None)  # as if its import failed
    with pytest.raises(BackendUnavailable, match=r"numba-cuda cannot be imported \(.*\): pip install"):
        get_backend("cuda")
    assert get_backend().name == "cpu"
    assert ["numba-cuda cannot be imported" in record.message for record in caplog.records] == [True]


def test_a_toolkit_without_a_compiler_is_a_reason_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("numba.cuda")

    class NotFound(RuntimeError):
        pass

    def load(library: str) -> None:
        if library == "nvrtc":  # as after pip install numba-cuda, which brings no toolkit
            raise NotFound

    finder = SimpleNamespace(DynamicLibNotFoundError=NotFound, load_nvidia_dynamic_lib=load)
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", finder)
    monkeypatch.setitem(sys.modules, "cuda", SimpleNamespace(pathfinder=finder))
    _machine(monkeypatch, Driver((13, 0), (_H100,), None))
    said = 'nvrtc of the CUDA toolkit is not found: pip install "gpudrift[gpu]"'
    with pytest.raises(BackendUnavailable, match=re.escape(said)):
        get_backend("cuda")
    assert [get_backend().name for _ in range(2)] == ["cpu"] * 2
    assert [record.message for record in caplog.records] == [f"counting on the CPU: {said}"]


def test_a_cupy_that_cannot_be_imported_is_as_none_and_said_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _machine(monkeypatch, Driver((13, 0), (_H100,), None))
    monkeypatch.setitem(sys.modules, "cupy", None)  # as if its import failed
    availability._imports_cupy.cache_clear()
    assert [availability.has_cupy() for _ in range(2)] == [False] * 2
    availability._imports_cupy.cache_clear()
    (record,) = caplog.records
    assert record.message.startswith("counting without CuPy, which cannot be imported (")
    assert record.message.endswith('): pip install "gpudrift[gpu]"')


def test_auto_says_once_why_a_gpu_goes_unused(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _machine(monkeypatch, Driver((13, 0), (_H100,), None), packages=())
    assert [get_backend().name for _ in range(3)] == ["cpu"] * 3
    assert [(record.levelname, "numba-cuda" in record.message) for record in caplog.records] == [("WARNING", True)]


def test_a_machine_without_a_gpu_is_no_reason_to_warn(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert get_backend().name == "cpu"
    assert [record.levelname for record in caplog.records] == ["INFO"]


@pytest.mark.parametrize(
    ("driver", "toolkit", "remedy"),
    [
        ((13, 0), (13, 5), 'CUDA 13.0 and the installed toolkit is CUDA 13.5: update the driver, or pip install '
         '"cuda-toolkit==13.0.*"'),
        ((12, 8), (13, 0), "CUDA 12.8 and the installed toolkit is CUDA 13.0: update the driver to R580 or newer"),
        ((12, 8), None, "CUDA 12.8 and the installed toolkit is CUDA 13.0: update the driver to R580 or newer"),
    ],
)  # fmt: skip
def test_a_driver_too_old_for_the_toolkit_names_both(
    monkeypatch: pytest.MonkeyPatch, driver: tuple[int, int], toolkit: tuple[int, int] | None, remedy: str
) -> None:
    _machine(monkeypatch, Driver(driver, (_H100,), None), toolkit=toolkit)
    with pytest.raises(BackendUnavailable, match=re.escape(remedy)):
        get_backend("cuda")


@pytest.mark.parametrize(
    ("text", "n_bytes"),
    [("2GiB", 2 << 30), ("512 mib", 512 << 20), ("64000000", 64_000_000),
     ("8192KiB", 8 << 20), ("0.0625TiB", 64 << 30),
     ("8389KB", 8_389_000), ("9mb", 9_000_000), ("1.5GB", 1_500_000_000), ("0.08TB", 80_000_000_000),
     ("80GiB", 80 << 30), (" 85899345920 ", 80 << 30)],
)  # fmt: skip
def test_the_environment_bounds_the_memory(monkeypatch: pytest.MonkeyPatch, text: str, n_bytes: int) -> None:
    monkeypatch.setenv("GPUDRIFT_DEVICE_MEMORY", text)
    assert memory_limit(_H100, None) == n_bytes
    assert memory_limit(_H100, 1 << 30) == 1 << 30


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        *((text, repr(text)) for text in ("lots", "1e9", "nan", "inf", "-1", "-2GiB", "0", "0GiB", "8388607", "81GiB")),
        *((text, repr(text)) for text in ("1TiB", "2TB", "2PiB", "GiB", "1,000MiB", "0x800000", " ", "²GiB")),
        ("9" * 400, f"'{'9' * 12}...{'9' * 13}'"),
        ("9" * 10_000 + "TiB", f"'{'9' * 12}...{'9' * 10}TiB'"),
    ],
)
def test_memory_that_is_none_or_beyond_the_card_names_what_may_be(
    monkeypatch: pytest.MonkeyPatch, text: str, shown: str
) -> None:
    monkeypatch.setenv("GPUDRIFT_DEVICE_MEMORY", text)
    with pytest.raises(ConfigError) as error:
        memory_limit(_H100, None)
    assert str(error.value) == (
        "GPUDRIFT_DEVICE_MEMORY must be 8MiB to the 81920MiB of NVIDIA H100 (bytes, or with KiB, MiB, GiB, TiB, "
        f"KB, MB, GB or TB), got {shown}"
    )


@pytest.mark.parametrize("wanted", [1000, 0, -1, 81 << 30, 10**400, float("nan"), float("inf"), 2e9, "2GiB"])
def test_device_memory_beyond_the_card_or_in_no_bytes_is_refused(wanted: Any) -> None:
    text = "device_memory_bytes must be a number of bytes, 8MiB to the 81920MiB of NVIDIA H100, got "
    with pytest.raises(ConfigError, match=re.escape(text)) as error:
        memory_limit(_H100, wanted)
    assert len(str(error.value)) < 150


def test_a_bad_amount_of_memory_stops_auto_where_a_gpu_counts_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba.cuda")
    monkeypatch.setenv("GPUDRIFT_DEVICE_MEMORY", "lots")
    assert get_backend().name == "cpu"
    _machine(monkeypatch, Driver((13, 0), (_H100,), None))
    with pytest.raises(ConfigError, match=r"GPUDRIFT_DEVICE_MEMORY must be .* got 'lots'"):
        get_backend()


def test_the_environment_chooses_for_auto_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUDRIFT_DEVICE", "cuda")
    with pytest.raises(BackendUnavailable, match="GPUDRIFT_DEVICE 'cuda' cannot be used"):
        get_backend("auto")
    assert get_backend("cpu").name == "cpu"
    monkeypatch.setenv("GPUDRIFT_DEVICE", "cpu")
    assert get_backend("auto").name == "cpu"
    monkeypatch.setenv("GPUDRIFT_DEVICE", "")
    assert get_backend("auto").name == "cpu"


@pytest.mark.parametrize("name", ["tpu", "cuda:", "cuda:x", "cuda:-1", "cpu:0", "auto:1"])
def test_an_unknown_device_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    with pytest.raises(ValueError, match=f"backend must be auto, cpu, cuda or a GPU such as cuda:1, got '{name}'"):
        get_backend(name)
    monkeypatch.setenv("GPUDRIFT_DEVICE", name)
    with pytest.raises(ValueError, match=f"GPUDRIFT_DEVICE must be auto, .* got '{name}'"):
        get_backend("auto")


def test_one_of_several_gpus_is_chosen_by_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba.cuda")
    second = replace(_H100, ordinal=1)
    _machine(monkeypatch, Driver((13, 0), (_H100, second), None))
    chosen: dict[str, Any] = {name: get_backend(name) for name in ("auto", "cuda", "cuda:0", "cuda:1")}
    chosen["auto"] = chosen["auto"].gpu
    assert {name: found.device.ordinal for name, found in chosen.items()} == {
        "auto": 0,
        "cuda": 0,
        "cuda:0": 0,
        "cuda:1": 1,
    }
    assert {name: found.pinned for name, found in chosen.items()} == {
        "auto": False,
        "cuda": False,
        "cuda:0": True,
        "cuda:1": True,
    }
    monkeypatch.setenv("GPUDRIFT_DEVICE", "cuda:1")
    assert get_backend("auto").device == second  # type: ignore[attr-defined]
    assert get_backend("cuda:1").residence == (1, 256 << 20)
    with pytest.raises(
        BackendUnavailable, match=r"'cuda:2' cannot be used: the NVIDIA driver sees 2 GPU\(s\), from cuda:0"
    ):
        get_backend("cuda:2")


@pytest.mark.parametrize("threads", [0, -1, "2", 1.5, True])
def test_what_is_no_number_of_threads_is_refused(threads: Any) -> None:
    with pytest.raises(ValueError, match=f"threads must be a whole number >= 1, got {threads!r}"):
        get_backend("cpu", threads=threads)


def test_naming_a_backend_does_not_load_numba() -> None:
    script = "import sys, gpudrift_kernels.backend; sys.exit('numba' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 0
