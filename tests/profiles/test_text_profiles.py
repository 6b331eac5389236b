"""A profile of texts holds what counting them again gives, and is one and the same from any form of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd

N = 300_000


def table(n_categories: int, null: float) -> pa.Table:
    """Texts, and a number that they are not read with."""
    rng = np.random.default_rng(n_categories)
    names = pa.array([f"category {i}" for i in range(n_categories)])
    codes = (rng.random(N) ** 2 * n_categories).astype(np.int32)
    texts = names.take(pa.array(codes, mask=rng.random(N) < null))
    return pa.table({"a": texts, "x": rng.normal(size=N), "b": texts.dictionary_encode()})


def forms(whole: pa.Table, folder: Path) -> dict[str, Any]:
    pq.write_table(whole, folder / "x.parquet", row_group_size=70_000)
    pq.write_table(whole, folder / "plain.parquet", use_dictionary=False)
    rows = [whole.slice(i, 33_333) for i in range(0, N, 33_333)]
    return {
        "arrow": whole,
        "chunks": pa.concat_tables(rows),
        "stream": whole.to_reader(),
        "pandas": whole.to_pandas(),
        "objects": whole.to_pandas().astype({"a": object}),
        "polars": pl.from_arrow(whole),
        "parquet": folder / "x.parquet",
        "plain parquet": folder / "plain.parquet",
    }


@pytest.mark.parametrize(("n_categories", "null"), [(7, 0.0), (1_000, 0.3), (66_000, 0.0), (70_000, 0.1)])
def test_a_profile_holds_what_counting_its_reference_again_gives(
    n_categories: int, null: float, tmp_path: Path
) -> None:
    whole = table(n_categories, null)
    known = gd.profile(whole)
    again = known.count(whole)
    np.testing.assert_array_equal(known.reference.keys, again.keys)
    np.testing.assert_array_equal(known.reference.values, again.values)
    assert known.reference.n_rows == again.n_rows == N
    for name, form in forms(whole, tmp_path).items():
        assert gd.profile(form).profile_id == known.profile_id, name
    for threads in (1, 3):
        assert gd.profile(whole, backend=gd.get_backend("cpu", threads=threads)).profile_id == known.profile_id


@pytest.mark.parametrize("columns", [["a"], ["a", "b"], ["a", "x"], ["x"]])
def test_every_row_is_reported_twice_whatever_has_been_counted_before(columns: list[str], tmp_path: Path) -> None:
    whole = table(5, 0.1)
    for name, form in forms(whole.select(columns), tmp_path).items() if "a" in columns else [("arrow", whole)]:
        seen: list[int] = []
        gd.profile(form, columns=columns, progress=seen.append)
        assert sum(seen) == 2 * N, name


def test_rows_with_weights_are_counted_by_them() -> None:
    whole = table(7, 0.1).append_column("w", pa.array(np.arange(N) % 3))
    weighted, plain = gd.profile(whole, weights="w"), gd.profile(whole.drop(["w"]))
    place = plain.columns.index("a")
    counters, heavy = weighted.reference.weight(place)
    codes = np.array(whole["a"].combine_chunks().dictionary_encode().indices.fill_null(-1))
    weights = np.arange(N) % 3
    missing = int(heavy[counters == 8][0])  # behind 7 categories and "new"
    assert missing * weights.sum() == weights[codes < 0].sum() * heavy.sum()  # whatever their unit
    np.testing.assert_array_equal(weighted.reference.column(place)[1], plain.reference.column(place)[1])


@pytest.mark.parametrize("null", [0, 7])
def test_a_text_in_every_row_is_an_identifier_and_one_that_repeats_is_none(null: int) -> None:
    names = [None if null and i % null == 0 else f"{i:06d}" for i in range(66_000)]
    report = gd.check_drift(reference={"x": names}, current={"x": names[::-1]})
    assert not report["x"].counted
    some = [name and name[-4:] for name in names]
    assert gd.check_drift(reference={"x": some}, current={"x": some[::-1]})["x"].counted
