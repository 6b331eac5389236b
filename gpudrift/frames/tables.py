"""Everything a user may pass as a table, opened as a Source."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import narwhals as nw
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames.column import Raw, Unreadable, as_column, first_line
from gpudrift.frames.device import device_arrays, is_cudf, is_on_device
from gpudrift.frames.parquet import open_parquet
from gpudrift.frames.problem import Problem
from gpudrift.frames.source import MemorySource, Source, refuse_duplicates
from gpudrift.frames.stream import StreamSource, spooled
from gpudrift_kernels.backend import Residence

#: A pandas, polars, cuDF or pyarrow table, a RecordBatchReader, an array of NumPy or on a GPU, arrays by name, or a
#: Parquet path or glob.
TableLike = Any


def open_source(table: TableLike, role: str, *, again: bool, residence: Residence | None = None) -> Source:
    """Open what a user passed as a table.

    Parameters
    ----------
    table : TableLike
        pandas or polars DataFrame (through narwhals), pyarrow Table or RecordBatch, RecordBatchReader or whatever else
        exports an Arrow stream, NumPy array (1-D: one column ``x``; 2-D: ``x0``, ``x1``, ...; structured: its fields),
        mapping of names to 1-D arrays, or Parquet: a file, a directory (hive partitions become columns), a glob, or a
        list of these.
    role : str
        What the messages call it: "reference", "current".
    again : bool
        It will be read more than once: a stream is then kept in a temporary file.
    residence : Residence, optional
        Where a Backend has files read to best.

    Raises
    ------
    DataError
        With the role or the path, and the remedy.
    """
    if isinstance(table, str | os.PathLike):
        return open_parquet([table], role, residence)
    if isinstance(table, list | tuple) and table and all(isinstance(item, str | os.PathLike) for item in table):
        return open_parquet(table, role, residence)
    if isinstance(table, np.ndarray):
        return _from_mapping(_columns_of(table, role), role)
    if not is_cudf(table) and is_on_device(table):
        return _from_mapping(device_arrays(table), role)
    if isinstance(table, Mapping):
        return _from_mapping(table, role)
    if isinstance(table, pa.Table | pa.RecordBatch):
        return _from_arrow(table if isinstance(table, pa.Table) else pa.Table.from_batches([table]), role)
    if isinstance(table, pa.RecordBatchReader):
        return _from_reader(table, role, again=again)
    if isinstance(table, pa.Array):
        return _from_mapping({"x": table}, role)
    return _from_frame(table, role, again=again)


def _from_frame(table: TableLike, role: str, *, again: bool) -> Source:
    """Any dataframe that narwhals knows, column by column; else anything that exports Arrow data or is an array."""
    try:
        frame = nw.from_native(table, eager_only=True, allow_series=True)
    except nw.exceptions.DuplicateError:
        refuse_duplicates([str(name) for name in table.columns], role)
        raise
    except TypeError as error:
        for verb in ("collect", "compute"):
            if hasattr(table, verb):
                raise DataError(f"{role} is a lazy {type(table).__name__}; call .{verb}() first") from error
        if hasattr(table, "__arrow_c_stream__"):
            return _from_reader(pa.RecordBatchReader.from_stream(table), role, again=again)
        if hasattr(table, "__arrow_c_array__"):
            return _from_arrow(pa.Table.from_batches([pa.record_batch(table)]), role)
        if hasattr(table, "__array__"):
            return _from_mapping(_columns_of(_as_array(table, role), role), role)
        raise DataError(
            f"{role} is of type {type(table).__name__}, which is no table; "
            "pass a dataframe, an Arrow table, arrays by name or a Parquet path"
        ) from error
    if isinstance(frame, nw.Series):
        return _from_mapping({"x" if frame.name in (None, "") else frame.name: table}, role)
    names = [str(name) for name in frame.columns]
    refuse_duplicates(names, role)
    return _from_mapping(dict(zip(names, (column.to_native() for column in frame.iter_columns()), strict=True)), role)


def _from_mapping(table: Mapping[Any, Any], role: str) -> MemorySource:
    """Columns by name; one that cannot be read is named, the rest stay."""
    names = [str(name) for name in table]
    refuse_duplicates(names, role)
    columns: dict[str, Raw] = {}
    problems: list[Problem] = []
    for name, values in zip(names, table.values(), strict=True):
        try:
            columns[name] = as_column(values)
        except Unreadable as error:
            what = f"cannot be read in the {role} data: {error}"
            problems.append(Problem(name, what, "give it one value of one type in each row"))
    lengths = {len(raw): name for name, raw in reversed(columns.items())}
    if len(lengths) > 1:
        shown = ", ".join(f"{name!r} {length:,}" for length, name in list(lengths.items())[::-1][:5])
        raise DataError(f"{role} has columns of different lengths ({shown}); give every column the same rows")
    return MemorySource(columns, next(iter(lengths), 0), problems)


def _as_array(table: TableLike, role: str) -> NDArray[Any]:
    try:
        return np.asarray(table)
    except (TypeError, ValueError, RuntimeError) as error:
        raise DataError(
            f"{role} is of type {type(table).__name__}, which does not become an array: {first_line(error)}; "
            "pass it as a NumPy array"
        ) from error


def _columns_of(array: NDArray[Any], role: str) -> Mapping[str, NDArray[Any]]:
    if array.dtype.names and array.ndim == 1:
        return {name: array[name] for name in array.dtype.names}
    if array.ndim == 1:
        return {"x": array}
    if array.ndim == 2 and not array.dtype.names:
        return {f"x{j}": array[:, j] for j in range(array.shape[1])}
    raise DataError(f"{role} is an array of {array.ndim} dimensions; pass rows x columns")


def _from_arrow(table: pa.Table, role: str) -> MemorySource:
    refuse_duplicates(table.column_names, role)
    return MemorySource(dict(zip(table.column_names, table.columns, strict=True)), table.num_rows)


def _from_reader(reader: pa.RecordBatchReader, role: str, *, again: bool) -> Source:
    refuse_duplicates(reader.schema.names, role)
    return _from_arrow(spooled(reader, role), role) if again else StreamSource(reader, role)
