"""Count of dictionary codes: one increment a row, into one private table."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.read_only import read_only


def categories(codes: NDArray[np.int32], n_codes: int) -> NDArray[np.int64]:
    """Count of the codes 0 .. n_codes - 1, then of all others (missing); int64, length n_codes + 1."""
    out = np.zeros(n_codes + 1, np.int64)
    _count(read_only(codes), out)
    return out


@kernel
def _count(codes: NDArray[np.int32], out: NDArray[np.int64]) -> None:
    missing = np.uint32(out.size - 1)
    for j in range(codes.size):
        out[min(np.uint32(codes[j]), missing)] += 1  # a negative code is a large one without its sign
