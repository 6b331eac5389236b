"""Adds counts over a local dictionary to those over the vocabulary.

    counts       [ of each local code | missing ]
    vocabulary   [ where each local code is counted ]  -> one atomic a code
    total        [ of each code of the vocabulary | missing ]

Several local codes may stand for one of the vocabulary ("new"), so threads race on total, by atomics alone.
"""

from __future__ import annotations

import numpy as np
from numba import cuda
from numpy.typing import NDArray

from gpudrift_kernels.cuda.compiled import kernel


@kernel
def merge(counts: NDArray[np.uint64], vocabulary: NDArray[np.int64], total: NDArray[np.uint64]) -> None:
    for i in range(cuda.grid(1), counts.size, cuda.gridsize(1)):
        if counts[i] != 0:
            place = vocabulary[i] if i < vocabulary.size else total.size - 1
            cuda.atomic.add(total, place, counts[i])
