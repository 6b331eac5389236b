"""Categorical columns as codes of the reference's vocabulary, a slice at a time; categories compare by their text."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.frames.arrow_texts import as_bytes, in_place, parts_in_place
from gpudrift.frames.column import Raw, arrow_type, as_arrow, codes_of, joined_chunks, rows
from gpudrift.frames.device import DeviceCategories
from gpudrift.frames.kinds import is_text
from gpudrift_kernels.cpu.texts import TextTable, text_table
from gpudrift_kernels.lazily import lazily


class CategoryReader:
    """Rows of one categorical column as codes: its place in the vocabulary, else "new", the code after the last."""

    def __init__(self, raw: Raw, vocabulary: pa.Array) -> None:
        self._raw = raw
        self._vocabulary = vocabulary
        self._known: dict[tuple[int, ...], NDArray[np.int32]] = {}  # threads may fill it twice, with the same

    @property
    def n_rows(self) -> int:
        return len(self._raw)

    @property
    def in_place(self) -> bool:
        return not isinstance(self._raw, DeviceCategories) and is_text(arrow_type(self._raw))

    def codes(self, start: int, stop: int) -> tuple[Any, NDArray[np.int64]]:
        """Codes of rows start to stop (negative: missing), and the vocabulary's code of each.

        Rows on a GPU stay there, as codes of their own dictionary; others come in the vocabulary's codes already.
        """
        if isinstance(self._raw, DeviceCategories):
            return self._raw.codes[start:stop], self._places_of(self._raw.dictionary)
        part = as_arrow(rows(self._raw, start, stop))
        if is_text(part.type):
            found = [self._codes_of(chunk) for chunk in joined_chunks(part)]
        elif pt.is_dictionary(part.type):
            found = [self._codes(chunk, self._known) for chunk in part.chunks]
        else:
            found = [self._codes(chunk, {}) for chunk in part.dictionary_encode().chunks]
        local = found[0] if len(found) == 1 else np.concatenate([np.empty(0, np.int32), *found])
        return local, np.arange(len(self._vocabulary) + 1)

    def counts(self, start: int, stop: int) -> NDArray[np.int64] | None:
        """Rows start to stop of each text of the vocabulary, "new", and missing; None where they are no texts."""
        if not self.in_place:
            return None
        part = as_arrow(rows(self._raw, start, stop))
        return self._table.counts(parts_in_place(part))

    def _codes(self, chunk: pa.DictionaryArray, known: dict[tuple[int, ...], NDArray[np.int32]]) -> NDArray[np.int32]:
        key = _identity(chunk.dictionary)
        if key not in known:
            known[key] = np.append(self._codes_of(chunk.dictionary), np.int32(-1))  # of the index -1, which is null
        return known[key].take(codes_of(chunk))

    def _places_of(self, dictionary: pa.Array) -> NDArray[np.int64]:
        """Where each entry of a dictionary is counted; null and NaN behind "new", with what is missing."""
        key = _identity(dictionary)
        if key not in self._known:
            self._known[key] = self._codes_of(dictionary)
        codes = self._known[key].astype(np.int64)
        return np.where(codes < 0, len(self._vocabulary) + 1, codes)

    def _codes_of(self, values: pa.Array) -> NDArray[np.int32]:
        """The code of each value; negative for null and NaN."""
        return self._table.codes(in_place(values))

    @lazily
    def _table(self) -> TextTable:
        return text_table(as_bytes(self._vocabulary))


def _identity(array: pa.Array) -> tuple[int, ...]:
    """The same for two arrays that are one in memory."""
    addresses = (buffer.address if buffer is not None else 0 for buffer in array.buffers())
    return (*addresses, array.offset, len(array))
