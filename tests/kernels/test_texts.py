"""Texts counted, and looked up in a vocabulary, against a dictionary of Python's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudrift_kernels.cpu.texts import Texts, TextTable, text_table


def joined(texts: list[bytes], dtype: str = "int64") -> Texts:
    return Texts(np.cumsum([0, *map(len, texts)]).astype(dtype), np.frombuffer(b"".join(texts), np.uint8))


def check(texts: list[bytes], vocabulary: list[bytes], dtype: str = "int64") -> None:
    places = {text: i for i, text in enumerate(vocabulary)}
    codes = text_table(joined(vocabulary)).codes(joined(texts, dtype))
    assert codes.dtype == np.int32
    assert codes.tolist() == [places.get(text, len(vocabulary)) for text in texts]


@given(st.lists(st.binary(max_size=20), max_size=30), st.sets(st.binary(max_size=20), max_size=30), st.randoms())
def test_codes_of_any_texts_are_their_places(texts: list[bytes], known: set[bytes], random: Random) -> None:
    vocabulary = sorted(known)
    mixed = texts + vocabulary
    random.shuffle(mixed)
    check(mixed, vocabulary)


@pytest.mark.parametrize("dtype", ["int32", "int64"])
def test_texts_that_differ_in_one_byte_or_in_length_are_told_apart(dtype: str) -> None:
    base = b"0123456789abcdefghijklmn"
    alike = {base[:length] for length in range(25)}
    alike |= {base[:k] + b"#" + base[k + 1 : length] for length in (1, 7, 8, 9, 16, 24) for k in range(length)}
    alike |= {bytes(n) for n in range(20)}  # of zeros only
    vocabulary = sorted(alike)
    check([*vocabulary[::-1], base + b"x", b"?"], vocabulary[::2], dtype)


def test_many_categories_are_found_each_at_its_place() -> None:
    vocabulary = [b"category_%06d" % i for i in range(5_000)]
    check(vocabulary[::-3], vocabulary)


def test_texts_that_begin_within_the_bytes_are_read_where_they_lie() -> None:
    offsets, data, *_ = joined([b"ab", b"cde", b"", b"ab"])
    found = text_table(joined([b"ab", b"cde"])).codes(Texts(offsets[1:], data))
    assert found.tolist() == [1, 2, 0]


def test_an_empty_vocabulary_knows_nothing_and_no_texts_have_no_codes() -> None:
    check([b"a", b""], [])
    check([], [b"a"])


@pytest.mark.parametrize("n_bytes", range(1, 40))
def test_texts_next_to_either_end_of_the_bytes_read_nothing_beyond_them(n_bytes: int) -> None:
    data = bytes(range(65, 65 + n_bytes))
    texts = [data[:2], data[2:3], data[3:]]
    around = np.full(n_bytes + 32, 0xFF, np.uint8)  # what a wrong read would find differs from zeros
    around[16:-16] = np.frombuffer(data, np.uint8)
    offsets = joined(texts).offsets
    known = sorted(set(texts))
    found = text_table(joined(known)).codes(Texts(offsets, around[16:-16]))
    assert found.tolist() == [known.index(text) for text in texts]


ROOM = 1 << 20


def counted(table: TextTable) -> dict[bytes, int]:
    texts = [table.data[a:b].tobytes() for a, b in zip(table.offsets[:-1], table.offsets[1:], strict=True)]
    assert len(set(texts)) == len(texts) == table.n
    return dict(zip(texts, table.rows.tolist(), strict=True))


def with_nulls(texts: Iterable[bytes | None], first_bit: int = 0, under_null: bytes = b"") -> Texts:
    """As Arrow has it, with some bytes under each null."""
    bits = [True] * first_bit + [text is not None for text in texts]
    plain = joined([under_null if text is None else text for text in texts])
    return plain._replace(valid=np.packbits(np.array(bits, bool), bitorder="little"), first_bit=first_bit)


@given(st.lists(st.binary(max_size=40)), st.lists(st.binary(max_size=3)), st.randoms())
def test_every_text_is_counted_once(texts: list[bytes], short: list[bytes], random: Random) -> None:
    mixed = (texts + short) * 2
    random.shuffle(mixed)
    table = TextTable(ROOM, ROOM)
    assert table.add(joined(mixed, random.choice(["int32", "int64"])))
    assert counted(table) == Counter(mixed)
    assert list(counted(table)) == list(dict.fromkeys(mixed))  # in the order in which they came


@given(st.lists(st.none() | st.binary(max_size=20)), st.integers(0, 17))
def test_what_lies_under_a_null_is_neither_counted_nor_learnt(texts: list[bytes | None], first_bit: int) -> None:
    table = TextTable(ROOM, ROOM)
    assert table.add(with_nulls(texts, first_bit, b"under a null, and long"))
    present = [text for text in texts if text is not None]
    assert counted(table) == Counter(present)
    places = {text: i for i, text in enumerate(dict.fromkeys(present))}
    codes = table.codes(with_nulls(texts, first_bit, present[0] if present else b""))
    assert codes.tolist() == [-1 if text is None else places[text] for text in texts]


@given(
    st.lists(st.lists(st.none() | st.binary(max_size=20), max_size=20), max_size=3),
    st.sets(st.binary(max_size=20), max_size=9),
    st.integers(0, 9),
)
def test_rows_of_a_vocabulary_are_counted_as_their_codes_are(
    parts: list[list[bytes | None]], known: set[bytes], first_bit: int
) -> None:
    vocabulary = sorted(known)
    table = text_table(joined(vocabulary))
    counts = table.counts([with_nulls([*part, *vocabulary], first_bit, b"under")] for part in parts)
    rows = Counter(text for part in parts for text in (*part, *vocabulary))
    others = sum(n for text, n in rows.items() if text is not None and text not in known)
    assert counts.dtype == np.int64
    assert counts.tolist() == [*(rows[text] for text in vocabulary), others, rows[None]]
    assert table.rows.tolist() == [1] * len(vocabulary)  # to look texts up counts nothing in the table


@pytest.mark.parametrize("n_bytes", [0, 3, 15, 16, 17, 40])
def test_short_and_long_texts_in_turn_are_each_counted(n_bytes: int) -> None:
    mixed = [b"x" * n_bytes, b"y", None, b"y" * 15, b"z" * 16, b"", b"y", b"z" * 16] * 7 + [b"x" * n_bytes]
    table = TextTable(ROOM, ROOM)
    assert table.add(with_nulls(mixed))
    expected = Counter(mixed)
    assert expected.pop(None) == 7
    assert counted(table) == expected


def test_texts_count_by_their_amounts() -> None:
    table = TextTable(ROOM, ROOM)
    assert table.add(with_nulls([b"a", b"b", None, b"a"]), amounts=np.array([2**40, 3, 7, 1]))
    assert counted(table) == {b"a": 2**40 + 1, b"b": 3}
    assert table.add(joined([b"c", b"a"]))
    assert counted(table) == {b"a": 2**40 + 2, b"b": 3, b"c": 1}


def test_a_table_grows_with_its_texts_and_keeps_their_counts() -> None:
    texts = [b"%d of many" % (i * i % 70_001) for i in range(100_000)] + [b"x" * 9_000, b"x" * 9_001]
    table = TextTable(1 << 16, 1 << 24)
    for start in range(0, len(texts), 7_777):
        assert table.add(joined(texts[start : start + 7_777]))
    assert counted(table) == Counter(texts)
    parts = [TextTable(1 << 16, 1 << 24, 3) for _ in range(2)]
    for k, part in enumerate(parts):
        assert part.add(joined(texts[k::2]))
    assert parts[0].add(Texts(parts[1].offsets, parts[1].data), amounts=parts[1].rows)
    assert counted(parts[0]) == Counter(texts)


@pytest.mark.parametrize("most", [0, 1, 255, 256, 257, 1000])
def test_a_table_holds_as_many_texts_and_bytes_as_it_may_and_not_one_more(most: int) -> None:
    texts = [b"%04d" % i for i in range(most)]
    for table in (TextTable(most, ROOM), TextTable(ROOM, 4 * most)):
        assert table.add(joined(texts * 2))
        assert table.add(joined(texts[::-1]))
        assert counted(table) == dict.fromkeys(texts, 3)
        assert not table.add(joined([*texts, b"more"]))


def test_texts_of_the_same_two_words_are_told_apart_by_their_bytes() -> None:
    """Two texts of 32 bytes, the second made so that both lanes of the hash end alike."""

    def mixed(found: int, word: int) -> int:
        found = (found ^ word) * 0xD1342543DE82EF95 % 2**64
        return found ^ found >> 32

    def text(words: Iterable[int]) -> bytes:
        return b"".join(word.to_bytes(8, "little") for word in words)

    first, other = 0x6161616161616161, 0x6262626262626262
    collides = mixed(32, first) ^ mixed(32, other) ^ first
    texts = [text([first] * 4), text([other, first, collides, first]), text([first, first, first, other])]
    table = TextTable(ROOM, ROOM)
    assert table.add(joined(texts * 2))
    assert table._keys[1].tolist() == table._keys[2].tolist()  # the hash did not tell them apart
    assert counted(table) == dict.fromkeys(texts, 2)
    assert table.codes(joined([*texts[::-1], text([other] * 4)])).tolist() == [2, 1, 0, 3]


@pytest.mark.parametrize("n_bytes", range(1, 40))
def test_learning_reads_nothing_beyond_either_end_of_the_bytes(n_bytes: int) -> None:
    data = bytes(range(65, 65 + n_bytes))
    texts = [data[:2], data[2:3], data[3:], b"", b""]
    around = np.full(n_bytes + 32, 0xFF, np.uint8)
    around[16:-16] = np.frombuffer(data, np.uint8)
    table = TextTable(ROOM, ROOM)
    assert table.add(Texts(joined(texts).offsets, around[16:-16]))
    assert counted(table) == Counter(texts)
