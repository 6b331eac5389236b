"""Numeric columns as contiguous NumPy arrays of the type that a plan counts, a slice at a time."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.frames.kinds import family

#: One column as it came: NumPy or Arrow, always with one dimension.
Raw: TypeAlias = NDArray[Any] | pa.ChunkedArray


class NumberReader:
    """Rows of one numeric column in a plan's dtype; converts only the slice that is asked for.

    Parameters
    ----------
    raw : ndarray or pyarrow.ChunkedArray
        1-D column. NumPy columns may be strided; NaN and NaT are missing.
    meaning : str
        What the reference's numbers mean (``kinds.family``); times are converted to its unit.
    dtype : str
        Storage type of the plan.
    """

    def __init__(self, raw: Raw, meaning: str, dtype: str) -> None:
        self._raw = raw
        self._meaning = meaning
        self._dtype = np.dtype(dtype)

    @property
    def n_rows(self) -> int:
        return len(self._raw)

    def values(self, start: int, stop: int) -> tuple[NDArray[Any], int]:
        """Rows start to stop without nulls, contiguous, in the plan's dtype, and how many nulls were left out."""
        part = self._raw[start:stop] if isinstance(self._raw, np.ndarray) else self._raw.slice(start, stop - start)
        values, n_null = _plain(part, self._meaning)
        if self._dtype.kind in "iu" and values.dtype.kind == "f":
            present = ~np.isnan(values)
            n_null += values.size - int(present.sum())
            values = values[present]
        with np.errstate(over="ignore", invalid="ignore"):
            return np.ascontiguousarray(values, self._dtype), n_null

    def unfit(self, rows: int = 1 << 20) -> str | None:
        """Why the values cannot be held in a 64-bit integer plan without loss; None where they can."""
        if self._dtype.kind == "f":
            return None
        limits = np.iinfo(self._dtype)
        for start in range(0, self.n_rows, rows):
            part = (
                self._raw[start : start + rows] if isinstance(self._raw, np.ndarray) else self._raw.slice(start, rows)
            )
            values, _ = _plain(part, self._meaning)
            if values.dtype == self._dtype:
                return None
            if values.dtype.kind == "f":
                values = values[~np.isnan(values)]
                if np.any(values != np.floor(values)) or np.any(np.abs(values) >= 2.0**63):
                    return f"holds values that {self._dtype} cannot hold"
            elif values.size and (int(values.min()) < limits.min or int(values.max()) > limits.max):
                return f"holds values outside {self._dtype}"
        return None


def number_sample(raw: Raw, positions: NDArray[np.int64]) -> NDArray[Any]:
    """Values at row positions (ascending), nulls and NaN left out, in row order.

    int64, uint64, float32 or float64: the widest type of the column's family.
    """
    part = raw[positions] if isinstance(raw, np.ndarray) else raw.take(pa.array(positions))
    values, _ = _plain(part, family(arrow_type(raw)))
    if values.dtype.kind == "f":
        present: NDArray[Any] = values[~np.isnan(values)]
        return present.astype(np.float32) if present.dtype.itemsize == 2 else present
    if values.dtype.kind == "u":
        return values.astype(np.uint64)
    return values.astype(np.int64)


def arrow_type(raw: Raw) -> pa.DataType:
    """Arrow type of a column of either sort."""
    return pa.from_numpy_dtype(raw.dtype) if isinstance(raw, np.ndarray) else raw.type


def _plain(part: Raw, meaning: str) -> tuple[NDArray[Any], int]:
    """NumPy numbers without nulls, and how many nulls there were; times as integers in the meaning's unit."""
    name, _, unit = meaning.partition("/")
    if isinstance(part, np.ndarray):
        if part.dtype.kind not in "mM":
            return part, 0
        present = part[~np.isnat(part)]
        wanted = f"{part.dtype.kind}8[{unit or 'D'}]"
        return present.astype(wanted, copy=False).view(np.int64), part.size - present.size
    n_null = part.null_count
    if n_null:
        part = part.drop_null()
    if pt.is_boolean(part.type):
        part = part.cast(pa.uint8())
    elif pt.is_decimal(part.type):
        part = part.cast(pa.float64())
    elif name in ("timestamp", "instant"):
        part = part.cast(pa.timestamp(unit, part.type.tz), safe=False).cast(pa.int64())
    elif name == "duration":
        part = part.cast(pa.duration(unit), safe=False).cast(pa.int64())
    elif name == "time":
        wide = unit in ("us", "ns")
        part = part.cast(pa.time64(unit) if wide else pa.time32(unit), safe=False)
        part = part.cast(pa.int64() if wide else pa.int32())
    elif name == "date":
        part = part.cast(pa.date32(), safe=False).cast(pa.int32())
    return _contiguous(part), n_null


def _contiguous(part: pa.ChunkedArray) -> NDArray[Any]:
    """One NumPy array; without a copy where the slice lies in a single chunk."""
    if part.num_chunks == 1:
        return np.asarray(part.chunk(0).to_numpy(zero_copy_only=False))
    return np.asarray(part.to_numpy())
