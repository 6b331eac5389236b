"""Rows and their groups on their way to the tables: [ groups | weights | values of columns | which are there ] a chunk.

Groups and weights lie on the host, so that every chunk takes along those of its rows. The values of columns that are on
the device are read where they lie.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gpudrift_kernels.cuda.device_array import as_numba, stream_of, wait_for
from gpudrift_kernels.cuda.driver import Device
from gpudrift_kernels.cuda.failures import is_out_of_memory, raised
from gpudrift_kernels.cuda.memory import say_halved
from gpudrift_kernels.cuda.staging import ALIGNMENT, Chunk, Staging, staging
from gpudrift_kernels.cuda.tally_columns import GroupedRows, TalliedColumn
from gpudrift_kernels.cuda.tally_tables import GroupWindow, TallyTables, Wanted
from gpudrift_kernels.grouping import Grouping, Tally
from gpudrift_kernels.tuning import ROWS_PER_LAUNCH, STAGING

#: Where even so few rows cannot be converted, the device has no memory to speak of.
_FEWEST_ROWS: Final = 1 << 10
#: A converted value and whether it is there, and as much again while it is converted.
_CONVERTED_BYTES: Final = 16
_GROUP: Final = np.dtype(np.int32)
_WEIGHT: Final = np.dtype(np.int64)
_PRESENT: Final = np.dtype(np.uint8)

#: ``Backend.map``.
Spread = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]


class Pass(NamedTuple):
    """Columns first to last, whose tables fit the memory together; of one that does not, a window of groups at a time.

    Its rows are read again for every window.
    """

    first: int
    last: int
    windows: Sequence[GroupWindow]


class _Span(NamedTuple):
    """Where n values lie in a chunk."""

    first_byte: int
    n: int
    dtype: np.dtype[Any]


class _Fill(NamedTuple):
    """Rows of a column that go to a chunk, and where in it."""

    column: TalliedColumn
    start: int
    stop: int
    values: _Span
    mask: _Span | None


class _Room:
    """Room in a chunk, from its beginning on."""

    def __init__(self, chunk: Chunk) -> None:
        self._chunk = chunk
        self.end = 0

    def take(self, n: int, dtype: np.dtype[Any]) -> _Span:
        span = _Span(self.end, n, dtype)
        self.end += _taken(n, dtype)
        return span

    def put(self, values: Any, dtype: np.dtype[Any]) -> _Span:
        span = self.take(len(values), dtype)
        self._chunk.on_host(*span)[:] = values
        return span


class TallyRows:
    """Tallies columns of one batch.

    Parameters
    ----------
    columns : sequence of TalliedColumn
    grouping : Grouping
    device : Device
        It is current wherever something is called here.
    memory_bytes : int
        Most that values of the device may take once more while they are converted.
    spread : callable
        ``Backend.map``: host threads fill a chunk while those before it are copied and counted.
    """

    def __init__(
        self,
        columns: Sequence[TalliedColumn],
        grouping: Grouping,
        *,
        device: Device,
        memory_bytes: int,
        spread: Spread,
    ) -> None:
        self._columns, self._grouping = columns, grouping
        self._device, self._memory_bytes, self._spread = device, memory_bytes, spread

    def passes(self, most_bytes: int) -> Iterator[Pass]:
        """Every column once, by tables of at most so many bytes, and of one group at least."""
        n_groups = max(self._grouping.n_groups, 1)
        first = held = 0
        for f, column in enumerate(self._columns):
            wanted = self._wanted(column)
            n_bytes = wanted.constant_bytes + n_groups * wanted.bytes_per_group
            if held and held + n_bytes > most_bytes:
                yield Pass(first, f, [GroupWindow(0, self._grouping.n_groups)])
                first, held = f, 0
            if n_bytes > most_bytes:
                step = max((most_bytes - wanted.constant_bytes) // wanted.bytes_per_group, 1)
                windows = [GroupWindow(g, min(step, n_groups - g)) for g in range(0, n_groups, step)]
                yield Pass(f, f + 1, windows)
                first = f + 1
            else:
                held += n_bytes
        if first < len(self._columns):
            yield Pass(first, len(self._columns), [GroupWindow(0, self._grouping.n_groups)])

    def tally(self, columns: Pass, chunks_of_device: Callable[[], Staging]) -> list[Tally]:
        """Rows and weights of the columns of a pass; they are on the host, and nothing is queued any more."""
        members = self._columns[columns.first : columns.last]
        chunks = chunks_of_device()
        parts = [self._tally_window(members, window, chunks) for window in columns.windows]
        if len(parts) == 1:
            return parts[0]
        return [_joined(tallies) for tallies in zip(*parts, strict=True)]

    def _tally_window(self, columns: Sequence[TalliedColumn], window: GroupWindow, chunks: Staging) -> list[Tally]:
        tables = TallyTables([self._wanted(column) for column in columns], window, cuda.default_stream())
        with chunks.lock:
            try:
                self._staged(columns, [f for f, c in enumerate(columns) if not c.resident], tables, chunks)
                self._resident(columns, [f for f, c in enumerate(columns) if c.resident], tables, chunks)
            except BaseException:
                staging.cache_clear()  # threads may still be filling a chunk: nobody else gets it
                raise
            finally:
                chunks.finish()
        return tables.fetch()

    def _staged(
        self, columns: Sequence[TalliedColumn], fs: Sequence[int], tables: TallyTables, chunks: Staging
    ) -> None:
        """Columns of the host."""
        for start, stop, members in self._stretches(columns, fs, chunks.chunk_bytes):
            n, chunk = stop - start, chunks.next()
            room = _Room(chunk)
            groups, amounts = self._put_groups(room, start, stop)
            values = [room.take(n, columns[f].dtype) for f in members]
            end = room.end
            masks = [room.take(n, _PRESENT) if columns[f].masked else None for f in members]
            fills = [
                _Fill(columns[f], start, stop, span, mask) for f, span, mask in zip(members, values, masks, strict=True)
            ]
            besides = list(self._spread(partial(_fill, chunk=chunk), fills))
            used = [mask if beside is not None else None for mask, beside in zip(masks, besides, strict=True)]
            chunk.send(max([end, *(mask.first_byte + n for mask in used if mask)]))
            grouped = self._sent(chunk, groups, amounts, tables)
            for f, span, mask, beside in zip(members, values, used, besides, strict=True):
                present = chunk.on_device(*mask) if mask else tables.no_mask
                rows = GroupedRows(chunk.on_device(*span), present, *grouped)
                chunk.held += columns[f].launch(rows, beside, tables.tables[f], chunk.stream)

    def _resident(
        self, columns: Sequence[TalliedColumn], fs: Sequence[int], tables: TallyTables, chunks: Staging
    ) -> None:
        """Columns of the device: all of them on the rows of a chunk that holds groups and weights alone."""
        n_rows = self._grouping.groups.size
        converted = STAGING.chunks * _CONVERTED_BYTES * max(len(fs), 1)
        step = max(1, min(ROWS_PER_LAUNCH, self._rows_within(chunks.chunk_bytes), self._memory_bytes // converted))
        start = 0
        while fs and start < n_rows:
            stop, chunk = min(start + step, n_rows), chunks.next()
            try:
                read = [columns[f].read(start, stop) for f in fs]
            except raised() as error:
                if not is_out_of_memory(error) or step <= _FEWEST_ROWS:
                    raise
                chunks.finish()  # what was converted before is freed
                step //= 2
                say_halved("rows on it are converted")
                continue
            room = _Room(chunk)
            spans = self._put_groups(room, start, stop)
            chunk.send(room.end)
            groups, amounts = self._sent(chunk, *spans, tables)
            for f, (values, beside) in zip(fs, read, strict=True):
                present = tables.no_mask
                if columns[f].masked and beside is not None:
                    present = self._ready(beside, chunk).view(_PRESENT)
                rows = GroupedRows(self._ready(values, chunk), present, groups, amounts)
                chunk.held += columns[f].launch(rows, beside, tables.tables[f], chunk.stream)
            chunk.held += [read]
            start = stop

    def _ready(self, values: Any, chunk: Chunk) -> Any:
        """An array of the device as Numba takes it; what follows on the chunk's stream waits for it."""
        taken = as_numba(values, self._device)
        wait_for(stream_of(values), chunk.stream)
        return taken

    def _put_groups(self, room: _Room, start: int, stop: int) -> tuple[_Span, _Span | None]:
        groups = room.put(self._grouping.groups[start:stop], _GROUP)
        weights = self._grouping.weights
        return groups, None if weights is None else room.put(weights[start:stop], _WEIGHT)

    def _sent(self, chunk: Chunk, groups: _Span, amounts: _Span | None, tables: TallyTables) -> tuple[Any, Any]:
        return chunk.on_device(*groups), tables.no_weights if amounts is None else chunk.on_device(*amounts)

    def _wanted(self, column: TalliedColumn) -> Wanted:
        grouping = self._grouping
        return Wanted(int(column.grid[-1]) + 1, grouping.counter, grouping.weights is not None, column.constants)

    def _stretches(
        self, columns: Sequence[TalliedColumn], fs: Sequence[int], chunk_bytes: int
    ) -> Iterator[tuple[int, int, list[int]]]:
        """Every row of the columns once: the rows of each chunk, and which of the columns."""
        if not fs:
            return
        widest = max(columns[f].dtype.itemsize + columns[f].masked for f in fs)
        step = min(STAGING.rows_per_piece, self._rows_within(chunk_bytes, widest))
        n_rows = self._grouping.groups.size
        for start in range(0, n_rows, step):
            stop = min(start + step, n_rows)
            members: list[int] = []
            end = 0
            for f in fs:
                n_bytes = _taken(stop - start, columns[f].dtype) + columns[f].masked * _taken(stop - start, _PRESENT)
                if members and end + n_bytes > chunk_bytes:
                    yield start, stop, members
                    members = []
                if not members:
                    end = _taken(stop - start, _GROUP) + self._weighted * _taken(stop - start, _WEIGHT)
                members.append(f)
                end += n_bytes
            yield start, stop, members

    def _rows_within(self, chunk_bytes: int, value_bytes: int = 0) -> int:
        """Rows whose groups, weights and values of one column a chunk has room for, wherever each of them begins."""
        a_row = _GROUP.itemsize + self._weighted * _WEIGHT.itemsize + value_bytes
        return (chunk_bytes - 4 * ALIGNMENT) // a_row

    @property
    def _weighted(self) -> bool:
        return self._grouping.weights is not None


def _fill(task: _Fill, chunk: Chunk) -> Any:
    """Read rows into a chunk; what came beside them."""
    rows, beside = task.column.read(task.start, task.stop)
    chunk.on_host(*task.values)[:] = rows
    if task.mask is not None and beside is not None:
        chunk.on_host(*task.mask)[:] = beside
    return beside


def _taken(n: int, dtype: np.dtype[Any]) -> int:
    """Bytes of n values in a chunk."""
    n_bytes = n * dtype.itemsize
    return n_bytes + -n_bytes % ALIGNMENT


def _joined(parts: Sequence[Tally]) -> Tally:
    """The tallies of neighbouring windows of groups."""
    weights: list[NDArray[np.int64]] = [part.weights for part in parts if part.weights is not None]
    return Tally(np.concatenate([part.rows for part in parts]), np.concatenate(weights) if weights else None)
