"""Categorical columns as codes of the reference's vocabulary, a slice at a time; categories compare by their text."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.frames.column import Raw, as_arrow, rows, rows_at, viewless
from gpudrift.frames.device import DeviceCategories
from gpudrift.frames.kinds import is_text

#: Rows and bytes whose distinct values are looked for at once.
_ROWS: Final = 1 << 20
_BYTES: Final = 32 << 20
#: Sampled rows that are read at once, however long their texts.
_SAMPLED_ROWS: Final = 1024
#: Whole numbers below it fit 64 bits.
_WHOLE: Final = 2.0**63

NO_TEXTS = pa.nulls(0, pa.large_string())


class CategoryReader:
    """Rows of one categorical column as codes: its place in the vocabulary, else "new", the code after the last."""

    def __init__(self, raw: Raw, vocabulary: pa.Array) -> None:
        self._raw = raw
        self._vocabulary = vocabulary
        self._known: dict[tuple[int, ...], NDArray[np.int32]] = {}  # threads may fill it twice, with the same

    @property
    def n_rows(self) -> int:
        return len(self._raw)

    def codes(self, start: int, stop: int) -> tuple[Any, NDArray[np.int64]]:
        """Codes of rows start to stop (negative: missing), and the vocabulary's code of each.

        Rows on a GPU stay there, as codes of their own dictionary; others come in the vocabulary's codes already.
        """
        if isinstance(self._raw, DeviceCategories):
            return self._raw.codes[start:stop], self._places_of(self._raw.dictionary)
        part = as_arrow(rows(self._raw, start, stop))
        if is_text(part.type):
            found = [self._codes_of(chunk) for chunk in part.chunks]
        elif pt.is_dictionary(part.type):
            found = [self._codes(chunk, self._known) for chunk in part.chunks]
        else:
            found = [self._codes(chunk, {}) for chunk in part.dictionary_encode().chunks]
        local = np.concatenate(found) if found else np.empty(0, np.int32)
        return local, np.arange(len(self._vocabulary) + 1)

    def _codes(self, chunk: pa.DictionaryArray, known: dict[tuple[int, ...], NDArray[np.int32]]) -> NDArray[np.int32]:
        key = _identity(chunk.dictionary)
        if key not in known:
            known[key] = np.append(self._codes_of(chunk.dictionary), np.int32(-1))  # of the index -1, which is null
        indices: NDArray[np.int32] = chunk.indices.cast(pa.int32()).fill_null(-1).to_numpy(zero_copy_only=False)
        return known[key].take(indices)

    def _places_of(self, dictionary: pa.Array) -> NDArray[np.int64]:
        """Where each entry of a dictionary is counted; null and NaN behind "new", with what is missing."""
        key = _identity(dictionary)
        if key not in self._known:
            self._known[key] = self._codes_of(dictionary)
        codes = self._known[key].astype(np.int64)
        return np.where(codes < 0, len(self._vocabulary) + 1, codes)

    def _codes_of(self, values: pa.Array) -> NDArray[np.int32]:
        """The code of each value; negative for null and NaN."""
        texts = as_text(values)
        codes = pc.index_in(texts, value_set=self._vocabulary).fill_null(len(self._vocabulary))
        if texts.null_count:
            codes = pc.if_else(texts.is_null(), -1, codes)
        return np.asarray(codes.to_numpy(zero_copy_only=False), np.int32)


def distinct_texts(raw: Raw, known: pa.Array, *, most: int, most_bytes: int) -> pa.Array | None:
    """Distinct categories of a column as text, together with those already ``known``; no order, no nulls.

    None as soon as there are more than ``most``, or they hold more than ``most_bytes``.
    """
    if isinstance(raw, DeviceCategories):
        known = pa.concat_arrays([known, as_text(raw.distinct()).drop_null()]).unique()
        return None if len(known) > most or _text_bytes(known) > most_bytes else known
    step = max(min(_ROWS, len(raw) * _BYTES // max(raw.nbytes, 1)), 1)
    for start in range(0, len(raw), step):
        part = as_arrow(rows(raw, start, min(start + step, len(raw))))
        if pt.is_dictionary(part.type):  # a slice carries its whole dictionary along
            found = [_entries(chunk, chunk.indices.unique()) for chunk in part.chunks]
        else:
            found = [part.unique()]
        known = pa.concat_arrays([known, *(as_text(values).drop_null() for values in found)]).unique()
        if len(known) > most or _text_bytes(known) > most_bytes:
            return None
    return known


class TextSample:
    """Categories of sampled rows as text, in row order; where they are long, of every second one, every fourth ...

    What is kept depends on the rows alone, not on the batches that they come in.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._stride = 1
        self._seen = 0
        self._parts = [NO_TEXTS]
        self._n_bytes = 0

    def add(self, raw: Raw, positions: NDArray[np.int64]) -> None:
        """Add the rows of a batch at ascending positions."""
        for start in range(0, positions.size, _SAMPLED_ROWS):
            block = positions[start : start + _SAMPLED_ROWS]
            part = rows(raw, int(block[0]), int(block[-1]) + 1)
            found = _texts_at(part, block[-self._seen % self._stride :: self._stride] - block[0])
            self._seen += block.size
            self._parts.append(found)
            self._n_bytes += _text_bytes(found)
            while self._n_bytes > self._most_bytes and self._seen > self._stride:
                self._thin()

    @property
    def texts(self) -> pa.Array:
        """Without nulls."""
        return pa.concat_arrays(self._parts).drop_null()

    def _thin(self) -> None:
        kept = pa.concat_arrays(self._parts)
        kept = kept.take(pa.array(np.arange(0, len(kept), 2)))
        self._stride *= 2
        self._parts = [kept]
        self._n_bytes = _text_bytes(kept)


def as_text(values: pa.Array) -> pa.Array:
    """Text of each value; NaN is null, and a whole number reads the same from integers and floats."""
    if not pt.is_floating(values.type):
        return values.cast(pa.large_string())
    numbers = values.cast(pa.float32()) if values.type.bit_width == 16 else values
    numbers = pc.if_else(pc.is_nan(numbers), None, numbers)
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _WHOLE))
    integers = pc.if_else(whole, numbers, None).cast(pa.int64(), safe=False)
    return pc.coalesce(integers.cast(pa.large_string()), numbers.cast(pa.large_string()))


def _texts_at(raw: Raw, positions: NDArray[np.int64]) -> pa.Array:
    chunks = as_arrow(rows_at(raw, positions)).chunks
    values = (_entries(chunk, chunk.indices) if pt.is_dictionary(chunk.type) else chunk for chunk in chunks)
    return pa.concat_arrays([NO_TEXTS, *map(as_text, values)])


def _text_bytes(texts: pa.Array) -> int:
    return int(pc.sum(pc.binary_length(texts), min_count=0).as_py())


def _entries(chunk: pa.DictionaryArray, indices: pa.Array) -> pa.Array:
    return viewless(chunk.dictionary).take(indices)


def _identity(array: pa.Array) -> tuple[int, ...]:
    """The same for two arrays that are one in memory."""
    addresses = (buffer.address if buffer is not None else 0 for buffer in array.buffers())
    return (*addresses, array.offset, len(array))
