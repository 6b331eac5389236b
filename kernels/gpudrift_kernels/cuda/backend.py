"""The CUDA backend: rows on the device are counted where they lie, rows of the host are streamed to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gpudrift_kernels.backend import CategoryColumn, NumericColumn, Residence
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cpu import sort as cpu_sort
from gpudrift_kernels.cpu.backend import CpuBackend
from gpudrift_kernels.cuda import sort
from gpudrift_kernels.cuda.availability import has_cupy
from gpudrift_kernels.cuda.categories import count_few, count_many
from gpudrift_kernels.cuda.device_array import as_numba, on_device, ordinal_of, stream_of, wait_for
from gpudrift_kernels.cuda.driver import Device, driver
from gpudrift_kernels.cuda.failures import explained, is_out_of_memory, raised
from gpudrift_kernels.cuda.histogram import NumbaHistogram
from gpudrift_kernels.cuda.memory import say_halved
from gpudrift_kernels.cuda.merge import merge
from gpudrift_kernels.cuda.plan_tables import PlanTables
from gpudrift_kernels.cuda.staging import ALIGNMENT, COLUMN, MOST_PIECES, Chunk, Piece, Records, Staging, staging
from gpudrift_kernels.cuda.tally_columns import TalliedCodes, TalliedColumn, TalliedNumbers
from gpudrift_kernels.cuda.tally_rows import TallyRows
from gpudrift_kernels.errors import DeviceError
from gpudrift_kernels.grouping import Grouping, Tally
from gpudrift_kernels.occupied import Occupied, occupied
from gpudrift_kernels.on_host import on_host
from gpudrift_kernels.rules import MISSING
from gpudrift_kernels.tuning import (
    NUMBA_MOST_BLOCKS,
    NUMBA_SHARED_BYTES,
    NUMBA_THREADS,
    ROWS_PER_LAUNCH,
    STAGING,
    numba_grid,
)

_Result = TypeVar("_Result")

#: What counts and cut tables may take of the memory allowed; the rest is for rows.
_SHARE_OF_TABLES: Final = 4
#: What a batch that is read onto the device may take: decoding it takes as much again, and so does converting it.
_SHARE_OF_BATCH: Final = 4
#: Where even so few rows cannot be converted, the device has no memory to speak of.
_FEWEST_ROWS: Final = 1 << 10


class _Stretch(NamedTuple):
    """Rows of column f, and where they go in a chunk."""

    f: int
    start: int
    stop: int
    first_byte: int


class CudaBackend:
    """Counts on one GPU, through CuPy where that is installed, else through Numba.

    Results are on the host when a verb returns, so nothing of a caller's is in use any more. Columns on the device are
    counted on the stream of the first of them, behind those of the others.

    Parameters
    ----------
    device : Device
        Where to count. No context is made before the first verb.
    threads : int
        Of the host: they read, convert and fill chunks.
    memory_bytes : int
        Most that gpudrift itself takes of the device's memory.
    pinned : bool
        Count on this device alone. Otherwise columns that lie on another are counted there.
    """

    name = "cuda"

    def __init__(self, device: Device, *, threads: int, memory_bytes: int, pinned: bool = False) -> None:
        self.device = device
        self.threads = threads
        self.memory_bytes = memory_bytes
        self.pinned = pinned

    @property
    def residence(self) -> Residence:
        return Residence(self.device.ordinal, self.memory_bytes // _SHARE_OF_BATCH)

    def count_cells(self, columns: Sequence[NumericColumn], plans: Sequence[CellPlan]) -> Iterator[Occupied]:
        with explained(self.device.name):
            empty = [column.values(0, 0)[0] for column in columns]  # which tells where its rows are
        here = self._beside(empty)
        for first, last in here._groups(plans):
            part = slice(first, last)
            yield from map(occupied, here._run(partial(here._count_cells, columns[part], plans[part], empty[part])))

    def count_categories(
        self, columns: Sequence[CategoryColumn], n_categories: Sequence[int]
    ) -> Iterator[NDArray[np.int64]]:
        with explained(self.device.name):
            here = self._beside([column.codes(0, 0)[0] for column in columns])
        yield from here._run(partial(here._count_categories, columns, n_categories))

    def tally_cells(
        self,
        columns: Sequence[NumericColumn],
        plans: Sequence[CellPlan],
        grids: Sequence[NDArray[np.int32]],
        grouping: Grouping,
    ) -> Iterator[Tally]:
        with explained(self.device.name):
            empty = [column.aligned(0, 0)[0] for column in columns]
        tallied = [TalliedNumbers(*each) for each in zip(columns, plans, grids, empty, strict=True)]
        return self._beside(empty)._tally(tallied, grouping)

    def tally_categories(
        self,
        columns: Sequence[CategoryColumn],
        n_categories: Sequence[int],
        grids: Sequence[NDArray[np.int32]],
        grouping: Grouping,
    ) -> Iterator[Tally]:
        with explained(self.device.name):
            empty = [column.codes(0, 0)[0] for column in columns]
        tallied = [TalliedCodes(*each) for each in zip(columns, n_categories, grids, empty, strict=True)]
        return self._beside(empty)._tally(tallied, grouping)

    def sort(self, values: Any, *, overwrite: bool = False) -> NDArray[Any]:
        if not has_cupy():
            return cpu_sort.sort(on_host(values), overwrite=overwrite)
        here = self._beside([values])
        return here._run(partial(sort.sort, values, here.device.ordinal, here.memory_bytes))

    def ks_sorted(self, reference: NDArray[Any], current: NDArray[Any]) -> float:
        """On the host, which needs to read less of the sides than sending them to the device would."""
        return CpuBackend(self.threads).ks_sorted(reference, current)

    def map(self, function: Callable[[Any], Any], items: Iterable[Any], *, together: int = 1) -> Iterator[Any]:
        return CpuBackend(self.threads).map(function, items, together=together)

    def _run(self, work: Callable[[], _Result]) -> _Result:
        """Run with the device current, and say in a line what goes wrong there."""
        with explained(self.device.name), cuda.gpus[self.device.ordinal]:
            return work()

    def _beside(self, arrays: Sequence[Any]) -> CudaBackend:
        """The backend of the device that the arrays lie on; this one where they have none, or it is pinned."""
        places = (ordinal_of(array) for array in arrays if on_device(array))
        found = sorted({place for place in places if place is not None})
        if self.pinned or not found or found == [self.device.ordinal]:
            return self
        if len(found) > 1:
            raise DeviceError(f"columns lie on GPUs {' and '.join(map(str, found))}: move them to one")
        device = driver().devices[found[0]]
        return CudaBackend(device, threads=self.threads, memory_bytes=self.memory_bytes, pinned=True)

    def _groups(self, plans: Sequence[CellPlan]) -> Iterator[tuple[int, int]]:
        """Neighbouring columns whose tables fit the memory together; one that is too large alone goes alone."""
        first = held = 0
        for f, plan in enumerate(plans):
            n_bytes = 8 * plan.n_counters + 8 * plan.cuts.size + (4 * plan.n_cells if plan.cuts.size else 0)
            if held and held + n_bytes > self.memory_bytes // _SHARE_OF_TABLES:
                yield first, f
                first, held = f, 0
            held += n_bytes
        if first < len(plans):
            yield first, len(plans)

    def _count_cells(
        self, columns: Sequence[NumericColumn], plans: Sequence[CellPlan], empty: Sequence[Any]
    ) -> list[NDArray[np.int64]]:
        resident = [f for f, values in enumerate(empty) if on_device(values)]
        staged = [f for f, values in enumerate(empty) if not on_device(values)]
        stream = _common_stream([empty[f] for f in resident])
        histogram_type = _histogram_type()
        tables = PlanTables(plans, histogram_type.compared_cuts, stream)
        histogram = histogram_type(self.device, tables)
        nulls = np.zeros(len(plans), np.int64)
        if resident:
            self._count_resident(columns, resident, histogram, nulls, stream)
        if staged:
            stream.synchronize()  # the tables are there before other streams use them
            self._count_staged(columns, staged, plans, histogram, nulls)
        counts = tables.fetch()
        for counted, plan, n_null in zip(counts, plans, nulls, strict=True):
            counted[plan.n_index + MISSING] += n_null
        return counts

    def _count_resident(
        self, columns: Sequence[NumericColumn], fs: Sequence[int], histogram: Any, nulls: NDArray[np.int64], stream: Any
    ) -> None:
        """Rows on the device, all columns at once; in parts where converting them might take more than the memory."""
        n_rows = max(columns[f].n_rows for f in fs)
        step = max(1, min(ROWS_PER_LAUNCH, self.memory_bytes // (16 * len(fs)), n_rows))
        records = Records(COLUMN, len(fs))
        start = 0
        while start < n_rows:
            try:
                pieces, n_null = self._converted(columns, fs, start, start + step)
            except raised() as error:
                if not is_out_of_memory(error) or step <= _FEWEST_ROWS:
                    raise
                step //= 2
                say_halved("rows on it are converted")
                continue
            nulls[fs] += n_null
            histogram.count(pieces, records, stream)
            stream.synchronize()  # before the records, and what was converted, are used again
            start += step

    def _converted(
        self, columns: Sequence[NumericColumn], fs: Sequence[int], start: int, stop: int
    ) -> tuple[list[Piece], list[int]]:
        """Rows start to stop of each column as the kernels take them, and how many nulls were left out."""
        pieces, nulls = [], []
        for f in fs:
            values, n_null = columns[f].values(min(start, columns[f].n_rows), min(stop, columns[f].n_rows))
            nulls.append(n_null)
            if values.shape[0]:
                pieces.append(Piece(f, as_numba(values, self.device)))
        return pieces, nulls

    def _count_staged(
        self,
        columns: Sequence[NumericColumn],
        fs: Sequence[int],
        plans: Sequence[CellPlan],
        histogram: Any,
        nulls: NDArray[np.int64],
    ) -> None:
        """Rows of the host: threads fill a chunk while those before it are copied and counted."""
        chunks = self._staging()

        def fill(stretch: _Stretch, chunk: Chunk) -> tuple[int, int]:
            f, start, stop, first_byte = stretch
            values, n_null = columns[f].values(start, stop)
            chunk.on_host(first_byte, values.size, np.dtype(plans[f].dtype))[:] = values
            return values.size, n_null

        with chunks.lock:
            try:
                for stretches, n_bytes in _chunked(columns, fs, plans, chunks.chunk_bytes):
                    chunk = chunks.next()
                    pieces = []
                    for (f, _, _, first_byte), (n, n_null) in zip(
                        stretches, self.map(partial(fill, chunk=chunk), stretches), strict=True
                    ):
                        nulls[f] += n_null
                        if n:
                            pieces.append(Piece(f, chunk.on_device(first_byte, n, np.dtype(plans[f].dtype))))
                    chunk.send(n_bytes)
                    histogram.count(pieces, chunk.records, chunk.stream)
            except BaseException:
                staging.cache_clear()  # threads may still be filling a chunk: nobody else gets it
                raise
            finally:
                chunks.finish()

    def _count_categories(
        self, columns: Sequence[CategoryColumn], n_categories: Sequence[int]
    ) -> list[NDArray[np.int64]]:
        ends = np.cumsum([0, *(n + 1 for n in n_categories)])
        totals = cuda.to_device(np.zeros(ends[-1], np.uint64))
        chunks = self._staging()
        step = min(STAGING.rows_per_piece, chunks.chunk_bytes // 4)

        def read(task: tuple[int, int]) -> tuple[int, Any, NDArray[np.int64]]:
            f, start = task
            return f, *columns[f].codes(start, min(start + step, columns[f].n_rows))

        tasks = ((f, start) for f, column in enumerate(columns) for start in range(0, column.n_rows, step))
        with chunks.lock:
            try:
                for f, codes, vocabulary in self.map(read, tasks):
                    self._count_codes(codes, vocabulary, totals[ends[f] : ends[f + 1]], chunks.next())
            finally:
                chunks.finish()
        counted = totals.copy_to_host().astype(np.int64)
        return [counted[ends[f] : ends[f + 1]] for f in range(len(columns))]

    def _count_codes(self, codes: Any, vocabulary: NDArray[np.int64], total: Any, chunk: Chunk) -> None:
        """Queue the count of one column's codes into its total."""
        if on_device(codes):
            codes = as_numba(codes, self.device)
            chunk.held.append(codes)
            wait_for(stream_of(codes), chunk.stream)
        else:
            chunk.on_host(0, codes.size, codes.dtype)[:] = codes
            chunk.send(codes.nbytes)
            codes = chunk.on_device(0, codes.size, codes.dtype)
        known = np.array_equal(vocabulary, np.arange(total.size - 1))
        counts = total if known else cuda.to_device(np.zeros(vocabulary.size + 1, np.uint64))
        grid = numba_grid(codes.size, NUMBA_MOST_BLOCKS)
        if 4 * counts.size <= NUMBA_SHARED_BYTES:
            count_few[grid, NUMBA_THREADS, chunk.stream, 4 * counts.size](codes, counts)
        else:
            count_many[grid, NUMBA_THREADS, chunk.stream](codes, counts)
        if not known:
            places = cuda.to_device(vocabulary)
            merge[numba_grid(counts.size, NUMBA_MOST_BLOCKS), NUMBA_THREADS, chunk.stream](counts, places, total)
            chunk.stream.synchronize()  # before the counts go

    def _tally(self, columns: Sequence[TalliedColumn], grouping: Grouping) -> Iterator[Tally]:
        spare = self.memory_bytes // _SHARE_OF_BATCH
        rows = TallyRows(columns, grouping, device=self.device, memory_bytes=spare, spread=self.map)
        for part in rows.passes(self.memory_bytes // _SHARE_OF_TABLES):
            yield from self._run(partial(rows.tally, part, self._staging))

    def _staging(self) -> Staging:
        return staging(self.device.ordinal, self.memory_bytes - self.memory_bytes // _SHARE_OF_TABLES)


def _histogram_type() -> Any:
    """The fastest histogram that is installed."""
    if not has_cupy():
        return NumbaHistogram
    from gpudrift_kernels.cuda.raw_histogram import RawHistogram

    return RawHistogram


def _common_stream(arrays: Sequence[Any]) -> Any:
    """The stream of the first array, behind the work on those of the others."""
    streams = list(dict.fromkeys(stream for array in arrays if (stream := stream_of(array)) is not None))
    if not streams:
        return cuda.default_stream()
    common = cuda.external_stream(streams[0])
    for stream in streams[1:]:
        wait_for(stream, common)
    return common


def _chunked(
    columns: Sequence[NumericColumn], fs: Sequence[int], plans: Sequence[CellPlan], chunk_bytes: int
) -> Iterator[tuple[list[_Stretch], int]]:
    """Every row of the columns once: the stretches of each chunk, and the bytes that they take."""
    stretches: list[_Stretch] = []
    end = 0
    for f in fs:
        itemsize = np.dtype(plans[f].dtype).itemsize
        step = min(STAGING.rows_per_piece, chunk_bytes // itemsize)
        for start in range(0, columns[f].n_rows, step):
            stop = min(start + step, columns[f].n_rows)
            if end + (stop - start) * itemsize > chunk_bytes or len(stretches) == MOST_PIECES:
                yield stretches, end
                stretches, end = [], 0
            stretches.append(_Stretch(f, start, stop, end))
            end += (stop - start) * itemsize
            end += -end % ALIGNMENT
    if stretches:
        yield stretches, min(end, chunk_bytes)
