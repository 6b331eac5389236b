from __future__ import annotations

import os
import subprocess
import sys

import pytest

from gpudrift_kernels.backend import Backend, get_backend
from gpudrift_kernels.cpu.backend import CpuBackend, available_processors
from gpudrift_kernels.errors import BackendUnavailable, GpudriftError


@pytest.fixture(autouse=True)
def no_device_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPUDRIFT_DEVICE", raising=False)


@pytest.mark.parametrize("name", ["auto", "cpu"])
def test_the_cpu_counts_on_every_processor_by_default(name: str) -> None:
    backend = get_backend(name)
    assert isinstance(backend, CpuBackend)
    assert (backend.name, backend.threads) == ("cpu", available_processors())


def test_a_caller_may_say_how_many_threads() -> None:
    backend = get_backend("cpu", threads=3)
    assert isinstance(backend, CpuBackend)
    assert backend.threads == 3


def test_a_backend_is_returned_as_it_is() -> None:
    backend: Backend = CpuBackend(1)
    assert get_backend(backend) is backend


def test_cuda_is_refused_and_never_replaced() -> None:
    with pytest.raises(BackendUnavailable, match="'cuda' is not in this version") as error:
        get_backend("cuda")
    assert isinstance(error.value, GpudriftError)


def test_the_environment_chooses_for_auto_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GPUDRIFT_DEVICE", "cuda")
    with pytest.raises(BackendUnavailable):
        get_backend("auto")
    assert get_backend("cpu").name == "cpu"
    monkeypatch.setenv("GPUDRIFT_DEVICE", "cpu")
    assert get_backend("auto").name == "cpu"
    monkeypatch.setenv("GPUDRIFT_DEVICE", "")
    assert get_backend("auto").name == "cpu"


def test_an_unknown_device_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="backend must be auto, cpu or cuda, got 'tpu'"):
        get_backend("tpu")  # type: ignore[arg-type]
    monkeypatch.setenv("GPUDRIFT_DEVICE", "gpu")
    with pytest.raises(ValueError, match="GPUDRIFT_DEVICE must be auto, cpu or cuda, got 'gpu'"):
        get_backend("auto")


@pytest.mark.parametrize("threads", [0, -1])
def test_fewer_than_one_thread_is_refused(threads: int) -> None:
    with pytest.raises(ValueError, match=f"threads must be >= 1, got {threads}"):
        get_backend("cpu", threads=threads)


def test_naming_a_backend_does_not_load_numba() -> None:
    script = "import sys, gpudrift_kernels.backend; sys.exit('numba' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run([sys.executable, "-c", script], env=environment, check=False).returncode == 0
