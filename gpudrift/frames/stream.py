"""A stream of record batches: its rows come once, so to read them twice is to keep them in a file meanwhile."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from pyarrow import ipc

from gpudrift.errors import DataError
from gpudrift.frames.column import first_line
from gpudrift.frames.problem import Problem
from gpudrift.frames.source import Batch, gathered


@dataclass(frozen=True)
class StreamSource:
    """A RecordBatchReader, read as it comes."""

    reader: pa.RecordBatchReader
    role: str
    n_rows: int | None = None
    problems: Sequence[Problem] = ()
    one_pass: bool = True

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        return {f.name: f.type for f in self.reader.schema}

    def batches(self, names: Sequence[str]) -> Iterator[Batch]:
        try:
            yield from gathered(batch.select(list(names)) for batch in self.reader)
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{self.role} is a stream that breaks off: {first_line(error)}; mend what it reads from"
            ) from error


def spooled(reader: pa.RecordBatchReader, role: str) -> pa.Table:
    """The whole stream as a table in a temporary file, which is gone as soon as the table is.

    The table is mapped into memory: its pages are the file's and can be dropped.
    """
    descriptor, path = tempfile.mkstemp(prefix="gpudrift-", suffix=".arrow")
    os.close(descriptor)
    try:
        with ipc.new_stream(path, reader.schema) as writer:  # the file format allows one dictionary a column
            for batch in reader:
                writer.write_batch(batch)
        return ipc.open_stream(pa.memory_map(path)).read_all()
    except (pa.ArrowException, OSError) as error:
        raise DataError(
            f"{role} is a stream that cannot be kept in {path}: {first_line(error)}; "
            "mend what it reads from, or set TMPDIR to a folder with room for it"
        ) from error
    finally:
        Path(path).unlink()
