"""Where the numbers that a model predicts are measured from."""

from __future__ import annotations

from typing import Any, Final

from numpy.typing import NDArray

#: Of the seven digits that float32 holds, four are left for what differs.
_FAR: Final = 1000.0


def origin_of(labels: NDArray[Any]) -> float:
    """The mean of labels that lie a thousand times their spread or more from 0, else 0.

    Trees take labels in float32, or square them: of prices about 1e8 that differ by ones nothing would be left.

    Examples
    --------
    >>> import numpy as np
    >>> origin_of(np.array([1e8, 1e8 + 2])), origin_of(np.array([1.0, 3.0]))
    (100000001.0, 0.0)
    """
    mean = float(labels.mean())
    return mean if abs(mean) > _FAR * float(labels.std()) > 0 else 0.0
