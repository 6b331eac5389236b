"""Every plain type is counted, its missing values apart; types that mean the same compare, the others are named."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gpudrift as gd
from gpudrift.frames import CategoryReader, NumberReader

WHOLE = [0, 1, 1, 2, 3, 5, 8, 13, 21, 34] * 10
LATER = [k for k in WHOLE if k > 2]
KS = 0.4  # of WHOLE and LATER, and so of every monotone image of them
NOON = dt.datetime(2024, 2, 29, 12)
UNITS = ("s", "ms", "us", "ns")

Image = Callable[[int], Any]
NUMERIC: list[tuple[pa.DataType, Image]] = [
    *((t, int) for t in (pa.int8(), pa.int16(), pa.int32(), pa.int64())),
    *((t, int) for t in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())),
    (pa.int64(), lambda k: 2**62 + k),
    (pa.uint64(), lambda k: 2**63 + k),
    (pa.float16(), lambda k: np.float16(k / 4)),
    (pa.float32(), lambda k: k / 3),
    (pa.float64(), lambda k: k / 3),
    (pa.decimal128(38, 30), lambda k: Decimal(k) / 4),
    (pa.decimal128(5, -3), lambda k: Decimal(k).scaleb(3)),
    (pa.decimal256(76, 5), lambda k: Decimal(k).scaleb(60)),
    *((t, lambda k: NOON.date() + dt.timedelta(days=k)) for t in (pa.date32(), pa.date64())),
    *((pa.timestamp(unit), lambda k: NOON + dt.timedelta(seconds=k)) for unit in UNITS),
    *((pa.timestamp(unit, "America/New_York"), lambda k: NOON + dt.timedelta(seconds=k)) for unit in UNITS),
    *((t, lambda k: dt.time(12, k)) for t in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))),
    *((pa.duration(unit), lambda k: dt.timedelta(seconds=k)) for unit in UNITS),
]
TEXTS = ["", "é🚗", "\n", "a", "ő" * 70_000]
CATEGORICAL: list[tuple[pa.DataType, list[Any]]] = [
    (pa.bool_(), [False, True]),
    *((t, TEXTS) for t in (pa.string(), pa.large_string(), pa.string_view())),
    (pa.dictionary(pa.int8(), pa.string()), TEXTS),
    (pa.dictionary(pa.uint32(), pa.large_string()), TEXTS),
    (pa.dictionary(pa.int32(), pa.int64()), [1, 2, 3]),
    (pa.dictionary(pa.int32(), pa.float32()), [0.5, 2.0]),
    (pa.dictionary(pa.int16(), pa.timestamp("ms")), [NOON, NOON + dt.timedelta(days=1)]),
    (pa.dictionary(pa.int16(), pa.decimal128(5, 2)), [Decimal("1.50"), Decimal("2.25")]),
]


def column(values: list[Any], dtype: pa.DataType) -> pa.ChunkedArray:
    """The values with a null after each tenth, in two chunks."""
    gaps = list(chain.from_iterable((*values[k : k + 10], None) for k in range(0, len(values), 10)))
    if pa.types.is_dictionary(dtype):
        encoded = [pa.array(part, dtype.value_type).dictionary_encode().cast(dtype) for part in (gaps[:37], gaps[37:])]
        return pa.chunked_array(encoded)
    return pa.chunked_array([gaps[:37], gaps[37:]], dtype)


def problems(report: gd.DriftReport, name: str = "x") -> list[str]:
    return [str(problem) for problem in report.problems if problem.feature == name]


@pytest.mark.parametrize(
    ("dtype", "image"), NUMERIC, ids=lambda value: str(value) if isinstance(value, pa.DataType) else ""
)
def test_numbers_of_every_type_are_counted_in_order_with_nulls_apart(dtype: pa.DataType, image: Image) -> None:
    reference, current = ({"x": column([image(k) for k in side], dtype)} for side in (WHOLE, LATER))
    x = gd.check_drift(reference=reference, current=current)["x"]
    assert x.kind == "numeric"
    assert (x.n_reference, x.missing_reference) == (110, 10)
    assert (x.n_current, x.missing_current) == (66, 6)
    assert x.ks.lower == x.ks.upper == pytest.approx(KS, abs=1e-15)


@pytest.mark.parametrize(
    ("dtype", "values"), CATEGORICAL, ids=lambda value: str(value) if isinstance(value, pa.DataType) else ""
)
def test_categories_of_every_type_are_counted_with_nulls_apart(dtype: pa.DataType, values: list[Any]) -> None:
    times = 200 // len(values)
    reference = {"x": column(values * times, dtype)}
    current = {"x": column([*values * times, *values[:1] * 100], dtype)}
    x = gd.check_drift(reference=reference, current=current)["x"]
    assert x.kind == "categorical"
    assert x.missing_reference == len(reference["x"]) - len(values) * times
    assert x.new == 0
    assert sorted(b.reference for b in x.bins) == [times] * len(values)
    assert sorted(b.current for b in x.bins) == [*[times] * (len(values) - 1), times + 100]


def test_null_nan_and_nat_are_all_missing() -> None:
    numbers = pa.array([1.0, None, float("nan"), 2.0] * 20)
    times = np.array(["2024-01-01", "NaT", "NaT", "2024-01-02"] * 20, "M8[s]")
    texts = pd.Series(["a", None, np.nan, "b"] * 20, dtype=object)
    flags = pd.Series([True, pd.NA, None, False] * 20, dtype=object)
    entries = pa.DictionaryArray.from_arrays(pa.array([0, None, 1, 2] * 20), pa.array([1.5, float("nan"), 2.5]))
    table = {"numbers": numbers, "times": times, "texts": texts, "flags": flags, "entries": entries}
    report = gd.check_drift(reference=table, current=table)
    assert {name: feature.missing_current for name, feature in report.items()} == dict.fromkeys(table, 40)


FITTING: dict[str, tuple[Any, Any]] = {
    "float64 on float32": (pa.array([0.1, 0.2], pa.float32()), pa.array([0.1, 0.2])),
    "float32 on float64": (pa.array([0.5, 0.25]), pa.array([0.5, 0.25], pa.float32())),
    "float16 on float64": (pa.array([0.5, 0.25]), np.array([0.5, 0.25], np.float16)),
    "float64 with NaN on int64": (pa.array([1, None, 3]), np.array([1.0, np.nan, 3.0])),
    "int8 on int64": (pa.array([1, -3]), pa.array([1, -3], pa.int8())),
    "uint64 on int64": (pa.array([1, 3]), pa.array([1, 3], pa.uint64())),
    "int64 on float32": (pa.array([1.0, 3.0], pa.float32()), pa.array([1, 3])),
    "uint64 on int64 beyond 2**53": (pa.array([2**60, 3]), pa.array([2**60, 3], pa.uint64())),
    "float64 on int64 beyond 2**53": (pa.array([2**60, 3, None, 4]), np.array([np.nan, 4.0, 3.0])),
    "decimal on float64": (pa.array([1.5, 2.25]), pa.array([Decimal("1.50"), Decimal("2.25")])),
    "float64 on decimal": (pa.array([Decimal("1.50"), Decimal("2.25")]), pa.array([1.5, 2.25])),
    "bool on int64": (pa.array([0, 1]), pa.array([False, True])),
    "dictionary of int64 on int64": (pa.array([7, 9]), pa.array([7, 9]).dictionary_encode()),
    "int32 on a dictionary of int64": (pa.array([7, 9]).dictionary_encode(), pa.array([7, 9], pa.int32())),
    "float64 on a dictionary of int64": (pa.array([7, 2**40]).dictionary_encode(), pa.array([7.0, 2.0**40])),
    "ns on us": (pa.array([NOON], pa.timestamp("us")), pa.array([NOON], pa.timestamp("ns"))),
    "s on ns": (pa.array([NOON], pa.timestamp("ns")), pa.array([NOON], pa.timestamp("s"))),
    "another zone": (pa.array([NOON], pa.timestamp("us", "UTC")), pa.array([NOON], pa.timestamp("ms", "Asia/Tokyo"))),
    "date64 on date32": (pa.array([NOON], pa.date32()), pa.array([NOON], pa.date64())),
    "NumPy's days on date32": (pa.array([NOON], pa.date32()), np.array([NOON], "M8[D]")),
    "NumPy's hours on us": (pa.array([NOON], pa.timestamp("us")), np.array([NOON], "M8[h]")),
    "NumPy's steps of 20 s on us": (pa.array([NOON], pa.timestamp("us")), np.array([NOON], "M8[20s]")),
    "NumPy's minutes on s": (pa.array([120], pa.duration("s")), np.array([2], "m8[m]")),
    "time64 on time32": (pa.array([NOON.time()], pa.time32("s")), pa.array([NOON.time()], pa.time64("ns"))),
    "dictionary on text": (pa.array(["a", None, "b"]), pa.array(["b", "a", None]).dictionary_encode()),
    "text on a dictionary": (pa.array(["a", None, "b"]).dictionary_encode(), pa.array(["b", "a", None])),
}


@pytest.mark.parametrize(("reference", "current"), FITTING.values(), ids=FITTING)
def test_types_that_mean_the_same_are_compared_value_by_value(reference: Any, current: Any) -> None:
    champion = gd.profile({"x": reference})
    counts = champion.count({"x": current})
    assert counts.problems == ()
    in_order, rows = (np.asarray(side) for side in champion.reference.column(0))
    found, again = counts.column(0)
    if len(current) == len(reference):
        assert sorted(again) == sorted(rows)
    assert set(found) <= set(in_order)


SAME_TYPE = "give both sides the same type"
DIFFERING: dict[str, tuple[Any, Any, str]] = {
    "text on numbers": ([1.5], ["a"], f"is float64 in the reference and string in the current data; {SAME_TYPE}"),
    "numbers on text": (["a"], [1], f"is string in the reference and int64 in the current data; {SAME_TYPE}"),
    "numbers on bool": ([True], [1], f"is bool in the reference and int64 in the current data; {SAME_TYPE}"),
    "text on bool": ([True], ["true"], f"is bool in the reference and string in the current data; {SAME_TYPE}"),
    "times on numbers": ([1], [NOON], f"is int64 in the reference and timestamp[us] in the current data; {SAME_TYPE}"),
    "dates on times": (
        [NOON], [NOON.date()],
        f"is timestamp[us] in the reference and date32[day] in the current data; {SAME_TYPE}",
    ),
    "a zone on none": (
        [NOON], [NOON.replace(tzinfo=dt.UTC)],
        "is timestamp[us] in the reference and timestamp[us, tz=UTC] in the current data; "
        "give both sides a time zone, or neither",
    ),
    "none on a zone": (
        [NOON.replace(tzinfo=dt.UTC)], [NOON],
        "is timestamp[us, tz=UTC] in the reference and timestamp[us] in the current data; "
        "give both sides a time zone, or neither",
    ),
    "a list on numbers": (
        [1.5], [[1.5]],
        f"is float64 in the reference and list<item: double> in the current data; {SAME_TYPE}",
    ),
    "floats beyond 2**53 on integers": (
        [2**60 + 1], [2.0**60],
        "is int64 in the reference and float64 in the current data, beyond the whole numbers that both hold; "
        "keep it an integer; nullable integer types hold nulls",
    ),
    "fractions on integers beyond 2**53": (
        [2**60 + 1], [0.5],
        "is int64 in the reference and float64 in the current data, beyond the whole numbers that both hold; "
        "keep it an integer; nullable integer types hold nulls",
    ),
    "a decimal on integers beyond 2**53": (
        [2**60 + 1], [Decimal(2**60 + 1)],
        "is int64 in the reference and decimal128(19, 0) in the current data, beyond the whole numbers that both hold; "
        "keep it an integer; nullable integer types hold nulls",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("reference", "current", "message"), DIFFERING.values(), ids=DIFFERING)
def test_a_type_that_differs_is_named_and_the_rest_compared(reference: Any, current: Any, message: str) -> None:
    other = np.arange(40.0)
    report = gd.check_drift(
        reference={"x": reference * 40, "other": other}, current={"x": current * 40, "other": other}
    )
    assert set(report) == {"other"}
    assert problems(report) == [f"x: {message}"]


def test_a_type_that_differs_is_found_in_a_later_batch_too() -> None:
    champion = gd.profile({"x": pa.array([2**60, 5] * 40), "other": np.arange(80.0)})
    schema = pa.schema({"x": pa.float64(), "other": pa.float64()})
    pieces = [pa.record_batch({"x": np.full(1 << 20, v), "other": np.zeros(1 << 20)}, schema) for v in (5.0, 5.0, 0.5)]
    counts = champion.count(pa.RecordBatchReader.from_batches(schema, pieces))
    assert [problem.feature for problem in counts.problems] == ["x"]
    assert counts.column(0)[0].size == 0
    assert counts.column(1)[1].sum() == 3 << 20


NO_ORDER = "which has neither order nor categories; flatten or cast it to compare it"
UNPLANNED: dict[str, tuple[Any, str]] = {
    "list": (pa.array([[1]]), f"is list<item: int64>, {NO_ORDER}"),
    "struct": (pa.array([{"a": 1}]), f"is struct<a: int64>, {NO_ORDER}"),
    "map": (
        pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64())),
        f"is map<string, int64>, {NO_ORDER}",
    ),
    "binary": (pa.array([b"a"]), f"is binary, {NO_ORDER}"),
    "a dictionary of binary": (
        pa.array([b"a"]).dictionary_encode(),
        f"is binary, {NO_ORDER}",
    ),
    "all null": (pa.nulls(1), "has only nulls in the reference and no type; give it a type or drop it"),
    "a dictionary of nothing": (
        pa.DictionaryArray.from_arrays(pa.array([None], pa.int8()), pa.nulls(0)),
        "has only nulls in the reference and no type; give it a type or drop it",
    ),
    "a period": (
        pd.Series(pd.period_range("2024-01", periods=1, freq="M")),
        f"is extension<pandas.period<ArrowPeriodType>>, {NO_ORDER}",
    ),
    "run ends": (
        pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), [7]),
        f"is run_end_encoded<run_ends: int32, values: int64>, {NO_ORDER}",
    ),
    "complex": (
        np.array([1j]),
        "cannot be read in the reference data: complex128 has neither order nor categories; "
        "give it one value of one type in each row",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("values", "message"), UNPLANNED.values(), ids=UNPLANNED)
def test_a_type_without_order_or_categories_is_named_and_the_rest_compared(values: Any, message: str) -> None:
    table = {"x": values, "other": pa.array([1.0])}
    report = gd.check_drift(reference=table, current=table)
    assert set(report) == {"other"}
    assert problems(report) == [f"x: {message}"]


def test_a_current_column_without_a_value_is_missing_in_every_row_whatever_its_type() -> None:
    reference = {"n": np.arange(40.0), "s": ["a", "b"] * 20, "t": [NOON] * 40, "i": pa.array([2**60, 1] * 20)}
    for nulls in (
        np.full(40, np.nan),
        np.full(40, "NaT", "M8[s]"),
        pa.array([None, float("nan")] * 20),
        pa.array([None] * 40, pa.int64()),
        pa.array([None] * 40, pa.list_(pa.int8())),
        pa.nulls(40),
        pd.Series([None] * 40),
        pl.Series([None] * 40),
        pd.Series([None] * 40, dtype="category"),
    ):
        report = gd.check_drift(reference=reference, current=dict.fromkeys(reference, nulls))
        assert {name: feature.missing_current for name, feature in report.items()} == dict.fromkeys(reference, 40)
        assert problems(report, "n") == ["n: has only missing values in the current data; check where it comes from"]


def test_python_objects_in_a_frame_get_the_type_they_have() -> None:
    objects = {
        "decimals": ([Decimal("1.5"), None, Decimal("2.25")], "decimal128(3, 2)"),
        "dates": ([NOON.date(), None, float("nan")], "date32[day]"),
        "times": ([NOON, pd.NaT, NOON], "timestamp[us]"),
        "flags": ([True, None, False], "bool"),
        "whole": ([1, None, 2], "int64"),
        "mixed numbers": ([1, None, 2.5], "float64"),
        "texts": (["a", np.nan, pd.NA], "string"),
    }
    frame = pd.DataFrame({name: pd.Series(values * 20, dtype=object) for name, (values, _) in objects.items()})
    report = gd.check_drift(reference=frame, current=frame)
    assert {name: feature.dtype for name, feature in report.items()} == {n: dtype for n, (_, dtype) in objects.items()}
    assert {name: f.missing_current for name, f in report.items()} == dict.fromkeys(frame, 20) | {
        "dates": 40,
        "texts": 40,
    }


def test_a_column_that_arrow_does_not_take_is_named_and_the_rest_compared() -> None:
    odd = {"objects": pl.Series([object()] * 40, dtype=pl.Object), "wide": pl.Series([1] * 40, dtype=pl.Int128)}
    table = {**odd, "bytes": np.array([b"a"] * 40), "x": np.arange(40.0)}
    report = gd.check_drift(reference=table, current=table)
    assert set(report) == {"x"}
    assert {problem.feature for problem in report.problems} == {"objects", "wide", "bytes"}


def test_text_in_numpy_is_counted_whatever_its_type() -> None:
    texts = ["a", "", "日本"] * 20
    expected = gd.profile({"x": texts})
    for dtype in ("U2", ">U2", object, np.dtypes.StringDType()):
        assert gd.profile({"x": np.array(texts, dtype)}).profile_id == expected.profile_id


def test_a_sparse_column_is_counted() -> None:
    sparse = pd.DataFrame({"x": pd.arrays.SparseArray([0.0, 1.0, np.nan] * 20)})
    assert gd.check_drift(reference=sparse, current=sparse)["x"].missing_current == 20


def test_kinds_can_be_asked_for() -> None:
    table = {"zip": [10115, 75001] * 50, "flag": [True, False] * 50, "code": pa.array([3, 4] * 50).dictionary_encode()}
    report = gd.check_drift(reference=table, current=table, categorical=["zip"], numeric=["flag", "code"])
    assert {name: feature.kind for name, feature in report.items()} == {
        "zip": "categorical",
        "flag": "numeric",
        "code": "numeric",
    }
    floats = gd.check_drift(reference=table, current={**table, "zip": [10115.0, np.nan] * 50}, categorical=["zip"])
    assert {b.label: b.current for b in floats["zip"].bins} == {"10115": 50, "75001": 0}


def test_times_beyond_the_units_range_are_held_at_its_end() -> None:
    reference = pa.array([NOON] * 40, pa.timestamp("ns"))
    far = [dt.datetime(year, 1, 1) for year in (1, 1700, 2024, 2300, 9999)]
    for dtype in (pa.timestamp("s"), pa.timestamp("ms"), pa.timestamp("us")):
        for raw in (pa.chunked_array([pa.array(far, dtype)]), np.array(far, f"M8[{dtype.unit}]")):
            values, _ = NumberReader(raw, "timestamp/ns", "int64").values(0, 5)
            assert np.all(values[:-1] <= values[1:])
            assert values[0] < -(2**63 - 2**60) < 2**63 - 2**60 < values[4]
            x = gd.check_drift(reference={"x": reference}, current={"x": raw})["x"]
            assert (x.n_current, x.missing_current, x.infinite_current) == (5, 0, 0)


def test_times_are_rounded_down_to_a_coarser_unit() -> None:
    ticks = pa.chunked_array([pa.array([-1_000_001, -1, 0, 999_999], pa.timestamp("us"))])
    values, _ = NumberReader(ticks, "timestamp/s", "int64").values(0, 4)
    assert values.tolist() == [-2, -1, 0, 0]


def test_numbers_beyond_the_plans_type_are_held_at_its_end() -> None:
    large = np.array([-1e300, -np.inf, 0.0, np.inf, 1e300])
    values, _ = NumberReader(large, "number", "float32").values(0, 5)
    top = np.finfo(np.float32).max
    assert values.tolist() == [-top, -np.inf, 0.0, np.inf, top]
    unsigned = np.array([0, 2**63, 2**64 - 1], np.uint64)
    assert NumberReader(unsigned, "number", "int64").values(0, 3)[0].tolist() == [0, 2**63 - 1, 2**63 - 1]
    signed = np.array([-5, 0, 7], np.int8)
    assert NumberReader(signed, "number", "uint64").values(0, 3)[0].tolist() == [0, 0, 7]
    x = gd.check_drift(reference={"x": np.arange(40, dtype=np.float32)}, current={"x": np.full(40, 1e300)})["x"]
    assert (x.infinite_current, x.ks.statistic) == (0, 1.0)


def test_text_that_is_not_utf8_is_named_and_the_rest_compared() -> None:
    raw = pa.array([b"caf\xe9", b"tea"] * 40)
    broken = pa.Array.from_buffers(pa.string(), len(raw), raw.buffers())
    good = {"x": ["tea"] * 80, "y": np.arange(80.0)}
    for text in (broken, broken.dictionary_encode(), broken.cast(pa.large_string())):
        report = gd.check_drift(reference={"x": text, "y": good["y"]}, current=good)
        assert set(report) == {"y"}
        assert problems(report) == ["x: holds text that is not UTF-8 in the reference; decode it with its own encoding"]
        assert gd.check_drift(reference=good, current={"x": text, "y": good["y"]})["x"].new == 40


def test_codes_are_the_same_from_many_threads_and_any_slices() -> None:
    rng = np.random.default_rng(0)
    texts = [[None, "a", "b", "new", "c"][k] for k in rng.integers(0, 5, 4000)]
    vocabulary = pa.array(["a", "b", "c"], pa.large_string())
    plain = pa.chunked_array([texts[k : k + 100] for k in range(0, 4000, 100)])
    encoded = pa.chunked_array([chunk.dictionary_encode() for chunk in plain.chunks])
    expected = [4 if t is None else {"a": 0, "b": 1, "c": 2}.get(t, 3) for t in texts]

    def decoded(reader: CategoryReader, start: int) -> list[int]:
        local, codes = reader.codes(start, start + 250)
        return np.where(local < 0, 4, codes[local]).tolist()

    for raw in (plain, encoded, encoded.unify_dictionaries(), encoded.slice(0, 4000)):
        reader = CategoryReader(raw, vocabulary)
        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda start, reader=reader: decoded(reader, start), range(0, 4000, 250)))
        assert list(chain.from_iterable(found)) == expected
        counts = CategoryReader(raw, vocabulary).counts(50, 3950)
        assert (counts is None) == pa.types.is_dictionary(raw.type)
        assert counts is None or counts.tolist() == np.bincount(expected[50:3950], minlength=5).tolist()
