"""Distinct texts and the rows of each, or their codes in a vocabulary; no text is copied but a new one.

    offsets  [o0 o1 o2 ...]     text i is bytes o_i to o_(i+1); or views, which ``text_views`` draws
    key      [word][word]       a text of up to 15 bytes and its length in the last one; of a longer text a hash
    slots    [place, 0, ...]    key, hashed -> a slot, or the next that is free or fits; 0: free
    keys     [-, key, key ...]  by place: compared; longer texts then by their bytes
    rows     [n, n, n, ...]     by place: counted; at 0 those of texts that are not held

A table belongs to one thread while it learns. To look texts up writes to arrays of the caller alone: nobody races.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpudrift_kernels.cpu.compiled import inlined, kernel
from gpudrift_kernels.cpu.intrinsics import byte_at, carray, pointer_at, prefetch, prefetch_at, word_at
from gpudrift_kernels.cpu.read_only import read_only
from gpudrift_kernels.cpu.text_views import Views, view_key, view_length, view_start

Bytes = NDArray[np.uint8]

#: A multiplier of Steele and Vigna (2021), Computationally easy, spectrally good multipliers. doi:10.1002/spe.3030
_FACTOR: Final = np.uint64(0xD1342543DE82EF95)
_HALF: Final = np.uint64(32)
_ONE: Final = np.uint64(1)
#: Bytes of a key, and of the longest text that it holds.
_KEY: Final = 16
_SHORT: Final = 15
#: What the words keep of the 16 bytes from a short text's start on, by its length.
_KEPT: Final = np.array(
    [(1 << 8 * min(max(length - first, 0), 8)) - 1 for length in range(_KEY) for first in (0, 8)], np.uint64
)
_LENGTH_AT: Final = np.uint64(56)
#: Last byte of a longer text's key, and the key of no text.
_LONG: Final = np.uint64(0xFF << 56)
_NONE: Final = np.uint64(0x80 << 56)
#: Slots of a text, and of all while a text may have more. Measured on 2M rows, 2 cores with AVX-512: of 1,000 texts in
#: 16 slots each a row takes 0.9 of the time that it takes in 4; of 60,000 texts 1.2 times, since they leave L2.
_SLOTS: Final = 4
_MORE_SLOTS: Final = 16
_MOST_OF_MORE: Final = 1 << 16
_FEWEST_TEXTS: Final = 256
_FEWEST_BYTES: Final = 1 << 12
#: Bytes, and offsets or words of views, to ask memory for ahead of those that are read. Measured on 2M rows: without,
#: 10 texts of 12 bytes take 1.2 times as long, and 10 of 40 bytes twice. 1,024 to 8,192 bytes are within 5% of each
#: other, with 512 the longer texts take 1.5 times as long. Views of 10 texts, 10M rows, take 2.2 times as long without.
_BYTES_AHEAD: Final = 2048
_PLACES_AHEAD: Final = 256
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

    @property
    def n(self) -> int:
        """How many texts."""
        return self.offsets.size - 1

    def length(self, i: int) -> int:
        """Bytes of a text."""
        return int(self.offsets[i + 1]) - int(self.offsets[i])

    def where(self) -> tuple[int, ...]:
        """Of the offsets, how many texts, of the bytes, how many, of the bits if any, and the first bit."""
        valid = self.valid.ctypes.data if self.valid.size else 0
        return self.offsets.ctypes.data, self.n, self.data.ctypes.data, self.data.size, valid, self.first_bit


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
        self._keys = np.full((1, 2), _NONE)
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

    def add(self, *parts: Texts | Views, amounts: NDArray[np.int64] | None = None) -> bool:
        """Count texts, each once or by its amount; null is passed over.

        False as soon as there are more than the table may hold; what it has counted then is worth nothing.
        """
        codes = None if amounts is None else np.empty(sum(texts.n for texts in parts), np.int32)
        first = 0
        for alike in _alike(parts):
            part = start = 0
            of_alike = None if codes is None else codes[first:]
            while True:
                part, start, self.n = self._read(alike, part, start, self._rows, of_alike, learns=True)
                if part == len(alike):
                    break
                if not self._grow(alike[part].length(start)):
                    return False
            first += sum(texts.n for texts in alike)
        if codes is not None and amounts is not None:
            np.add.at(self._rows, codes + 1, amounts)  # those of null at place 0
        return True

    def counts(self, parts: Iterable[Sequence[Texts | Views]]) -> NDArray[np.int64]:
        """Rows of each text held, of all others, and of null, however they are grouped; int64, shape (n + 2,)."""
        rows, n_texts = np.zeros(self.n + 1, np.int64), 0
        for some in parts:
            for alike in _alike(some):
                self._read(alike, 0, 0, rows, None, learns=False)
            n_texts += sum(texts.n for texts in some)
        return np.concatenate([rows[1:], [rows[0], n_texts - rows.sum()]])

    def codes(self, texts: Texts | Views) -> NDArray[np.int32]:
        """The code of each text, which counts those held from 0; ``n`` of any other and -1 of null."""
        codes = np.empty(texts.n, np.int32)
        self._read([texts], 0, 0, _NO_ROWS, codes, learns=False)
        return codes

    def _read(
        self, parts: Sequence[Texts | Views], part: int, start: int, rows: NDArray[np.int64],
        codes: NDArray[np.int32] | None, *, learns: bool,
    ) -> tuple[int, int, int]:  # fmt: skip
        """Which part, and text of it, there was no room for, or how many parts there are; how many are held then."""
        addresses = np.array([texts.where() for texts in parts], np.int64)
        found: tuple[int, int, int] = _walk_parts(
            read_only(addresses), read_only(parts[0][0][:0]), part, start, np.zeros(2 * _KEY, np.uint8),
            self._slots, self._keys, self._offsets, self._data, self.n, learns, rows, codes,
        )  # fmt: skip
        return found

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
        self._keys = _longer(self._keys, n_texts + 1)
        self._rows = _longer(self._rows, n_texts + 1)
        self._offsets = _longer(self._offsets, n_texts + 1)
        n_slots = max(_SLOTS * n_texts, min(_MORE_SLOTS * max(n_texts, _FEWEST_TEXTS), _MOST_OF_MORE))
        self._slots = np.zeros(1 << (n_slots - 1).bit_length(), np.int32)
        _place(self._slots, self._keys, self.n)


def text_table(texts: Texts) -> TextTable:
    """The table of a vocabulary of distinct texts without nulls, in their order."""
    n = texts.offsets.size - 1
    table = TextTable(n, int(texts.offsets[-1]) - int(texts.offsets[0]), n)
    table.add(texts)
    return table


def _alike(parts: Iterable[Texts | Views]) -> Iterator[list[Texts | Views]]:
    """Neighbours that are laid out in the same way."""
    for _, alike in groupby(parts, lambda texts: (texts[0].dtype, texts[0].ndim)):
        yield list(alike)


def _longer(array: NDArray[Any], size: int) -> NDArray[Any]:
    """With room for so many, of which the new ones hold nothing yet."""
    longer = np.empty((size, *array.shape[1:]), array.dtype)
    longer[: len(array)] = array
    return longer


@kernel
def _walk_parts(
    addresses: NDArray[np.int64], like: NDArray[Any], part: int, start: int, tail: Bytes,
    slots: NDArray[np.int32], keys: NDArray[np.uint64], known_ends: NDArray[np.int64], known: Bytes,
    n: int, learns: bool, rows: NDArray[np.int64], codes: NDArray[np.int32] | None,
) -> tuple[int, int, int]:  # fmt: skip
    """Walk from a text of a part on through all parts, whose offsets or views are of the type of ``like``.

    A text is read in 16 bytes: those that begin in the last 15 are read from ``tail``, which goes on behind them.
    """
    first = 0  # of a part, among the texts of all
    for p in range(part):
        first += addresses[p, 1]
    while part < len(addresses):
        place, n_texts, base, n_bytes, valid, first_bit = addresses[part]
        stop = n_texts
        if like.ndim == 1:
            places = carray(pointer_at(place, like), (n_texts + 1,))
            stop = np.searchsorted(places[:n_texts], n_bytes - _KEY, side="right")
            if stop <= start < n_texts:
                behind = max(n_bytes - _SHORT, 0)
                for j in range(n_bytes - behind):
                    tail[j] = byte_at(base + behind + j)
                stop, base = n_texts, np.int64(tail.ctypes.data) - behind
        else:
            places = carray(pointer_at(place, like), (n_texts, 2))
        start, n = _walk(
            places, base, valid, first_bit, start, stop, slots, keys, known_ends, known, n, learns, rows, codes, first
        )
        if start < stop:
            break
        if start == n_texts:
            part, start, first = part + 1, 0, first + n_texts
    return part, start, n


@kernel
def _walk(
    places: NDArray[Any], base: int, valid: int, first_bit: int, start: int, end: int,
    slots: NDArray[np.int32], keys: NDArray[np.uint64], known_ends: NDArray[np.int64], known: Bytes,
    n: int, learns: bool, rows: NDArray[np.int64], codes: NDArray[np.int32] | None, first: int,
) -> tuple[int, int]:  # fmt: skip
    """Count texts from ``start`` on, or write their codes, of which the part's begin at ``first``.

    Those that are not held are learned, or counted at place 0. Which text there was no room for, or ``end``, and how
    many are held then. The processor's registers just hold what nearly all rows need: a loop of their own takes short
    texts that are found where their hash points, and the one around it whatever else comes. Addresses are handed on,
    not arrays, whose owners Numba counts at every call. ``places`` are offsets and ``base`` what they count from, or
    views and the address of those of their buffers: each compiles a version of its own, without the other's branches.
    """
    shift, mask = _shift(slots.size), np.uint64(slots.size - 1)
    kept, key, known_end, known_text = _KEPT.ctypes.data, keys.ctypes.data, known_ends.ctypes.data, known.ctypes.data
    views = places.ctypes.data
    i, stop, bit, code = np.uint64(start), np.uint64(end), np.uint64(first_bit), np.uint64(first)
    while i < stop:
        if places.ndim == 1:
            behind = np.int64(places[i])
        while i < stop:
            if places.ndim == 1:
                begin, behind = behind, np.int64(places[i + _ONE])
                prefetch_at(base + begin + _BYTES_AHEAD)
                prefetch(places, np.int64(i) + _PLACES_AHEAD)
                length = behind - begin
            else:
                prefetch(places, np.int64(i + i) + _PLACES_AHEAD)
                length = view_length(views, i)
            if length > _SHORT or (valid and not _is_set(valid, bit + i)):
                break
            if places.ndim == 1:
                word, next_word = _short_key(base + begin, length, kept)
            else:
                word, next_word = view_key(view_start(views, i, length, base), length, kept)
            place = np.uint64(slots[_hash(word, next_word) >> shift])
            if not _has_key(key, place, word, next_word):
                break
            if codes is None:
                rows[place] += 1
            else:
                codes[code + i] = np.int64(place) - 1
            i += _ONE
        short: np.bool_ = np.bool_(False)
        while i < stop and not short:
            if places.ndim == 1:
                begin = np.int64(places[i])
                length = np.int64(places[i + _ONE]) - begin
                prefetch_at(base + begin + _BYTES_AHEAD)
            else:
                length = view_length(views, i)
            short = length <= _SHORT
            if valid and not _is_set(valid, bit + i):
                if codes is not None:
                    codes[code + i] = -1
                i += _ONE
                continue
            if places.ndim == 1:
                at = base + begin
                word, next_word = _short_key(at, length, kept) if short else _long_key(at, length)
            else:
                at = view_start(views, i, length, base)
                word, next_word = view_key(at, length, kept) if short else _long_key(at, length)
            slot = _hash(word, next_word) >> shift
            place = np.uint64(slots[slot])
            while place and not (
                _has_key(key, place, word, next_word) and (short or _same(at, length, known_end, known_text, place))
            ):
                slot = (slot + _ONE) & mask
                place = np.uint64(slots[slot])
            if learns and not place:
                break
            if codes is None:
                rows[place] += 1
            else:
                codes[code + i] = np.int64(place) - 1 if place else n
            i += _ONE
        else:
            continue
        last = known_ends[n]
        if n + 1 == rows.size or last + length > known.size:
            return int(np.int64(i)), n
        for j in range(length):
            known[last + j] = byte_at(at + j)
        if codes is None:
            rows[n + 1] = 1
        else:
            rows[n + 1], codes[code + i] = 0, n
        n += 1
        slots[slot], known_ends[n] = n, last + length
        keys[n, 0], keys[n, 1] = word, next_word
        i += _ONE
    return int(np.int64(i)), n


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
def _is_set(bits: Any, i: Any) -> Any:
    return (byte_at(bits + np.int64(i >> np.uint64(3))) >> (i & np.uint64(7))) & _ONE


@inlined
def _short_key(start: Any, length: Any, kept: Any) -> Any:
    """A text of up to 15 bytes, and its length; reads 16 bytes."""
    kept += length << 4
    return word_at(start) & word_at(kept), word_at(start + 8) & word_at(kept + 8) | np.uint64(length) << _LENGTH_AT


@inlined
def _long_key(start: Any, length: Any) -> Any:
    """A hash of a longer text, in two lanes whose last words may overlap those before."""
    word, next_word, stop = np.uint64(length), _FACTOR, start + length
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
    return (word * _FACTOR ^ next_word) * _FACTOR  # the upper bits depend on all of it


@inlined
def _shift(size: Any) -> Any:
    """What leaves the upper bits of a hash, on which every byte has a bearing: as many as number the slots."""
    bits = np.uint64(0)
    while size > 1:
        size >>= 1
        bits += _ONE
    return np.uint64(64) - bits


@inlined
def _has_key(key: Any, place: Any, word: Any, next_word: Any) -> Any:
    key += np.int64(place) << 4
    return word_at(key) == word and word_at(key + 8) == next_word


@inlined
def _same(start: Any, length: Any, known_end: Any, known: Any, place: Any) -> Any:
    """Whether a long text has the bytes of the one at a place."""
    known_end += np.int64(place) << 3
    first = np.int64(word_at(known_end - 8))
    if np.int64(word_at(known_end)) - first != length:
        return False
    first += known
    stop = start + length
    while start + 8 < stop:
        if word_at(start) != word_at(first):
            return False
        start += 8
        first += 8
    return word_at(stop - 8) == word_at(first - (start - (stop - 8)))
