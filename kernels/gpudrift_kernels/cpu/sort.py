"""Sort: what every exact distance begins with."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def sort(values: NDArray[Any], *, overwrite: bool = False) -> NDArray[Any]:
    """The finite values in ascending order; a copy, unless ``values`` may be overwritten.

    NumPy sorts without the GIL, with AVX-512 where there is.
    """
    if overwrite:
        values.sort()
    else:
        values = np.sort(values)
    if values.dtype.kind != "f":
        return values
    infinity = values.dtype.type(np.inf)  # one of another type would have all values converted to search among them
    first, last = values.searchsorted(-infinity, "right"), values.searchsorted(infinity, "left")
    return values[first:last]  # NaN comes after all others
