"""``gpudrift doctor``: devices, versions, the kernel cache, and install lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gpudrift import versions
from gpudrift.cli.doctor import nvidia_devices

from .conftest import Run


def test_it_shows_devices_versions_and_the_kernel_cache(run: Run) -> None:
    result = run("doctor")
    assert result.exit_code == 0
    assert result.stderr == ""
    for shown in ("gpudrift 0.", "cpu", "cuda", f"numpy          {np.__version__}", "folder", "can be written"):
        assert shown in result.stdout


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


def test_gpus_are_read_from_the_files_of_the_driver(tmp_path: Path) -> None:
    assert nvidia_devices(tmp_path / "absent") == "no driver"
    assert nvidia_devices(tmp_path) == "a driver without a GPU"
    for address in ("0000:01:00.0", "0000:02:00.0"):
        folder = tmp_path / "gpus" / address
        folder.mkdir(parents=True)
        (folder / "information").write_text("Model: \t\t NVIDIA H100 80GB HBM3\nIRQ:   \t\t 100\n")
    assert nvidia_devices(tmp_path) == "NVIDIA H100 80GB HBM3, NVIDIA H100 80GB HBM3"
