"""Categorical columns as codes of the reference's vocabulary, a slice at a time; categories compare by their text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.frames.kinds import is_text
from gpudrift.frames.numbers import Raw


class CategoryReader:
    """Rows of one categorical column as codes: its place in the vocabulary, else "new", the code after the last."""

    def __init__(self, raw: Raw, vocabulary: pa.Array) -> None:
        self._raw = as_arrow(raw)
        self._vocabulary = vocabulary

    @property
    def n_rows(self) -> int:
        return len(self._raw)

    def codes(self, start: int, stop: int) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
        """Local codes of rows start to stop (negative: null), and the vocabulary's code of each local one.

        A local value that is itself null (or NaN) gets the code after "new": missing.
        """
        encoded = self._raw.slice(start, stop - start)
        if not pt.is_dictionary(encoded.type):
            encoded = encoded.dictionary_encode()
        encoded = encoded.combine_chunks()
        if isinstance(encoded, pa.ChunkedArray):
            encoded = (
                encoded.unify_dictionaries().combine_chunks() if encoded.num_chunks else pa.array([], encoded.type)
            )
        texts = as_text(encoded.dictionary)
        new = len(self._vocabulary)
        codes = pc.index_in(texts, value_set=self._vocabulary).fill_null(new)
        codes = pc.if_else(texts.is_null(), new + 1, codes)
        local = encoded.indices.cast(pa.int32()).fill_null(-1)
        return local.to_numpy(zero_copy_only=False), codes.to_numpy(zero_copy_only=False).astype(np.int64)


def distinct_texts(raw: Raw, known: pa.Array | None = None) -> pa.Array:
    """Distinct categories of a column as text, together with those already ``known``; no order, no nulls."""
    column = as_arrow(raw)
    if pt.is_dictionary(column.type):
        column = pa.chunked_array([_used(chunk) for chunk in column.chunks], column.type.value_type)
    texts = as_text(column.unique()).drop_null()
    return pa.concat_arrays([known, texts]).unique() if known is not None else texts


def sample_texts(raw: Raw, positions: NDArray[np.int64]) -> pa.Array:
    """Categories at row positions as text, in row order, nulls left out."""
    column = as_arrow(raw).take(pa.array(positions))
    if pt.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    return as_text(column.combine_chunks()).drop_null()


def as_arrow(raw: Raw) -> pa.ChunkedArray:
    """The column as an Arrow column; NumPy numbers go over without a copy."""
    return pa.chunked_array([pa.array(raw)]) if isinstance(raw, np.ndarray) else raw


def as_text(values: Any) -> pa.Array:
    """Text of each value; NaN is null."""
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if pt.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    return (
        values
        if values.type == pa.large_string()
        else values.cast(pa.large_string() if is_text(values.type) else pa.string()).cast(pa.large_string())
    )


def _used(chunk: pa.DictionaryArray) -> pa.Array:
    """The entries of a dictionary that occur in it: a slice carries the whole one along."""
    return chunk.dictionary.take(chunk.indices.unique().drop_null())
