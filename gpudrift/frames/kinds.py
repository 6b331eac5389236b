"""Which columns are numbers and which are categories, and which types can be compared with each other."""

from __future__ import annotations

from typing import Literal

import pyarrow as pa
import pyarrow.types as pt

Kind = Literal["numeric", "categorical"]


def column_kind(dtype: pa.DataType) -> Kind | None:
    """Kind of a column by its type; None for a type that has neither (nested, binary, all null).

    Integers, floats, decimals, dates, times and timestamps are numeric; booleans, strings and dictionaries
    categorical.

    Examples
    --------
    >>> import pyarrow as pa
    >>> column_kind(pa.int16()), column_kind(pa.string()), column_kind(pa.list_(pa.int8()))
    ('numeric', 'categorical', None)
    """
    if _family(dtype) is not None:
        return "numeric"
    if pt.is_boolean(dtype) or is_text(dtype) or pt.is_dictionary(dtype):
        return "categorical"
    return None


def is_text(dtype: pa.DataType) -> bool:
    """Whether a type is one of Arrow's string types."""
    return bool(pt.is_string(dtype) or pt.is_large_string(dtype) or pt.is_string_view(dtype))


def castable(dtype: pa.DataType, kind: Kind) -> bool:
    """Whether a column of this type can be treated as ``kind`` when its user asks for it."""
    if kind == "numeric":
        return _family(dtype) is not None or pt.is_boolean(dtype)
    return column_kind(dtype) is not None


def mismatch(reference: str, current: pa.DataType) -> str | None:
    """Why a current column cannot be counted as numbers against a reference of another type; None where it can.

    Numbers go with numbers of any width. A timestamp goes with a timestamp of any unit, if both or neither have a
    zone.
    """
    family = "number" if pt.is_boolean(current) else _family(current)
    if family is None or family != reference.partition("/")[0]:
        return f"is {current} in the current data"
    return None


def family(dtype: pa.DataType) -> str:
    """What the numbers of a column mean, with the unit of time where there is one: 'number', 'timestamp/ns'."""
    name = "number" if pt.is_boolean(dtype) else _family(dtype)
    if name is None:
        raise TypeError(f"{dtype} is not numeric")
    if name in ("number", "date"):
        return name
    return f"{name}/{dtype.unit}"


def _family(dtype: pa.DataType) -> str | None:
    if pt.is_integer(dtype) or pt.is_floating(dtype) or pt.is_decimal(dtype):
        return "number"
    if pt.is_timestamp(dtype):
        return "instant" if dtype.tz else "timestamp"
    if pt.is_date(dtype):
        return "date"
    if pt.is_time(dtype):
        return "time"
    if pt.is_duration(dtype):
        return "duration"
    return None
