"""Arrays as the host takes them, wherever they are."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def on_host(values: Any) -> NDArray[Any]:
    """NumPy arrays as they are, those of a device as a copy."""
    if isinstance(values, np.ndarray):
        return values
    import cupy

    return np.asarray(cupy.asnumpy(values))
