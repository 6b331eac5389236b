"""What a first reading of the reference keeps of each column, to plan how it is counted."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gpudrift.frames import (
    NO_TEXTS,
    Problem,
    Raw,
    Source,
    TextSample,
    distinct_texts,
    family,
    number_sample,
    type_name,
)
from gpudrift.profiles.columns import CategoricalColumn, NumericColumn
from gpudrift.profiles.sampling import SAMPLE_ROWS, grows, unique_numbers
from gpudrift_kernels.planning import plan_cells, storage_dtype

#: Categories, and bytes of text, that a vocabulary may hold; of more, the most frequent of the sample are kept.
MAX_CATEGORIES: Final = 1 << 16
MAX_CATEGORY_BYTES: Final = 1 << 24
_KEPT_OF_MORE: Final = 1 << 10


class NumberSample:
    """Sampled values of one numeric column, in row order."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self._dtype = source.types[name]
        self._n_rows = source.n_rows or 0
        self._parts: list[NDArray[Any]] = []

    def add(self, raw: Raw, positions: NDArray[np.int64]) -> None:
        self._parts.append(number_sample(raw, positions, family(self._dtype)))

    def plan(self) -> NumericColumn:
        values = np.concatenate(self._parts) if len(self._parts) > 1 else self._parts[0]
        self._parts = []  # planned once: the samples of a wide table are not kept while it is counted
        finite = values
        if values.dtype.kind == "f" and not (present := np.isfinite(values)).all():
            finite = values[present]
        ascending = np.sort(finite.astype(storage_dtype(finite), copy=False))
        return NumericColumn(
            name=self.name,
            dtype=type_name(self._dtype),
            meaning=family(self._dtype),
            plan=plan_cells(ascending, whole=self._n_rows <= SAMPLE_ROWS),
            bin_starts=np.empty(0, np.int64),
            width=0.0,
            grows=grows(finite),
            unique=unique_numbers(finite, self._n_rows),
        )


class CategorySample:
    """Sampled texts of one categorical column, and the distinct ones of all its rows while they are few."""

    def __init__(self, name: str, source: Source) -> None:
        self.name = name
        self._dtype = source.types[name]
        self._sample = TextSample(MAX_CATEGORY_BYTES)
        self._distinct: pa.Array | None = NO_TEXTS

    def add(self, raw: Raw, positions: NDArray[np.int64]) -> None:
        self._sample.add(raw, positions)
        if self._distinct is not None:
            self._distinct = distinct_texts(raw, self._distinct, most=MAX_CATEGORIES, most_bytes=MAX_CATEGORY_BYTES)

    def plan(self) -> CategoricalColumn | Problem:
        texts = self._sample.texts
        kept = _most_frequent(texts) if self._distinct is None else self._distinct
        try:
            kept.validate(full=True)
        except pa.ArrowInvalid:
            what = "holds text that is not UTF-8 in the reference"
            return Problem(self.name, what, "decode it with its own encoding")
        return CategoricalColumn(
            name=self.name,
            dtype=type_name(self._dtype),
            vocabulary=kept.take(pc.sort_indices(kept)),
            truncated=self._distinct is None,
            unique=len(texts) >= 100 and len(texts.unique()) == len(texts),
        )


def _most_frequent(texts: pa.Array) -> pa.Array:
    counted = pa.table({"text": texts}).group_by("text").aggregate([([], "count_all")])
    ordered = counted.sort_by([("count_all", "descending"), ("text", "ascending")])
    return ordered["text"].combine_chunks().slice(0, _KEPT_OF_MORE)
