"""Parquet files behind paths, directories and globs: what each holds, by its metadata alone."""

from __future__ import annotations

import glob
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq

from gpudrift.errors import DataError
from gpudrift.frames.column import first_line
from gpudrift.frames.kinds import is_text
from gpudrift.frames.source import refuse_duplicates

_SUFFIXES: Final = (".parquet", ".parq", ".pq")
_NULL_KEY: Final = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class ParquetFile:
    """One file: its columns as they are stored, and those that the folders above it name (``year=2024``).

    Attributes
    ----------
    n_bytes : int
        Of all columns, uncompressed.
    encoded : frozenset of str
        Columns of text that are stored in dictionaries throughout.
    """

    path: str
    n_rows: int
    n_bytes: int
    stored: Mapping[str, pa.DataType]
    encoded: frozenset[str]
    keys: Mapping[str, str | None]


def files_of(path: str, role: str) -> list[tuple[str, str]]:
    """The files behind a path, each with the folder below which ``key=value`` folders count."""
    if path.lower().endswith(".gdp"):
        raise DataError(f"{role} {path} is a profile, which holds no rows; pass rows")
    if os.path.isfile(path):
        return [(path, os.path.dirname(path))]
    if os.path.isdir(path):
        found = [(file, path) for file in _files_below(path, role)]
    elif glob.has_magic(path) and "://" not in path:
        plain = next(parent for parent in Path(path).parents if not glob.has_magic(str(parent)))
        matches = glob.glob(path, recursive=True)
        found = [(file, str(plain)) for match in matches for file, _ in files_of(match, role)]
    else:
        raise DataError(f"{role} {_why_unreadable(path)}")
    if not found:
        raise DataError(f"{role} {path} holds no Parquet file; check the path")
    return found


def _why_unreadable(path: str) -> str:
    if not path:
        return "is an empty path; name a file"
    if "://" in path:
        return f"{path} is a URL, and only local files are read; copy it here first"
    try:
        os.stat(path)
    except PermissionError:
        return f"{path} cannot be read: permission denied; check its permissions"
    except OSError:
        return f"{path} is not there; check the path"
    return f"{path} is a device or a pipe, and Parquet cannot be streamed; write it to a file first"


def _files_below(folder: str, role: str) -> list[str]:
    def refuse(error: OSError) -> None:
        raise DataError(f"{role} {error.filename} cannot be read: {error.strerror}; check its permissions") from error

    found = []
    for parent, folders, names in os.walk(folder, onerror=refuse, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        found += [
            os.path.join(parent, name) for name in names if name.endswith(_SUFFIXES) and not name.startswith((".", "_"))
        ]
    return found


def describe(path: str, base: str, role: str) -> ParquetFile:
    """What a file holds.

    Raises
    ------
    DataError
        Two columns of one name.
    pyarrow.ArrowException, OSError
        It is no Parquet, or cannot be read.
    """
    with opened(path) as file:
        meta = pq.read_metadata(file)
    schema = meta.schema.to_arrow_schema()
    refuse_duplicates(schema.names, f"{role} {path}")
    keys: dict[str, str | None] = {}
    for folder in Path(as_text(os.path.relpath(path, base or "."))).parent.parts:
        name, sign, value = folder.partition("=")
        if sign:
            keys[unquote(name)] = None if value == _NULL_KEY else unquote(value)
    groups = [meta.row_group(g) for g in range(meta.num_row_groups)]
    places = {meta.schema.column(i).path: i for i in range(meta.num_columns)}
    return ParquetFile(
        path=path,
        n_rows=meta.num_rows,
        n_bytes=sum(group.total_byte_size for group in groups),
        stored={field.name: field.type for field in schema},
        encoded=frozenset(
            field.name
            for field in schema
            if is_text(field.type) and all(_has_dictionary(group, places[field.name]) for group in groups)
        ),
        keys=keys,
    )


def _has_dictionary(group: pq.RowGroupMetaData, place: int) -> bool:
    """Whether a column is no larger than a dictionary, at most 1 MiB by custom, and indices; plain text is longer."""
    return bool(group.column(place).total_uncompressed_size <= (1 << 20) + 4 * group.num_rows)


def opened(path: str) -> pa.OSFile:
    """The file, whatever bytes its name is made of: Arrow takes a text for UTF-8."""
    return pa.OSFile(os.fsencode(path))


def as_text(path: str) -> str:
    """A path as text that every file can hold; bytes that are no UTF-8 are escaped."""
    return os.fsencode(path).decode(errors="backslashreplace")


def why_broken(path: str, error: BaseException) -> str:
    """In a few words why ``describe`` could not read a file."""
    try:
        with open(path, "rb") as file:
            head = file.read(4)
    except OSError as denied:
        return denied.strerror or first_line(denied)
    if not head:
        return "empty"
    if head != b"PAR1":
        return "not Parquet"
    return "cut short" if "footer" in str(error) else first_line(error)
