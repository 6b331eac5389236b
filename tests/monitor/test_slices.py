"""Slices of a check: each against the same slice of the reference."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pytest

import gpudrift as gd
from gpudrift.errors import DataError

from .conftest import NOW, columns


def check(reference, current, **settings):
    return gd.check_drift(reference=reference, current=current, now=NOW, **settings)


def take(table, chosen):
    return {name: values[chosen] for name, values in table.items()}


def about(report, name):
    return [str(problem) for problem in report.problems if problem.feature == name]


@pytest.fixture(scope="module")
def stream():
    return columns(4000, seed=1) | {
        "ts": np.datetime64("2024-02-26", "us") + (np.arange(4000) * 240e6).astype("m8[us]")
    }


def test_a_slice_has_the_bins_of_its_own_rows_on_both_sides(reference, stream):
    """Over the cells of the whole reference: bins are the same in every slice."""
    report = check(reference, stream, slices=["plan"])
    assert set(report.slices) == {("free",), ("paid",), ("team",), (None,)}
    profile = gd.profile(reference)
    for label, one in report.slices.items():
        rows = [np.array([text == label[0] for text in side["plan"]]) for side in (reference, stream)]
        assert (one.n_reference, one.n_current) == (rows[0].sum(), rows[1].sum())
        counts = [profile.count(take(side, chosen)) for side, chosen in zip((reference, stream), rows, strict=True)]
        visits = [dict(zip(*(a.tolist() for a in side.column(2)), strict=True)) for side in counts]
        assert sum(b.reference for b in one["visits"].bins) == sum(visits[0].values())
        assert sum(b.current for b in one["visits"].bins) == sum(visits[1].values())
        active = [b for b in one["active"].bins if b.label == "true"]
        assert active[0].reference == np.count_nonzero(reference["active"][rows[0]])
        assert active[0].current == np.count_nonzero(stream["active"][rows[1]])


def test_only_the_slice_that_moved_is_found_and_comes_first(reference, stream):
    moved = take(stream, slice(None))
    moved["visits"] = np.where(stream["plan"] == "team", stream["visits"] + 2, stream["visits"])
    report = check(reference, moved, slices=["plan"])
    assert next(iter(report.slices)) == ("team",)
    assert report.slices.drifted == (("team",),)
    assert report.to_dict()["slices"][0]["slice"] == {"plan": "team"}


def test_a_small_slice_that_looks_moved_is_shielded(reference, stream):
    rng = np.random.default_rng(0)
    small = np.where(rng.random(4000) < 0.01, "small", "large")
    report = check(
        reference | {"size": np.where(rng.random(6000) < 0.01, "small", "large")},
        stream | {"size": small},
        slices=["size"],
    )
    assert not report.slices["small"].dataset_drift
    assert report.slices["small"]["price"].psi > 0.1  # of 40 rows of the same distribution


def test_slices_of_several_columns_are_their_combinations(reference, stream):
    report = check(reference, stream, slices=["plan", "active"])
    assert len(report.slices) == 8
    one = report.slices["paid", "true"]
    assert one.n_current == np.count_nonzero((stream["plan"] == "paid") & stream["active"])
    assert sum(each.n_current for each in report.slices.values()) == 4000


def test_slices_beyond_the_cap_are_pooled_and_counted(reference):
    rng = np.random.default_rng(0)
    sides = [columns(n, seed) | {"shop": rng.geometric(0.1, n)} for n, seed in ((6000, 0), (4000, 1))]
    report = check(*sides, slices=["shop"], max_slices=3)
    assert set(report.slices) == {("1",), ("2",), ("3",), ("(other)",)}
    assert report.slices["(other)"].n_current == np.count_nonzero(sides[1]["shop"] > 3)
    n_shops = len(np.union1d(sides[0]["shop"], sides[1]["shop"]))
    assert about(report, "shop")[0].startswith(f"shop: make {n_shops} slices; the 3 largest are kept")


@pytest.mark.parametrize("most", [1, 50])
def test_a_category_called_other_keeps_its_rows(reference, stream, most):
    names = np.array(["(other)", "(other)", "a"])
    sides = [side | {"s": names[np.arange(len(side["x"])) % 3]} for side in (reference, stream)]
    report = check(*sides, slices=["s"], max_slices=most)
    assert report.slices["(other)"].n_current == np.count_nonzero(sides[1]["s"] == "(other)")
    assert sum(each.n_current for each in report.slices.values()) == 4000


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (np.array([1.0, 2.5, np.nan, -0.0]), {"1", "2.5", None, "0"}),
        (np.array([True, False, True, False]), {"true", "false"}),
        (np.array(["", None, "a", "é"], object), {"", None, "a", "é"}),
        (np.arange("2024-01-01", "2024-01-05", dtype="M8[D]"), {f"2024-01-0{k}" for k in range(1, 5)}),
        (pa.array(["a", "b", None, "c"]).dictionary_encode(), {"a", "b", None, "c"}),
        (pa.nulls(4), {None}),
    ],
)
def test_any_column_of_categories_or_numbers_makes_slices(values, labels):
    rng = np.random.default_rng(0)
    column = pa.concat_arrays([values] * 25) if isinstance(values, pa.Array) else np.tile(values, 25)
    sides = [{"x": rng.normal(size=100), "s": column} for _ in range(2)]
    if isinstance(values, pa.Array) and pa.types.is_null(values.type):
        sides[0]["s"] = pa.array([None] * 100, pa.string())
    assert {label[0] for label in check(*sides, slices=["s"]).slices} == labels


def test_whole_numbers_make_the_same_slices_as_integers_and_as_floats():
    rng = np.random.default_rng(0)
    reference = {"x": rng.normal(size=400), "s": np.tile([1, 2], 200)}
    current = {"x": rng.normal(size=400), "s": np.tile([1.0, 2.0], 200)}
    assert set(check(reference, current, slices=["s"]).slices) == {("1",), ("2",)}


def test_slices_of_one_side_alone_are_named(reference, stream):
    one = reference | {"s": np.where(np.arange(6000) % 2, "a", "gone")}
    other = stream | {"s": np.where(np.arange(4000) % 2, "a", "new")}
    report = check(one, other, slices=["s"])
    assert set(report.slices) == {("a",)}
    assert about(report, "s") == [
        "s: slices without rows in the reference data, 1 of them: new; they have no report; "
        "profile a reference that holds them",
        "s: slices without rows in the current data, 1 of them: gone; check whether data were lost there",
    ]


def test_a_slice_within_a_cell_of_the_reference_is_named():
    rng = np.random.default_rng(0)
    off = np.arange(50_000) % 500 == 0
    s = np.where(off, "off", "on")

    def side(shift):
        return {"x": np.where(off, rng.normal(20 + shift, 1e-6, off.size), rng.normal(20, 5, off.size)), "s": s}

    report = check(side(0), side(5e-6), slices=["s"])
    assert about(report, "x") == [
        "x: looks alike within a cell of the whole reference, which holds much of these slices: off; "
        "compare such a slice alone"
    ]
    assert about(report.slices["off"], "x") == [
        "x: has a KS distance anywhere between 0 and 1: a cell holds much of both sides; "
        "compare these rows alone, with those of the reference"
    ]
    assert about(report.slices["on"], "x") == []


def test_a_slice_whose_reference_has_no_value_of_a_growing_column_is_compared():
    rng = np.random.default_rng(0)
    s = np.tile(["a", "b"], 500)
    clock = np.where(s == "b", np.nan, np.repeat(np.arange(250.0), 4))
    reference = {"x": rng.normal(size=1000), "s": s, "clock": clock}
    current = {"x": rng.normal(size=1000), "s": s, "clock": np.repeat(np.arange(250.0, 500.0), 4)}
    report = check(reference, current, slices=["s"])
    assert set(report.slices) == {("a",), ("b",)}
    assert report.slices["b"]["clock"].missing_reference == 500


@pytest.mark.parametrize("batches", ["reversed", "stream"])
def test_neither_order_nor_batches_change_a_slice(reference, stream, batches):
    expected = check(reference, stream, slices=["plan", "active"], time="ts", window="1w")
    table = pa.table(stream)
    other = table.to_reader(max_chunksize=171) if batches == "stream" else table.take(np.arange(4000)[::-1].copy())
    found = check(reference, other, slices=["plan", "active"], time="ts", window="1w")
    assert list(found.slices) == list(expected.slices)
    for label in expected.slices:
        assert found.slices[label].to_dict() == expected.slices[label].to_dict()
        for span, one in expected.slices.windows(label).items():
            assert found.slices.windows(label)[span].to_dict() == one.to_dict()


def test_windows_and_slices_make_up_each_other(reference, stream):
    report = check(reference, stream, slices=["plan"], time="ts", window="1d")
    for span, window in report.windows.items():
        by_slice = [report.slices.windows(label).counts(span) for label in report.slices
                    if span in report.slices.windows(label)]  # fmt: skip
        assert sum(by_slice[1:], by_slice[0]) == report.windows.counts(span)
        assert sum(one.n_current for one in window.slices.values()) == window.n_current
    one = report.slices.windows("paid")[next(iter(report.windows))]
    day = stream["ts"] < np.datetime64("2024-02-27")
    assert one.n_current == np.count_nonzero(day & (stream["plan"] == "paid"))
    assert one.n_reference == np.count_nonzero(reference["plan"] == "paid")


def test_a_slice_against_its_window_before_needs_rows_in_both(reference, stream):
    early = stream | {"s": np.where(stream["ts"] < np.datetime64("2024-02-28T12"), "early", "late")}
    report = check(
        reference | {"s": np.where(np.arange(6000) % 2, "early", "late")}, early,
        slices=["s"], time="ts", window="1d", against="previous",
    )  # fmt: skip
    sizes = {
        label: [(one.n_reference, one.n_current) for one in report.slices.windows(label).values()]
        for label in ("early", "late")
    }
    assert sizes["early"] == [(360, 360), (360, 180)]
    assert sizes["late"][0] == (180, 360)


@pytest.mark.parametrize(
    "settings",
    [
        {"window": "3d", "every": "1d"}, {"window": "3d", "every": "1d", "against": "previous"},
        {"window": "2d", "expanding": True}, {"window": "900 rows", "every": "300 rows"},
    ],
    ids=str,
)  # fmt: skip
def test_windows_of_a_slice_are_those_of_the_report(reference, stream, settings):
    report = check(reference, stream, slices=["plan"], time="ts", **settings)
    for label in report.slices:
        windows = report.slices.windows(label)
        assert list(windows) == list(report.windows)
        for span, window in windows.items():
            inside = report.windows[span].slices[label]
            assert (window.n_reference, window.n_current) == (inside.n_reference, inside.n_current)


def test_windows_of_a_slice_ask_for_what_was_counted(reference, stream):
    report = check(reference, stream, slices=["plan"], time="ts", window="1d")
    with pytest.raises(DataError, match="no slice 'platinum': there is 'team', "):
        report.slices.windows("platinum")
    with pytest.raises(DataError, match="were not counted by window; pass time and window too"):
        check(reference, stream, slices=["plan"]).slices.windows("paid")
    with pytest.raises(DataError, match="no window lies between"):
        report.slices.windows("paid").between(dt.datetime(2024, 2, 27), dt.datetime(2024, 2, 26))


def test_the_reference_may_be_a_stream_that_comes_once(reference, stream):
    expected = check(reference, stream, slices=["plan"])
    found = check(pa.table(reference).to_reader(max_chunksize=500), pa.table(stream).to_reader(), slices=["plan"])
    assert found.to_dict() == expected.to_dict()
