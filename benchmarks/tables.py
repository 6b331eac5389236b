"""Inputs written to files, so that every contender reads the same."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from benchmarks.harness import Make
from gpudrift.bench import processors
from gpudrift.bench.tables import column

SIDES = ("reference", "current")


def numbers(features: int, dtype: str, decimals: int | None = None, reference_rows: int | None = None) -> Make:
    """Both sides as ``SIDE.npy``, one column after the other.

    Parameters
    ----------
    decimals : int, optional
        Values are rounded to so many, so that many are equal.
    reference_rows : int, optional
        As many rows as the current side by default.
    """

    def make(folder: Path, rows: int) -> None:
        for side, name in enumerate(SIDES):
            n_rows = reference_rows if reference_rows and not side else rows
            whole = np.lib.format.open_memmap(folder / f"{name}.npy", "w+", dtype, (features, n_rows))

            def write(j: int, side: int = side, n_rows: int = n_rows, whole: np.memmap = whole) -> None:
                values = column(n_rows, j, dtype, side)
                whole[j] = values if decimals is None else values.round(decimals)

            with ThreadPoolExecutor(processors()) as pool:
                list(pool.map(write, range(features)))

    return make


def n_bytes(rows: int, features: int, dtype: str) -> int:
    """Bytes of both sides."""
    return 2 * rows * features * np.dtype(dtype).itemsize


def dtypes(asked: str | None, default: Sequence[str]) -> Sequence[str]:
    """The dtype that was asked for, else the default ones."""
    return [asked] if asked else default
