"""Distinct categories of a column as text, and the rows of each, while they are few."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.types as pt
from numpy.typing import NDArray

from gpudrift.frames.arrow_texts import as_bytes, parts_in_place
from gpudrift.frames.column import Raw, arrow_type, as_arrow, codes_of, dictionary_entries, joined_chunks, rows
from gpudrift.frames.device import DeviceCategories
from gpudrift.frames.kinds import is_text
from gpudrift_kernels.cpu.categories import categories
from gpudrift_kernels.cpu.text_views import Views
from gpudrift_kernels.cpu.texts import Texts, TextTable

#: Rows that one thread reads at once, and their bytes: what is no string yet is made one.
_ROWS: Final = 1 << 18
_BYTES: Final = 16 << 20


class TextCounts(NamedTuple):
    """Distinct categories of a column.

    Attributes
    ----------
    texts : pyarrow.Array of large_string
        In no order, without null.
    rows : ndarray of int64
        Of each text.
    n_missing : int
        Rows without one: null, or NaN.
    """

    texts: pa.Array
    rows: NDArray[np.int64]
    n_missing: int


class TextCounter:
    """Counts the categories of a column piece by piece, from as many threads as there are.

    A thread takes a table that no other one fills, or a new one; what the tables hold together does not depend on who
    filled which.

    Parameters
    ----------
    most, most_bytes : int
        Categories, and bytes of their texts; where there are more, nothing is counted.
    """

    def __init__(self, *, most: int, most_bytes: int) -> None:
        self._most = most
        self._most_bytes = most_bytes
        self._idle: deque[TextTable] = deque()
        self._lengths: deque[int] = deque()
        self._full = False

    def add(self, raw: Raw) -> None:
        """Count rows, of which ``pieces`` of a column make few enough."""
        if self._full:
            return
        try:
            table = self._idle.pop()
        except IndexError:
            table = TextTable(self._most, self._most_bytes)
        if not all(table.add(*parts, amounts=amounts) for parts, amounts in _counted(raw)):
            self._full = True
        self._lengths.append(len(raw))
        self._idle.append(table)

    def finish(self) -> TextCounts | None:
        """What all threads have counted; None where there are too many categories."""
        tables, self._idle = self._idle, deque()
        one = tables.pop() if tables else TextTable(0, 0)
        while tables and not self._full:
            other = tables.pop()
            self._full = not one.add(Texts(other.offsets, other.data), amounts=other.rows)
        if self._full:
            return None
        buffers = [None, *(pa.py_buffer(held.tobytes()) for held in (one.offsets, one.data))]
        texts = pa.Array.from_buffers(pa.large_string(), one.n, buffers)
        return TextCounts(texts, one.rows, sum(self._lengths) - int(one.rows.sum()))


def pieces(raw: Raw, threads: int) -> Iterator[Raw]:
    """The rows of a column in turn, as many at once as fit the memory of a thread; no copies.

    Strings, which take none, in few pieces: between two of them a thread may have to wait for another.
    """
    if isinstance(raw, DeviceCategories):  # hashed already
        yield raw
        return
    viewed = pt.is_string_view(arrow_type(raw))  # and their bytes are those of all slices of their buffers
    step = _ROWS if viewed else max(min(_ROWS, len(raw) * _BYTES // max(raw.nbytes, 1)), 1)
    if is_text(arrow_type(raw)):
        step = max(step, -(-len(raw) // (4 * threads)))
    for start in range(0, len(raw), step):
        yield rows(raw, start, min(start + step, len(raw)))


def _counted(raw: Raw) -> Iterator[tuple[Sequence[Texts | Views], NDArray[np.int64] | None]]:
    """Texts, some of them more than once, and the rows of each; none for one row each."""
    if isinstance(raw, DeviceCategories):
        entries, amounts = raw.counts()
        yield [as_bytes(entries)], amounts
        return
    column = as_arrow(raw)
    if is_text(column.type):
        for parts in parts_in_place(column):
            yield parts, None
        return
    for chunk in joined_chunks(column):
        if pt.is_dictionary(chunk.type):  # a slice carries its whole dictionary along
            amounts = categories(codes_of(chunk), len(chunk.dictionary))[:-1]
            used = np.flatnonzero(amounts)
            yield [as_bytes(dictionary_entries(chunk, pa.array(used)))], amounts[used]
        else:
            found = chunk.value_counts()
            yield [as_bytes(found.field("values"))], found.field("counts").to_numpy()
