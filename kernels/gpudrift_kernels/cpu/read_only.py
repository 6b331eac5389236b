"""Arrays as every kernel takes them: contiguous and read-only, so that one compiled version serves all callers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def read_only(values: NDArray[Any]) -> NDArray[Any]:
    """A read-only view of ``values``, which are copied only where they are strided."""
    view = np.ascontiguousarray(values)[...]
    view.setflags(write=False)
    return view
