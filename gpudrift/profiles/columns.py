"""How each column of a profile is counted and binned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gpudrift.frames import Kind
from gpudrift_kernels.cells import CellPlan

#: Counters of one column, ascending, and the rows of each.
Counted: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True, eq=False)
class NumericColumn:
    """A column of numbers: its cell plan and its PSI bins.

    Attributes
    ----------
    dtype : str
        Arrow type of the reference column.
    meaning : str
        Family and unit of the numbers: "number", "timestamp/ns", ...
    bin_starts : ndarray of int64, ascending
        Indices at which a PSI bin begins; the first bin is open below and has none.
    width : float
        Largest share of the reference in an index that holds more than one value: no KS interval is wider.
    grows : bool
        Non-decreasing through the reference, as a counter or a clock is.
    unique : bool
        All sampled values differ, as those of an identifier do.
    """

    name: str
    dtype: str
    meaning: str
    plan: CellPlan
    bin_starts: NDArray[np.int64]
    width: float
    grows: bool
    unique: bool

    @property
    def kind(self) -> Kind:
        return "numeric"

    @property
    def n_counters(self) -> int:
        return self.plan.n_counters

    def value_counts(self, counted: Counted) -> Counted:
        """Occupied indices and their rows, without the special counters."""
        indices, rows = counted
        end = np.searchsorted(indices, self.plan.n_index)
        return indices[:end], rows[:end]


@dataclass(frozen=True, eq=False)
class CategoricalColumn:
    """A column of categories: the reference's vocabulary, then "new", then missing.

    Attributes
    ----------
    vocabulary : pyarrow.Array of large_string
        Distinct texts of the reference, sorted by their UTF-8 bytes.
    truncated : bool
        The reference holds more categories than are kept: the rest is counted with "new" as "other".
    """

    name: str
    dtype: str
    vocabulary: pa.Array
    truncated: bool
    unique: bool

    @property
    def kind(self) -> Kind:
        return "categorical"

    @property
    def grows(self) -> bool:
        return False

    @property
    def n_counters(self) -> int:
        return len(self.vocabulary) + 2


Column = NumericColumn | CategoricalColumn
