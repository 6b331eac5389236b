"""How each column of a profile is counted and binned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gpudrift.frames import Kind
from gpudrift.profiles.extent import Extent, extent
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.rules import N_SPECIAL

#: Counters of one column, ascending, and the rows of each: int64, or float64 for effective rows.
Counted: TypeAlias = tuple[NDArray[np.int64], NDArray[Any]]


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
        Largest share of the reference in an index that holds more than one value: without weights no KS interval is
        wider.
    grows : bool
        Non-decreasing through the reference, as a counter or a clock is.
    unique : bool
        All sampled values differ, as those of an identifier do.
    cells : ndarray of int64, ascending, optional
        First index of each cell of a grid, whose cells are counted then; the plan's indices themselves without it.
    """

    name: str
    dtype: str
    meaning: str
    plan: CellPlan
    bin_starts: NDArray[np.int64]
    width: float
    grows: bool
    unique: bool
    cells: NDArray[np.int64] | None = None

    @property
    def kind(self) -> Kind:
        return "numeric"

    @property
    def n_values(self) -> int:
        """Counters of finite values; those of missing and infinite ones follow, by ``gpudrift_kernels.rules``."""
        return self.plan.n_index if self.cells is None else self.cells.size

    @property
    def n_counters(self) -> int:
        return self.n_values + N_SPECIAL

    def value_counts(self, counted: Counted) -> Counted:
        """Occupied indices (the first ones of occupied cells) and their rows, without the special counters."""
        counters, rows = counted
        end = counters.searchsorted(self.n_values)
        return counters[:end] if self.cells is None else self.cells[counters[:end]], rows[:end]

    def extent(self, indices: NDArray[np.int64]) -> Extent:
        """Smallest and largest value of each of the indices that ``value_counts`` gives, ascending."""
        if self.cells is None:
            return extent(indices, self.plan)
        following = np.searchsorted(self.cells, indices) + 1
        return extent(indices, self.plan, until=np.append(self.cells, self.plan.n_index)[following])


@dataclass(frozen=True)
class Pooled:
    """Rare categories that share a cell: its place, and how many categories the reference holds once, and twice."""

    place: int
    once: int
    twice: int


@dataclass(frozen=True, eq=False)
class CategoricalColumn:
    """A column of categories: the reference's vocabulary, then "new", then missing.

    Attributes
    ----------
    vocabulary : pyarrow.Array of large_string
        Distinct texts of the reference, sorted by their UTF-8 bytes.
    truncated : bool
        The reference holds more categories than are kept: the rest is counted with "new" as "other".
    pooled : Pooled, optional
        The last category of a grid's vocabulary, where it stands for many.
    """

    name: str
    dtype: str
    vocabulary: pa.Array
    truncated: bool
    unique: bool
    pooled: Pooled | None = None

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
