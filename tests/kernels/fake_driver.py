"""A driver that stands in for NVIDIA's, and Python processes that find it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCE = Path(__file__).with_name("fake_libcuda.c")


def build(folder: Path, *options: str, source: str | None = None) -> Path:
    """Compile it as the libcuda.so.1 of a folder."""
    (folder / "cuda.c").write_text(source or SOURCE.read_text())
    command = ["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "cuda.c", "-o", "libcuda.so.1", "-ldl", *options]
    subprocess.run(command, cwd=folder, check=True)
    return folder


def ask(folder: Path, script: str, expression: str, **settings: int) -> Any:
    """What an expression gives after a script, in a process whose driver lies in a folder and fails as set."""
    environment = {
        **os.environ,
        **{f"FAKE_{name.upper()}": str(value) for name, value in settings.items()},
        "PYTHONPATH": os.pathsep.join(sys.path),
        "LD_LIBRARY_PATH": str(folder),
    }
    environment.pop("GPUDRIFT_DEVICE", None)
    environment.pop("GPUDRIFT_DEVICE_MEMORY", None)
    command = [sys.executable, "-c", f"{script}\nimport json\nprint(json.dumps({expression}))"]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr[-4_000:]
    return json.loads(ran.stdout)
