"""Texts as their places in a vocabulary: a hash of eight bytes at a time, and no copy of any text.

    offsets  [o0 o1 o2 ...]        text i is bytes o_i to o_(i+1)
    text     [8 bytes][8 bytes][the rest, masked]  -> hash -> a slot, or the next that is free or fits
    table    [hash, place] ...   compared: the hash first, then the bytes themselves

Rows write nothing but their own code: nobody races.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import inlined, kernel
from gpudrift_kernels.cpu.intrinsics import word_at
from gpudrift_kernels.cpu.read_only import read_only

Bytes = NDArray[np.uint8]

#: A multiplier of Steele and Vigna (2021), Computationally easy, spectrally good multipliers. doi:10.1002/spe.3030
_FACTOR: Final = np.uint64(0xD1342543DE82EF95)
_EIGHT: Final = np.uint64(8)
_MOST: Final = np.uint64(56)
#: Where categories are few, hardly two share a slot, and their probing can be foretold.
_FEWEST_SLOTS: Final = 1 << 10
_HALF: Final = np.uint64(32)
_ONE: Final = np.uint64(1)


class TextTable(NamedTuple):
    """A vocabulary that is looked up by text: what ``text_table`` makes."""

    offsets: NDArray[Any]
    data: Bytes
    hashes: NDArray[np.uint64]
    places: NDArray[np.int32]


def text_table(offsets: NDArray[Any], data: Bytes) -> TextTable:
    """The table of a vocabulary of distinct texts: their n + 1 offsets, int64, and their bytes."""
    n, data = offsets.size - 1, _two_words(data)  # at most half of the slots are taken
    size = 1 << max(2 * n, _FEWEST_SLOTS - 1).bit_length()
    hashes, places = np.zeros(size, np.uint64), np.full(size, -1, np.int32)
    _fill(read_only(offsets), read_only(data), hashes, places)
    return TextTable(read_only(offsets), read_only(data), read_only(hashes), read_only(places))


def text_codes(offsets: NDArray[Any], data: Bytes, table: TextTable) -> NDArray[np.int32]:
    """The place of each text in the vocabulary, or the vocabulary's size; offsets are int32 or int64."""
    out = np.empty(offsets.size - 1, np.int32)
    _look_up(read_only(offsets), read_only(_two_words(data)), *table, out)
    return out


def _two_words(data: Bytes) -> Bytes:
    """At least so many bytes: then there is a word before the end of any text that has none behind its start."""
    return data if data.size >= 16 else np.append(data, np.zeros(16, np.uint8))


@kernel
def _fill(offsets: NDArray[Any], data: Bytes, hashes: NDArray[np.uint64], places: NDArray[np.int32]) -> None:
    mask, shift = np.uint64(hashes.size - 1), _shift(hashes.size)
    base, end = data.ctypes.data, data.ctypes.data + data.size
    for i in range(offsets.size - 1):
        found = _hash(base + offsets[i], base + offsets[i + 1], end)
        slot = found >> shift
        while places[slot] >= 0:
            slot = (slot + _ONE) & mask
        hashes[slot], places[slot] = found, i


@kernel
def _look_up(
    offsets: NDArray[Any], data: Bytes,
    known_offsets: NDArray[Any], known: Bytes, hashes: NDArray[np.uint64], places: NDArray[np.int32],
    out: NDArray[np.int32],
) -> None:  # fmt: skip
    """Addresses are handed on and not arrays, whose owners Numba would count at every call."""
    mask, shift = np.uint64(hashes.size - 1), _shift(hashes.size)
    base, end = data.ctypes.data, data.ctypes.data + data.size
    known_base, known_end = known.ctypes.data, known.ctypes.data + known.size
    start = base + offsets[0]
    for i in range(out.size):
        stop = base + offsets[i + 1]
        found = _hash(start, stop, end)
        slot = found >> shift
        code = np.int64(places[slot])
        while code >= 0:
            if hashes[slot] == found:
                first, last = known_base + known_offsets[code], known_base + known_offsets[code + 1]
                if _same(start, stop, end, first, last, known_end):
                    break
            slot = (slot + _ONE) & mask
            code = np.int64(places[slot])
        out[i] = code if code >= 0 else known_offsets.size - 1
        start = stop


@inlined
def _hash(start: Any, stop: Any, end: Any) -> Any:
    found = np.uint64(stop - start) * _FACTOR
    while start + 8 <= stop:
        found = (found ^ word_at(start)) * _FACTOR
        found ^= found >> _HALF
        start += 8
    return (found ^ _rest(start, stop, end)) * _FACTOR


@inlined
def _shift(size: Any) -> Any:
    """What leaves the upper bits of a hash, on which every byte has a bearing: as many as number the slots."""
    bits = np.uint64(0)
    while size > 1:
        size >>= 1
        bits += _ONE
    return np.uint64(64) - bits


@inlined
def _rest(start: Any, stop: Any, end: Any) -> Any:
    """The last bytes of a text, fewer than eight, in one word; of what is read around them nothing stays."""
    bits = np.uint64(8 * (stop - start))
    if start + 8 <= end:
        return word_at(start) & ((_ONE << bits) - _ONE)
    return (word_at(stop - 8) >> _EIGHT) >> (_MOST - bits)


@inlined
def _same(start: Any, stop: Any, end: Any, first: Any, last: Any, known_end: Any) -> Any:
    """Whether two texts of one hash are the same."""
    if stop - start != last - first:
        return False
    if stop - start < 8:  # steps that can be undone: of one length, each has a hash of its own
        return True
    while start + 8 <= stop:
        if word_at(start) != word_at(first):
            return False
        start += 8
        first += 8
    return _rest(start, stop, end) == _rest(first, last, known_end)
