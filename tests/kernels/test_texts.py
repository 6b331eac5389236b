"""Texts looked up in a vocabulary, against a dictionary of Python's."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudrift_kernels.cpu.texts import Texts, text_table


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
