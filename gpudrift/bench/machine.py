"""What a measurement ran on: no host name, no path."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Final

from gpudrift.version import __version__

_PACKAGES: Final = ("numpy", "numba", "llvmlite", "pyarrow", "scipy", "pandas", "polars", "torch")


def machine(repository: Path | None = None) -> dict[str, object]:
    """Date, processor, memory and versions; with the commit, where the code lies in a git repository.

    Examples
    --------
    >>> machine()["processors"] == processors()
    True
    """
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "gpudrift": __version__,
        "commit": _git(repository, "rev-parse", "HEAD") if repository else None,
        "changed": bool(_git(repository, "status", "--porcelain", "--untracked-files=no")) if repository else None,
        "python": platform.python_version(),
        "versions": {name: version for name in _PACKAGES if (version := _version(name)) is not None},
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _fact("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "instructions": [
            name for name in ("avx2", "avx512f") if name in (_fact("/proc/cpuinfo", "flags") or "").split()
        ],
        "processors": processors(),
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
    }


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _git(repository: Path, *arguments: str) -> str | None:
    try:
        done = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return done.stdout.strip() or None


def _fact(file: str, name: str) -> str | None:
    """The first value of a name in a file of ``name : value`` lines."""
    try:
        with open(file, encoding="utf-8") as lines:
            return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)
    except OSError:
        return None


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
