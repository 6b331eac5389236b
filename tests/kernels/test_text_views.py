"""String views, counted and looked up as the same texts one behind the other are."""

from __future__ import annotations

from collections import Counter
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpudrift_kernels.cpu.text_views import Views
from gpudrift_kernels.cpu.texts import Texts, TextTable, text_table

ROOM = 1 << 20
AROUND = b"\xff" * 16  # what a read beside a text would find


def viewed(texts: list[bytes | None], n_buffers: int = 1, first_bit: int = 0) -> Views:
    """As Arrow has it: longer texts lie in buffers in turn, and a null refers to none that there is."""
    buffers = [bytearray(AROUND) for _ in range(n_buffers)]
    views = b""
    for i, text in enumerate(texts):
        if text is None:
            views += np.array([1 << 30, -1, 1 << 30, -1], np.int32).tobytes()
        elif len(text) <= 12:
            views += len(text).to_bytes(4, "little") + text.ljust(12, b"\0")
        else:
            buffer = buffers[i % n_buffers]
            place = (i % n_buffers).to_bytes(4, "little") + len(buffer).to_bytes(4, "little")
            views += len(text).to_bytes(4, "little") + text[:4] + place
            buffer += text
    owners = [np.frombuffer(bytes(buffer + AROUND), np.uint8) for buffer in buffers]
    addresses = np.array([owner.ctypes.data for owner in owners], np.int64)
    bits = np.array([True] * first_bit + [text is not None for text in texts], bool)
    valid = np.empty(0, np.uint8) if None not in texts else np.packbits(bits, bitorder="little")
    return Views(np.frombuffer(views, np.int64).reshape(-1, 2), addresses, owners, valid, first_bit)


def joined(texts: list[bytes | None], first_bit: int = 0) -> Texts:
    held = [text or b"" for text in texts]
    bits = np.array([True] * first_bit + [text is not None for text in texts], bool)
    offsets = np.cumsum([0, *map(len, held)])
    return Texts(offsets, np.frombuffer(b"".join(held), np.uint8), np.packbits(bits, bitorder="little"), first_bit)


def check(texts: list[bytes | None], n_buffers: int = 1, first_bit: int = 0) -> None:
    views, behind = viewed(texts, n_buffers, first_bit), joined(texts, first_bit)
    of_views, of_texts = TextTable(ROOM, ROOM), TextTable(ROOM, ROOM)
    assert of_views.add(views)
    assert of_texts.add(behind)
    for found in ("offsets", "data", "rows"):
        np.testing.assert_array_equal(getattr(of_views, found), getattr(of_texts, found), strict=True)
    known = list(dict.fromkeys(text for text in texts if text is not None))
    assert of_views.rows.tolist() == list(Counter(text for text in texts if text is not None).values())
    places = {text: i for i, text in enumerate(known[::2])} | {None: -1}
    expected = [places.get(text, len(known[::2])) for text in texts]
    vocabulary, of_views = text_table(joined(list(known[::2]))), TextTable(ROOM, ROOM)
    assert of_views.add(viewed(list(known[::2]), n_buffers))
    for table in (vocabulary, of_views):
        assert table.codes(views).tolist() == table.codes(behind).tolist() == expected
        assert table.counts([[views, views]]).tolist() == table.counts([[behind], [behind]]).tolist()


def parts_of(texts: list[list[bytes | None]], sorts: list[int], first_bit: int) -> list[Texts | Views]:
    """Each as views, or as offsets of 64 or 32 bits."""
    held: list[Texts | Views] = []
    for some, sort in zip(texts, sorts, strict=True):
        behind = joined([b"before"] * first_bit + some)
        behind = behind._replace(offsets=behind.offsets[first_bit:], first_bit=first_bit)
        wide = [viewed(some, 2, first_bit), behind, behind._replace(offsets=behind.offsets.astype(np.int32))]
        held.append(wide[sort])
    return held


@given(
    st.lists(st.tuples(st.integers(0, 2), st.lists(st.none() | st.binary(max_size=40), max_size=20)), max_size=8),
    st.integers(0, 9),
)
def test_parts_of_all_layouts_are_read_at_once_as_they_are_in_turn(
    parts: list[tuple[int, list[bytes | None]]], first_bit: int
) -> None:
    sorts, texts = [sort for sort, _ in parts], [some for _, some in parts]
    held = parts_of(texts, sorts, first_bit)
    flat = [text for some in texts for text in some]
    table, weighed = TextTable(ROOM, ROOM, 1), TextTable(ROOM, ROOM, 1)
    assert table.add(*held)
    present = Counter(text for text in flat if text is not None)
    names = [table.data[a:b].tobytes() for a, b in zip(table.offsets[:-1], table.offsets[1:], strict=True)]
    assert dict(zip(names, table.rows.tolist(), strict=True)) == present
    assert list(dict.fromkeys(text for text in flat if text is not None)) == names
    amounts = np.arange(1, len(flat) + 1)
    assert weighed.add(*held, amounts=amounts)
    sums = [sum(k for k, text in enumerate(flat, 1) if text == name) for name in names]
    assert weighed.rows.tolist() == sums
    some_known = text_table(joined(list(names[::2])))
    counts = some_known.counts([held, [], held[:1]])
    rows = Counter(flat) + Counter(texts[0] if texts else [])
    others = sum(rows[name] for name in names[1::2])
    assert counts.tolist() == [*(rows[name] for name in names[::2]), others, rows[None]]


@given(
    st.lists(st.none() | st.binary(max_size=40) | st.binary(min_size=11, max_size=17), max_size=30),
    st.integers(1, 3),
    st.integers(0, 17),
    st.randoms(),
)
def test_views_are_counted_and_looked_up_as_offsets_are(
    texts: list[bytes | None], n_buffers: int, first_bit: int, random: Random
) -> None:
    mixed = texts * 2
    random.shuffle(mixed)
    check(mixed, n_buffers, first_bit)


def test_texts_that_differ_in_one_byte_or_in_length_are_told_apart() -> None:
    base = b"0123456789abcdefghijklmn"
    alike = {base[:length] for length in range(25)} | {bytes(n) for n in range(20)}
    alike |= {base[:k] + b"#" + base[k + 1 : length] for length in (1, 4, 8, 12, 13, 15, 16, 24) for k in range(length)}
    check(sorted(alike) * 2, 2)


@pytest.mark.parametrize("length", range(13))
def test_bytes_behind_a_text_within_its_view_mean_nothing(length: int) -> None:
    views = viewed([b"x" * length])
    filled = views.views.view(np.uint8).copy()
    filled[0, 4 + length :] = 0xFF
    assert text_table(joined([b"x" * length])).codes(views._replace(views=filled.view(np.int64))).tolist() == [0]


@pytest.mark.parametrize("most", [0, 1, 255, 256, 257, 1000])
def test_a_table_holds_as_many_views_and_bytes_as_it_may_and_not_one_more(most: int) -> None:
    texts: list[bytes | None] = [b"%04d" % i * (1 + i % 2 * 4) for i in range(most)]
    n_bytes = sum(len(text) for text in texts if text is not None)
    for table in (TextTable(most, ROOM), TextTable(ROOM, n_bytes)):
        assert table.add(viewed(texts * 2))
        assert table.rows.tolist() == [2] * most
        assert not table.add(viewed([*texts, b"more"]))


def test_views_count_by_their_amounts() -> None:
    table = TextTable(ROOM, ROOM)
    assert table.add(viewed([b"a", b"b" * 20, None, b"a"]), amounts=np.array([2**40, 3, 7, 1]))
    assert table.rows.tolist() == [2**40 + 1, 3]


def test_no_views_and_an_empty_vocabulary_are_read() -> None:
    check([])
    assert text_table(joined([])).codes(viewed([b"a", None])).tolist() == [0, -1]
