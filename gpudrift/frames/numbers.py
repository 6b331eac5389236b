"""Numeric columns as contiguous NumPy arrays of the type that a plan counts, a slice at a time."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.frames.column import Raw, arrow_type, rows, rows_at
from gpudrift.frames.device import DeviceCategories, DeviceColumn, aligned_as_plan_takes, as_plan_takes
from gpudrift.frames.kinds import held_type

#: Nanoseconds of each unit of time; a date counts days.
_NANOSECONDS: Final = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "D": 86_400 * 10**9}
#: Beyond it a double skips whole numbers.
_EXACT: Final = 2.0**53
#: Of ten, so large that it is a double.
_LARGEST_EXACT_POWER: Final = 22


class NumberReader:
    """Rows of one numeric column in a plan's dtype; converts only the slice that is asked for.

    Values outside the dtype are counted at its end, where the outer cell is: time in a coarser unit may reach further
    than 64 bits of a finer one, and float64 further than float32.

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

    @property
    def in_place(self) -> bool:
        """Whether rows are handed out as they lie in memory; a guess that may miss some."""
        raw = self._raw
        if isinstance(raw, pa.ChunkedArray):
            return raw.num_chunks == 1 and not raw.null_count and raw.type == pa.from_numpy_dtype(self._dtype)
        return isinstance(raw, np.ndarray) and raw.dtype == self._dtype and raw.flags.c_contiguous and raw.flags.aligned

    def values(self, start: int, stop: int) -> tuple[Any, int]:
        """Rows start to stop without nulls, contiguous, in the plan's dtype, and how many nulls were left out.

        Rows on a GPU stay there, in any dtype that the kernels widen to the plan's.
        """
        values, n_null = _plain(rows(self._raw, start, stop), self._meaning)
        if isinstance(self._raw, DeviceColumn):
            values, n_nan = as_plan_takes(values, self._dtype)
            return values, n_null + n_nan
        if self._dtype.kind == "f":
            return _as_float(values, self._dtype), n_null
        if values.dtype.kind == "f":
            present = ~np.isnan(values)
            n_null += values.size - int(present.sum())
            values = values[present]
        return _as_integer(values, self._dtype), n_null

    def aligned(self, start: int, stop: int) -> tuple[Any, Any]:
        """A value for each of the rows start to stop, any where there is none, and where there is one (bool).

        None for the latter: everywhere. Rows on a GPU stay there, both of them.
        """
        part = rows(self._raw, start, stop)
        if isinstance(part, DeviceColumn):
            return aligned_as_plan_takes(part, self._dtype)
        values, n_null = self.values(start, stop)
        if not n_null:
            return values, None
        present = _present(part, keep_nan=self._dtype.kind == "f")
        out = np.zeros(stop - start, values.dtype)
        out[present] = values
        return out, present

    def is_exact(self, n_rows: int = 1 << 20) -> bool:
        """Whether a plan of 64-bit integers tells all its values apart; not so for fractions, or doubles beyond 2**53.

        True for every plan of floats. Reads the rows only where the column is not of integers.
        """
        if self._dtype.kind == "f":
            return True
        kind = arrow_type(self._raw)
        if not (pt.is_floating(kind) or pt.is_decimal(kind)):
            return True
        for start in range(0, self.n_rows, n_rows):
            values, _ = _plain(rows(self._raw, start, min(start + n_rows, self.n_rows)), self._meaning)
            values = values[~np.isnan(values)]
            if np.any(np.abs(values) > _EXACT) or np.any(values != np.floor(values)):
                return False
        return True


def number_sample(raw: Raw, positions: NDArray[np.int64], meaning: str) -> NDArray[Any]:
    """Values at row positions (ascending), nulls and NaN left out, in row order.

    int64, uint64, float32 or float64: the widest type of the column's sort.
    """
    values, _ = _plain(rows_at(raw, positions), meaning)
    if values.dtype.kind == "f":
        missing = np.isnan(values)
        present: NDArray[Any] = values[~missing] if missing.any() else values
        return present.astype(np.float32) if present.dtype.itemsize == 2 else present
    integers: NDArray[Any] = values.astype(np.uint64 if values.dtype.kind == "u" else np.int64)
    return integers


def _plain(part: Raw, meaning: str) -> tuple[Any, int]:
    """Numbers without nulls, and how many nulls there were; times as integers in the meaning's unit."""
    if isinstance(part, DeviceColumn):
        return part.present()
    if isinstance(part, DeviceCategories):
        part = part.to_arrow()
    unit = _unit(meaning)
    if isinstance(part, np.ndarray):
        if part.dtype.kind not in "mM":
            return part, 0
        present = part[~np.isnat(part)]
        return _rescaled(present.view(np.int64), np.datetime_data(part.dtype)[0], unit), part.size - present.size
    part = part.cast(held_type(part.type))  # first: the entries of a dictionary may be null too
    n_null = part.null_count
    if n_null:
        part = part.drop_null()
    dtype = part.type
    if pt.is_null(dtype):
        return np.empty(0), n_null
    if pt.is_boolean(dtype):
        return _joined(part.cast(pa.uint8())), n_null
    if pt.is_decimal(dtype):
        return nearest_doubles(part), n_null
    if pt.is_temporal(dtype):
        ticks = _joined(part.cast(pa.int32() if dtype.bit_width == 32 else pa.int64()))
        return _rescaled(ticks, _unit_of(dtype), unit), n_null
    return _joined(part), n_null


def nearest_doubles(decimals: pa.ChunkedArray) -> NDArray[np.float64]:
    """The double nearest to each decimal; Arrow's own cast may take the one beside it, so that 99.99 is not 99.99.

    A whole number of up to 2**53 over a power of ten that is a double is rounded once; all others are read as text.
    """
    scale = decimals.type.scale
    if pt.is_decimal128(decimals.type) and 0 <= scale <= _LARGEST_EXACT_POWER and len(decimals):
        one = decimals.chunk(0) if decimals.num_chunks == 1 else decimals.combine_chunks()
        words = np.frombuffer(one.buffers()[1], np.int64, 2 * len(one), 16 * one.offset).reshape(-1, 2)
        low, high = words.T
        if np.array_equal(high, low >> 63) and low.min() >= -_EXACT and low.max() <= _EXACT:
            return np.asarray(low / 10.0**scale)
    return _joined(decimals.cast(pa.string()).cast(pa.float64()))


def _present(part: NDArray[Any] | pa.ChunkedArray | DeviceCategories, *, keep_nan: bool) -> NDArray[np.bool_]:
    """Which rows ``_plain`` keeps; without those that are NaN unless they are kept."""
    if isinstance(part, np.ndarray):
        return ~(np.isnat(part) if part.dtype.kind in "mM" else np.isnan(part))
    if isinstance(part, DeviceCategories):
        part = part.to_arrow()
    part = part.cast(held_type(part.type))
    valid = part.is_valid()
    if not keep_nan and pt.is_floating(part.type):
        valid = pc.and_(valid, pc.invert(pc.fill_null(pc.is_nan(part), False)))
    return np.asarray(valid.to_numpy())


def _unit(meaning: str) -> str:
    return meaning.partition("/")[2] or "D"


def _unit_of(dtype: pa.DataType) -> str:
    if pt.is_date(dtype):
        return "D" if pt.is_date32(dtype) else "ms"
    return str(dtype.unit)


def _rescaled(ticks: NDArray[Any], unit: str, wanted: str) -> NDArray[Any]:
    """Times of one unit in another: rounded down, or held at the ends of 64 bits rather than wrapped round."""
    have, want = _NANOSECONDS[unit], _NANOSECONDS[wanted]
    if have == want:
        return ticks
    if have < want:
        return ticks // (want // have)
    factor = have // want
    limit = np.iinfo(np.int64).max // factor
    return np.clip(ticks.astype(np.int64), -limit, limit) * factor


def _joined(part: pa.ChunkedArray) -> NDArray[Any]:
    """One NumPy array; without a copy where the slice lies in a single chunk."""
    # ChunkedArray.to_numpy takes six times as long as to lay several end to end
    whole = part.chunk(0) if part.num_chunks == 1 else part.combine_chunks()
    return np.asarray(whole.to_numpy(zero_copy_only=False))


def _as_float(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if values.dtype == dtype:
        return np.ascontiguousarray(values)
    with np.errstate(over="ignore"):
        out = np.ascontiguousarray(values, dtype)
    if values.dtype.kind == "f" and values.dtype.itemsize > dtype.itemsize:
        beyond = np.isinf(out) & np.isfinite(values)
        if beyond.any():
            out[beyond] = np.copysign(np.finfo(dtype).max, out[beyond])
    return out


def _as_integer(values: NDArray[Any], dtype: np.dtype[Any]) -> NDArray[Any]:
    if values.dtype.kind in "iu" and not np.can_cast(values.dtype, dtype):
        have, want = np.iinfo(values.dtype), np.iinfo(dtype)
        values = np.clip(values, max(have.min, want.min), min(have.max, want.max))
    return np.ascontiguousarray(values, dtype)
