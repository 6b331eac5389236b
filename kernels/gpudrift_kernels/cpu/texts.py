"""Distinct texts and the rows of each, or their places in a vocabulary; no text is copied but a new one.

    offsets  [o0 o1 o2 ...]        text i is bytes o_i to o_(i+1)
    key      [8 bytes][8 bytes]    up to 15 bytes they are the text, the last byte its length; of a longer one a hash
    slots    [key, code] ...       the key, hashed -> a slot, or the next that is free or fits: half a cache line
    rows     [n, n, ...]           by code; a longer text is compared by its bytes too before it is counted

A table belongs to one thread while it learns. To look texts up writes to arrays of the caller alone: nobody races.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import inlined, kernel
from gpudrift_kernels.cpu.intrinsics import prefetch, word_at
from gpudrift_kernels.cpu.read_only import read_only

Bytes = NDArray[np.uint8]

#: A multiplier of Steele and Vigna (2021), Computationally easy, spectrally good multipliers. doi:10.1002/spe.3030
_FACTOR: Final = np.uint64(0xD1342543DE82EF95)
_HALF: Final = np.uint64(32)
_ONE: Final = np.uint64(1)
#: Bytes of two words, and of the longest text that leaves one of them for its length.
_KEY: Final = 16
_SHORT: Final = np.uint64(15)
_LAST_BYTE: Final = np.uint64(56)
_LONG: Final = np.uint64(0xFF << 56)
#: What the words keep of the bytes from a short text's start on, by its length.
_KEPT: Final = np.array(
    [(1 << 8 * min(max(length - first, 0), 8)) - 1 for length in range(16) for first in (0, 8)], np.uint64
)
#: A slot without a text: no text has this key, and its code is negative.
_FREE: Final = np.uint64(1 << 63)
_SLOTS: Final = 4
_MORE_SLOTS: Final = 16
_MOST_OF_MORE: Final = 1 << 16
_FEWEST_TEXTS: Final = 256
_FEWEST_BYTES: Final = 1 << 12
#: Bytes and offsets ahead that are asked for.
_TEXTS_AHEAD: Final = 2048
_OFFSETS_AHEAD: Final = 256
_NO_ROWS: Final = np.empty(0, np.int64)


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
        self._keys = np.full((1, 2), _FREE)
        self._rows = np.empty(1, np.int64)
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
        return self._rows[1 : self.n + 1]

    def add(self, texts: Texts, amounts: NDArray[np.int64] | None = None) -> bool:
        """Count texts, each once or by its amount; null is passed over.

        False as soon as there are more than the table may hold; what it has counted then is worth nothing.
        """
        start, end = 0, texts.offsets.size - 1
        codes = None if amounts is None else np.empty(end, np.int32)
        while True:
            start, self.n = self._pass(texts, start, self._rows, codes, learns=True)
            if start == end:
                break
            if not self._grow(int(texts.offsets[start + 1]) - int(texts.offsets[start])):
                return False
        if codes is not None:
            np.add.at(self._rows, codes + 1, amounts)
        return True

    def counts(self, parts: Iterable[Texts]) -> NDArray[np.int64]:
        """Rows of each text held, then of all others but null; int64, shape (n + 1,)."""
        rows = np.zeros(self.n + 1, np.int64)
        for texts in parts:
            self._pass(texts, 0, rows, None, learns=False)
        return np.roll(rows, -1)

    def codes(self, texts: Texts) -> NDArray[np.int32]:
        """The place of each text among those held, ``n`` of any other and -1 of null."""
        codes = np.empty(texts.offsets.size - 1, np.int32)
        self._pass(texts, 0, _NO_ROWS, codes, learns=False)
        return codes

    def _pass(
        self, texts: Texts, start: int, rows: NDArray[np.int64],
        codes: NDArray[np.int32] | None, *, learns: bool,
    ) -> tuple[int, int]:  # fmt: skip
        """Until which text there was room, and how many are held then."""
        stop, n = _walk(
            read_only(texts.offsets), read_only(texts.valid), texts.first_bit, read_only(texts.data), start,
            self._slots, self._keys, self._offsets, self._data, self.n, learns, rows, codes,
        )  # fmt: skip
        return stop, n

    def _grow(self, n_bytes: int) -> bool:
        """Make room for one more text of so many bytes; False where it may not be held."""
        needed = int(self._offsets[self.n]) + n_bytes
        if self.n >= self._most or needed > self._most_bytes:
            return False
        if needed > self._data.size:
            self._data = _longer(self._data, min(max(2 * self._data.size, needed), self._most_bytes))
        if self.n + 1 == self._rows.size:
            self._make_room(min(2 * self.n, self._most))
        return True

    def _make_room(self, n_texts: int) -> None:
        self._keys, self._rows, self._offsets = (_longer(of, n_texts + 1) for of in (self._keys, self._rows, self._offsets))
        n_slots = max(_SLOTS * n_texts, min(_MORE_SLOTS * n_texts, _MOST_OF_MORE))
        self._slots = np.zeros(1 << (n_slots - 1).bit_length(), np.int32)
        _place(self._slots, self._keys, self.n)


def text_table(texts: Texts) -> TextTable:
    """The table of a vocabulary of distinct texts without nulls: the code of each is its place."""
    n = texts.offsets.size - 1
    table = TextTable(n, int(texts.offsets[-1]) - int(texts.offsets[0]), n)
    table.add(texts)
    return table


def _longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    """With room for so many, of which the new ones hold nothing yet."""
    longer = np.empty((size, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


@kernel
def _walk(
    offsets: NDArray[Any], valid: Bytes, first_bit: int, data: Bytes, start: int,
    slots: NDArray[np.int32], keys: NDArray[np.uint64], known_offsets: NDArray[np.int64], known: Bytes,
    n: int, learns: bool, rows: NDArray[np.int64], codes: NDArray[np.int32] | None,
) -> tuple[int, int]:  # fmt: skip
    """Count texts from ``start`` on, or write their codes if these have room; other texts are learnt or have code n.

    How far it came before there was no room for one, and how many are held then. Addresses are handed on and not
    arrays, whose owners Numba would count at every call.
    """
    shift, mask = _shift(slots.size), np.uint64(slots.size - 1)
    kept, key, known_base, known_end = _KEPT.ctypes.data, keys.ctypes.data, known.ctypes.data, known_offsets.ctypes.data
    # Of a text that begins in the last 15 bytes no two words can be read: these are copied, with zeros behind them.
    n_tail = min(data.size, _KEY - 1)
    tail = np.zeros(2 * _KEY, np.uint8)
    tail[:n_tail] = data[data.size - n_tail :]
    cut = offsets.size - 1
    while cut > start and offsets[cut - 1] > data.size - _KEY:
        cut -= 1
    bit = np.uint64(first_bit)
    i = np.uint64(start)
    for stop, base in (
        (np.uint64(cut), np.int64(data.ctypes.data)),
        (np.uint64(offsets.size - 1), np.int64(tail.ctypes.data) - (data.size - n_tail)),
    ):
        while i < stop:
            end = np.int64(offsets[i])
            while i < stop:
                begin, end = end, np.int64(offsets[i + _ONE])
                prefetch(data, begin + _TEXTS_AHEAD)
                prefetch(offsets, np.int64(i) + _OFFSETS_AHEAD)
                length = np.uint64(end - begin)
                if length > _SHORT or (valid.size and not _is_set(valid, bit + i)):
                    break
                word, next_word = _short_key(base + begin, length, kept)
                place = np.uint64(slots[_hash(word, next_word) >> shift])
                entry = key + np.int64(place << np.uint64(4))
                if word_at(entry) != word or word_at(entry + 8) != next_word:
                    break
                if codes is None:
                    rows[place] += 1
                else:
                    codes[i] = np.int64(place) - 1
                i += _ONE
            short = False
            while i < stop and not short:
                begin, end = np.int64(offsets[i]), np.int64(offsets[i + _ONE])
                short = end - begin < 16
                prefetch(data, begin + _TEXTS_AHEAD)
                if valid.size and not _is_set(valid, bit + i):
                    if codes is not None:
                        codes[i] = -1
                    i += _ONE
                    continue
                at = base + begin
                word, next_word = _key(at, np.uint64(end - begin), kept)
                slot = _hash(word, next_word) >> shift
                place = np.uint64(slots[slot])
                while place and not _is(place, word, next_word, at, end - begin, key, known_end, known_base):
                    slot = (slot + _ONE) & mask
                    place = np.uint64(slots[slot])
                if learns and not place:
                    needed = known_offsets[n] + end - begin
                    if n + 1 == rows.size or needed > known.size:
                        return np.int64(i), n
                    for j in range(end - begin):
                        known[known_offsets[n] + j] = data[begin + j]
                    n += 1
                    place = np.uint64(n)
                    slots[slot] = n
                    keys[place, 0], keys[place, 1] = word, next_word
                    known_offsets[place] = needed
                    rows[place] = 0
                if codes is None:
                    rows[place] += 1
                else:
                    codes[i] = np.int64(place) - 1 if place else n
                i += _ONE
    return np.int64(i), n


@inlined
def _is_set(bits: Any, i: Any) -> Any:
    return (bits[i >> np.uint64(3)] >> (i & np.uint64(7))) & _ONE


@kernel
def _place(slots: NDArray[np.int32], keys: NDArray[np.uint64], n: int) -> None:
    """Give each text a slot again."""
    mask, shift = np.uint64(slots.size - 1), _shift(slots.size)
    for place in range(1, n + 1):
        slot = _hash(keys[place, 0], keys[place, 1]) >> shift
        while slots[slot]:
            slot = (slot + _ONE) & mask
        slots[slot] = place


@inlined
def _short_key(start: Any, length: Any, kept: Any) -> Any:
    kept += np.int64(length << np.uint64(4))
    return word_at(start) & word_at(kept), word_at(start + 8) & word_at(kept + 8) | length << _LAST_BYTE


@inlined
def _key(start: Any, length: Any, kept: Any) -> Any:
    """A short text and its length, else a hash of it in two lanes, whose last words may overlap those before."""
    if length <= _SHORT:
        return _short_key(start, length, kept)
    word, next_word = length, _FACTOR
    stop = start + np.int64(length)
    while start + 16 < stop:
        word, next_word = _mixed(word, word_at(start)), _mixed(next_word, word_at(start + 8))
        start += 16
    return _mixed(word, word_at(stop - 16)), _mixed(next_word, word_at(stop - 8)) | _LONG


@inlined
def _mixed(found: Any, word: Any) -> Any:
    found = (found ^ word) * _FACTOR
    return found ^ (found >> _HALF)


@inlined
def _hash(word: Any, next_word: Any) -> Any:
    found = word * _FACTOR ^ next_word
    return (found ^ (found >> _HALF)) * _FACTOR


@inlined
def _shift(size: Any) -> Any:
    """What leaves the upper bits of a hash, on which every byte has a bearing: as many as number the slots."""
    bits = np.uint64(0)
    while size > 1:
        size >>= 1
        bits += _ONE
    return np.uint64(64) - bits


@inlined
def _is(place: Any, word: Any, next_word: Any, start: Any, length: Any, key: Any, known_end: Any, known: Any) -> Any:
    """Whether a text is the one held at a place."""
    key += np.int64(place << np.uint64(4))
    if word_at(key) != word or word_at(key + 8) != next_word:
        return False
    if length < 16:
        return True
    known_end += np.int64(place << np.uint64(3))
    other = np.int64(word_at(known_end - 8))
    return np.int64(word_at(known_end)) - other == length and _same(start, known + other, length)


@inlined
def _same(start: Any, first: Any, length: Any) -> Any:
    stop = start + length
    while start + 8 < stop:
        if word_at(start) != word_at(first):
            return False
        start += 8
        first += 8
    return word_at(stop - 8) == word_at(first - (start - (stop - 8)))
