"""Everything a user may pass as a table, opened as one Source that can be read in batches, and read again."""

from __future__ import annotations

import glob
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import narwhals as nw
import numpy as np
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames.numbers import Raw, arrow_type
from gpudrift.frames.problem import Problem

#: A pandas, polars or pyarrow table, a RecordBatchReader, a NumPy array, arrays by name, or a Parquet path or glob.
TableLike = Any

#: Decoded bytes of one streamed batch; several are alive at once while the next ones are read.
_BATCH_BYTES = 32 << 20
_MOST_BATCH_ROWS = 1 << 20


@dataclass(frozen=True)
class Batch:
    """Some rows of a table: every column in memory, all of the same length."""

    columns: Mapping[str, Raw]
    n_rows: int


class Source(Protocol):
    """A table that can be read from its start as often as asked (once, where ``one_pass``)."""

    @property
    def types(self) -> Mapping[str, pa.DataType]: ...

    @property
    def n_rows(self) -> int | None: ...

    @property
    def problems(self) -> Sequence[Problem]: ...

    @property
    def one_pass(self) -> bool: ...

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        """The rows in order, in one or more batches."""
        ...


@dataclass(frozen=True)
class MemorySource:
    """Columns in memory: one batch."""

    columns: Mapping[str, Raw]
    n_rows: int
    problems: Sequence[Problem] = ()
    one_pass: bool = False
    types: Mapping[str, pa.DataType] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "types", {name: arrow_type(raw) for name, raw in self.columns.items()})

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        yield Batch({name: self.columns[name] for name in names}, self.n_rows)


@dataclass(frozen=True)
class DatasetSource:
    """Parquet files, streamed in bounded memory: files by path, rows in their order."""

    dataset: ds.Dataset
    n_rows: int
    rows_per_batch: int
    label: str
    problems: Sequence[Problem] = ()
    one_pass: bool = False

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        return {f.name: f.type for f in self.dataset.schema}

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        options = ds.ParquetFragmentScanOptions(pre_buffer=False, use_buffered_stream=True, buffer_size=1 << 20)
        try:
            for batch in self.dataset.to_batches(
                columns=list(names), batch_size=self.rows_per_batch, batch_readahead=2, fragment_readahead=1,
                fragment_scan_options=options,
            ):  # fmt: skip
                if batch.num_rows:
                    yield _from_record_batch(batch)
        except (pa.ArrowException, OSError) as error:
            raise DataError(f"{self.label} cannot be read to its end: {_first_line(error)}; write it again") from error


@dataclass
class StreamSource:
    """A RecordBatchReader: its rows come once."""

    reader: pa.RecordBatchReader
    types: Mapping[str, pa.DataType]
    n_rows: int | None = None
    problems: Sequence[Problem] = ()
    one_pass: bool = True

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        for batch in self.reader:
            for start in range(0, batch.num_rows, _MOST_BATCH_ROWS):
                yield _from_record_batch(batch.slice(start, _MOST_BATCH_ROWS).select(list(names)))


def open_source(table: TableLike, role: str, *, again: bool) -> Source:
    """Open what a user passed as a table.

    Parameters
    ----------
    table : TableLike
        pandas or polars DataFrame (through narwhals), pyarrow Table, RecordBatch or RecordBatchReader, NumPy array
        (1-D: one column ``x``; 2-D: ``x0``, ``x1``, ...; structured: its fields), mapping of names to 1-D arrays, or
        Parquet: a file, a directory (hive partitions become columns), a glob, or a list of these.
    role : str
        What the messages call it: "reference", "current".
    again : bool
        It will be read more than once: a stream is then written to a temporary file first.

    Raises
    ------
    DataError
        With the role or the path, and the remedy.
    """
    if isinstance(table, str | os.PathLike):
        return _open_parquet([table], role)
    if isinstance(table, list | tuple) and table and all(isinstance(item, str | os.PathLike) for item in table):
        return _open_parquet(table, role)
    if isinstance(table, np.ndarray):
        return _from_mapping(_columns_of(table, role), role)
    if isinstance(table, Mapping):
        return _from_mapping(table, role)
    if isinstance(table, pa.Table):
        return _from_arrow(table, role)
    if isinstance(table, pa.RecordBatch):
        return _from_arrow(pa.Table.from_batches([table]), role)
    if isinstance(table, pa.RecordBatchReader):
        return _from_reader(table, role, again=again)
    return _from_frame(table, role, again=again)


def _from_frame(table: TableLike, role: str, *, again: bool) -> Source:
    """Any dataframe that narwhals knows, column by column; else anything that exports an Arrow stream."""
    try:
        frame = nw.from_native(table, eager_only=True, allow_series=True)
    except (TypeError, ValueError) as error:
        if hasattr(table, "collect"):
            raise DataError(f"{role} is a lazy {type(table).__name__}; call .collect() first") from error
        if hasattr(table, "__arrow_c_stream__"):
            return _from_reader(pa.RecordBatchReader.from_stream(table), role, again=again)
        raise DataError(
            f"{role} is a {type(table).__name__}, which is no table; pass a dataframe, an Arrow table, arrays by name "
            "or a Parquet path"
        ) from error
    if isinstance(frame, nw.Series):
        return _from_mapping({str(frame.name or "x"): table}, role)
    names = [str(name) for name in frame.columns]
    _refuse_duplicates(names, role)
    return _from_mapping({str(name): frame[name].to_native() for name in frame.columns}, role)


def _from_mapping(table: Mapping[Any, Any], role: str) -> MemorySource:
    """Columns by name; one that cannot become an array is named, the rest stay."""
    names = [str(name) for name in table]
    _refuse_duplicates(names, role)
    columns: dict[str, Raw] = {}
    problems: list[Problem] = []
    for name, values in zip(names, table.values(), strict=True):
        try:
            columns[name] = _column(values)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            problems.append(
                Problem(
                    name,
                    f"cannot be read in the {role} data: {_first_line(error)}",
                    "give all its values one type",
                )
            )
    lengths = {len(raw) for raw in columns.values()}
    if len(lengths) > 1:
        shown = ", ".join(f"{name} {len(raw):,}" for name, raw in list(columns.items())[:5])
        raise DataError(f"{role} has columns of different lengths ({shown}); give every column the same rows")
    return MemorySource(columns, lengths.pop() if lengths else 0, problems)


def _column(values: Any) -> Raw:
    """One column: numbers stay where they are in NumPy, everything else becomes Arrow."""
    native = getattr(values, "dtype", None)
    if isinstance(native, np.dtype) and native.kind in "iufmM":
        array = np.asarray(values)
        if array.ndim != 1:
            raise ValueError(f"a column must have one dimension, got {array.ndim}")
        if native.kind in "mM" and np.datetime_data(array.dtype)[0] not in ("s", "ms", "us", "ns", "D"):
            array = array.astype(f"{native.kind}8[s]")
        if native.kind == "m" and np.datetime_data(array.dtype)[0] == "D":
            array = array.astype("m8[s]")
        if native.itemsize > 8:
            array = array.astype(np.float64)
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    if isinstance(values, pa.ChunkedArray):
        return values
    if isinstance(values, pa.Array):
        return pa.chunked_array([values])
    if isinstance(values, np.ndarray):
        if values.ndim != 1:
            raise ValueError(f"a column must have one dimension, got {values.ndim}")
        return pa.chunked_array([pa.array(values, from_pandas=True)])
    try:
        series = nw.from_native(values, series_only=True)
    except TypeError:
        return (
            _column(np.asarray(values)) if _is_plain(values) else pa.chunked_array([pa.array(values, from_pandas=True)])
        )
    arrow = series.to_arrow()
    return arrow if isinstance(arrow, pa.ChunkedArray) else pa.chunked_array([arrow])


def _is_plain(values: Any) -> bool:
    """Whether NumPy reads the values as numbers, so that NaN stays NaN and no null has to be looked for."""
    try:
        return bool(np.asarray(values).dtype.kind in "iuf")
    except ValueError:
        return False


def _columns_of(array: NDArray[Any], role: str) -> Mapping[str, NDArray[Any]]:
    if array.dtype.names:
        return {name: array[name] for name in array.dtype.names}
    if array.ndim == 1:
        return {"x": array}
    if array.ndim == 2:
        return {f"x{j}": array[:, j] for j in range(array.shape[1])}
    raise DataError(f"{role} is an array of {array.ndim} dimensions; pass rows x columns")


def _from_arrow(table: pa.Table, role: str) -> MemorySource:
    names = [str(name) for name in table.column_names]
    _refuse_duplicates(names, role)
    return MemorySource(dict(zip(names, table.columns, strict=True)), table.num_rows)


def _from_record_batch(batch: pa.RecordBatch) -> Batch:
    table = pa.Table.from_batches([batch])
    return Batch(dict(zip(table.column_names, table.columns, strict=True)), table.num_rows)


def _from_reader(reader: pa.RecordBatchReader, role: str, *, again: bool) -> Source:
    _refuse_duplicates(reader.schema.names, role)
    if not again:
        return StreamSource(reader, {f.name: f.type for f in reader.schema})
    descriptor, path = tempfile.mkstemp(prefix="gpudrift-", suffix=".arrow")
    os.close(descriptor)
    try:
        with ipc.new_file(path, reader.schema) as writer:
            for batch in reader:
                writer.write_batch(batch)
        table = ipc.open_file(pa.memory_map(path)).read_all()  # pages of the file, not of the heap
    finally:
        Path(path).unlink()  # the map keeps the contents until the last column is gone
    return _from_arrow(table, role)


def _open_parquet(paths: Sequence[str | os.PathLike[str]], role: str) -> Source:
    label = ", ".join(os.fspath(p) for p in paths[:3])
    files = sorted({file for path in paths for file in _parquet_files(os.fspath(path), role)})
    n_rows = n_bytes = 0
    broken = []
    for file in files:
        try:
            meta = pq.read_metadata(file)
        except (pa.ArrowException, OSError) as error:
            broken.append(f"{file} ({_first_line(error)})")
        else:
            n_rows += meta.num_rows
            n_bytes += sum(meta.row_group(g).total_byte_size for g in range(meta.num_row_groups))
    if broken:
        raise DataError(f"{role} holds no readable Parquet in {', '.join(broken)}; write it again or leave it out")
    base = os.fspath(paths[0])
    partitioning = ds.partitioning(flavor="hive")
    try:
        dataset = ds.dataset(
            files,
            format="parquet",
            partitioning=partitioning,
            partition_base_dir=base if os.path.isdir(base) else None,
        )
    except pa.ArrowException as error:
        raise DataError(f"{role} {label} has no common schema: {_first_line(error)}; write one schema") from error
    _refuse_duplicates(dataset.schema.names, role)
    bytes_per_row = max(8 * len(dataset.schema.names), n_bytes // max(n_rows, 1), 1)
    rows = min(max(_BATCH_BYTES // bytes_per_row, 1024), _MOST_BATCH_ROWS)
    return DatasetSource(dataset, n_rows, rows, label)


def _parquet_files(path: str, role: str) -> list[str]:
    """The files behind a path: itself, those below a directory, or those a glob matches; hidden ones left out."""
    if os.path.isfile(path):
        return [path]
    if os.path.isdir(path):
        found = [
            os.path.join(folder, name)
            for folder, folders, names in os.walk(path)
            for name in names
            if not name.startswith((".", "_")) and name.endswith((".parquet", ".parq", ".pq"))
        ]
    elif glob.has_magic(path):
        found = [file for match in glob.glob(path, recursive=True) for file in _parquet_files(match, role)]
    else:
        raise DataError(f"{role} {path} is not there; check the path")
    if not found:
        raise DataError(f"{role} {path} holds no Parquet file; check the path")
    return found


def _refuse_duplicates(names: Sequence[str], role: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{role} has two columns named {name!r}; rename one")
        seen.add(name)


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(". ")
