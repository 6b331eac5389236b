"""Categories counted piece by piece, against a Counter of Python's."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gpudrift as gd
from gpudrift.frames import TextCounter, TextCounts, pieces
from gpudrift.frames.column import as_column

N = 300_000  # more than a piece
NAMES = np.array(["", "a", "a\0", "é", "a text of more than sixteen bytes", "nan", *map(str, range(40))], object)


def counter() -> TextCounter:
    return TextCounter(most=1000, most_bytes=1 << 20)


def texts(n: int = N) -> pa.Array:
    rng = np.random.default_rng(n)
    return pa.array(NAMES[rng.integers(0, NAMES.size, n)], pa.string(), mask=rng.random(n) < 0.2)


def found(counts: TextCounts | None) -> dict[str | None, int]:
    assert counts is not None
    counts.texts.validate(full=True)
    held = dict(zip(counts.texts.to_pylist(), counts.rows.tolist(), strict=True))
    return held | ({None: counts.n_missing} if counts.n_missing else {})


def counted(values: Any, threads: int = 1) -> dict[str | None, int]:
    raw, filled = as_column(values), counter()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(filled.add, pieces(raw, 2)))
    return found(filled.finish())


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_counts_are_the_same_from_any_form_chunks_and_threads(threads: int) -> None:
    plain = texts()
    expected = dict(Counter(plain.to_pylist()))
    encoded = plain.dictionary_encode()
    forms = {
        "string": plain,
        "large_string": plain.cast(pa.large_string()),
        "string_view": plain.cast(pa.string_view()),
        "slice of views": pa.concat_arrays([texts(5), plain, texts(3)]).cast(pa.string_view()).slice(5, N),
        "chunks of views": pa.chunked_array([plain.slice(i, 3_001).cast(pa.string_view()) for i in range(0, N, 3_001)]),
        "slice": pa.concat_arrays([texts(5), plain, texts(3)]).slice(5, N),
        "small chunks": pa.chunked_array([plain.slice(i, 3_001) for i in range(0, N, 3_001)]),
        "dictionary": encoded,
        "dictionaries": pa.chunked_array([plain.slice(i, 70_000).dictionary_encode() for i in range(0, N, 70_000)]),
        "pandas": plain.to_pandas(),
        "objects": np.where(plain.is_null().to_numpy(False), np.nan, plain.to_numpy(False)),
        "pandas category": plain.to_pandas().astype("category"),
        "polars": pl.Series(plain),
        "polars categorical": pl.Series(plain).cast(pl.Categorical),
    }
    for name, form in forms.items():
        assert counted(form, threads) == expected, name


def test_dictionaries_may_hold_nulls_doubles_and_what_no_row_has() -> None:
    dictionary = pa.array(["a", None, "unused", "a", "b"])
    rows = pa.DictionaryArray.from_arrays(pa.array([0, 3, 1, None, 4, 0], pa.int8()), dictionary)
    assert counted(rows) == {"a": 3, "b": 1, None: 2}


@pytest.mark.parametrize("dtype", [pa.float16(), pa.float32(), pa.float64()])
def test_numbers_count_by_their_text_and_nan_is_missing(dtype: pa.DataType) -> None:
    values = np.array([1.0, -0.0, 0.0, np.nan, 1.5, 1.0], dtype.to_pandas_dtype())
    assert counted(pa.array(values, mask=np.array([0, 0, 0, 0, 0, 1], bool))) == {"1": 1, "0": 2, "1.5": 1, None: 2}


def test_booleans_and_a_column_of_nulls_are_counted() -> None:
    assert counted(pa.array([True, None, False, True])) == {"true": 2, "false": 1, None: 1}
    assert counted(pa.nulls(4, pa.string())) == {None: 4}
    assert counted(pd.Series([None, None], dtype="str")) == {None: 2}
    assert found(counter().finish()) == {}


@pytest.mark.parametrize("threads", [1, 3])
def test_too_many_categories_or_bytes_are_not_counted_whoever_reads_them(threads: int) -> None:
    names = [str(i % 1001) for i in range(2_100_000)]

    def finish(values: list[str], **limits: int) -> TextCounts | None:
        filled = TextCounter(**{"most": 1001, "most_bytes": 1 << 20} | limits)
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(filled.add, pieces(as_column(values), 2)))
        return filled.finish()

    n_bytes = sum(len(name) for name in set(names))
    assert found(finish(names, most=1001, most_bytes=n_bytes)) == Counter(names)
    assert finish(names, most=1000) is None
    assert finish(names, most_bytes=n_bytes - 1) is None


def test_the_text_of_polars_is_not_copied() -> None:
    series = pl.Series(["a text of more than twelve bytes", None, "b"])
    column = as_column(series)
    assert pa.types.is_string_view(column.type)
    assert column.to_pylist() == series.to_list()


def test_a_text_longer_than_all_may_be_leaves_the_others() -> None:
    texts = ["a", "b"] * 1_000
    texts[0] = "g" * ((1 << 24) + 1)
    report = gd.check_drift(reference={"x": pa.array(texts, pa.large_string())}, current={"x": ["b"] * 2_000})
    assert report.dataset_drift
    assert ("b", 1_000, 2_000) in [(b.label, b.reference, b.current) for b in report["x"].bins]


@pytest.mark.parametrize("dtype", [pa.string(), pa.large_string(), pa.string_view()])
def test_buffers_may_be_longer_than_their_texts(dtype: pa.DataType) -> None:
    texts = pa.array(["ab", "c" * 20] * 3_000).cast(dtype)
    buffers = [None if b is None else pa.py_buffer(b.to_pybytes() + b"123") for b in texts.buffers()]
    (bins,) = (f.bins for f in gd.check_drift(
        reference={"x": pa.Array.from_buffers(dtype, len(texts), buffers)}, current={"x": texts}
    ).values())  # fmt: skip
    assert [(b.reference, b.current) for b in bins] == [(3_000, 3_000)] * 2


def test_slices_by_a_dictionary_of_views_are_those_of_its_texts() -> None:
    views = pa.DictionaryArray.from_arrays(pa.array([0, 1, None, 1] * 50), pa.array(["p", "q"], pa.string_view()))
    table = {"x": ["u", "v"] * 100, "s": views}
    report = gd.check_drift(reference=table, current=table, slices=["s"], columns=["x"])
    assert set(report.slices) == {("p",), ("q",), (None,)}
