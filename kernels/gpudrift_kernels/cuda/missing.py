"""Count of the values that are NaN.

    grid      blocks that share the rows
    values    [ x x x x ... ]  a block takes a stretch at a time and counts its votes (syncthreads_count)
    out       [ 1 counter ]    one atomic a block   (global, 64 bits)

No shared memory. Blocks race on out, by atomics alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gpudrift_kernels.cuda.compiled import kernel
from gpudrift_kernels.tuning import NUMBA_MOST_BLOCKS, NUMBA_THREADS, numba_grid


@kernel
def count_missing(values: NDArray[Any], out: NDArray[np.uint64]) -> None:
    found = np.uint64(0)
    for start in range(cuda.blockIdx.x * cuda.blockDim.x, values.size, cuda.gridsize(1)):
        i = start + cuda.threadIdx.x
        missing = np.int32(0)
        if i < values.size:
            missing = np.int32(values[i] != values[i])
        found += np.uint64(cuda.syncthreads_count(missing))  # all threads vote, those past the end too
    if cuda.threadIdx.x == 0:
        cuda.atomic.add(out, 0, found)


def missing(values: Any) -> int:
    """How many values of a device array are NaN; waits for the answer."""
    out = cuda.to_device(np.zeros(1, np.uint64))
    if values.size:
        count_missing[numba_grid(values.size, NUMBA_MOST_BLOCKS), NUMBA_THREADS](values, out)
    return int(out.copy_to_host()[0])
