"""DriftTable: statistics and verdicts of thousands of groups by hundreds of features, in whole arrays.

What ``compare`` finds for one group at a time, with the same definitions; tests hold the two to each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.profiles.categorical_drift import compare_categorical
from gpudrift.profiles.columns import CategoricalColumn, Column, NumericColumn
from gpudrift.profiles.extent import as_float
from gpudrift.profiles.feature_drift import FeatureDrift
from gpudrift.profiles.reference_profile import Profile
from gpudrift.profiles.verdict import DISTRIBUTION, MIN_VALUES, RATES
from gpudrift.stats import (
    CORRECTIONS,
    STATISTICS,
    hellinger_each,
    js_distance_each,
    mean_std_from_cells,
    psi_each,
    rate_change_log_pvalue,
    relative_scale,
)
from gpudrift.stats.distributions_each import chi2_log_sf_each, kolmogorov_log_sf_each
from gpudrift_kernels.backend import Backend

Floats = NDArray[np.float64]

#: Statistics that decide by default, and have a column here.
_DECISIVE: Final = tuple(s.name for s in STATISTICS.values() if s.threshold is not None and not s.own)
#: Groups worked on at once: their tables of a few hundred cells stay in the cache.
_GROUPS: Final = 512
_TESTS: Final = (DISTRIBUTION, *RATES)


@dataclass(frozen=True, eq=False)
class GroupTable:
    """Rows of one column by group and grid cell.

    Attributes
    ----------
    rows : ndarray of int64, shape (n_groups or 1, n_cells)
    effective : ndarray, the same shape
        Effective rows; the rows themselves where they have no weights.
    """

    rows: NDArray[np.int64]
    effective: NDArray[Any]

    def __getitem__(self, groups: slice) -> GroupTable:
        return self if self.rows.shape[0] == 1 else GroupTable(self.rows[groups], self.effective[groups])


def stacked(tables: Sequence[GroupTable]) -> GroupTable:
    """The groups of several tables of one column below each other."""
    return GroupTable(
        np.concatenate([table.rows for table in tables]), np.concatenate([table.effective for table in tables])
    )


def binned(column: Column, table: GroupTable) -> NDArray[Any]:
    """Effective rows of each PSI bin, or category of the grid; shape (n_groups, k)."""
    if isinstance(column, CategoricalColumn):
        return table.effective[:, : column.n_counters - 1]
    upto = _upto(table.effective[:, : column.n_values])
    return _binned(upto, np.append(np.searchsorted(_extent(column)[0], column.bin_starts), column.n_values))


def binned_or_absent(column: Column, table: GroupTable) -> NDArray[Any]:
    """The same, and last the rows without a value: missing or infinite; shape (n_groups, k + 1)."""
    n_values = column.n_counters - 1 if isinstance(column, CategoricalColumn) else column.n_values
    return np.column_stack([binned(column, table), table.effective[:, n_values:].sum(axis=1)])


@dataclass(frozen=True, eq=False)
class DriftTable:
    """What was found for each group and feature; all arrays of shape (n_groups, n_features) unless said otherwise.

    Attributes
    ----------
    features : tuple of str
    statistics : mapping of str to ndarray of float64
        By the names of ``gpudrift.stats.STATISTICS``; NaN where a statistic does not apply or is not known.
    log_p_value : ndarray of float64
        Natural logarithm of the one p-value; NaN without any test.
    judged, drifted : ndarray of bool
    dataset_drift : ndarray of bool, shape (n_groups,)
    """

    features: tuple[str, ...]
    statistics: Mapping[str, Floats]
    log_p_value: Floats
    judged: NDArray[np.bool_]
    drifted: NDArray[np.bool_]
    dataset_drift: NDArray[np.bool_]

    def severity(self, settings: Settings) -> Floats:
        """Largest effect size of each feature in units of its threshold; 0 where none is known."""
        largest = np.zeros(self.drifted.shape)
        for name, values in self.statistics.items():
            thresholds = [settings.threshold(name, feature) for feature in self.features]
            largest = np.fmax(largest, values / np.array(thresholds))
        return largest


@dataclass
class _Found:
    """One column's effect sizes and log p-values by group, NaN where there is none."""

    effects: dict[str, Floats]
    tests: dict[str, Floats]
    counted: NDArray[np.bool_]

    @classmethod
    def empty(cls, n_groups: int) -> _Found:
        def nothing() -> Floats:
            return np.full(n_groups, np.nan)

        return cls(
            {name: nothing() for name in _DECISIVE}, {name: nothing() for name in _TESTS}, np.ones(n_groups, np.bool_)
        )


def table_decides(settings: Settings) -> bool:
    """Whether these settings ask for no statistic beyond those that decide by default."""
    named = {name for thresholds in settings.feature_thresholds.values() for name in thresholds}
    return {*settings.thresholds, *named} <= set(_DECISIVE) and not any(s.own for s in STATISTICS.values())


def drift_table(
    profile: Profile,
    current: Mapping[int, GroupTable],
    reference: Mapping[int, GroupTable],
    settings: Settings,
    backend: Backend,
) -> DriftTable:
    """Compare many groups with one reference, or each with its own.

    Parameters
    ----------
    profile : Profile
        Over a grid.
    current, reference : mapping of int to GroupTable
        By the place of the column. A reference of one row is that of every group.
    settings : Settings
        For which ``table_decides``.
    """
    places = sorted(current)
    n_groups = next(iter(current.values())).rows.shape[0] if current else 0
    explicit = profile.explicit | set(settings.columns)

    def work(f: int) -> _Found:
        column = profile.plans[f]
        found = _Found.empty(n_groups)
        for first in range(0, n_groups, _GROUPS):
            groups = slice(first, min(first + _GROUPS, n_groups))
            sides = reference[f][groups], current[f][groups]
            if isinstance(column, NumericColumn):
                _numeric(column, *sides, found, groups)
            else:
                _categorical(column, *sides, found, groups)
            if column.name not in explicit:
                found.counted[groups] = ~_index_like(column, *sides)
        return found

    columns = list(backend.map(work, places))
    names = tuple(profile.plans[f].name for f in places)
    return _decided(names, columns, settings, n_groups)


def _numeric(column: NumericColumn, reference: GroupTable, current: GroupTable, out: _Found, at: slice) -> None:
    size = column.n_values
    f, g = reference.effective[:, :size], current.effective[:, :size]
    n, m = f.sum(axis=1).astype(np.float64), g.sum(axis=1).astype(np.float64)
    rows = [_rows(side) for side in (reference, current)]
    cells, start, stop = _extent(column)
    upto_f, upto_g = _upto(f), _upto(g)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        difference = np.abs(upto_f / n[:, None] - upto_g / m[:, None])
        if g.dtype.kind == "f" or f.dtype.kind == "f":  # beyond the last row a rounding is all that is left
            difference[(upto_f == upto_f[:, -1:]) & (upto_g == upto_g[:, -1:])] = 0.0
        ks = difference.max(axis=1)
        # Between its own end and the next one's start F - G stands still; inside cells it counts half at either end.
        reach = (stop - start) / 2
        reach[:-1] += (start[1:] - stop[:-1]) + (stop[1:] - start[1:]) / 2
        w1 = np.minimum(difference @ reach / _scales(column, f, start, stop) * 4, np.finfo(np.float64).max)
    edges = np.append(np.searchsorted(cells, column.bin_starts), size)
    bins = [_binned(upto, edges) for upto in (upto_f, upto_g)]
    measured, k = _measured(bins[0], bins[1], n, m)
    for name, values in {**measured, "ks": ks, "wasserstein": w1}.items():
        out.effects[name][at] = np.where((n > 0) & (m > 0), values, np.nan)
    enough = np.minimum(n, m) >= MIN_VALUES
    with np.errstate(divide="ignore", invalid="ignore"):
        log_ks = kolmogorov_log_sf_each(np.sqrt(n * m / (n + m)) * ks)
        log_psi = chi2_log_sf_each(measured["psi"] / (1 / n + 1 / m), k - 1)
    distribution = np.where(enough, np.minimum(log_ks, log_psi), np.nan)
    absent = _absence(rows, [_rows(side, size) for side in (reference, current)], out, at)
    _correct(out, at, {DISTRIBUTION: (distribution, 2), "missing_rate": (absent, 1)})


def _categorical(column: CategoricalColumn, reference: GroupTable, current: GroupTable, out: _Found, at: slice) -> None:
    """Groups without a rare category at once, the others one by one."""
    size = column.n_counters - 1
    f, g = reference.effective[:, :size].astype(np.float64), current.effective[:, :size].astype(np.float64)
    n, m = f.sum(axis=1), g.sum(axis=1)
    total = f + g
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = 5.0 * (n + m) / np.minimum(n, m)
        plain = ((total >= needed[:, None]) | (total == 0)).all(axis=1)
        plain &= current.rows[:, size - 1] == 0  # a new category is one, whatever its rows weigh
        plain &= column.pooled is None
        measured, k = _measured(np.broadcast_to(f, total.shape), g, n, m)
        share = np.where(total > 0, (f / n[:, None] - g / m[:, None]) ** 2 / total, 0.0).sum(axis=1)
        chi_square = n * m * share
        measured["cramers_v"] = np.minimum(1.0, np.sqrt(chi_square / (n + m)))
    some = (n > 0) & (m > 0)
    for name, values in measured.items():
        out.effects[name][at] = np.where(some, values, np.nan)
    rows = [_rows(side) for side in (reference, current)]
    absent = _absence(rows, [_rows(side, size) for side in (reference, current)], out, at)
    enough = np.minimum(n, m) >= MIN_VALUES
    distribution = np.where(enough, chi2_log_sf_each(chi_square, k - 1), np.nan)
    known, new_before = reference.rows[:, : size - 1], reference.rows[:, size - 1]
    once = np.count_nonzero(known == 1, axis=1)
    if not column.truncated:
        with np.errstate(divide="ignore", invalid="ignore"):
            rate = np.maximum(0.0, g[:, -1] / m - (once + f[:, -1]) / n)
        out.effects["new_rate"][at] = np.where(some, rate, np.nan)
    # Where some were to be expected, new ones are tested too: with p = 1 here, since there are none.
    tested = np.where(enough & (once + new_before > 0) & (not column.truncated), 0.0, np.nan)
    _correct(out, at, {DISTRIBUTION: (distribution, 1), "new_rate": (tested, 1), "missing_rate": (absent, 1)})
    for j in np.flatnonzero(~plain & some).tolist():
        _fill(out, at.start + j, _one_by_one(column, reference, current, j))


def _one_by_one(column: CategoricalColumn, reference: GroupTable, current: GroupTable, j: int) -> FeatureDrift:
    sides = []
    for side in (reference, current):
        place = 0 if side.rows.shape[0] == 1 else j
        occupied = np.flatnonzero(side.rows[place])
        sides.append(((occupied, side.rows[place][occupied]), (occupied, side.effective[place][occupied])))
    (rows_f, even_f), (rows_g, even_g) = sides
    return compare_categorical(column, (rows_f, rows_g), (even_f, even_g))


def _fill(out: _Found, place: int, feature: FeatureDrift) -> None:
    effects = feature.statistics
    for name, values in out.effects.items():
        values[place] = effects.get(name, math.nan)
    for name, values in out.tests.items():
        values[place] = feature.tests.get(name, math.nan)


def _measured(f: NDArray[Any], g: NDArray[Any], n: Floats, m: Floats) -> tuple[dict[str, Floats], NDArray[np.int64]]:
    """PSI, Jensen-Shannon and Hellinger of bins, shape (groups, bins), and how many bins of each are occupied."""
    f = np.broadcast_to(f, g.shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = {"js_distance": js_distance_each(f, g), "hellinger": hellinger_each(f, g)}
        psi = np.full(g.shape[0], np.nan)
        occupied = (f + g) > 0
        # Empty bins are no part of k.
        for pattern in occupied[:1] if occupied.all() else np.unique(occupied, axis=0):
            alike = (occupied == pattern).all(axis=1)
            if pattern.any():
                psi[alike] = psi_each(f[alike][:, pattern], g[alike][:, pattern])
    found["psi"] = psi
    return found, occupied.sum(axis=1)


@lru_cache(maxsize=1024)
def _extent(column: NumericColumn) -> tuple[NDArray[np.int64], Floats, Floats]:
    """First index of each cell, and its smallest and largest value in quarters, which keep the outermost finite."""
    cells = column.cells if column.cells is not None else np.arange(column.n_values)
    reach = column.extent(cells)
    return cells, as_float(reach.first, column.plan) / 4, as_float(reach.last, column.plan) / 4


def _upto(rows: NDArray[Any]) -> NDArray[Any]:
    """Rows up to and in each cell."""
    return np.cumsum(rows, axis=1, dtype=np.float64 if rows.dtype.kind == "f" else np.int64)


def _binned(upto: NDArray[Any], edges: NDArray[np.int64]) -> NDArray[Any]:
    """Rows of each bin, from the rows up to each cell; an edge is the cell after the last of its bin."""
    ends = np.where(edges > 0, upto[:, edges - 1], 0)
    return np.diff(ends, axis=1, prepend=0)


def _scales(column: NumericColumn, f: NDArray[Any], start: Floats, stop: Floats) -> Floats:
    """What W1 is divided by, of each reference; ``start`` and ``stop`` are in quarters."""
    centre = float(column.plan.centre) if column.plan.wide else 0.0
    scales = []
    for counts in f:
        some = counts > 0
        mean, std = mean_std_from_cells(counts[some], 4 * start[some], 4 * stop[some])
        scales.append(relative_scale(mean + centre, std))
    return np.array(scales)


def _absence(rows: Sequence[Floats], absent: Sequence[Floats], out: _Found, at: slice) -> Floats:
    """Log p-values of the change of the rate of rows without a finite value; NaN where there is none to test."""
    absent = [np.minimum(*side) for side in zip(absent, rows, strict=True)]  # a rounding may make them more
    with np.errstate(divide="ignore", invalid="ignore"):
        change = np.abs(absent[1] / rows[1] - absent[0] / rows[0])
    out.effects["missing_rate"][at] = change
    tested = (absent[0] + absent[1] > 0) & (np.minimum(rows[0], rows[1]) >= MIN_VALUES)
    table = np.broadcast_arrays(absent[0], rows[0], absent[1], rows[1])
    found = np.full(rows[1].size, np.nan)
    hits, total = table[0] + table[2], table[1] + table[3]
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = hits / total
        plain = np.minimum(hits, total - hits) * np.minimum(table[1], table[3]) >= 5.0 * total
        statistic = change**2 / (pooled * (1 - pooled) * (1 / table[1] + 1 / table[3]))
    chosen = tested & plain
    found[chosen] = chi2_log_sf_each(np.broadcast_to(statistic, found.shape)[chosen], np.ones(chosen.sum(), np.int64))
    for j in np.flatnonzero(tested & ~plain).tolist():
        found[j] = rate_change_log_pvalue(*(float(side[j]) for side in table))
    return found


def _rows(table: GroupTable, first: int = 0) -> Floats:
    """Effective rows in the cells from ``first`` on."""
    return np.asarray(table.effective[:, first:].sum(axis=1), np.float64)


def _correct(out: _Found, at: slice, tests: Mapping[str, tuple[Floats, int]]) -> None:
    """log min(1, k p) for the k tests of a feature, of each kind."""
    number = sum((~np.isnan(found) * count for found, count in tests.values()), np.zeros(1, np.int64))
    with np.errstate(divide="ignore"):
        factor = np.log(number)
    for name, (found, _) in tests.items():
        out.tests[name][at] = np.minimum(0.0, found + factor)


def _index_like(column: Column, reference: GroupTable, current: GroupTable) -> NDArray[np.bool_]:
    n_groups = current.rows.shape[0]
    if column.unique:
        return np.ones(n_groups, np.bool_)
    if not column.grows or not isinstance(column, NumericColumn):
        return np.zeros(n_groups, np.bool_)
    known, later = reference.rows[:, : column.n_values], current.rows[:, : column.n_values]
    last = column.n_values - 1 - np.argmax(known[:, ::-1] > 0, axis=1)
    beyond = np.where(np.arange(column.n_values) > last[:, None], later, 0).sum(axis=1)
    rows = later.sum(axis=1)
    return np.asarray((2 * beyond >= rows) & (rows > 0) & (known.sum(axis=1) > 0))


def _decided(names: tuple[str, ...], columns: Sequence[_Found], settings: Settings, n_groups: int) -> DriftTable:
    """The verdict of ``profiles.verdict.decide`` on every group."""
    shape = n_groups, len(names)
    tests = {name: np.array([c.tests[name] for c in columns]).T.reshape(shape) for name in _TESTS}
    effects = {name: np.array([c.effects[name] for c in columns]).T.reshape(shape) for name in _DECISIVE}
    counted = np.array([c.counted for c in columns], np.bool_).T.reshape(shape)
    log_p = np.fmin(np.fmin(tests[_TESTS[0]], tests[_TESTS[1]]), tests[_TESTS[2]])
    tested = np.where(counted, log_p, np.nan)
    judged = ~np.isnan(tested)
    correct = CORRECTIONS[settings.correction]
    rejected = np.array([correct(row, settings.alpha) for row in tested], np.bool_).reshape(shape)
    with np.errstate(divide="ignore", invalid="ignore"):
        least = np.log(settings.alpha / judged.sum(axis=1))
    clear = np.maximum(np.where(rejected, tested, -np.inf).max(axis=1, initial=-np.inf), least)[:, None]
    reached = np.zeros(shape, np.bool_)
    for name, values in effects.items():
        test = tests[name if name in RATES else DISTRIBUTION]
        thresholds = np.array([settings.threshold(name, feature) for feature in names])
        with np.errstate(invalid="ignore"):
            reached |= (values >= thresholds) & (test <= clear)
    drifted = rejected & reached
    with np.errstate(divide="ignore", invalid="ignore"):
        share = drifted.sum(axis=1) / judged.sum(axis=1)
    dataset_drift = drifted.any(axis=1) & (share >= (settings.drift_share or 0.0))
    return DriftTable(names, effects, log_p, judged, drifted, dataset_drift)
