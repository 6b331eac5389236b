"""Exact Kolmogorov-Smirnov statistic: sort both sides, then one merge."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import kernel
from gpudrift_kernels.cpu.read_only import read_only


def sort(values: NDArray[Any]) -> NDArray[Any]:
    """The finite values in ascending order; a copy. NumPy sorts without the GIL, with AVX-512 where there is."""
    finite = values[np.isfinite(values)] if values.dtype.kind == "f" else values.copy()
    finite.sort()
    return finite


def ks_sorted(reference: NDArray[Any], current: NDArray[Any]) -> float:
    """Largest absolute difference of two empirical CDFs, from sorted finite values; 0 where a side is empty."""
    return float(_merge(read_only(reference), read_only(current)))


@kernel
def _merge(reference: NDArray[Any], current: NDArray[Any]) -> float:
    n, m = reference.size, current.size
    i = j = 0
    largest = 0.0
    while i < n and j < m:  # once a side is used up the difference only shrinks
        x = min(reference[i], current[j])
        while i < n and reference[i] <= x:
            i += 1
        while j < m and current[j] <= x:
            j += 1
        largest = max(largest, abs(i / n - j / m))
    return largest
