"""Every test of the CUDA kernels, without a GPU: Numba's simulator needs a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.cuda_compile
def test_the_numba_kernels_are_right_in_the_simulator() -> None:
    files = [str(path) for path in Path(__file__).parent.glob("test_cuda_*.py")]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "gpu", *files]
    overflow = ["-W", "ignore::RuntimeWarning"]  # of NumPy scalars, which stand in for registers
    environment = {
        **os.environ,
        "NUMBA_ENABLE_CUDASIM": "1",
        "GPUDRIFT_REQUIRE": "gpu",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    ran = subprocess.run([*command, *overflow], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-6_000:] + ran.stderr[-2_000:]
