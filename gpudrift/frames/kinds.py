"""Which columns are numbers and which are categories, and which types can be compared with each other."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, Literal, TypeVar, cast

import pyarrow as pa
import pyarrow.types as pt

Kind = Literal["numeric", "categorical"]
_Function = TypeVar("_Function", bound=Callable[..., Any])


def _by_type(function: _Function) -> _Function:
    """Keep what a function says of types, but for those that cannot be hashed, as extensions of a user's may be."""
    kept = lru_cache(maxsize=1024)(function)

    @wraps(function)
    def found(*types: Any) -> Any:
        try:
            hash(types)
        except TypeError:
            return function(*types)
        return kept(*types)

    return cast("_Function", found)


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
    held = held_type(dtype)
    if pt.is_boolean(held) or is_text(held):
        return "categorical"
    if _family(held) is None:
        return None
    return "categorical" if pt.is_dictionary(dtype) else "numeric"


def held_type(dtype: pa.DataType) -> pa.DataType:
    """Type of the values, whether or not they are dictionary-encoded."""
    return dtype.value_type if pt.is_dictionary(dtype) else dtype


def is_text(dtype: pa.DataType) -> bool:
    """Whether a type is one of Arrow's string types."""
    return bool(pt.is_string(dtype) or pt.is_large_string(dtype) or pt.is_string_view(dtype))


@_by_type
def type_name(dtype: pa.DataType) -> str:
    """What a column holds, by NumPy's name where it has one; the same however it is encoded.

    Examples
    --------
    >>> import pyarrow as pa
    >>> type_name(pa.dictionary(pa.int8(), pa.large_string())), type_name(pa.float64()), type_name(pa.date32())
    ('string', 'float64', 'date32[day]')
    """
    held = held_type(dtype)
    if is_text(held):
        return "string"
    if pt.is_floating(held):
        return f"float{held.bit_width}"
    return str(held)


def castable(dtype: pa.DataType, kind: Kind) -> bool:
    """Whether a column of this type can be treated as ``kind`` when its user asks for it."""
    held = held_type(dtype)
    return _family(held) is not None or pt.is_boolean(held) or (kind == "categorical" and is_text(held))


@_by_type
def family(dtype: pa.DataType) -> str:
    """What the numbers of a column mean, with the unit of time where there is one: 'number', 'timestamp/ns'.

    Raises
    ------
    TypeError
        The type has no numbers.
    """
    held = held_type(dtype)
    name = "number" if pt.is_boolean(held) else _family(held)
    if name is None:
        raise TypeError(f"{dtype} is not numeric")
    return name if name in ("number", "date") else f"{name}/{held.unit}"


@_by_type
def numbers_fit(meaning: str, current: pa.DataType) -> bool:
    """Whether current values can be counted as numbers that mean ``meaning`` (of ``family``) in the reference.

    Numbers go with numbers of any width, and a boolean goes as 0 or 1. A timestamp goes with a timestamp of any unit,
    if both or neither have a zone. A column that is all null has no type and goes anywhere.
    """
    held = held_type(current)
    found = "number" if pt.is_boolean(held) else _family(held)
    return pt.is_null(held) or found == meaning.partition("/")[0]


@_by_type
def categories_fit(reference: str, current: pa.DataType) -> bool:
    """Whether current categories can be those of a reference that holds ``reference`` (of ``type_name``).

    Text goes with text, and integers and floats with each other. The rest needs the same type: the text of a time
    depends on its unit.
    """
    name = type_name(current)
    return pt.is_null(held_type(current)) or name == reference or (_is_number(name) and _is_number(reference))


def _is_number(name: str) -> bool:
    return name.startswith(("int", "uint", "float"))


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
