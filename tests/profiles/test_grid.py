"""A grid answers as the profile that it is laid over, from a fortieth of the cells."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpudrift as gd
from gpudrift.errors import DataError
from gpudrift.profiles.feature_drift import FeatureDrift
from gpudrift.profiles.grid import Grid, regridded

OF_BINS = ("psi", "js_distance", "hellinger", "kl", "total_variation", "l_infinity", "cramers_v", "new_rate")


def over_grid(profile: gd.Profile, counts: gd.Counts) -> gd.DriftReport:
    """The report of counts of a profile, compared over its grid."""
    grid = Grid.of(profile)
    moved = replace(regridded(counts, grid.cells), profile_id=grid.profile.profile_id)
    return grid.profile.compare(moved)


def same(one: Any, other: Any) -> bool:
    """Equal to the last bit, or both NaN."""
    if isinstance(one, float) and isinstance(other, float) and math.isnan(one):
        return math.isnan(other)
    return bool(one == other)


def check_same_bins(fine: FeatureDrift, coarse: FeatureDrift) -> None:
    for name in OF_BINS:
        assert same(getattr(fine, name), getattr(coarse, name)), name
    assert fine.bins == coarse.bins
    assert (fine.reference, fine.current, fine.new) == (coarse.reference, coarse.current, coarse.new)


def check_intervals_hold(fine: FeatureDrift, coarse: FeatureDrift) -> None:
    """What the profile knows for certain lies within what its grid does."""
    slack = 1e-12  # of a sum of shares that is taken in another order
    for name, (lower, upper) in fine.intervals.items():
        outer = coarse.intervals[name]
        if not math.isnan(lower + upper):
            assert outer[0] <= lower + slack * max(1, abs(lower)), (name, fine.intervals, coarse.intervals)
            assert outer[1] >= upper - slack * max(1, abs(upper)), (name, fine.intervals, coarse.intervals)


#: With hardly a value twice: a cell of the grid ends right where a 256th of the reference does.
CONTINUOUS = (
    "normal", "lognormal, sigma 1", "lognormal, sigma 3", "t(2)", "uniform", "bimodal", "timestamps", "64-bit hashes",
)  # fmt: skip


def test_every_shape_keeps_its_bins_and_an_interval_hardly_wider(reference_columns, current_columns):
    profile = gd.profile(reference_columns)
    counts = profile.count(current_columns)
    fine, coarse = profile.compare(counts), over_grid(profile, counts)
    for name in fine:
        check_same_bins(fine[name], coarse[name])
        check_intervals_hold(fine[name], coarse[name])
        wider = (coarse[name].ks.upper - coarse[name].ks.lower) - (fine[name].ks.upper - fine[name].ks.lower)
        assert wider <= (1 if name in CONTINUOUS else 2) / 256 + 1 / 1024, name  # a cell of the profile


def test_a_grid_has_a_few_hundred_cells(reference_columns):
    grid = Grid.of(gd.profile(reference_columns))
    assert max(grid.n_cells) < 700
    for lookup, column in zip(grid.cells, grid.profile.plans, strict=True):
        assert (np.diff(lookup) >= 0).all()
        assert lookup[0] == 0
        assert lookup[-1] + 1 == column.n_counters


def test_the_sum_over_the_grid_is_that_of_the_counts(mixed):
    profile = gd.profile(mixed)
    grid = Grid.of(profile)
    halves = [profile.count({k: v[part] for k, v in mixed.items()}) for part in (slice(2000), slice(2000, None))]
    one, other = (regridded(half, grid.cells) for half in halves)
    assert one + other == regridded(halves[0] + halves[1], grid.cells)
    assert (one + other) - other == one


def test_rare_ones_among_thousands_of_categories_share_a_cell_and_those_seen_once_stay_known():
    rng = np.random.default_rng(0)
    names = np.array([f"c{k}" for k in range(9000)])
    drawn = names[np.minimum(rng.zipf(1.2, 60_000), 8999)]
    profile = gd.profile({"c": drawn})
    seen = np.unique(np.unique(drawn, return_counts=True)[1], return_counts=True)
    column = Grid.of(profile).profile.plans[0]
    assert (column.pooled.once, column.pooled.twice) == (seen[1][0], seen[1][1])
    assert len(column.vocabulary) == column.pooled.place + 1 <= 60
    counts = profile.count({"c": [*names[np.minimum(rng.zipf(1.2, 900), 8999)], *["new"] * 100]})
    fine, coarse = profile.compare(counts)["c"], over_grid(profile, counts)["c"]
    assert (fine.new, fine.new_rate) == (coarse.new, coarse.new_rate)
    assert coarse.tests["new_rate"] == fine.tests["new_rate"]
    assert coarse.drifted


@pytest.mark.parametrize("n_categories", [300, 3000, 30_000])
def test_windows_of_many_categories_do_not_alarm_without_drift(n_categories):
    """Cells chosen by the reference's own counts would: those that are rare there by chance are less so elsewhere."""
    alarms = 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        sides = [{"c": rng.integers(0, n_categories, 8000).astype(str)} for _ in range(2)]
        windows = gd.check_drift(reference=sides[0], current=sides[1], columns=["c"], window="2000 rows").windows
        alarms += len(windows.drifted)
    assert alarms <= 4  # of 24 at .05: more with a probability below .01


@pytest.mark.parametrize("far", [4.6, 8.0, 100.0, 1e5])
def test_one_value_beyond_the_reference_moves_w1_by_about_its_share(far):
    rng = np.random.default_rng(0)
    profile = gd.profile({"x": rng.normal(size=20_000)})
    values = rng.normal(size=10_000)
    values[0] = far
    counts = profile.count({"x": values})
    fine, coarse = profile.compare(counts)["x"], over_grid(profile, counts)["x"]
    assert coarse.wasserstein == pytest.approx(fine.wasserstein, abs=0.2 * far / 10_000 + 0.005)


def test_a_truncated_vocabulary_keeps_its_other():
    rng = np.random.default_rng(0)
    profile = gd.profile({"c": [f"{k}" for k in rng.integers(0, 10**9, 80_000)], "x": np.arange(80_000) % 7})
    assert profile.plans[0].truncated
    counts = profile.count({"c": [f"{k}" for k in rng.integers(0, 10**9, 500)], "x": np.arange(500) % 7})
    coarse = over_grid(profile, counts)["c"]
    assert coarse.n_current == 500
    assert coarse.new == 0
    assert coarse.new_rate is None
    assert sum(b.current for b in coarse.bins) == 500


def test_weights_lie_over_the_grid_as_rows_do(mixed):
    weighted = {**mixed, "w": np.random.default_rng(1).exponential(size=5000)}
    profile = gd.profile(weighted, weights="w")
    counts = profile.count({k: v[:1500] for k, v in weighted.items()})
    fine, coarse = profile.compare(counts), over_grid(profile, counts)
    for name in fine:
        for statistic in ("psi", "js_distance", "hellinger", "total_variation"):
            assert getattr(coarse[name], statistic) == pytest.approx(getattr(fine[name], statistic), rel=1e-9)
        check_intervals_hold(fine[name], coarse[name])


NUMBERS = st.one_of(
    st.just(0.0),
    st.just(7.0),
    st.sampled_from([math.nan, math.inf, -math.inf, 1e308, -1e308, 5e-324]),
    st.floats(allow_nan=True, width=64),
    st.integers(-3, 3).map(float),
)
COLUMNS = st.one_of(
    st.lists(NUMBERS, min_size=1, max_size=60).map(lambda v: np.array(v)),
    st.lists(NUMBERS, min_size=1, max_size=60).map(lambda v: np.array(v).astype(np.float32)),
    st.lists(st.integers(2**63 - 5, 2**63 + 5), min_size=1, max_size=60).map(lambda v: np.array(v, np.uint64)),
    st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=60).map(lambda v: np.array(v, np.int64)),
    st.lists(st.integers(-(2**62), 2**62), min_size=1, max_size=60).map(lambda v: np.array(v, "M8[us]")),
    st.lists(st.sampled_from([None, "", "a", "b", "é"]), min_size=1, max_size=60).map(lambda v: np.array(v, object)),
    st.lists(st.booleans(), min_size=1, max_size=60).map(np.array),
    st.integers(1, 60).map(lambda n: np.full(n, np.nan)),
    st.integers(1, 60).map(lambda n: np.array([f"{k % 59}" for k in range(n)])),
)


@pytest.mark.filterwarnings("ignore:overflow encountered in cast")  # of the test's own float32
@given(column=COLUMNS, picks=st.lists(st.integers(0, 10**6), min_size=1, max_size=60), times=st.integers(1, 40))
@settings(max_examples=150)
def test_a_messy_column_keeps_its_bins_and_bounds(column, picks, times):
    reference = {"x": np.repeat(column, times)}
    current = {"x": column[np.array(picks) % column.size]}
    try:
        profile = gd.profile(reference)
    except DataError:
        return  # a column without any type
    counts = profile.count(current)
    fine, coarse = profile.compare(counts), over_grid(profile, counts)
    check_same_bins(fine["x"], coarse["x"])
    check_intervals_hold(fine["x"], coarse["x"])
