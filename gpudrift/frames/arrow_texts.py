"""Values of any type as text, and texts as the kernels take them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from gpudrift.frames.column import dictionary_entries, joined_chunks
from gpudrift_kernels.cpu.text_views import Views
from gpudrift_kernels.cpu.texts import Texts

NO_TEXTS: Final = pa.nulls(0, pa.large_string())
#: Whole numbers below it fit 64 bits.
_WHOLE: Final = 2.0**63
#: Views that are copied in less time than it takes to list their buffers, of which there may be thousands.
_FEW_VIEWS: Final = 1 << 12
#: Rows of a chunk that are read where they lie: of fewer, copying them takes less time than listing their buffers.
_FEW_ROWS: Final = 1 << 12
#: Bytes of the chunks that are read by one call, some of which may be copies.
_BYTES_AT_ONCE: Final = 32 << 20


def as_text(values: pa.Array) -> pa.Array:
    """Text of each value; NaN is null, and a whole number reads the same from integers and floats."""
    if not pt.is_floating(values.type):
        return values.cast(pa.large_string())
    numbers = values.cast(pa.float32()) if values.type.bit_width == 16 else values
    numbers = pc.if_else(pc.is_nan(numbers), None, numbers)
    whole = pc.and_(pc.equal(pc.floor(numbers), numbers), pc.less(pc.abs(numbers), _WHOLE))
    integers = pc.if_else(whole, numbers, None).cast(pa.int64(), safe=False)
    return pc.coalesce(integers.cast(pa.large_string()), numbers.cast(pa.large_string()))


def joined_texts(column: pa.ChunkedArray) -> pa.Array:
    """The text of each row of a column; null and NaN are null."""
    values = (dictionary_entries(c, c.indices) if pt.is_dictionary(c.type) else c for c in column.chunks)
    return pa.concat_arrays([NO_TEXTS, *map(as_text, values)])


def in_place(values: pa.Array) -> Texts | Views:
    """The text of each value, without a copy where they are strings or many string views."""
    if not pt.is_string_view(values.type) or len(values) < _FEW_VIEWS:
        return as_bytes(values)
    valid, views, *owners = values.buffers()
    lying = np.frombuffer(views, np.int64, 2 * len(values), 16 * values.offset).reshape(-1, 2)
    addresses = np.array([owner.address for owner in owners], np.int64)
    if not values.null_count:
        return Views(lying, addresses, owners)
    return Views(lying, addresses, owners, np.frombuffer(valid, np.uint8), values.offset)


def parts_in_place(column: pa.ChunkedArray) -> Iterator[list[Texts | Views]]:
    """The texts of a column of strings, as many chunks at once as are worth a call."""
    held: list[Texts | Views] = []
    n_bytes = 0
    for chunk in joined_chunks(column, _FEW_ROWS):
        held.append(in_place(chunk))
        n_bytes += chunk.nbytes
        if n_bytes > _BYTES_AT_ONCE:
            yield held
            held, n_bytes = [], 0
    if held:
        yield held


def as_bytes(values: pa.Array) -> Texts:
    """The text of each value, one behind the other; without a copy where they are strings."""
    texts = values if pt.is_string(values.type) or pt.is_large_string(values.type) else as_text(values)
    held, offsets, bytes_ = texts.buffers()
    valid, data = (np.empty(0, np.uint8) if b is None else np.frombuffer(b, np.uint8) for b in (held, bytes_))
    if not len(texts):  # which may come without a single offset
        return Texts(np.zeros(1, np.int64), data)
    width = np.dtype(np.int32 if pt.is_string(texts.type) else np.int64)
    within = np.frombuffer(offsets, width, len(texts) + 1, width.itemsize * texts.offset)
    return Texts(within, data, valid, texts.offset) if texts.null_count else Texts(within, data)
