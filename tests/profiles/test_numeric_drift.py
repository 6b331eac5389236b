"""Columns of numbers compared in one call, against the public statistics of their cells one by one."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

import gpudrift as gd
from gpudrift.profiles.bins import bin_counts
from gpudrift.profiles.columns import NumericColumn
from gpudrift.profiles.extent import as_float
from gpudrift.stats import (
    Bounded,
    hellinger,
    js_distance,
    ks_from_cells,
    mean_std_from_cells,
    psi,
    relative_scale,
    std_from_cells,
    wasserstein_from_cells,
)
from gpudrift_kernels.compared import compared
from gpudrift_kernels.occupied import aligned

_RNG = np.random.default_rng(3)
_N = 3_000
COLUMNS: dict[str, tuple[Any, Any]] = {
    "float32": (_RNG.normal(size=_N).astype("f4"), _RNG.normal(0.1, size=_N).astype("f4")),
    "heavy tails": (_RNG.standard_cauchy(_N), _RNG.standard_cauchy(_N) * 2),
    "next to the largest": (_RNG.normal(size=_N) * 4e307, _RNG.normal(size=_N) * 3e307),
    "subnormal": (_RNG.normal(size=_N) * 1e-321, _RNG.normal(size=_N) * 2e-321),
    "half zeros": (np.maximum(_RNG.normal(size=_N), 0), np.maximum(_RNG.normal(0.2, size=_N), 0)),
    "whole numbers": (_RNG.poisson(3, _N), _RNG.poisson(3.2, _N)),
    "wide integers": (_RNG.integers(2**62, 2**62 + 999, _N), _RNG.integers(2**62, 2**62 + 1200, _N)),
    "with gaps": (
        np.where(_RNG.random(_N) < 0.2, np.nan, _RNG.normal(size=_N)),
        np.where(_RNG.random(_N) < 0.1, np.inf, np.where(_RNG.random(_N) < 0.1, -np.inf, _RNG.normal(size=_N))),
    ),
    "many empty bins": (_RNG.choice([0.0, 5.0, 9.0], _N), _RNG.choice([0.0, 9.0], _N)),
}


def cells_of(profile: gd.Profile, counts: gd.Counts) -> tuple[NDArray[Any], ...]:
    column = profile.plans[0]
    assert isinstance(column, NumericColumn)
    sides = (column.value_counts(each.effective(0)) for each in (profile.reference, counts))
    indices, f, g = aligned(*sides)
    reach = column.extent(indices)
    return f, g, as_float(reach.first, column.plan), as_float(reach.last, column.plan), reach.single


@pytest.mark.parametrize("name", COLUMNS)
def test_a_feature_has_the_statistics_of_its_cells_and_bins_to_the_bit(name: str) -> None:
    reference, current = COLUMNS[name]
    profile = gd.profile({"x": reference})
    counts = profile.count({"x": current})
    found = profile.compare(counts)["x"]
    column = profile.plans[0]
    assert isinstance(column, NumericColumn)
    f, g, start, stop, single = cells_of(profile, counts)
    assert found.ks == ks_from_cells(f, g, single)
    mean, std = mean_std_from_cells(f, start, stop)
    scale = relative_scale(mean + (column.plan.centre if column.plan.wide else 0.0), std)
    distance = wasserstein_from_cells(f, g, start, stop, scale)
    spread = std_from_cells(f, start, stop)
    around = (
        (spread.value - (spread.upper - spread.value), spread.upper) if spread.upper > spread.value else (scale,) * 2
    )
    ends = Bounded(distance.value, distance.lower, distance.upper).divided(scale, around[0], max(scale, around[1]))
    assert found.wasserstein == distance.value
    assert found.wasserstein_lower == pytest.approx(ends.lower, rel=1e-12)
    assert found.wasserstein_upper == pytest.approx(ends.upper, rel=1e-12)
    bins = [bin_counts(column.bin_starts, *column.value_counts(each.column(0))) for each in (profile.reference, counts)]
    some = (bins[0] + bins[1]) > 0
    assert found.psi_bins == some.sum()
    assert found.psi == psi(bins[0][some], bins[1][some])
    assert found.js_distance == pytest.approx(js_distance(*bins), rel=1e-14)  # the order of a sum
    assert found.hellinger == pytest.approx(hellinger(*bins), rel=1e-12)
    assert [(b.reference, b.current) for b in found.bins] == list(zip(*(side.tolist() for side in bins), strict=True))
    for side, values in ((found.reference, np.asarray(reference)), (found.current, np.asarray(current))):
        assert (side.n, side.missing, side.infinite) == (_N, np.isnan(values).sum(), np.isinf(values).sum())


def test_a_feature_has_the_same_bits_alone_as_in_a_table() -> None:
    reference, current = ({name: sides[k] for name, sides in COLUMNS.items()} for k in (0, 1))
    together = gd.check_drift(reference=reference, current=current)
    for name in COLUMNS:
        alone = gd.check_drift(reference={name: reference[name]}, current={name: current[name]})
        told = alone[name].to_dict() | {"drifted": None, "reasons": None}
        assert told == together[name].to_dict() | {"drifted": None, "reasons": None}


def test_counts_over_a_grid_are_compared_as_the_indices_of_its_cells_are() -> None:
    profile = gd.profile({"x": COLUMNS["float32"][0]})
    counts = profile.count({"x": COLUMNS["float32"][1]})
    column = profile.plans[0]
    assert isinstance(column, NumericColumn)
    grid = np.unique(np.append(np.arange(0, column.plan.n_index, 7), column.bin_starts))

    def gridded(side: gd.Counts) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        indices, rows = side.column(0)
        cells, places = np.unique(np.searchsorted(grid, indices, "right") - 1, return_inverse=True)
        return cells, np.bincount(places, rows).astype(np.int64)

    fine = compared(profile.reference.column(0), counts.column(0), column.plan, column.bin_starts)
    coarse = compared(gridded(profile.reference), gridded(counts), column.plan, column.bin_starts, grid)
    np.testing.assert_array_equal(fine.bins, coarse.bins)
    assert fine.cells is not None
    assert coarse.cells is not None
    assert coarse.cells.lower <= fine.cells.lower <= fine.cells.upper <= coarse.cells.upper
    of_fine, of_coarse = (sum(of.areas[::3]) * 2.0**of.reach for of in (fine.cells, coarse.cells))
    assert of_fine <= of_coarse * (1 + 1e-12)


def test_rows_and_as_many_of_half_a_weight_are_one_distribution() -> None:
    profile = gd.profile({"x": COLUMNS["float32"][0]})
    column = profile.plans[0]
    assert isinstance(column, NumericColumn)
    counters, rows = profile.reference.column(0)
    found = compared((counters, rows * 0.5), (counters, rows), column.plan, column.bin_starts)
    np.testing.assert_array_equal(found.bins[0], found.bins[1] / 2)
    assert found.cells is not None
    assert found.cells.lower == found.cells.areas[0] == found.cells.areas[1] == 0.0


@pytest.mark.parametrize("empty", [0, 1])
def test_a_side_without_values_has_rows_but_no_distance(empty: int) -> None:
    sides = [{"x": np.arange(50.0)}, {"x": np.arange(50.0)}]
    sides[empty] = {"x": np.full(50, math.nan)}
    found = gd.check_drift(reference=sides[0], current=sides[1])["x"]
    assert found.ks is not None
    assert all(map(math.isnan, (found.ks.statistic, found.wasserstein or 0.0, found.psi, found.js_distance)))
    assert (found.reference, found.current)[empty].missing == 50


@pytest.mark.parametrize("seed", range(12))
def test_intervals_hold_the_numbers_of_the_rows_whose_own_spread_is_not_known_either(seed: int) -> None:
    rng = np.random.default_rng(seed)
    draw = [
        lambda n: rng.lognormal(0, 3, n),
        rng.standard_cauchy,
        lambda n: rng.pareto(0.5, n),
        lambda n: np.where(rng.random(n) < 0.5, 1e6, -1e6) + rng.normal(size=n),
    ][seed % 4]
    reference, current = draw(9_001), draw(int(rng.integers(30, 5_000)))
    found = gd.check_drift(reference={"x": reference}, current={"x": current}, thresholds={"ks": 2, "wasserstein": 1e9})
    feature = found["x"]
    lower, upper = feature.intervals["wasserstein"]
    exact = stats.wasserstein_distance(reference, current) / reference.std()
    assert lower < upper
    assert lower * (1 - 1e-9) <= exact <= upper * (1 + 1e-9)
    lower, upper = feature.intervals["mean_change"]
    exact = (current.mean() - reference.mean()) / reference.std()
    assert lower - 1e-9 <= exact <= upper + 1e-9
