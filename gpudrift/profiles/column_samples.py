"""What a first reading of the reference keeps of each column, to plan how it is counted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gpudrift.frames import (
    Problem,
    Raw,
    Source,
    TextCounter,
    TextCounts,
    TextSample,
    family,
    number_sample,
    type_name,
)
from gpudrift.profiles.columns import CategoricalColumn, Column, NumericColumn
from gpudrift.profiles.sampling import SAMPLE_ROWS, grows, unique_numbers, whole
from gpudrift_kernels.cells import CellPlan
from gpudrift_kernels.planning import plan_cells, plan_of_few, storage_dtype

#: Categories, and bytes of text, that a vocabulary may hold; of more, the most frequent of the sample are kept.
MAX_CATEGORIES: Final = 1 << 16
MAX_CATEGORY_BYTES: Final = 1 << 24
_KEPT_OF_MORE: Final = 1 << 10


class Planned(NamedTuple):
    """A column, or why there is none.

    Attributes
    ----------
    rows : ndarray of int64, optional
        Rows of each of its counters, where the first reading has counted them already.
    """

    column: Column | Problem
    rows: NDArray[np.int64] | None = None


class NumberSample:
    """Sampled values of one numeric column, in row order; first a few of them, which mostly tell enough."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self._dtype = source.types[name]
        self._n_rows = source.n_rows or 0
        self._few: list[NDArray[Any]] = []
        self._parts: list[NDArray[Any]] = []
        self._column: NumericColumn | None = None

    def add_few(self, raw: Raw, positions: NDArray[np.int64]) -> None:
        """Keep the values of the few rows of a batch."""
        self._few.append(number_sample(raw, positions, family(self._dtype)))

    def add(self, raw: Raw, positions: NDArray[np.int64]) -> None:
        """Keep the values of the sampled rows of a batch."""
        self._parts.append(number_sample(raw, positions, family(self._dtype)))

    def needs(self, _: int) -> bool:
        """Whether it needs the sampled rows, of which there are so many: where the few cannot tell."""
        if self._few:
            values, self._few = _joined(self._few), []
            plan = None if whole(values) else plan_of_few(np.sort(values[np.isfinite(values)]))
            self._column = None if plan is None else self._planned(plan)
        return self._column is None

    def plan(self) -> Planned:
        self.needs(0)
        column = self._column or self._from_all()
        self._parts = []  # planned once: the samples of a wide table are not kept while it is counted
        return Planned(column)

    def _from_all(self) -> NumericColumn:
        values = _joined(self._parts)
        if values.dtype.kind == "f" and not (present := np.isfinite(values)).all():
            values = values[present]
        in_row_order = grows(values), unique_numbers(values, self._n_rows)
        values = values.astype(storage_dtype(values), copy=not values.flags.writeable)
        values.sort()
        return self._planned(plan_cells(values, whole=self._n_rows <= SAMPLE_ROWS), *in_row_order)

    def _planned(self, plan: CellPlan, grows: bool = False, unique: bool = False) -> NumericColumn:
        return NumericColumn(
            name=self.name,
            dtype=type_name(self._dtype),
            meaning=family(self._dtype),
            plan=plan,
            bin_starts=np.empty(0, np.int64),
            width=0.0,
            grows=grows,
            unique=unique,
        )


def _joined(parts: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(parts) if len(parts) > 1 else parts[0]


class CategorySample:
    """Sampled texts of one categorical column, and all of its rows counted by text while these are few."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self._dtype = source.types[name]
        self._sample = TextSample(MAX_CATEGORY_BYTES)
        self._counter = TextCounter(most=MAX_CATEGORIES, most_bytes=MAX_CATEGORY_BYTES)
        self._counted: TextCounts | None = None

    def add(self, raw: Raw, positions: NDArray[np.int64]) -> None:
        """Keep the texts of the sampled rows of a batch."""
        self._sample.add(raw, positions)

    def count(self, piece: Raw) -> None:
        """Count rows; any number of threads may do so at once."""
        self._counter.add(piece)

    def finish(self) -> None:
        """All rows have been counted."""
        self._counted = self._counter.finish()

    def needs(self, n_sampled: int) -> bool:
        """Whether it needs the sampled rows, of which there are so many.

        It does not where fewer texts than these rows were counted: two of them hold the same one. Unless rows were left
        out for the length of their texts.
        """
        if self._counted is None:
            return True
        texts, _, n_missing = self._counted
        longest = pc.max(pc.binary_length(texts)).as_py() or 0
        return len(texts) >= n_sampled - n_missing or longest * n_sampled > MAX_CATEGORY_BYTES

    def plan(self) -> Planned:
        texts, counted, self._counted = self._sample.texts, self._counted, None
        kept = _most_frequent(texts) if counted is None else counted.texts
        try:
            kept.validate(full=True)
        except pa.ArrowInvalid:
            what = "holds text that is not UTF-8 in the reference"
            return Planned(Problem(self.name, what, "decode it with its own encoding"))
        order = pc.sort_indices(kept)
        column = CategoricalColumn(
            name=self.name,
            dtype=type_name(self._dtype),
            vocabulary=kept.take(order),
            truncated=counted is None,
            unique=len(texts) >= 100 and len(texts.unique()) == len(texts),
        )
        if counted is None:
            return Planned(column)
        return Planned(column, np.concatenate([counted.rows[order.to_numpy()], [0, counted.n_missing]]))


def _most_frequent(texts: pa.Array) -> pa.Array:
    counted = pa.table({"text": texts}).group_by("text").aggregate([([], "count_all")])
    ordered = counted.sort_by([("count_all", "descending"), ("text", "ascending")])
    return ordered["text"].combine_chunks().slice(0, _KEPT_OF_MORE)
