"""Rows of the host on their way to a device: pinned chunks, filled while others are copied and counted."""

from __future__ import annotations

import logging
import threading
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gpudrift_kernels.cuda.failures import is_out_of_memory, raised
from gpudrift_kernels.errors import DeviceError
from gpudrift_kernels.tuning import STAGING

_log = logging.getLogger(__name__)

ALIGNMENT: Final = 16  # of every piece in a chunk: one load of a kernel
MOST_PIECES: Final = 1024

#: ``struct Column`` of histogram.cu, field by field.
COLUMN: Final = np.dtype(
    [
        ("values", "u8"), ("counts", "u8"), ("cuts", "u8"), ("cut_table", "u8"), ("centre", "u8"), ("scale", "u8"),
        ("n", "u4"), ("n_cuts", "u4"), ("n_index", "u4"), ("integral", "i4"),
        ("first_cell", "u4"), ("window_cells", "u4"), ("window_cuts", "u4"), ("cuts_before", "u4"),
        ("near_shift", "i4"), ("far_shift", "i4"), ("far_offset", "i4"), ("above", "i4"), ("below", "i4"),
        ("n_cells", "i4"),
    ]
)  # fmt: skip


class Piece(NamedTuple):
    """Rows of column f on a device: one dimension, without gaps."""

    f: int
    values: Any


class Records:
    """Room for what a launch is told of each piece, on the host and on the device."""

    def __init__(self, dtype: np.dtype[Any], n: int) -> None:
        self.host: NDArray[Any] = cuda.pinned_array(n, dtype)
        self._device = cuda.device_array(n * dtype.itemsize, np.uint8)

    def send(self, n: int, stream: Any) -> int:
        """Copy the first n records and give their address on the device."""
        n_bytes = n * self.host.dtype.itemsize
        self._device[:n_bytes].copy_to_device(self.host[:n].view(np.uint8), stream=stream)
        return int(self._device.__cuda_array_interface__["data"][0])


class Chunk:
    """Pinned memory, as much on the device, and the stream on which one goes to the other and is counted.

    Attributes
    ----------
    held : arrays of others that work on the stream still reads; kept until it is done.
    """

    def __init__(self, n_bytes: int) -> None:
        self._host: NDArray[np.uint8] = cuda.pinned_array(n_bytes, np.uint8)
        self._device = cuda.device_array(n_bytes, np.uint8)
        self.records = Records(COLUMN, MOST_PIECES)
        self.stream = cuda.stream()
        self.held: list[Any] = []

    def on_host(self, first: int, n: int, dtype: np.dtype[Any]) -> NDArray[Any]:
        """Room for n values that begin at a byte."""
        return self._host[first : first + n * dtype.itemsize].view(dtype)

    def on_device(self, first: int, n: int, dtype: np.dtype[Any]) -> Any:
        """The same values after ``send``."""
        return self._device[first : first + n * dtype.itemsize].view(dtype)

    def send(self, n_bytes: int) -> None:
        """Queue the copy of the first bytes."""
        self._device[:n_bytes].copy_to_device(self._host[:n_bytes], stream=self.stream)

    def wait(self) -> None:
        """Wait for the work on the stream."""
        self.stream.synchronize()
        self.held.clear()


class Staging:
    """The chunks of one device, used in turn; whoever holds ``lock`` may use them."""

    def __init__(self, memory_bytes: int) -> None:
        self.lock = threading.Lock()
        self.chunk_bytes, self._chunks = _chunks_within(memory_bytes)
        self._turn = 0

    def next(self) -> Chunk:
        """The chunk that was used longest ago; waits until its work is done."""
        chunk = self._chunks[self._turn]
        self._turn = (self._turn + 1) % len(self._chunks)
        chunk.wait()
        return chunk

    def finish(self) -> None:
        """Wait for the work on every chunk."""
        for chunk in self._chunks:
            chunk.wait()


@lru_cache(maxsize=4)
def staging(ordinal: int, memory_bytes: int) -> Staging:
    """The chunks of a device, kept for the process: pinning memory takes longer than filling it."""
    return Staging(memory_bytes)


def _chunks_within(memory_bytes: int) -> tuple[int, list[Chunk]]:
    """Chunks of at most so many bytes together; of half the size as often as the device has no room for them."""
    n_bytes = min(STAGING.chunk_bytes, memory_bytes // STAGING.chunks // ALIGNMENT * ALIGNMENT)
    wanted = n_bytes
    while n_bytes >= STAGING.fewest_chunk_bytes:
        try:
            chunks = [Chunk(n_bytes) for _ in range(STAGING.chunks)]
        except raised() as error:
            if not is_out_of_memory(error):
                raise
            n_bytes //= 2
            continue
        if n_bytes < wanted:
            _log.warning("the device has little memory left: rows go to it %d KiB at a time", n_bytes >> 10)
        return n_bytes, chunks
    needed = STAGING.chunks * STAGING.fewest_chunk_bytes >> 20
    raise DeviceError(
        f"the device has no {needed} MiB of memory for the rows of the host: "
        "free some, raise GPUDRIFT_DEVICE_MEMORY, or count on the CPU"
    )
