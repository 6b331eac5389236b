"""The same rows give the same profile and the same counts, whatever library they come in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gpudrift as gd

Form = Callable[[pa.Table], Any]

NULLABLE = {
    pa.int64(): pd.Int64Dtype(),
    pa.float64(): pd.Float64Dtype(),
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
}


class Exporter:
    """Known by its Arrow stream alone."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


def with_text(table: pa.Table, dtype: pa.DataType) -> pa.Table:
    return table.set_column(4, "text", table["text"].cast(dtype))


def with_dictionaries_that_differ(table: pa.Table) -> pa.Table:
    return pa.Table.from_batches(
        batch.set_column(4, "text", batch.column("text").dictionary_encode()) for batch in table.to_batches(90)
    )


def polars_enum(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    return frame.cast({"text": pl.Enum(["unused", *frame["text"].unique().drop_nulls()])})


def one_library_a_column(table: pa.Table) -> dict[str, Any]:
    return {
        "whole": table["whole"].to_numpy(),
        "gaps": pl.from_arrow(table["gaps"]),
        "real": table["real"].to_pylist(),
        "flag": table["flag"].combine_chunks(),
        "text": pd.Series(table["text"].to_pylist(), dtype="category"),
        "when": table["when"].to_numpy(),
        "day": table["day"].to_pylist(),
        "zoned": table["zoned"].to_pandas(),
    }


FORMS: dict[str, Form] = {
    "pyarrow, one chunk": lambda table: table.combine_chunks(),
    "pyarrow, chunks of a row": lambda table: pa.Table.from_batches(table.to_batches(1)),
    "pyarrow, chunks of 97 rows": lambda table: pa.Table.from_batches(table.to_batches(97)),
    "pyarrow, empty chunks": lambda table: pa.concat_tables([table.slice(0, 0), table, table.slice(0, 0)]),
    "pyarrow, a slice": lambda table: pa.concat_tables([table.slice(600), table, table]).slice(100, 700),
    "pyarrow, large strings": lambda table: with_text(table, pa.large_string()),
    "pyarrow, string views": lambda table: with_text(table, pa.string_view()),
    "pyarrow, a dictionary": lambda table: with_text(table, pa.dictionary(pa.int8(), pa.string())),
    "pyarrow, dictionaries that differ": with_dictionaries_that_differ,
    "pyarrow, a record batch": lambda table: table.combine_chunks().to_batches()[0],
    "stream": lambda table: table.to_reader(),
    "stream, batches of 10 rows": lambda table: table.to_reader(10),
    "stream, dictionaries that differ": lambda table: with_dictionaries_that_differ(table).to_reader(),
    "exporter of a stream": Exporter,
    "pandas, nullable": lambda table: table.to_pandas(types_mapper=NULLABLE.get),
    "pandas, Arrow": lambda table: table.to_pandas(types_mapper=pd.ArrowDtype),
    "polars": pl.from_arrow,
    "polars, chunks": lambda table: pl.concat([pl.from_arrow(t) for t in (table[:300], table[300:])], rechunk=False),
    "polars, Categorical": lambda table: pl.from_arrow(table).cast({"text": pl.Categorical}),
    "polars, Enum": polars_enum,
    "narwhals": lambda table: nw.from_native(table),
    "mapping of Arrow columns": lambda table: dict(zip(table.column_names, table.columns, strict=True)),
    "mapping of lists": lambda table: table.to_pydict(),
    "mapping, one library a column": one_library_a_column,
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_same_profile(table: pa.Table, champion: gd.Profile, form: Form) -> None:
    made = gd.profile(form(table))
    assert made.profile_id == champion.profile_id
    assert made.reference == champion.reference


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_every_form_gives_the_same_counts(table: pa.Table, champion: gd.Profile, form: Form) -> None:
    counts = champion.count(form(table))
    assert counts == champion.reference
    assert counts.problems == ()


def numpy_frame(table: pa.Table) -> pd.DataFrame:
    """pandas before nullable types: NumPy dtypes, Python objects, None and NaN side by side; an odd index."""
    frame = pd.DataFrame({name: table[name].to_numpy() for name in table.column_names})
    for name in ("flag", "text", "day"):
        frame[name] = pd.Series(table[name].to_pylist(), dtype=object)
    frame.loc[frame["text"].isna() & (frame["whole"] > 0), "text"] = np.nan
    frame["zoned"] = table["zoned"].to_pandas()
    return frame.set_index(pd.Index(range(len(frame), 0, -1), name="row"))


def test_a_frame_of_numpy_dtypes_counts_the_same_though_it_cannot_hold_integers_with_gaps(
    table: pa.Table, champion: gd.Profile
) -> None:
    frame = numpy_frame(table)
    assert frame["gaps"].dtype == np.float64
    assert champion.count(frame) == champion.reference
    rest = [name for name in table.column_names if name != "gaps"]
    assert gd.profile(frame[rest]).profile_id == gd.profile(table.select(rest)).profile_id
    made = gd.profile(frame)
    assert np.array_equal(made.reference.keys, champion.reference.keys)
    assert np.array_equal(made.reference.values, champion.reference.values)


@pytest.mark.parametrize("dtype", ["category", "string[python]", "string[pyarrow]", "str", object])
def test_every_pandas_type_of_text_gives_the_same_profile(
    table: pa.Table, champion: gd.Profile, dtype: str | type
) -> None:
    frame = table.to_pandas(types_mapper=NULLABLE.get)
    made = gd.profile(frame.assign(text=frame["text"].astype(dtype)))
    assert made.profile_id == champion.profile_id


def test_column_names_that_are_no_text_become_text(table: pa.Table) -> None:
    by_number = pd.DataFrame({0: [1.0, 2.0], 7: [3.0, 4.0], ("a", 1): [5.0, 6.0]})
    assert gd.profile(by_number).columns == ("0", "7", "('a', 1)")


def test_a_series_is_a_table_of_one_column(table: pa.Table) -> None:
    values = table["whole"]
    named = gd.profile({"whole": values})
    for series in (pd.Series(values.to_pylist(), name="whole"), pl.Series("whole", values.to_pylist())):
        assert gd.profile(series).profile_id == named.profile_id
    unnamed = gd.profile({"x": values})
    for series in (pd.Series(values.to_pylist()), pl.Series(values.to_pylist()), values, values.combine_chunks()):
        assert gd.profile(series).profile_id == unnamed.profile_id


NUMBERS = np.random.default_rng(1).normal(size=(3000, 4)).astype(np.float32)
WIDE = np.zeros((6000, 9), np.float32)
WIDE[::2, 1::2] = NUMBERS
READ_ONLY = NUMBERS.copy()
READ_ONLY.flags.writeable = False

ARRAYS: dict[str, Any] = {
    "C order": NUMBERS,
    "Fortran order": np.asfortranarray(NUMBERS),
    "strided": WIDE[::2, 1::2],
    "negative strides": NUMBERS[::-1].copy()[::-1],
    "read-only": READ_ONLY,
    "big-endian": NUMBERS.astype(">f4"),
    "structured": np.rec.fromarrays(NUMBERS.T, names="x0,x1,x2,x3"),
    "masked": np.ma.masked_array(NUMBERS, np.zeros_like(NUMBERS, bool)),
    "memory map": NUMBERS.view(np.memmap),
    "mapping": {f"x{j}": column for j, column in enumerate(NUMBERS.T)},
    "mapping of lists and arrays": {
        f"x{j}": pa.array(column) if j % 2 else column for j, column in enumerate(NUMBERS.T)
    },
    "pandas": pd.DataFrame(NUMBERS, columns=[f"x{j}" for j in range(4)]),
    "polars": pl.DataFrame(NUMBERS, schema=[f"x{j}" for j in range(4)]),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS)
def test_every_layout_of_an_array_gives_the_same_profile(array: Any) -> None:
    expected = gd.profile(NUMBERS)
    assert expected.columns == ("x0", "x1", "x2", "x3")
    made = gd.profile(array)
    assert made.profile_id == expected.profile_id
    assert expected.count(array) == expected.reference


def test_an_array_of_one_dimension_is_one_column() -> None:
    column = NUMBERS[:, 2]
    assert gd.profile(column).profile_id == gd.profile({"x": column}).profile_id


def test_masked_values_are_missing() -> None:
    masked = np.ma.masked_array(np.arange(100), np.arange(100) % 10 == 0)
    assert gd.check_drift(reference=masked, current=masked)["x"].missing_current == 10


def test_an_object_that_only_turns_into_an_array_is_taken() -> None:
    class Tensor:
        def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
            return NUMBERS

        def __iter__(self) -> object:
            raise RuntimeError("slow")

    assert gd.profile(Tensor()).profile_id == gd.profile(NUMBERS).profile_id


def test_a_stream_that_is_the_reference_leaves_no_file_behind(
    table: pa.Table, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    report = gd.check_drift(reference=table.to_reader(50), current=table.to_reader(50), exact=True)
    assert len(report) == table.num_columns
    assert list(tmp_path.iterdir()) == []


def test_an_extension_type_that_cannot_be_hashed_is_named_and_the_rest_is_read() -> None:
    class Own(pa.ExtensionType):
        def __init__(self) -> None:
            super().__init__(pa.float64(), "gpudrift.own")

        def __arrow_ext_serialize__(self) -> bytes:
            return b""

        @classmethod
        def __arrow_ext_deserialize__(cls, storage: pa.DataType, serialized: bytes) -> Own:
            return cls()

    rows = np.random.default_rng(0).random(300)
    table = {"x": pa.ExtensionArray.from_storage(Own(), pa.array(rows)), "y": rows}
    report = gd.check_drift(reference=table, current=table)
    assert list(report) == ["y"]
    assert [p.feature for p in report.problems] == ["x"]
