"""Bad input is named with its remedy in one line, and nothing of the rest is lost."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import gpudrift as gd

RNG = np.random.default_rng(0)
GOOD = {"age": RNG.normal(size=500), "plan": RNG.choice(["free", "paid"], 500)}


def problems(report: gd.DriftReport, name: str = "x") -> list[str]:
    return [str(problem) for problem in report.problems if problem.feature == name]


def check_beside_good_columns(reference: Any, current: Any, **settings: Any) -> gd.DriftReport:
    """Report of a column ``x`` beside good ones, which must come out as they do alone."""
    report = gd.check_drift(reference={**GOOD, "x": reference}, current={**GOOD, "x": current}, **settings)
    assert {"age", "plan"} <= set(report)
    assert not report["age"].drifted
    assert report["age"].n_current == 500
    assert not any(problem.feature in GOOD for problem in report.problems)
    return report


EMPTY: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame({"age": [], "plan": []}),
    "pandas, typed": lambda: pd.DataFrame(GOOD).head(0),
    "polars": lambda: pl.DataFrame(GOOD).head(0),
    "pyarrow": lambda: pa.table(GOOD).slice(0, 0),
    "pyarrow without a chunk": lambda: pa.table(GOOD).schema.empty_table(),
    "stream": lambda: pa.table(GOOD).slice(0, 0).to_reader(),
    "array": lambda: np.empty((0, 3)),
    "mapping": lambda: {"age": [], "plan": []},
}


@pytest.mark.parametrize("empty", EMPTY.values(), ids=EMPTY)
def test_an_empty_reference_is_refused(empty: Callable[[], Any]) -> None:
    with pytest.raises(gd.DataError, match=r"^reference has no rows; pass at least one$"):
        gd.check_drift(reference=empty(), current=GOOD)


@pytest.mark.parametrize("empty", EMPTY.values(), ids=EMPTY)
def test_an_empty_current_is_refused(empty: Callable[[], Any]) -> None:
    with pytest.raises(gd.DataError, match=r"^current has no rows; pass at least one$"):
        gd.check_drift(reference=GOOD, current=empty())


def test_an_empty_parquet_file_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table(GOOD).slice(0, 0), tmp_path / "empty.parquet")
    with pytest.raises(gd.DataError, match=r"^reference has no rows; pass at least one$"):
        gd.profile(tmp_path / "empty.parquet")


@pytest.mark.parametrize("nothing", [{}, pd.DataFrame(), pl.DataFrame(), pa.table({}), np.empty((5, 0))])
def test_a_reference_without_columns_is_refused(nothing: Any) -> None:
    with pytest.raises(gd.DataError, match=r"^reference has no column that can be compared; pass at least one column$"):
        gd.profile(nothing)


def test_a_reference_without_a_column_to_compare_is_refused_with_the_reasons() -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.profile({"a": [[1], [2]], "b": [None, None], "c": [1, "x"]})
    assert str(raised.value) == (
        "reference has no column that can be compared; "
        "c: cannot be read in the reference data: it holds int and str; give it one value of one type in each row; "
        "a: is list<item: int64>, which has neither order nor categories; flatten or cast it to compare it; "
        "b: has only nulls in the reference and no type; give it a type or drop it"
    )


def test_no_column_in_common_is_refused_with_the_reasons() -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.check_drift(reference={"a": [1.0] * 40, "b": ["x"] * 40}, current={"b": [1.0] * 40, "c": [1.0] * 40})
    assert str(raised.value) == (
        "reference and current have no column in common that can be compared; a: is missing from the current data; "
        "b: is string in the reference and float64 in the current data"
    )


def test_a_column_missing_from_the_current_data_is_named() -> None:
    report = gd.check_drift(reference={**GOOD, "x": np.arange(500.0)}, current=GOOD)
    assert set(report) == {"age", "plan"}
    assert problems(report) == [
        "x: is missing from the current data; add the column or drop it from the profile",
    ]


def test_a_column_asked_for_by_name_must_be_on_both_sides() -> None:
    more = {**GOOD, "plans": GOOD["plan"]}
    with pytest.raises(gd.DataError, match=r"^current has no column 'plans': did you mean 'plan'\?$"):
        gd.check_drift(reference=more, current=GOOD, columns=["age", "plans"])
    with pytest.raises(gd.DataError, match=r"^reference has no column 'plans': did you mean 'plan'\?$"):
        gd.check_drift(reference=GOOD, current=more, columns=["age", "plans"])


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e200, 1e307])
@pytest.mark.parametrize("exact", [False, True])
def test_values_at_either_end_of_the_doubles_have_the_distance_of_ordinary_ones(scale: float, exact: bool) -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.integers(0, 8, 2000).astype(float), rng.integers(1, 9, 2000).astype(float)
    expected = gd.check_drift(reference=reference, current=current, exact=True)["x"].wasserstein
    found = gd.check_drift(reference=reference * scale, current=current * scale, exact=exact)["x"].wasserstein
    assert found == pytest.approx(expected, rel=1e-2)


def test_whole_numbers_close_together_and_far_from_zero_keep_their_scale() -> None:
    rows = 10**15 + np.random.default_rng(0).integers(0, 100, 2000)
    for exact in (False, True):
        report = gd.check_drift(reference=rows, current=rows + 3, exact=exact)
        assert report["x"].wasserstein == pytest.approx(3 / np.std(rows - 10**15), rel=1e-9)
    assert len({b.label for b in report["x"].bins}) == 10


def test_a_column_that_only_the_current_data_have_is_ignored_even_if_it_is_bad() -> None:
    report = gd.check_drift(reference=GOOD, current={**GOOD, "x": [1, "a"] * 250})
    assert report.problems == ()


NOTHING = {
    "null": [None] * 500,
    "NaN": np.full(500, np.nan),
    "NaT": np.full(500, "NaT", "M8[s]"),
    "null text": pa.array([None] * 500, pa.string()),
}
ONLY_MISSING = "x: has only missing values in the {} data; check where it comes from"


@pytest.mark.parametrize("values", list(NOTHING.values())[1:], ids=list(NOTHING)[1:])
def test_a_column_without_a_value_on_both_sides_is_named(values: Any) -> None:
    report = check_beside_good_columns(values, values)
    assert problems(report) == [ONLY_MISSING.format("reference"), ONLY_MISSING.format("current")]
    assert (report["x"].missing_reference, report["x"].missing_current) == (500, 500)
    assert not report["x"].drifted


def test_a_column_of_nulls_without_a_type_is_named() -> None:
    report = check_beside_good_columns(NOTHING["null"], NOTHING["null"])
    assert problems(report) == ["x: has only nulls in the reference and no type; give it a type or drop it"]


@pytest.mark.parametrize("values", NOTHING.values(), ids=NOTHING)
@pytest.mark.parametrize("reference", [np.arange(500.0) % 7, ["a", "b"] * 250], ids=["numbers", "text"])
def test_a_column_that_loses_all_its_values_drifts_and_is_named(values: Any, reference: Any) -> None:
    report = check_beside_good_columns(reference, values)
    assert problems(report) == [ONLY_MISSING.format("current")]
    assert report["x"].missing_current == 500
    assert [reason.statistic for reason in report["x"].reasons] == ["missing_rate", "p_value"]


def test_a_column_that_gains_its_values_drifts_and_is_named() -> None:
    report = check_beside_good_columns(NOTHING["NaN"], np.arange(500.0) % 7)
    assert problems(report) == [ONLY_MISSING.format("reference")]
    assert report["x"].drifted


def test_a_column_of_infinities_is_named() -> None:
    infinite = np.where(np.arange(500) % 2, np.inf, -np.inf)
    report = check_beside_good_columns(infinite, infinite)
    assert problems(report) == [
        "x: has only infinite or missing values in the reference data; check where it comes from",
        "x: has only infinite or missing values in the current data; check where it comes from",
    ]
    assert (report["x"].infinite_reference, report["x"].missing_reference) == (500, 0)


CONSTANTS: list[tuple[Any, Any]] = [(7.5, 8.0), (2**60, 2**60 + 1), ("a", "b"), (True, False)]


@pytest.mark.parametrize(("value", "other"), CONSTANTS)
def test_a_constant_column_drifts_only_from_another_value(value: Any, other: Any) -> None:
    same = check_beside_good_columns([value] * 500, [value] * 500)
    assert problems(same) == []
    assert (same["x"].psi, same["x"].drifted) == (0.0, False)
    moved = check_beside_good_columns([value] * 500, [other] * 500)
    assert problems(moved) == []
    assert moved["x"].drifted


@pytest.mark.parametrize(("n_rows", "shown"), [(1, "1 value"), (29, "29 values")])
def test_too_few_rows_for_a_verdict_are_named(n_rows: int, shown: str) -> None:
    few = {name: values[:n_rows] for name, values in GOOD.items()}
    for reference, current, side in ((GOOD, few, "current"), (few, GOOD, "reference")):
        report = gd.check_drift(reference=reference, current=current)
        remark = f"has {shown} in the {side} data, too few for a verdict; collect at least 30"
        assert [str(problem) for problem in report.problems] == [f"{name}: {remark}" for name in GOOD]
        assert not report.dataset_drift
        assert report.to_dict()["features"]["age"]["p_value"] is None
    assert gd.check_drift(reference=GOOD, current={name: values[:30] for name, values in GOOD.items()}).problems == ()


MIXED: dict[str, tuple[list[Any], str]] = {
    "int and str": ([1, "a"], "it holds int and str"),
    "str and int": (["a", 1], "it holds int and str"),
    "str and float": (["a", 1.5], "it holds float and str"),
    "three types": (["a", 1, 1.5], "it holds float, int and str"),
    "bool and int": ([True, 2], "it holds bool and int"),
    "dict and str": ([{"a": 1}, "a"], "it holds dict and str"),
    "date and datetime": ([dt.date(2024, 1, 1), dt.datetime(2024, 1, 1, 5)], "it holds date and datetime"),
    "with gaps": (["a", None, float("nan"), pd.NaT, 1], "it holds int and str"),
    "objects": (
        [object],
        "Could not convert <class 'object'> with type type: did not recognize Python value type when inferring an "
        "Arrow data type",
    ),
    "numbers beyond 64 bits": ([2**80, 1], "it holds integers beyond 64 bits"),
}


@pytest.mark.parametrize("library", [list, lambda values: pd.Series(values, dtype=object), np.array], ids="lpn")
@pytest.mark.parametrize(("values", "why"), MIXED.values(), ids=MIXED)
def test_a_column_of_mixed_types_is_named(values: list[Any], why: str, library: Callable[[Any], Any]) -> None:
    if library is np.array:
        column = np.empty(len(values), object)
        column[:] = values
    else:
        column = library(values)
    reference = {"x": column, "age": np.arange(len(values), dtype=float)}
    report = gd.check_drift(reference=reference, current=reference)
    assert set(report) == {"age"}
    assert problems(report) == [
        f"x: cannot be read in the reference data: {why}; give it one value of one type in each row"
    ]
    current = gd.check_drift(reference={**reference, "x": ["a"] * len(values)}, current=reference)
    assert problems(current) == [
        f"x: cannot be read in the current data: {why}; give it one value of one type in each row"
    ]


ODD: dict[str, tuple[Any, str]] = {
    "a number": (5, "it is a single int"),
    "a text": ("abc", "it is a single str"),
    "a mapping": ({"a": 1}, "it is a single dict"),
    "None": (None, "it is a single NoneType"),
    "two dimensions": (np.zeros((500, 2)), "it has 2 dimensions"),
    "no dimension": (np.array(5.0), "it has 0 dimensions"),
}


@pytest.mark.parametrize(("values", "why"), ODD.values(), ids=ODD)
def test_a_value_that_is_no_column_is_named(values: Any, why: str) -> None:
    report = check_beside_good_columns(values, values)
    assert problems(report) == [
        f"x: cannot be read in the reference data: {why}; give it one value of one type in each row"
    ]


@pytest.mark.parametrize("table", [5, None, 1.5, [1.0], [], (), {1.0}, b"x", object(), iter([1]), len], ids=repr)
def test_what_is_no_table_is_refused(table: Any) -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.check_drift(reference=table, current=GOOD)
    assert str(raised.value) == (
        f"reference is of type {type(table).__name__}, which is no table; pass a dataframe, an Arrow table, arrays by "
        "name or a Parquet path"
    )


def test_a_lazy_frame_is_refused() -> None:
    with pytest.raises(gd.DataError, match=r"^current is a lazy LazyFrame; call \.collect\(\) first$"):
        gd.check_drift(reference=GOOD, current=pl.LazyFrame(GOOD))

    class Delayed:
        def compute(self) -> None: ...

        def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray: ...

    with pytest.raises(gd.DataError, match=r"^current is a lazy Delayed; call \.compute\(\) first$"):
        gd.check_drift(reference=GOOD, current=Delayed())


def test_an_array_that_cannot_leave_its_device_is_refused() -> None:
    class OnDevice:
        def __array__(self, dtype: object = None, copy: bool | None = None) -> np.ndarray:
            raise TypeError("Implicit conversion is not allowed.")

    with pytest.raises(gd.DataError) as raised:
        gd.profile(OnDevice())
    assert str(raised.value) == (
        "reference is of type OnDevice, which does not become an array: Implicit conversion is not allowed; "
        "pass it as a NumPy array"
    )


@pytest.mark.parametrize("shape", [(), (2, 2, 2)])
def test_an_array_that_is_not_rows_by_columns_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.profile(np.zeros(shape))
    assert str(raised.value) == f"reference is an array of {len(shape)} dimensions; pass rows x columns"


TWICE: dict[str, Callable[[], Any]] = {
    "pandas": lambda: pd.DataFrame(np.zeros((5, 3)), columns=["a", "b", "a"]),
    "pandas, 1 and '1'": lambda: pd.DataFrame(np.zeros((5, 2)), columns=[1, "1"]),
    "pyarrow": lambda: pa.table([[1], [2], [3]], names=["a", "b", "a"]),
    "stream": lambda: pa.table([[1], [2], [3]], names=["a", "b", "a"]).to_reader(),
}


@pytest.mark.parametrize("table", TWICE.values(), ids=TWICE)
def test_columns_of_the_same_name_are_refused(table: Callable[[], Any]) -> None:
    with pytest.raises(gd.DataError, match=r"^reference has two columns named '[a1]'; rename one$"):
        gd.profile(table())


def test_columns_of_different_lengths_are_refused() -> None:
    with pytest.raises(gd.DataError) as raised:
        gd.profile({"a": [1, 2, 3], "b": np.zeros(3), "c": [1] * 1500, "d": [1]})
    assert str(raised.value) == (
        "reference has columns of different lengths ('a' 3, 'c' 1,500, 'd' 1); give every column the same rows"
    )


@pytest.mark.parametrize("option", ["columns", "categorical", "numeric"])
def test_an_unknown_column_is_refused_with_the_nearest_name(option: str) -> None:
    with pytest.raises(gd.DataError, match=r"^reference has no column 'agee': did you mean 'age'\?$"):
        gd.check_drift(reference=GOOD, current=GOOD, **{option: ["agee"]})
    with pytest.raises(gd.DataError, match=r"^reference has no column 'zzz': there is 'age', 'plan'$"):
        gd.profile(GOOD, **{option: ["zzz"]})


def test_a_column_that_cannot_be_of_the_kind_asked_for_is_named() -> None:
    report = check_beside_good_columns(["a", "b"] * 250, ["a", "b"] * 250, numeric=["x"])
    assert problems(report) == ["x: is string and cannot be numeric; cast it first"]
    report = check_beside_good_columns([[1]] * 500, [[1]] * 500, categorical=["x"])
    assert problems(report) == ["x: is list<item: int64> and cannot be categorical; cast it first"]


def test_only_the_columns_asked_for_are_named() -> None:
    table = {**GOOD, "x": [1, "a"] * 250, "y": [[1]] * 500}
    assert gd.check_drift(reference=table, current=table, columns=["age"]).problems == ()
    assert problems(gd.check_drift(reference=table, current=table, columns=["age", "x"])) == [
        "x: cannot be read in the reference data: it holds int and str; give it one value of one type in each row"
    ]


@pytest.mark.parametrize("name", ["", " ", "a\nb", "\x1b[31m", "日本", "x" * 500, "<b>"])
def test_every_name_of_a_column_gives_messages_of_one_line(name: str) -> None:
    table = {name: [[1]] * 40, "other": np.arange(40.0)}
    report = gd.check_drift(reference=table, current=table)
    (problem,) = (problem for problem in report.problems if problem.feature == name)
    shown = name if name.isprintable() and name.strip() else repr(name)
    assert str(problem) == (
        f"{shown}: is list<item: int64>, which has neither order nor categories; flatten or cast it to compare it"
    )
    assert gd.check_drift(reference={name: np.arange(40.0)}, current={name: np.arange(40.0)})[name].psi == 0.0


@pytest.fixture
def parquet(tmp_path: Path) -> bytes:
    """A Parquet file of the good columns, as bytes."""
    pq.write_table(pa.table(GOOD), tmp_path / "good.parquet")
    return (tmp_path / "good.parquet").read_bytes()


def test_a_file_that_is_no_parquet_is_named_with_the_reason(tmp_path: Path, parquet: bytes) -> None:
    contents = {
        "zero.parquet": (b"", "empty"),
        "half.parquet": (parquet[: len(parquet) // 2], "cut short"),
        "tail.parquet": (parquet[:-1], "cut short"),
        "four.parquet": (b"PAR1", "cut short"),
        "table.csv": (b"a,b\n1,2\n", "not Parquet"),
    }
    for name, (content, why) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(gd.DataError) as raised:
            gd.check_drift(reference=GOOD, current=tmp_path / name)
        assert str(raised.value) == (
            f"current holds no readable Parquet in {tmp_path}/{name} ({why}); write it again or leave it out"
        )


def test_all_broken_files_of_a_directory_are_named_at_once(tmp_path: Path, parquet: bytes) -> None:
    (tmp_path / "cut.parquet").write_bytes(parquet[:-20])
    (tmp_path / "zero.parquet").write_bytes(b"")
    with pytest.raises(gd.DataError) as raised:
        gd.profile(tmp_path)
    assert str(raised.value) == (
        f"reference holds no readable Parquet in {tmp_path}/cut.parquet (cut short), {tmp_path}/zero.parquet (empty); "
        "write it again or leave it out"
    )
    for k in range(8):
        (tmp_path / f"more{k}.parquet").write_bytes(b"")
    with pytest.raises(gd.DataError, match=r"more3\.parquet \(empty\) and 5 more; write it again or leave it out$"):
        gd.profile(tmp_path)


def test_a_file_that_breaks_off_while_it_is_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    pq.write_table(pa.table({"x": RNG.normal(size=50_000)}), path, row_group_size=10_000, compression="zstd")
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 5_000] = bytes(5_000)
    path.write_bytes(content)
    with pytest.raises(gd.DataError, match=rf"^reference {path} cannot be read to its end: .+; write it again$"):
        gd.profile(path)


def test_a_file_that_is_gone_when_it_is_read_is_named(tmp_path: Path, parquet: bytes) -> None:
    from gpudrift.frames import open_source

    (tmp_path / "x.parquet").write_bytes(parquet)
    source = open_source(tmp_path / "x.parquet", "current", again=True)
    (tmp_path / "x.parquet").unlink()
    with pytest.raises(gd.DataError, match=rf"^current {tmp_path}/x.parquet cannot be read to its end: "):
        list(source.batches(["age"]))


def test_a_stream_that_breaks_off_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def stream() -> pa.RecordBatchReader:
        def batches() -> Any:
            yield pa.record_batch(GOOD)
            raise OSError("connection lost")

        return pa.RecordBatchReader.from_batches(pa.record_batch(GOOD).schema, batches())

    with pytest.raises(gd.DataError) as raised:
        gd.check_drift(reference=GOOD, current=stream())
    assert str(raised.value) == "current is a stream that breaks off: connection lost; mend what it reads from"
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with pytest.raises(gd.DataError, match=r"^reference is a stream that cannot be kept in .+: connection lost; mend "):
        gd.check_drift(reference=stream(), current=GOOD)
    assert list(tmp_path.iterdir()) == []


PATHS = {
    "missing": "reference {} is not there; check the path",
    "folder": "reference {} holds no Parquet file; check the path",
    "no*.parquet": "reference {} holds no Parquet file; check the path",
}


@pytest.mark.parametrize(("name", "message"), PATHS.items())
def test_a_path_without_parquet_is_named(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "notes.txt").write_text("no table")
    for path in (tmp_path / name, [str(tmp_path / name)]):
        with pytest.raises(gd.DataError) as raised:
            gd.check_drift(reference=path, current=GOOD)
        assert str(raised.value) == message.format(tmp_path / name)


def test_files_with_columns_of_the_same_name_are_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table([[1], [2]], names=["a", "a"]), tmp_path / "x.parquet")
    with pytest.raises(gd.DataError) as raised:
        gd.profile(tmp_path)
    assert str(raised.value) == f"reference {tmp_path}/x.parquet has two columns named 'a'; rename one"


def test_a_million_categories_are_capped_and_the_rest_is_pooled() -> None:
    rng = np.random.default_rng(0)
    often = np.char.add("often ", rng.integers(0, 9, 500_000).astype(str))
    once = np.char.add("once ", np.arange(500_000).astype(str))
    texts = pa.array(np.concatenate([often, once]))
    champion = gd.profile({"x": texts})
    vocabulary = champion.plans[0].vocabulary.to_pylist()
    assert len(vocabulary) == 1024
    assert {f"often {k}" for k in range(9)} < set(vocabulary)
    report = champion.compare(champion.count({"x": texts.dictionary_encode()}))
    assert problems(report) == [
        "x: has more categories in the reference than are kept; the 1,024 most frequent are; "
        "the rest is pooled as other; group the values or drop the column"
    ]
    bins = {b.label: b.reference for b in report["x"].bins}
    assert sum(bins.values()) == 1_000_000
    assert bins["other"] >= 1_000_000 - 500_000 - 1024
    assert not report["x"].drifted


def test_long_texts_are_capped_by_their_bytes() -> None:
    texts = [f"{k} " + "x" * 50_000 for k in range(400)]
    report = gd.check_drift(reference={"x": texts}, current={"x": texts})
    assert problems(report)[1].startswith("x: has more categories in the reference than are kept; the 200 most ")


def test_wide_tables_are_compared_column_by_column() -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=(50, 300)), rng.normal(size=(50, 300))
    current[:, 7] += 5
    report = gd.check_drift(reference=reference, current=current)
    assert len(report) == 300
    assert report.drifted == ("x7",)
    assert report.problems == ()


WIDE = """
import re, time
from pathlib import Path
import numpy as np, pandas as pd, gpudrift as gd

def resident(line):
    return int(re.search(line + r":\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

rng = np.random.default_rng(0)
names = [f"c{j}" for j in range(10_000)]
sides = [pd.DataFrame(rng.normal(size=(50, 10_000)), columns=names) for _ in range(2)]
gd.check_drift(reference=sides[0][names[:2]], current=sides[1][names[:2]])
before, start = resident("VmRSS"), time.perf_counter()
report = gd.check_drift(reference=sides[0], current=sides[1])
print(len(report), time.perf_counter() - start, resident("VmHWM") - before)
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_ten_thousand_columns_take_seconds_and_little_memory() -> None:
    done = subprocess.run([sys.executable, "-c", WIDE], capture_output=True, text=True, check=True)
    n_features, _seconds, kib = done.stdout.split()
    assert int(n_features) == 10_000
    assert int(kib) < 1_000_000
