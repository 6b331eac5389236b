"""``gpudrift doctor``: devices, versions, the kernel cache, and install lines."""

from __future__ import annotations

import numpy as np
import pytest

from gpudrift import versions
from gpudrift_kernels.cuda.driver import Device, Driver

from .conftest import Run


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


def test_gpus_are_shown_with_their_memory_and_driver(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    h100 = Device(0, "NVIDIA H100 80GB HBM3", 80 << 30, (9, 0), 132, 227 << 10, 228 << 10)
    found = Driver((12, 8), (h100,), None)
    monkeypatch.setattr("gpudrift_kernels.cuda.driver.driver", lambda: found)
    monkeypatch.setattr("gpudrift_kernels.cuda.availability.driver", lambda: found)
    shown = run("doctor").stdout
    assert "device 0  NVIDIA H100 80GB HBM3, 80 GiB, compute 9.0" in shown
    assert "driver    NVIDIA, for CUDA 12.8" in shown
    assert "cuda      not available: " in shown
