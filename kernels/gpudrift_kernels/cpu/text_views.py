"""Texts as string views lay them out, which the kernels read where they lie.

    view    [length, 12 bytes of the text                     ]  a text of up to 12 bytes
            [length, its first 4 bytes, buffer, place therein ]  a longer one

A text of up to 12 bytes needs no other memory; nothing beside a text and its view is ever read.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import inlined
from gpudrift_kernels.cpu.intrinsics import prefetch_at, word_at

#: Bytes of a view as a power of two, and of the longest text within one.
_VIEW: Final = 4
_WITHIN: Final = 12
#: Bytes to ask memory for ahead of a longer text: the next rows' mostly lie behind it. Without, texts of 45 bytes take
#: 1.15 times as long.
_AHEAD: Final = 2048
_HALF: Final = np.uint64(32)
_LOWER: Final = np.uint64(0xFFFFFFFF)
_LENGTH_AT: Final = np.uint64(56)


class Views(NamedTuple):
    """Texts as Arrow's string views lay them out.

    Attributes
    ----------
    views : ndarray of int64, shape (n, 2)
    addresses : ndarray of int64
        Those of the buffers that the views of longer texts refer to.
    owners : sequence
        What keeps the buffers in memory.
    valid, first_bit
        As those of ``Texts``.
    """

    views: NDArray[np.int64]
    addresses: NDArray[np.int64]
    owners: Sequence[Any]
    valid: NDArray[np.uint8] = np.empty(0, np.uint8)
    first_bit: int = 0

    @property
    def n(self) -> int:
        """How many texts."""
        return len(self.views)

    def length(self, i: int) -> int:
        """Bytes of a text."""
        return int(self.views[i, 0]) & int(_LOWER)

    def where(self) -> tuple[int, ...]:
        """Address of the views, how many, of those of the buffers, how many, of the bits if any, and the first bit."""
        valid = self.valid.ctypes.data if self.valid.size else 0
        return self.views.ctypes.data, self.n, self.addresses.ctypes.data, self.addresses.size, valid, self.first_bit


@inlined
def view_length(views: Any, i: Any) -> Any:
    """Bytes of text ``i`` of the views from an address on."""
    return np.int64(word_at(views + (np.int64(i) << _VIEW)) & _LOWER)


@inlined
def view_start(views: Any, i: Any, length: Any, addresses: Any) -> Any:
    """Address of its first byte; ``addresses`` is that of those of the buffers. A null has none."""
    view = views + (np.int64(i) << _VIEW)
    if length <= _WITHIN:
        return view + 4
    place = word_at(view + 8)
    start = np.int64(word_at(addresses + np.int64((place & _LOWER) << np.uint64(3))) + (place >> _HALF))
    prefetch_at(start + _AHEAD)
    return start


@inlined
def view_key(start: Any, length: Any, kept: Any) -> Any:
    """The key of a text of up to 15 bytes; reads no more than its view, or itself."""
    if length <= _WITHIN:
        kept += length << 4
        word, next_word = word_at(start) & word_at(kept), (word_at(start + 4) >> _HALF) & word_at(kept + 8)
    else:
        word, next_word = word_at(start), word_at(start + length - 8) >> np.uint64((16 - length) << 3)
    return word, next_word | np.uint64(length) << _LENGTH_AT
