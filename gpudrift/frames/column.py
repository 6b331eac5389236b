"""One column of any library, as NumPy numbers where it has them and as Arrow otherwise."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.frames.device import DeviceCategories, DeviceColumn, device_column, is_cudf, is_on_device

#: One column as it came: NumPy, Arrow or on a GPU, always with one dimension.
Raw: TypeAlias = NDArray[Any] | pa.ChunkedArray | DeviceColumn | DeviceCategories

_UNITS: Final = {"ms": "ms", "us": "us", "ns": "ns", "ps": "ns", "fs": "ns", "as": "ns"}
_JOINED_ROWS: Final = 1 << 16
_JOINED_BYTES: Final = 32 << 20
_MISSING_TYPES: Final = {"NoneType", "NAType", "NaTType"}


class Unreadable(ValueError):
    """A column that has no form here."""


def as_column(values: Any) -> Raw:
    """The column, without a copy where its library allows: numbers in NumPy stay there, the rest becomes Arrow.

    Parameters
    ----------
    values : 1-D array of NumPy or Arrow, Series of a dataframe library, sequence
        In sequences and object arrays None, NaN, NaT and NA are null.

    Raises
    ------
    Unreadable
        Mixed types, a type that Arrow does not know, or not one dimension; the message says why, without a name.

    Examples
    --------
    >>> as_column(["a", None, float("nan")]).null_count
    2
    """
    if type(values) is np.ndarray and values.ndim == 1 and values.dtype.kind in "iuf":  # mostly: all else takes longer
        return _from_numpy(values)
    if isinstance(values, pa.ChunkedArray):
        return values
    if isinstance(values, pa.Array):
        return pa.chunked_array([values])
    many = hasattr(values, "__iter__") or hasattr(values, "__cuda_array_interface__")  # Numba's have the latter alone
    if isinstance(values, str | bytes | Mapping) or not many:
        raise Unreadable(f"it is a single {type(values).__name__}")
    if getattr(values, "ndim", 1) != 1:
        raise Unreadable(f"it has {values.ndim} dimensions")
    try:
        if is_cudf(values) or is_on_device(values):
            return device_column(values)
    except (BufferError, TypeError, ValueError) as error:
        raise Unreadable(first_line(error)) from error
    try:
        return _converted(values)
    except OverflowError as error:
        raise Unreadable("it holds integers beyond 64 bits") from error
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise Unreadable(_mixed_types(values) or first_line(error)) from error


def arrow_type(raw: Raw) -> pa.DataType:
    """Arrow type of a column of either sort."""
    return pa.from_numpy_dtype(raw.dtype) if isinstance(raw, np.ndarray) else raw.type


def rows(raw: Raw, start: int, stop: int) -> Raw:
    """Rows start to stop; a view."""
    if isinstance(raw, DeviceColumn | DeviceCategories):
        return raw.rows(start, stop)
    return raw[start:stop] if isinstance(raw, np.ndarray) else raw.slice(start, stop - start)


def rows_at(raw: Raw, positions: NDArray[np.int64]) -> Raw:
    """Rows at ascending positions; piece by piece, since a take over many chunks would first join them all."""
    if isinstance(raw, np.ndarray):
        return raw[positions]
    if isinstance(raw, DeviceColumn | DeviceCategories):
        return raw.rows_at(positions)
    taken, first = [], 0
    for piece in joined_chunks(raw):
        lower, upper = np.searchsorted(positions, [first, first + len(piece)])
        if lower < upper:
            taken.append(viewless(piece).take(pa.array(positions[lower:upper] - first)))
        first += len(piece)
    return pa.chunked_array(taken, None if taken else raw.type)


def all_missing(raw: Raw) -> bool:
    """Whether no row has a value: null, NaN or NaT throughout. pandas gives such a column whatever type it likes."""
    if isinstance(raw, np.ndarray):
        return bool(np.isnan(raw).all()) if raw.dtype.kind in "fmM" else not raw.size
    if isinstance(raw, DeviceColumn | DeviceCategories):
        return raw.all_missing()
    if not pt.is_floating(raw.type):
        return bool(raw.null_count == len(raw))
    return all(pc.all(chunk.is_null(nan_is_null=True), min_count=0).as_py() for chunk in raw.chunks)


def no_values(n_rows: int) -> pa.ChunkedArray:
    """A column of nulls without a type."""
    return pa.chunked_array([pa.nulls(n_rows)])


def as_arrow(raw: Raw) -> pa.ChunkedArray:
    """The column as Arrow; contiguous NumPy numbers go over without a copy."""
    if isinstance(raw, DeviceColumn | DeviceCategories):
        return raw.to_arrow()
    return pa.chunked_array([pa.array(raw)]) if isinstance(raw, np.ndarray) else raw


def viewless(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """String views as strings: Arrow 26 cannot take them, and its ``unique`` turns their nulls into empty texts."""
    return column.cast(pa.large_string()) if pt.is_string_view(column.type) else column


def joined_chunks(column: pa.ChunkedArray, n_joined: int = _JOINED_ROWS) -> Iterator[pa.Array]:
    """The chunks, neighbours of up to so many rows joined: a call into Arrow costs as much as some thousand rows.

    Dictionaries stay apart: one for both may need wider indices.
    """
    if column.num_chunks == 1:
        yield column.chunk(0)
        return
    held: list[pa.Array] = []
    n_rows = n_bytes = 0
    for chunk in column.chunks:
        n_rows += len(chunk)
        n_bytes += chunk.nbytes
        if held and (n_rows > n_joined or n_bytes > _JOINED_BYTES or pt.is_dictionary(chunk.type)):
            yield held[0] if len(held) == 1 else pa.concat_arrays(held)
            held, n_rows, n_bytes = [], len(chunk), chunk.nbytes
        held.append(chunk)
    if held:
        yield held[0] if len(held) == 1 else pa.concat_arrays(held)


def codes_of(chunk: pa.DictionaryArray) -> NDArray[np.int32]:
    """The place of each row in the dictionary; -1 for null."""
    indices = chunk.indices.cast(pa.int32())
    codes: NDArray[np.int32] = (indices.fill_null(-1) if indices.null_count else indices).to_numpy()
    return codes


def dictionary_entries(chunk: pa.DictionaryArray, indices: pa.Array) -> pa.Array:
    """Values of a dictionary by their places in it."""
    return viewless(chunk.dictionary).take(indices)


def first_line(error: BaseException) -> str:
    """The first line of an error's message, to stand within another."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")


def _converted(values: Any) -> Raw:
    if isinstance(values, np.ma.MaskedArray):
        return pa.chunked_array([pa.array(values, from_pandas=True)])
    if isinstance(getattr(values, "dtype", None), np.dtype):
        return _from_numpy(np.asarray(values))
    try:
        series = nw.from_native(values, series_only=True)
    except TypeError:
        return _from_sequence(values)
    if series.implementation.is_polars() and series.dtype == nw.String:  # its to_arrow copies all texts
        return pa.chunked_array(series.to_native())
    try:
        arrow = series.to_arrow()
    except (pa.ArrowException, TypeError):
        array = np.asarray(values) if series.implementation.is_pandas_like() else np.empty(0, object)
        if array.dtype.kind not in "biufmM":  # a sparse column is of these, and Arrow does not know it
            raise
        return _from_numpy(array)
    return arrow if isinstance(arrow, pa.ChunkedArray) else pa.chunked_array([arrow])


def _from_numpy(array: NDArray[Any]) -> Raw:
    kind, size = array.dtype.kind, array.dtype.itemsize
    if kind in "cV":
        raise TypeError(f"{array.dtype} has neither order nor categories")
    if kind == "T":  # NumPy's strings of any length
        return _from_sequence(array.astype(object))
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if kind in "mM":
        return array.astype(f"{kind}8[{_unit(array.dtype)}]", copy=False)
    if kind in "iuf":
        return array.astype(np.float64) if size > 8 else array
    return _from_sequence(array)


def _unit(dtype: np.dtype[Any]) -> str:
    """The unit of Arrow that is nearest to the unit of time of a NumPy dtype."""
    unit, _ = np.datetime_data(dtype)
    return "D" if unit == "D" and dtype.kind == "M" else _UNITS.get(unit, "s")


def _from_sequence(values: Any) -> pa.ChunkedArray:
    try:
        array = pa.array(values, from_pandas=True)
    except OverflowError:
        array = pa.array(values, pa.uint64(), from_pandas=True)
    except pa.ArrowException:
        if not hasattr(values, "__array__") or isinstance(values, np.ndarray):
            raise
        return as_arrow(_from_numpy(np.asarray(values)))
    if isinstance(array, pa.ChunkedArray):  # text beyond 2 GB
        return array
    if pt.is_date32(array.type) and any(isinstance(value, datetime) for value in values):
        raise TypeError("a datetime would lose its time")
    return pa.chunked_array([array])


def _mixed_types(values: Any) -> str | None:
    """The types in a column of Python objects, where there are several."""
    types = {type(value) for value in values}
    if float in types and all(value != value for value in values if type(value) is float):
        types.remove(float)
    names = sorted({t.__name__ for t in types} - _MISSING_TYPES)
    return f"it holds {', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else None
