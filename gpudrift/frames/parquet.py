"""Parquet files as one table, streamed in bounded memory: files by path, rows in their order."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from gpudrift.errors import DataError
from gpudrift.frames.column import Raw, first_line
from gpudrift.frames.kinds import column_kind, family, type_name
from gpudrift.frames.parquet_device import numbers_of, numbers_on_device, reads_parquet, row_groups_of
from gpudrift.frames.parquet_files import ParquetFile, as_text, describe, files_of, opened, why_broken
from gpudrift.frames.problem import Problem
from gpudrift.frames.source import BATCH_BYTES, MOST_BATCH_ROWS, Batch, gathered
from gpudrift_kernels.backend import Residence

_INTEGER: Final = re.compile(r"-?\d{1,18}")
_FEWEST_BATCH_ROWS: Final = 1024
_MOST_NAMED: Final = 5


@dataclass(frozen=True)
class ParquetSource:
    """Files as one table. Only a batch of rows is decoded at a time, whatever the size of the row groups.

    Attributes
    ----------
    residence : Residence, optional
        The GPU that numbers are read to, by cuDF where it is installed.
    """

    files: Sequence[ParquetFile]
    types: Mapping[str, pa.DataType]
    role: str
    problems: Sequence[Problem] = ()
    one_pass: bool = False
    residence: Residence | None = None

    @property
    def n_rows(self) -> int:
        return sum(file.n_rows for file in self.files)

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        if self.residence is None or not reads_parquet():
            return gathered(piece for file in self.files for piece in self._pieces(file, names))
        to = self.residence
        return (batch for file in self.files for batch in self._batches_on_device(file, names, to))

    def _batches_on_device(self, file: ParquetFile, names: Sequence[str], to: Residence) -> Iterator[Batch]:
        """The rows of one file, numbers on a GPU; row groups that do not fit there, or cannot be read, on the host."""
        numbers = numbers_of(file, names, self.types)
        if not numbers:
            yield from gathered(self._pieces(file, names))
            return
        others = [name for name in names if name not in numbers]
        with opened(file.path) as stream:
            metadata = pq.read_metadata(stream)
        for groups, fits in row_groups_of(metadata, numbers, to.batch_bytes):
            found = numbers_on_device(file.path, numbers, groups, to.ordinal) if fits else None
            if found is None:
                yield from gathered(self._pieces(file, names, groups))
                continue
            n_rows = sum(metadata.row_group(g).num_rows for g in groups)
            if not n_rows:
                continue
            columns: dict[str, Raw] = found
            if others:
                (beside,) = gathered(self._pieces(file, others, groups), whole=True)
                columns = {**found, **beside.columns}
            yield Batch({name: columns[name] for name in names}, n_rows)

    def _pieces(
        self, file: ParquetFile, names: Sequence[str], groups: Sequence[int] | None = None
    ) -> Iterator[pa.RecordBatch]:
        """The rows of one file, or of some of its row groups; text stays in the dictionaries that it is stored in.

        Decoded, a long text would be there once a row. Read as a dictionary, plain text would be kept for as long as
        its row group lasts.
        """
        stored = [name for name in names if name in file.stored]
        texts = [name for name in stored if name in file.encoded]
        bytes_per_row = max(file.n_bytes // max(file.n_rows, 1), 8 * len(names), 1)
        n_rows = min(max(BATCH_BYTES // bytes_per_row, _FEWEST_BATCH_ROWS), MOST_BATCH_ROWS)
        try:
            # Buffered streams instead of pre-buffering: that holds whole row groups, and one may be the whole file.
            with (
                opened(file.path) as stream,
                pq.ParquetFile(stream, read_dictionary=texts, buffer_size=1 << 20, pre_buffer=False) as reader,
            ):
                for piece in reader.iter_batches(n_rows, row_groups=groups, columns=stored):
                    columns = [self._column(piece, file, name) for name in names]
                    yield pa.RecordBatch.from_arrays(columns, list(names)) if names else piece
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{self.role} {file.path} cannot be read to its end: {first_line(error)}; write it again"
            ) from error

    def _column(self, piece: pa.RecordBatch, file: ParquetFile, name: str) -> pa.Array:
        dtype = self.types[name]
        if name in file.stored:
            column = piece.column(name)
            return column.cast(dtype, safe=False) if pt.is_floating(dtype) or pt.is_integer(dtype) else column
        key = file.keys.get(name)
        return pa.nulls(piece.num_rows, dtype) if key is None else pa.repeat(pa.scalar(key).cast(dtype), piece.num_rows)


def open_parquet(
    paths: Sequence[str | os.PathLike[str]], role: str, residence: Residence | None = None
) -> ParquetSource:
    """Open files, directories and globs as one table.

    Parameters
    ----------
    paths : sequence of path
        Files whatever their name; directories with all the Parquet files below them, hidden ones left out; globs.
        Folders named ``key=value`` below a directory, or matched by a glob, become columns.
    role : str
        What the messages call it: "reference", "current".
    residence : Residence, optional
        The GPU that numbers are read to.

    Raises
    ------
    DataError
        Nothing there, or files that are no Parquet: all of them in one message.
    """
    found: dict[str, str] = {}
    for path in paths:
        for file, base in files_of(os.fspath(path), role):
            found.setdefault(file, base)
    files, broken = [], []
    for file in sorted(found):
        try:
            files.append(describe(file, found[file], role))
        except PermissionError as error:
            raise DataError(f"{role} {file} cannot be read: permission denied; check its permissions") from error
        except (pa.ArrowException, OSError) as error:
            broken.append(f"{file} ({why_broken(file, error)})")
    if broken:
        raise DataError(f"{role} holds no readable Parquet in {_some(broken)}; write it again or leave it out")
    types, problems = _common_types(files)
    return ParquetSource(files, types, role, problems, residence=residence)


def _common_types(files: Sequence[ParquetFile]) -> tuple[dict[str, pa.DataType], list[Problem]]:
    """One type for each column of any file, and where files disagree."""
    key_types = _key_types(files)
    held: dict[str, list[tuple[str, pa.DataType]]] = {}
    for file in files:
        keys = {name: key_types[name] for name in file.keys if name not in file.stored}
        for name, dtype in {**file.stored, **keys}.items():
            held.setdefault(name, []).append((as_text(file.path), dtype))
    types: dict[str, pa.DataType] = {}
    problems = _shadowed_keys(files)
    for name, holders in held.items():
        if len(holders) < len(files):
            without = sorted({as_text(file.path) for file in files} - {path for path, _ in holders})
            remedy = "its rows there count as missing; write it there too"
            problems.append(Problem(name, f"is missing from {_some(without)}", remedy))
        first: dict[str, tuple[str, pa.DataType]] = {}
        for path, dtype in [item for item in holders if not pt.is_null(item[1])] or holders:
            first.setdefault(type_name(dtype), (path, dtype))
        common = _common_type([dtype for _, dtype in first.values()])
        if common is not None:
            types[name] = common
        if len(first) > 1:
            shown = " and ".join(f"{kind} in {path}" for kind, (path, _) in first.items())
            how = f", counted as {type_name(common)}" if common is not None else ""
            problems.append(Problem(name, f"is {shown}{how}", "write one type"))
    return types, problems


def _shadowed_keys(files: Sequence[ParquetFile]) -> list[Problem]:
    """Columns that are also the key of a folder above them."""
    first = {name: file for file in reversed(files) for name in file.keys if name in file.stored}
    return [
        Problem(
            name,
            f"is a column of {as_text(file.path)} and the name of a folder above it ({name}={file.keys[name]}); "
            "the column is read",
            "rename one",
        )
        for name, file in first.items()
    ]


def _key_types(files: Sequence[ParquetFile]) -> dict[str, pa.DataType]:
    """Keys of folders are 64-bit integers where all of them look so, else text."""
    values: dict[str, set[str]] = {}
    for file in files:
        for name, value in file.keys.items():
            values.setdefault(name, set()).update(() if value is None else (value,))
    return {name: pa.int64() if all(map(_INTEGER.fullmatch, some)) else pa.string() for name, some in values.items()}


def _common_type(types: Sequence[pa.DataType]) -> pa.DataType | None:
    """A type that holds the values of all; None where they mean different things."""
    if len(types) == 1:
        return types[0]
    if {column_kind(dtype) for dtype in types} != {"numeric"}:
        return None
    families = {family(dtype).partition("/")[0] for dtype in types}
    if families != {"number"}:
        return types[0] if len(families) == 1 else None
    unsigned = [pt.is_unsigned_integer(dtype) for dtype in types]
    if all(unsigned):
        return pa.uint64()
    return pa.int64() if all(map(pt.is_integer, types)) and pa.uint64() not in types else pa.float64()


def _some(items: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    more = f" and {len(items) - _MOST_NAMED:,} more" if len(items) > _MOST_NAMED else ""
    return ", ".join(items[:_MOST_NAMED]) + more
