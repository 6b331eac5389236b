"""Sort: CuPy does it on the device; what does not fit the memory allowed a part at a time, merged on the host."""

from __future__ import annotations

import threading
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cuda.failures import is_out_of_memory, raised
from gpudrift_kernels.cuda.memory import say_halved

#: Bytes that a sort takes beside each byte of its input, about: radix sort has a second buffer.
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


def _sorted(values: Any) -> NDArray[Any]:
    import cupy

    finite = values[cupy.isfinite(values)] if values.dtype.kind == "f" else values.copy()
    finite.sort()
    return np.asarray(cupy.asnumpy(finite))
