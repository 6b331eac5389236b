"""Target: what a model predicts, a number or one of the classes that it was told of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Raw, column_kind, floats, texts

Task = Literal["auto", "classification", "regression"]

_MOST_CLASSES: Final = 100
#: Its square is a float32 still; nanoseconds since 1970 are below.
_MOST_NUMBER: Final = 1.8e19
#: No labels, in the text of a number.
_INFINITE: Final = frozenset({"inf", "-inf"})
_DECODERS: Final[dict[str, Callable[[str], object]]] = {
    "bool": lambda text: text == "true",
    "int": int,
    "float": float,
    "text": str,
}


@dataclass(frozen=True)
class Target:
    """Name of the target, and its classes by their text; no classes: it is a number.

    Examples
    --------
    >>> target = Target("late", ("false", "true"), "bool")
    >>> target.encode(pa.chunked_array([[True, False]]), "rows").tolist(), target.decode(np.array([1]))
    ([1, 0], array([ True]))
    """

    name: str
    classes: tuple[str, ...] = ()
    holds: str = "float"

    @property
    def n_classes(self) -> int | None:
        """None for a number."""
        return len(self.classes) or None

    def encode(self, raw: Raw, role: str) -> NDArray[Any]:
        """Numbers as float64, classes as int64 codes; every row has a label.

        Raises
        ------
        DataError
            A class that the model was not told of, or not a number where it learned numbers, or one whose square
            overflows.
        """
        if not self.classes:
            if column_kind(pa.from_numpy_dtype(raw.dtype) if isinstance(raw, np.ndarray) else raw.type) != "numeric":
                raise DataError(f"{self.name!r} is no number in the {role}, and the model predicts one; cast it")
            numbers = floats(raw)
            if numbers.size and (largest := float(np.abs(numbers).max())) > _MOST_NUMBER:
                reached = f"{self.name!r} reaches {largest:.3g} in the {role}"
                raise DataError(f"{reached}, and its square overflows; scale it")
            return numbers
        values = texts(raw)
        place = pc.index_in(values, value_set=pa.array(self.classes, pa.large_string()))
        if place.null_count:
            new = sorted(pc.unique(values.filter(place.is_null())).to_pylist())
            raise DataError(
                f"{self.name!r} holds class {new[0]!r} in the {role}, new to the model; fit anew to learn it"
            )
        return np.asarray(place.to_numpy(zero_copy_only=False)).astype(np.int64)

    def decode(self, codes: NDArray[Any]) -> NDArray[Any]:
        """Classes of codes, in the type that they came in."""
        decoded = np.array([_DECODERS[self.holds](text) for text in self.classes])
        return np.asarray(decoded[codes])


def has_label(raw: Raw) -> NDArray[np.bool_]:
    """Whether each row has a label: not null, NaN or infinite."""
    dtype = pa.from_numpy_dtype(raw.dtype) if isinstance(raw, np.ndarray) else raw.type
    if column_kind(dtype) == "numeric":
        return ~np.isnan(floats(raw))
    return np.asarray(texts(raw).is_valid().to_numpy(zero_copy_only=False))


def fit_target(name: str, dtype: pa.DataType, labels: Iterable[Raw], task: Task) -> Target:
    """The classes of a column, or that it is a number.

    With "auto", text and booleans are classes, and so are integers that are all 0 or 1; other numbers are numbers.

    Raises
    ------
    DataError
        One class only, more than 100, or a type that is neither.
    """
    kind = column_kind(dtype)
    if kind is None or (kind == "numeric" and pt.is_temporal(dtype)):
        raise DataError(f"target {name!r} is {dtype}, neither a number nor a class; cast it")
    if task == "regression" or (task == "auto" and pt.is_floating(dtype)):
        if kind != "numeric":
            raise DataError(f"target {name!r} is {dtype}, and a regression needs numbers; cast it")
        return Target(name)
    found: set[str] = set()
    for raw in labels:
        found.update(texts(raw).unique().drop_null().to_pylist())
        if kind == "numeric":
            found -= _INFINITE
        if task == "auto" and kind == "numeric" and found - {"0", "1"}:
            return Target(name)
        if len(found) > _MOST_CLASSES:
            raise DataError(
                f"target {name!r} has more than {_MOST_CLASSES} classes; group them, or pass task='regression'"
            )
    if len(found) < 2:
        shown = f"only class {min(found)!r}" if found else "no label"
        raise DataError(f"target {name!r} holds {shown}; pass rows of two classes or more")
    holds = (
        "bool"
        if pt.is_boolean(dtype)
        else "int"
        if pt.is_integer(dtype)
        else "float"
        if pt.is_floating(dtype)
        else "text"
    )
    order = sorted(found) if holds in ("bool", "text") else sorted(found, key=float)
    return Target(name, tuple(order), holds)
