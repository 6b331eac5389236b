"""Counts are integers that add and subtract to the same bits in any order."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from threading import Barrier
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpudrift as gd
from gpudrift_kernels.backend import get_backend

Mixed = dict[str, Any]


def rows(table: Mixed, start: int, stop: int) -> Mixed:
    return {name: values[start:stop] for name, values in table.items()}


def test_a_batch_in_pieces_counts_as_the_whole(mixed: Mixed) -> None:
    profile = gd.profile(mixed)
    edges = [0, 2, 700, 701, 4096, 5000]
    pieces = [profile.count(rows(mixed, a, b)) for a, b in pairwise(edges)]
    total = pieces[3] + pieces[0] + pieces[4] + pieces[2] + pieces[1]
    assert total == profile.reference
    assert total.n_rows == 5000


def test_subtraction_undoes_addition(mixed: Mixed) -> None:
    profile = gd.profile(mixed)
    first, second = profile.count(rows(mixed, 0, 1234)), profile.count(rows(mixed, 1234, 5000))
    assert (first + second) - second == first
    assert (first - first).n_rows == 0
    assert not (first - first).keys.size


@given(st.lists(st.integers(0, 4999), min_size=1, max_size=60))
def test_any_partition_in_any_order_gives_the_same_bits(cuts: list[int]) -> None:
    rng = np.random.default_rng(0)
    table = {"x": rng.normal(size=5000), "c": rng.choice(list("abc"), 5000)}
    profile = _profile_once(table)
    edges = sorted({0, 5000, *cuts})
    pieces = [profile.count(rows(table, a, b)) for a, b in pairwise(edges)]
    total = pieces[-1]
    for piece in pieces[:-1]:
        total = piece + total
    assert total == profile.reference


_profiles: list[gd.Profile] = []


def _profile_once(table: Mixed) -> gd.Profile:
    if not _profiles:
        _profiles.append(gd.profile(table))
    return _profiles[0]


def test_every_row_is_counted_once_in_each_column(mixed: Mixed) -> None:
    profile = gd.profile(mixed)
    for f in range(len(profile.columns)):
        assert profile.reference.column(f)[1].sum() == 5000


def test_the_same_rows_make_the_same_profile_whatever_the_chunks_and_threads(mixed: Mixed) -> None:
    table = pa.table({name: pa.array(values) for name, values in mixed.items()})
    chunked = pa.concat_tables([table.slice(i, 333) for i in range(0, 5000, 333)])
    ids = {
        gd.profile(form, backend=get_backend("cpu", threads=threads)).profile_id
        for form in (table, chunked)
        for threads in (1, 3)
    }
    assert len(ids) == 1


def test_rows_beyond_32_bits_are_added_and_taken_away() -> None:
    def counts(n_rows: int, rows: list[int]) -> gd.Counts:
        return gd.Counts("a", n_rows, np.array([0, 5, 2 << 32]), np.array(rows))

    half, more = counts(2**31, [2**31 - 1, 1, 2**31]), counts(2**31 + 3, [2**31 + 1, 2, 2**31 + 3])
    both = half + more
    assert both.values.tolist() == [2**32, 3, 2**32 + 3]
    assert both == more + half
    assert both - more == half
    assert both - half == more
    for side in (half, more, both):
        assert [rows.dtype for rows in side.column(0)] == [np.int64, np.int64]
    assert half.values.dtype == np.uint32  # which is what they take in memory


def test_counts_of_different_profiles_do_not_mix(mixed: Mixed) -> None:
    one, other = gd.profile({"x": mixed["x"]}), gd.profile({"x": mixed["small"]})
    with pytest.raises(
        gd.DataError, match="counts of different profiles cannot be combined; count both with one profile"
    ):
        one.reference + other.reference
    with pytest.raises(gd.DataError, match="the counts belong to another profile; count the batch with this one"):
        one.compare(other.reference)


def test_what_was_not_added_cannot_be_subtracted(mixed: Mixed) -> None:
    profile = gd.profile(mixed)
    with pytest.raises(gd.DataError, match="not part of these; subtract what was added"):
        profile.count(rows(mixed, 0, 10)) - profile.reference


def test_adding_anything_else_is_a_type_error(mixed: Mixed) -> None:
    with pytest.raises(TypeError):
        gd.profile(mixed).reference + 1  # type: ignore[operator]


def test_equal_counts_compare_equal_and_cannot_be_hashed(mixed: Mixed) -> None:
    profile = gd.profile(mixed)
    assert profile.count(mixed) == profile.reference
    assert profile.count(rows(mixed, 0, 10)) != profile.reference
    with pytest.raises(TypeError):
        hash(profile.reference)


def test_eight_threads_at_once_get_the_same_report(mixed: Mixed) -> None:
    profile = gd.profile(mixed)
    expected = profile.compare(profile.reference).to_json()
    barrier = Barrier(8)

    def check(_: int) -> str:
        barrier.wait()
        return profile.compare(profile.count(mixed)).to_json()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(check, range(8))) == {expected}


def test_rows_shuffled_give_the_same_counts(mixed: Mixed) -> None:
    profile = gd.profile(mixed)
    order = np.random.default_rng(0).permutation(5000)
    shuffled = {name: [values[i] for i in order] for name, values in mixed.items()}
    assert profile.count(shuffled) == profile.reference
