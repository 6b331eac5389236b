"""Count of dictionary codes.

    grid      blocks that share the rows
    codes     [ c c c c ... ]  thread i takes every (threads of the grid)-th; one without a category is missing
    table     [ n_codes + 1 counters ]   one atomic a row   (shared, one a block, where the codes are few)
    counts    [ n_codes + 1 counters ]   the table at the end; every row where there is none   (global, 64 bits)

Shared memory: 4 * (n_codes + 1) bytes, 32-bit counters: a launch must see fewer than 2**32 rows. Threads of a block
race on its table and blocks on counts, by atomics alone.
"""

from __future__ import annotations

import numpy as np
from numba import cuda, uint32
from numpy.typing import NDArray

from gpudrift_kernels.cuda.compiled import kernel

_ONE = np.uint32(1)
_ZERO = np.uint32(0)
_ONE_ROW = np.uint64(1)


@kernel
def count_few(codes: NDArray[np.int32], counts: NDArray[np.uint64]) -> None:
    """Where a table of all codes fits in shared memory."""
    table = cuda.shared.array(0, uint32)
    missing = np.uint32(counts.size - 1)
    for i in range(cuda.threadIdx.x, counts.size, cuda.blockDim.x):
        table[i] = _ZERO
    cuda.syncthreads()
    for i in range(cuda.grid(1), codes.size, cuda.gridsize(1)):
        code = np.uint32(codes[i] if codes[i] >= 0 else missing)
        cuda.atomic.add(table, min(code, missing), _ONE)
    cuda.syncthreads()
    for i in range(cuda.threadIdx.x, counts.size, cuda.blockDim.x):
        if table[i] != 0:
            cuda.atomic.add(counts, i, np.uint64(table[i]))


@kernel
def count_many(codes: NDArray[np.int32], counts: NDArray[np.uint64]) -> None:
    """Where it does not: so many codes seldom meet in one counter."""
    missing = np.uint32(counts.size - 1)
    for i in range(cuda.grid(1), codes.size, cuda.gridsize(1)):
        code = np.uint32(codes[i] if codes[i] >= 0 else missing)
        cuda.atomic.add(counts, min(code, missing), _ONE_ROW)
