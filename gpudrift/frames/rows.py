"""Rows of a column for training, in their order and with a place for what is missing."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.frames.arrow_texts import joined_texts
from gpudrift.frames.column import Raw, as_arrow
from gpudrift.frames.kinds import held_type
from gpudrift.frames.numbers import nearest_doubles


def floats(raw: Raw) -> NDArray[np.float64]:
    """A column of numbers or booleans as float64; null, NaN and the infinities are NaN.

    Examples
    --------
    >>> floats(pa.chunked_array([[1, None, 3]]))
    array([ 1., nan,  3.])
    """
    if isinstance(raw, np.ndarray):
        values = raw.astype(np.float64)
    else:
        column = as_arrow(raw)
        held = held_type(column.type)
        column = column.cast(held) if pt.is_dictionary(column.type) else column
        column = column.cast(pa.uint8()) if pt.is_boolean(held) else column
        if pt.is_decimal(held):
            values = np.full(len(column), np.nan)
            values[np.asarray(column.is_valid())] = nearest_doubles(column.drop_null())
        else:
            values = np.array(column.cast(pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def texts(raw: Raw) -> pa.Array:
    """A column of categories as text; null and NaN are null."""
    return joined_texts(as_arrow(raw))
