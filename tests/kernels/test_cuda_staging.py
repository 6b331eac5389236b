"""The order in which chunks of host rows are filled, copied, counted and waited for, by chunks that only take notes."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.cuda.driver import Device
from gpudrift_kernels.tuning import StagingPolicy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

backend = pytest.importorskip("gpudrift_kernels.cuda.backend")
staging = pytest.importorskip("gpudrift_kernels.cuda.staging")

_H100 = Device(0, "NVIDIA H100", 80 << 30, (9, 0), 132, 227 << 10, 228 << 10)
_CHUNKS = 3
_ROWS = 1_000  # of a chunk


class Notes(list[tuple[str, int]]):
    """What was done to which chunk, in order; copies and counts are only queued there, as on a GPU."""

    def chunk(self, n_bytes: int) -> SimpleNamespace:
        number = len([note for note in self if note[0] == "made"])
        self.append(("made", number))
        memory = np.zeros(n_bytes, np.uint8)

        def view(first: int, n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
            return memory[first : first + n * dtype.itemsize].view(dtype)

        def on_host(first: int, n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
            self.append(("filled", number))
            return view(first, n, dtype)

        stream = SimpleNamespace(number=number)
        return SimpleNamespace(
            on_host=on_host, on_device=view, records=None, stream=stream,
            send=lambda _: self.append(("copied", number)), wait=lambda: self.append(("waited for", number)),
        )  # fmt: skip


class Histogram:
    """Keeps the values of each launch."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.values: list[NDArray[Any]] = []

    def count(self, pieces: Sequence[Any], records: Any, stream: Any) -> None:
        self.notes.append(("counted", stream.number))
        self.values += [piece.values.copy() for piece in pieces]


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> Notes:
    made = Notes()
    policy = StagingPolicy(chunk_bytes=4 * _ROWS, chunks=_CHUNKS, fewest_chunk_bytes=256, rows_per_piece=_ROWS)
    for module in (backend, staging):
        monkeypatch.setattr(module, "STAGING", policy)
    monkeypatch.setattr(staging, "Chunk", made.chunk)
    staging.staging.cache_clear()
    return made


def _column(rows: NDArray[Any]) -> SimpleNamespace:
    return SimpleNamespace(n_rows=rows.size, values=lambda start, stop: (rows[start:stop], 0))


def test_a_chunk_is_filled_while_those_before_it_are_copied_and_counted(notes: Notes) -> None:
    rows = np.arange(7 * _ROWS, dtype=np.float32)
    histogram = Histogram(notes)
    counting = backend.CudaBackend(_H100, threads=2, memory_bytes=8 << 20)
    plan = CellPlan("float32", 0, 0, 11, 3)
    counting._count_staged([_column(rows)], [0], [plan], histogram, np.zeros(1, np.int64))
    np.testing.assert_array_equal(np.concatenate(histogram.values), rows)  # every row once
    work = notes[_CHUNKS:]
    rounds = [number % _CHUNKS for number in range(7)]
    each = [(verb, number) for number in rounds for verb in ("waited for", "filled", "copied", "counted")]
    # a chunk is waited for only when its turn comes again, two others later, and all at the end
    assert work == [*each, *(("waited for", number) for number in range(_CHUNKS))]


def test_a_failure_waits_for_what_is_queued_and_gives_the_chunks_to_nobody_else(notes: Notes) -> None:
    def broken(start: int, stop: int) -> tuple[NDArray[Any], int]:
        if start >= 2 * _ROWS:
            raise OSError("truncated file")
        return np.ones(stop - start, np.float32), 0

    counting = backend.CudaBackend(_H100, threads=2, memory_bytes=8 << 20)
    column, plan = SimpleNamespace(n_rows=5 * _ROWS, values=broken), CellPlan("float32", 0, 0, 11, 3)
    before = counting._staging()
    with pytest.raises(OSError, match="truncated file"):
        counting._count_staged([column], [0], [plan], Histogram(notes), np.zeros(1, np.int64))
    assert notes[-_CHUNKS:] == [("waited for", number) for number in range(_CHUNKS)]
    assert not before.lock.locked()
    assert counting._staging() is not before
