"""Columns to measure with: four shapes, two sides."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Table = dict[str, NDArray[Any]]

N_SHAPES: Final = 4
"""Normal, log-normal, uniform, and normal with 30% zeros."""


def table(rows: int, features: int, dtype: str, side: int) -> Table:
    """Columns of four shapes in turn.

    Parameters
    ----------
    rows, features : int
    dtype : {"float32", "float64"}
    side : {0, 1}
        0 is the reference; on side 1 every shape has moved by a quarter of a deviation, or is a quarter wider.

    Examples
    --------
    >>> {name: column.dtype.name for name, column in table(10, 2, "float32", 0).items()}
    {'x0': 'float32', 'x1': 'float32'}
    """
    return {f"x{j}": column(rows, j, dtype, side) for j in range(features)}


def column(rows: int, j: int, dtype: str, side: int) -> NDArray[Any]:
    """Column ``j`` of a side; its values depend on nothing else."""
    rng = np.random.default_rng([side, j])
    kind: Any = np.dtype(dtype).type
    shift = kind(side * 0.25)
    if j % N_SHAPES == 2:
        values: NDArray[Any] = rng.random(rows, kind) * (1 + shift)
        return values
    values = rng.standard_normal(rows, kind) + shift
    if j % N_SHAPES == 1:
        np.exp(values, out=values)
    elif j % N_SHAPES == 3:
        values[rng.random(rows, np.float32) < 0.3] = 0
    return values
