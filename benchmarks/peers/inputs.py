"""Inputs from files, alike for all contenders; needs NumPy only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

_MAPPED = 1 << 30


def sides(folder: Path) -> tuple[dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
    """Both tables as contiguous columns: in memory, or mapped where a side takes more than a GiB."""
    reference, current = (_columns(folder / f"{side}.npy") for side in ("reference", "current"))
    return reference, current


def one(folder: Path, name: str) -> dict[str, NDArray[Any]]:
    """One table."""
    return _columns(folder / f"{name}.npy")


def _columns(file: Path) -> dict[str, NDArray[Any]]:
    mapped = file.stat().st_size > _MAPPED
    rows = np.load(file, mmap_mode="r" if mapped else None)
    if mapped:
        rows = np.asarray(rows)
        for column in rows:
            column[:: 4096 // column.itemsize].sum()  # every page is resident before the clock starts
    return {f"x{j}": column for j, column in enumerate(rows)}
