"""Source: a table that can be read in batches, and read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import pyarrow as pa

from gpudrift.errors import DataError
from gpudrift.frames.column import Raw, arrow_type
from gpudrift.frames.problem import Problem
from gpudrift.nearest import hint

#: Decoded bytes and rows of one streamed batch, about: enough to keep every thread busy, several fit in memory.
BATCH_BYTES: Final = 32 << 20
MOST_BATCH_ROWS: Final = 1 << 20


@dataclass(frozen=True)
class Batch:
    """Some rows of a table: every column in memory, all of the same length."""

    columns: Mapping[str, Raw]
    n_rows: int


class Source(Protocol):
    """A table that can be read from its start as often as asked (once, where ``one_pass``)."""

    @property
    def types(self) -> Mapping[str, pa.DataType]:
        """Arrow type of each column; a batch may hold it in another width or unit of the same family."""
        ...

    @property
    def n_rows(self) -> int | None:
        """None where only reading it tells."""
        ...

    @property
    def problems(self) -> Sequence[Problem]:
        """Columns that cannot be read, which are not among ``types``, and remarks on others."""
        ...

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


def refuse_duplicates(names: Sequence[str], what: str) -> None:
    """Raise DataError for a name that ``what`` holds twice."""
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise DataError(f"{what} has two columns named {name!r}; rename one")
        seen.add(name)


def require_columns(source: Source, names: Iterable[str], what: str) -> None:
    """Raise DataError for a name that ``what`` does not hold, readable or not."""
    known = [*source.types, *(problem.feature for problem in source.problems if problem.feature not in source.types)]
    for name in names:
        if name not in known:
            raise DataError(f"{what} has no column {name!r}: {hint(name, known)}")


def gathered(pieces: Iterable[pa.RecordBatch], *, whole: bool = False) -> Iterator[Batch]:
    """Pieces of a stream as batches, small neighbours laid end to end without a copy; all in one if ``whole``.

    A batch costs each column a table of counters, however few its rows are.
    """
    held: list[pa.RecordBatch] = []
    n_rows = n_bytes = 0
    for piece in pieces:
        full = not whole and (n_rows >= MOST_BATCH_ROWS or n_bytes >= BATCH_BYTES)
        if held and (full or piece.schema != held[0].schema):
            yield _joined(held, n_rows)
            held, n_rows, n_bytes = [], 0, 0
        held.append(piece)
        n_rows += piece.num_rows
        n_bytes += piece.nbytes
    if n_rows:
        yield _joined(held, n_rows)


def _joined(pieces: Sequence[pa.RecordBatch], n_rows: int) -> Batch:
    if not pieces[0].num_columns:
        return Batch({}, n_rows)
    table = pa.Table.from_batches(pieces)
    return Batch(dict(zip(table.column_names, table.columns, strict=True)), n_rows)
