"""Row weights as whole multiples of a unit, so that their sums have the same bits in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.errors import DataError
from gpudrift.frames import Batch, Problem, Source, column_kind, family, floats, held_type, require_columns, type_name

#: Units that the largest weight of a reference has: 26 bits to be weighed, 36 for as many rows to add up in. Current
#: weights may be 16,000 times as large.
_BITS: Final = 26
_ROWS_SQUARED: Final = 1 << 22
_MOST_UNITS: Final = 2.0**40
_MOST_SUM: Final = 2.0**62
#: Units that the average weight must have, for a rounding of 0.1% at most.
_FEWEST_UNITS: Final = 2.0**9


@dataclass
class RowWeights:
    """The weights of the rows of one source, read batch by batch.

    A weight that is missing, negative or not finite counts as 0, and is named in ``problems``: its row stays.

    Parameters
    ----------
    name : str
        Column of the weights.
    exponent : int
        A weight counts as round(weight / 2**exponent) units.
    """

    name: str
    exponent: int
    role: str
    n_rows: int = 0
    n_invalid: int = 0
    n_above_zero: int = 0
    total: int = 0

    @classmethod
    def of(cls, source: Source, name: str, role: str, exponent: int) -> RowWeights:
        """The weights of a source, whose column must be of numbers.

        Raises
        ------
        DataError
            The source has no such column, or one of another type.
        """
        check_weights(source, name, role)
        return cls(name, exponent, role)

    def units(self, batch: Batch) -> NDArray[np.int64]:
        """Units of each row; int64, shape (n_rows,).

        Raises
        ------
        DataError
            A weight too large for the unit.
        """
        values = floats(batch.columns[self.name])
        valid = values >= 0  # false for NaN, which an infinity is too
        values = np.where(valid, values, 0.0)
        with np.errstate(over="ignore"):
            scaled = np.ldexp(values, -self.exponent)
        if scaled.max(initial=0.0) > _MOST_UNITS or self.total + float(scaled.sum()) > _MOST_SUM:
            raise DataError(
                f"weights {self.name!r} of the {self.role} data are too large beside those of the reference "
                f"(up to {values.max():.3g}, over 16,000 times as large); check the largest, or scale both sides alike"
            )
        units: NDArray[np.int64] = np.rint(scaled).astype(np.int64)
        self.n_rows += units.size
        self.n_invalid += int(np.count_nonzero(~valid))
        self.n_above_zero += int(np.count_nonzero(values))
        self.total += int(units.sum())
        return units

    def problems(self) -> list[Problem]:
        """What to know of the weights that were read.

        Raises
        ------
        DataError
            No weight is above 0, or they are too small for the unit.
        """
        if not self.n_rows:
            return []
        if not self.n_above_zero:
            what = "are all 0, negative or missing"
            raise DataError(f"weights {self.name!r} of the {self.role} data {what}; name the column that holds them")
        if self.total < _FEWEST_UNITS * self.n_above_zero:
            beside = "the largest of them" if self.role == "reference" else "those of the reference"
            what = f"are too small beside {beside} to be added up exactly"
            remedy = "cut the largest" if self.role == "reference" else "scale them to average about 1 on both sides"
            raise DataError(f"weights {self.name!r} of the {self.role} data {what}; {remedy}")
        if not self.n_invalid:
            return []
        weights, are = ("weights", "are") if self.n_invalid > 1 else ("weight", "is")
        what = f"holds {self.n_invalid:,} {weights} in the {self.role} data that {are} negative, missing or not finite"
        return [Problem(self.name, what, "they count as 0; mend them or drop the rows")]


def check_weights(source: Source, name: str, role: str) -> None:
    """Raise DataError unless the source has a column of numbers of that name."""
    require_columns(source, [name], role)
    dtype = source.types.get(name)
    if dtype is None or column_kind(held_type(dtype)) != "numeric" or family(dtype) != "number":
        held = "cannot be read" if dtype is None else f"is {type_name(dtype)}"
        raise DataError(f"weights {name!r} {held} in the {role} data; name a column of numbers")


def unit_exponent(source: Source, name: str) -> int:
    """Exponent of the unit for the weights of a reference: its largest weight has 2**25 to 2**26 units."""
    check_weights(source, name, "reference")
    largest = 0.0
    for batch in source.batches([name]):
        values = floats(batch.columns[name])
        largest = max(largest, float(np.max(values, initial=0.0, where=values >= 0)))
    return int(np.frexp(largest)[1]) - _BITS if largest else 0


def squares_by_group(units: NDArray[np.int64], groups: NDArray[np.int32], n_groups: int) -> list[int]:
    """Exact sum of squares of up to 2**40 units each, of every group."""
    totals = [0] * n_groups
    for start in range(0, units.size, _ROWS_SQUARED):
        rows = slice(start, start + _ROWS_SQUARED)
        high, low = units[rows] >> 20, units[rows] & 0xFFFFF  # 20 bits each: 2**22 products of 40 fit 64
        for product, shift in ((high * high, 40), (high * low, 21), (low * low, 0)):
            sums = np.zeros(n_groups, np.int64)
            np.add.at(sums, groups[rows], product)
            totals = [total + (more << shift) for total, more in zip(totals, sums.tolist(), strict=True)]
    return totals
