"""Rows of many groups, counted side by side: as many as each group has alone, in any order of batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import gpudrift as gd
from gpudrift.frames import Batch, open_source
from gpudrift.profiles import group_counts
from gpudrift.profiles.grid import Grid, regridded
from gpudrift.profiles.group_counts import GroupCounter
from gpudrift_kernels.backend import get_backend
from gpudrift_kernels.grouping import Tally

CPU = get_backend("cpu", threads=2)


@dataclass
class ByColumn:
    """The group of a row is in a column."""

    names: tuple[str, ...] = ("group",)

    def keys(self, batch: Batch) -> Any:
        return np.asarray(batch.columns["group"], np.int64)


def counted(profile: gd.Profile, batches: list[dict[str, Any]]) -> group_counts.GroupCounts:
    counter = GroupCounter(Grid.of(profile), ByColumn(), CPU)
    for table in batches:
        (batch,) = open_source(table, "current", again=False).batches(list(table))
        weights = profile.row_weights(open_source(table, "current", again=False), profile.weights)
        counter.add(batch, dict(enumerate(profile.plans)), weights.units(batch) if weights else None)
    return counter.finish()


@pytest.mark.parametrize("weights", [None, "w"])
@pytest.mark.parametrize("seed", range(6))
def test_each_group_has_the_counts_of_its_rows(mixed, weights, seed):
    rng = np.random.default_rng(seed)
    table = {**mixed, "w": rng.exponential(size=5000)}
    profile = gd.profile(table, weights=weights)
    n = int(rng.integers(1, 3000))
    rows = rng.permutation(5000)[:n]
    groups = rng.choice(rng.integers(-(2**62), 2**62, int(rng.integers(1, 30))), n)
    chosen = {name: np.asarray(values, object if name == "plan" else None)[rows] for name, values in table.items()}
    parts = np.array_split(np.arange(n), min(n, int(rng.integers(1, 6))))
    batches = [{**{name: values[part] for name, values in chosen.items()}, "group": groups[part]} for part in parts]
    found = counted(profile, batches)
    np.testing.assert_array_equal(found.keys, np.unique(groups))
    for place, key in enumerate(found.keys.tolist()):
        alone = profile.count({name: values[groups == key] for name, values in chosen.items()})
        expected = regridded(alone, found.grid.cells)
        one = found.counts(np.array([place]))
        assert one.n_rows == expected.n_rows
        np.testing.assert_array_equal(one.keys, expected.keys)
        np.testing.assert_array_equal(one.values, expected.values)
        assert one.squares == expected.squares
        if weights:
            np.testing.assert_array_equal(one.weights, expected.weights)
    whole = found.counts(np.arange(found.keys.size))
    assert whole.n_rows == n
    assert whole.squares == profile.count(chosen).squares


@pytest.mark.parametrize("n", [40_000, 70_000])
def test_a_cell_may_hold_more_rows_than_16_bits(n):
    profile = gd.profile({"x": np.zeros(1000)})
    batches = [{"x": np.zeros(n), "group": np.arange(n) % 2 == k} for k in (0, 1, 1)]
    found = counted(profile, batches)
    assert [found.counts(np.array([k])).values.tolist() for k in (0, 1)] == [[3 * n // 2]] * 2


def test_a_cell_may_hold_more_rows_than_32_bits():
    places = np.array([0])
    most = Tally(np.array([[2**32 - 1, 5]]))
    table = group_counts._added(None, most, places, 1)
    table = group_counts._added(table, Tally(np.array([[1, 1]])), places, 1)
    assert table.rows.tolist() == [[2**32, 6]]
