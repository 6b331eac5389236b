"""Exact Kolmogorov-Smirnov statistic: CuPy sorts on the device, and searches each side in the other.

Arrays that do not fit the memory allowed are sorted a part at a time, and the parts merged on the host.
"""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu import sort as cpu_sort
from gpudrift_kernels.cuda.failures import is_out_of_memory, raised
from gpudrift_kernels.cuda.memory import say_halved

#: Bytes that a sort or a search takes beside each byte of its input, about: radix sort has a second buffer.
_ROOM: Final = 4
#: Where even so few values cannot be sorted, the device has no memory to speak of.
_FEWEST_VALUES: Final = 1 << 10
#: Callers sort columns on many threads, and each would take the memory that is allowed for all.
_ONE_AT_A_TIME: Final = threading.Lock()


def sort(values: Any, ordinal: int, memory_bytes: int) -> NDArray[Any]:
    """The finite values in ascending order, on the host; ``values`` may lie on either side."""
    import cupy

    n = max(1, min(memory_bytes // _ROOM // values.dtype.itemsize, len(values)))
    runs: list[NDArray[Any]] = []
    first = 0
    with _ONE_AT_A_TIME, cupy.cuda.Device(ordinal):
        while first < len(values):
            try:
                runs.append(_sorted(cupy.asarray(values[first : first + n])))
            except raised() as error:
                if not is_out_of_memory(error) or n <= _FEWEST_VALUES:
                    raise
                n //= 2
                say_halved("values are sorted")
                continue
            first += n
    if len(runs) == 1:
        return runs[0]
    merged = np.concatenate(runs) if runs else np.empty(0, values.dtype)
    merged.sort(kind="stable")  # which finds the runs and only merges them
    return merged


def ks_sorted(reference: NDArray[Any], current: NDArray[Any], ordinal: int, memory_bytes: int) -> float:
    """Largest absolute difference of two empirical CDFs, from sorted finite values; 0 where a side is empty."""
    if _ROOM * 8 * (reference.size + current.size) > memory_bytes:
        return cpu_sort.ks_sorted(reference, current)  # one merge, which takes no memory
    if not reference.size or not current.size:
        return 0.0
    try:
        with _ONE_AT_A_TIME:
            return _ks_on_device(reference, current, ordinal)
    except raised() as error:
        if not is_out_of_memory(error):
            raise
        return cpu_sort.ks_sorted(reference, current)


def _ks_on_device(reference: NDArray[Any], current: NDArray[Any], ordinal: int) -> float:
    import cupy

    largest = 0.0
    with cupy.cuda.Device(ordinal):
        f, g = cupy.asarray(reference), cupy.asarray(current)
        for points in (f, g):
            below_f, below_g = (cupy.searchsorted(side, points, side="right") for side in (f, g))
            largest = max(largest, float(cupy.abs(below_f / f.size - below_g / g.size).max()))
    return largest


def _sorted(values: Any) -> NDArray[Any]:
    import cupy

    finite = values[cupy.isfinite(values)] if values.dtype.kind == "f" else values.copy()
    finite.sort()
    return np.asarray(cupy.asnumpy(finite))
