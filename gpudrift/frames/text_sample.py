"""Texts of sampled rows, in bounded memory."""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gpudrift.frames.arrow_texts import NO_TEXTS, joined_texts
from gpudrift.frames.column import Raw, as_arrow, rows, rows_at

#: Sampled rows that are read at once, however long their texts.
_SAMPLED_ROWS: Final = 1024


class TextSample:
    """Categories of sampled rows as text, in row order; where they are long, of every second one, every fourth ...

    A text that alone is longer than all may be is left out. What is kept depends on the rows alone, not on the batches
    that they come in.
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
            places = block[-self._seen % self._stride :: self._stride] - block[0]
            found = joined_texts(as_arrow(rows_at(part, places)))
            if _text_bytes(found) > self._most_bytes:  # a text that is longer alone would thin out all others
                found = pc.if_else(pc.greater(pc.binary_length(found), self._most_bytes), None, found)
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


def _text_bytes(texts: pa.Array) -> int:
    return int(pc.sum(pc.binary_length(texts), min_count=0).as_py())
