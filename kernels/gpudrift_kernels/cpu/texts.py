"""Distinct texts and the rows of each, or their places in a vocabulary; no text is copied but a new one.

    offsets  [o0 o1 o2 ...]        text i is bytes o_i to o_(i+1)
    text     [8 bytes][8 bytes]    two words: up to 16 bytes they are the text, of a longer one they are a hash
    slots    [code, code, ...]     words and length, hashed -> a slot, or the next that is free or fits
    entries  [word, word, length, rows] ...   half a cache line: compared, longer texts by their bytes too, and counted

A table belongs to one thread while it learns. To look texts up writes nothing but their codes: nobody races.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import inlined, kernel
from gpudrift_kernels.cpu.intrinsics import word_at
from gpudrift_kernels.cpu.read_only import read_only

Bytes = NDArray[np.uint8]

#: A multiplier of Steele and Vigna (2021), Computationally easy, spectrally good multipliers. doi:10.1002/spe.3030
_FACTOR: Final = np.uint64(0xD1342543DE82EF95)
_HALF: Final = np.uint64(32)
_ONE: Final = np.uint64(1)
#: What two words keep of the 16 bytes from a text's start on, by its length.
_KEPT: Final = np.array(
    [(1 << 8 * min(max(length - first, 0), 8)) - 1 for length in range(17) for first in (0, 8)], np.uint64
)
_TWO_WORDS: Final = 16
#: Slots of a text, and of all while a text may have more. Measured on 2M rows, 2 cores with AVX-512: of 1,000 texts in
#: 16 slots each a row takes 0.7 to 0.9 of the time that it takes in 4; of 60,000 texts 1.2 times, since they leave L2.
_SLOTS: Final = 4
_MORE_SLOTS: Final = 16
_MOST_OF_MORE: Final = 1 << 16
_FEWEST_TEXTS: Final = 256
_FEWEST_BYTES: Final = 1 << 12
#: Each text counts once.
NO_AMOUNTS: Final = read_only(np.empty(0, np.int64))
_WORD, _NEXT_WORD, _LENGTH, _ROWS = range(4)


class Texts(NamedTuple):
    """Texts as Arrow lays them out.

    Attributes
    ----------
    offsets : ndarray of int32 or int64, shape (n + 1,)
    data : ndarray of uint8
        The bytes that the offsets refer to.
    valid : ndarray of uint8
        A bit for each text, the lowest of a byte first: 0 where it is null. Empty: none is.
    first_bit : int
        That of the first text.
    """

    offsets: NDArray[Any]
    data: Bytes
    valid: Bytes = np.empty(0, np.uint8)
    first_bit: int = 0


class TextTable:
    """Distinct texts in the order in which they came, and how many rows hold each.

    Parameters
    ----------
    most, most_bytes : int
        Texts, and bytes of them, that it may hold.
    expected : int
        Texts that there is room for from the start.

    Attributes
    ----------
    n : int
        Texts held.
    """

    def __init__(self, most: int, most_bytes: int, expected: int = _FEWEST_TEXTS) -> None:
        self.n = 0
        self._most = most
        self._most_bytes = most_bytes
        self._entries = np.empty((0, 4), np.uint64)
        self._offsets = np.zeros(1, np.int64)
        self._data = np.empty(min(_FEWEST_BYTES, most_bytes), np.uint8)
        self._make_room(min(expected, most))

    @property
    def offsets(self) -> NDArray[np.int64]:
        """Where each text begins in ``data``, and where the last one ends."""
        return self._offsets[: self.n + 1]

    @property
    def data(self) -> Bytes:
        """The bytes of all texts."""
        return self._data[: self._offsets[self.n]]

    @property
    def rows(self) -> NDArray[np.int64]:
        """Rows of each text."""
        return self._entries[: self.n, _ROWS].astype(np.int64)

    def add(self, texts: Texts, amounts: NDArray[np.int64] = NO_AMOUNTS) -> bool:
        """Count texts, each once or by its amount: of an amount of 0 it is passed over, as null is.

        False as soon as there are more than the table may hold; what it has counted then is worth nothing.
        """
        for start, stop, data, origin in _readable(texts):
            while start < stop:
                counted, self.n = _learn(
                    *_part(texts, start, stop), data, origin, read_only(amounts[start:stop]), self._slots,
                    self._entries, self._offsets, self._data, self.n,
                )  # fmt: skip
                start += counted
                if start < stop and not self._grow(int(texts.offsets[start + 1]) - int(texts.offsets[start])):
                    return False
        return True

    def codes(self, texts: Texts) -> NDArray[np.int32]:
        """The place of each text among those held, ``n`` of any other and -1 of null."""
        out = np.empty(texts.offsets.size - 1, np.int32)
        for start, stop, data, origin in _readable(texts):
            _look_up(
                *_part(texts, start, stop), data, origin, self._slots,
                self._entries, self._offsets, self._data, self.n, out[start:stop],
            )  # fmt: skip
        return out

    def _grow(self, n_bytes: int) -> bool:
        """Make room for one more text of so many bytes; False where it may not be held."""
        needed = int(self._offsets[self.n]) + n_bytes
        if self.n >= self._most or needed > self._most_bytes:
            return False
        if needed > self._data.size:
            self._data = _longer(self._data, min(max(2 * self._data.size, needed), self._most_bytes))
        if self.n == len(self._entries):
            self._make_room(min(2 * self.n, self._most))
        return True

    def _make_room(self, n_texts: int) -> None:
        self._entries, self._offsets = _longer(self._entries, n_texts), _longer(self._offsets, n_texts + 1)
        n_slots = max(_SLOTS * n_texts, min(_MORE_SLOTS * n_texts, _MOST_OF_MORE))
        self._slots = np.full(1 << (n_slots - 1).bit_length(), -1, np.int32)
        _place(self._slots, self._entries, self.n)


def text_table(texts: Texts) -> TextTable:
    """The table of a vocabulary of distinct texts without nulls: the code of each is its place."""
    n = texts.offsets.size - 1
    table = TextTable(n, int(texts.offsets[-1]) - int(texts.offsets[0]), n)
    table.add(texts)
    return table


def _readable(texts: Texts) -> Iterator[tuple[int, int, Bytes, int]]:
    """Rows start to stop, bytes of which 16 can be read from the start of any of these, and the first one's offset.

    Nearly all texts lie so in their own bytes; the last few are copied, with zeros behind them.
    """
    offsets, data, n = texts.offsets, texts.data, texts.offsets.size - 1
    last = min(data.size - _TWO_WORDS, np.iinfo(offsets.dtype).max)
    cut = 0 if last < 0 else int(np.searchsorted(offsets[:n], offsets.dtype.type(last), side="right"))
    if cut:
        yield 0, cut, read_only(data), 0
    if cut < n:
        origin = int(offsets[cut])
        yield cut, n, read_only(np.append(data[origin:], np.zeros(_TWO_WORDS, np.uint8))), origin


def _part(texts: Texts, start: int, stop: int) -> tuple[NDArray[Any], Bytes, int]:
    """Offsets and valid bits of texts start to stop."""
    return read_only(texts.offsets[start : stop + 1]), read_only(texts.valid), texts.first_bit + start


def _longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    """With room for so many, of which the new ones hold nothing yet."""
    longer = np.empty((size, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


@kernel
def _learn(
    offsets: NDArray[Any], valid: Bytes, first_bit: int, data: Bytes, origin: int, amounts: NDArray[np.int64],
    slots: NDArray[np.int32], entries: NDArray[np.uint64], known_offsets: NDArray[np.int64], known: Bytes, n: int,
) -> tuple[int, int]:  # fmt: skip
    """How many texts were counted before there was no room for one, and how many are held then.

    Addresses are handed on and not arrays, whose owners Numba would count at every call.
    """
    mask, shift = np.uint64(slots.size - 1), _shift(slots.size)
    base, known_base, kept = data.ctypes.data - origin, known.ctypes.data, _KEPT.ctypes.data
    entry, first = entries.ctypes.data, known_offsets.ctypes.data
    amount = _ONE
    for i in range(offsets.size - 1):
        if valid.size and not (valid[(first_bit + i) >> 3] >> ((first_bit + i) & 7)) & 1:
            continue
        if amounts.size:
            amount = np.uint64(amounts[i])
            if not amount:
                continue
        start, length = base + offsets[i], np.uint64(offsets[i + 1] - offsets[i])
        word, next_word = _words(start, length, kept)
        slot = _hash(word, next_word, length) >> shift
        code = np.int64(slots[slot])
        while code >= 0 and not _is(entry + 32 * code, word, next_word, length, start, first + 8 * code, known_base):
            slot = (slot + _ONE) & mask
            code = np.int64(slots[slot])
        if code < 0:
            end = known_offsets[n] + np.int64(length)
            if n == entries.shape[0] or end > known.size:
                return i, n
            slots[slot] = code = np.int64(n)
            n += 1
            known_offsets[n] = end
            for j in range(np.int64(length)):
                known[known_offsets[code] + j] = data[offsets[i] - origin + j]
            entries[code, _WORD], entries[code, _NEXT_WORD] = word, next_word
            entries[code, _LENGTH], entries[code, _ROWS] = length, 0
        entries[np.uint64(code), np.uint64(_ROWS)] += amount  # a signed index is tested for wrap-around
    return offsets.size - 1, n


@kernel
def _look_up(
    offsets: NDArray[Any], valid: Bytes, first_bit: int, data: Bytes, origin: int,
    slots: NDArray[np.int32], entries: NDArray[np.uint64], known_offsets: NDArray[np.int64], known: Bytes, n: int,
    out: NDArray[np.int32],
) -> None:  # fmt: skip
    mask, shift = np.uint64(slots.size - 1), _shift(slots.size)
    base, known_base, kept = data.ctypes.data - origin, known.ctypes.data, _KEPT.ctypes.data
    entry, first = entries.ctypes.data, known_offsets.ctypes.data
    for i in range(offsets.size - 1):
        if valid.size and not (valid[(first_bit + i) >> 3] >> ((first_bit + i) & 7)) & 1:
            out[i] = -1
            continue
        start, length = base + offsets[i], np.uint64(offsets[i + 1] - offsets[i])
        word, next_word = _words(start, length, kept)
        slot = _hash(word, next_word, length) >> shift
        code = np.int64(slots[slot])
        while code >= 0 and not _is(entry + 32 * code, word, next_word, length, start, first + 8 * code, known_base):
            slot = (slot + _ONE) & mask
            code = np.int64(slots[slot])
        out[i] = code if code >= 0 else n


@kernel
def _place(slots: NDArray[np.int32], entries: NDArray[np.uint64], n: int) -> None:
    """Give each entry a slot again."""
    mask, shift = np.uint64(slots.size - 1), _shift(slots.size)
    for code in range(n):
        slot = _hash(entries[code, _WORD], entries[code, _NEXT_WORD], entries[code, _LENGTH]) >> shift
        while slots[slot] >= 0:
            slot = (slot + _ONE) & mask
        slots[slot] = code


@inlined
def _words(start: Any, length: Any, kept: Any) -> Any:
    """The bytes of a text up to 16, else a hash of them in two lanes, whose last words may overlap those before."""
    if length <= np.uint64(16):
        kept += 16 * np.int64(length)
        return word_at(start) & word_at(kept), word_at(start + 8) & word_at(kept + 8)
    word, next_word = length, _FACTOR
    stop = start + np.int64(length)
    while start + 16 < stop:
        word, next_word = _mixed(word, word_at(start)), _mixed(next_word, word_at(start + 8))
        start += 16
    return _mixed(word, word_at(stop - 16)), _mixed(next_word, word_at(stop - 8))


@inlined
def _mixed(found: Any, word: Any) -> Any:
    found = (found ^ word) * _FACTOR
    return found ^ (found >> _HALF)


@inlined
def _hash(word: Any, next_word: Any, length: Any) -> Any:
    return (_mixed(length, word) ^ next_word) * _FACTOR


@inlined
def _shift(size: Any) -> Any:
    """What leaves the upper bits of a hash, on which every byte has a bearing: as many as number the slots."""
    bits = np.uint64(0)
    while size > 1:
        size >>= 1
        bits += _ONE
    return np.uint64(64) - bits


@inlined
def _is(entry: Any, word: Any, next_word: Any, length: Any, start: Any, first: Any, known: Any) -> Any:
    """Whether a text is that of the entry at an address; that of its offset is ``first``."""
    if word_at(entry) != word or word_at(entry + 8) != next_word or word_at(entry + 16) != length:
        return False
    if length <= np.uint64(16):
        return True
    return _same(start, known + np.int64(word_at(first)), np.int64(length))


@inlined
def _same(start: Any, first: Any, length: Any) -> Any:
    stop = start + length
    while start + 8 < stop:
        if word_at(start) != word_at(first):
            return False
        start += 8
        first += 8
    return word_at(stop - 8) == word_at(first - (start - (stop - 8)))
