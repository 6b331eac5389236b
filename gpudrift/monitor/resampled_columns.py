"""Columns as resampling sees them: some dozens of groups of cells, and effect sizes of thousands of pairs."""

from __future__ import annotations

import math
import sys
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from gpudrift.monitor.effective_rows import Rows, amounts
from gpudrift.profiles import Profile
from gpudrift.profiles.bins import bin_counts
from gpudrift.profiles.columns import CategoricalColumn, Counted, NumericColumn
from gpudrift.profiles.extent import as_float, extent
from gpudrift.profiles.verdict import MIN_VALUES
from gpudrift.stats import (
    hellinger_each,
    js_distance_each,
    mean_std_from_cells,
    pool_rare,
    psi_each,
    relative_scale,
)

#: Each group of the tails holds this part of the one further in, down to single rows: W1 hangs on the tails.
_TAIL: Final = 0.2


class ResampledColumn(Protocol):
    """A column whose rows are counted in groups, then those without a value: shape (groups + 1,)."""

    @property
    def name(self) -> str: ...

    @property
    def statistics(self) -> tuple[str, ...]:
        """Names of the effect sizes, in their order."""
        ...

    def group(self, counted: Counted) -> NDArray[np.int64]:
        """Rows of each group, or their weight in units."""
        ...

    def effects(self, reference: Rows, current: Rows, rng: np.random.Generator) -> NDArray[np.float64]:
        """Effect sizes of each pair, shape (pairs, statistics); NaN where too few values give no verdict.

        Of effective rows, where they have weights.
        """
        ...


def resampled_column(profile: Profile, place: int, *, rows: float, groups: int) -> ResampledColumn:
    """A column of a profile, for windows of so many rows; ``groups`` is how many hold the middle of the reference."""
    column, counted = profile.plans[place], amounts(profile.reference, place)
    if isinstance(column, NumericColumn):
        return NumericGroups.of(column, counted, groups)
    return CategoryGroups.of(column, profile.reference.effective(place), rows)


@dataclass(frozen=True, eq=False)
class NumericGroups:
    """Numbers, in groups of neighbouring cells; every PSI bin is some of them.

    Attributes
    ----------
    starts : ndarray of int64
        Indices at which a group begins, but the first.
    first_of_bin : ndarray of intp
        First group of each PSI bin that holds any of the reference.
    share : float64, shape (groups,)
        Of the reference's values in the group; 0 where all of them are in one single-valued cell.
    gaps : float64, shape (groups - 1,)
        From the mean of one group to that of the next, in the unit of W1.
    """

    name: str
    column: NumericColumn
    starts: NDArray[np.int64]
    first_of_bin: NDArray[np.intp]
    share: NDArray[np.float64]
    gaps: NDArray[np.float64]

    @classmethod
    def of(cls, column: NumericColumn, counted: Counted, groups: int) -> NumericGroups:
        """From the reference's counts."""
        indices, rows = column.value_counts(counted)
        n = int(rows.sum())
        starts = _group_starts(indices, rows, groups, column.bin_starts) if n else column.bin_starts
        inside = bin_counts(starts, indices, rows)
        reach = extent(indices, column.plan)
        start, stop = as_float(reach.first, column.plan), as_float(reach.last, column.plan)
        place = np.searchsorted(starts, indices, side="right")
        cells = np.bincount(place[rows > 0], minlength=starts.size + 1)
        loose = np.bincount(place, weights=~reach.single, minlength=starts.size + 1)
        bins = np.concatenate([[0], np.searchsorted(starts, column.bin_starts) + 1])
        if n:  # a bin without any of the reference joins the one below it, the first one that above it
            bins = bins[np.add.reduceat(inside, bins) > 0]
            bins[0] = 0
        return cls(
            column.name,
            column,
            starts,
            bins,
            np.where((cells > 1) | (loose > 0), inside / max(n, 1), 0.0),
            _gaps(column, rows, start, stop, place, starts.size + 1),
        )

    @classmethod
    def of_cells(cls, column: NumericColumn, counted: Counted, cells: NDArray[np.int64]) -> NumericGroups:
        """Each occupied cell a group of its own: the effect sizes are those of a report.

        ``cells`` are the indices that the reference or any window occupies, ascending.
        """
        indices, rows = column.value_counts(counted)
        reach = extent(cells, column.plan)
        start, stop = as_float(reach.first, column.plan), as_float(reach.last, column.plan)
        some = bin_counts(column.bin_starts, indices, rows) > 0
        bins = np.append(0, np.searchsorted(cells, column.bin_starts))[some]
        bins[:1] = 0
        inside = np.zeros(cells.size, np.int64)
        inside[np.searchsorted(cells, indices)] = rows
        middle, scale = 0.5 * start + 0.5 * stop, _scale(column, inside, start, stop)
        with np.errstate(over="ignore"):
            gaps = np.nan_to_num(np.diff(middle) / scale, posinf=sys.float_info.max / max(cells.size, 1))
        return cls(column.name, column, cells[1:], bins, np.zeros(cells.size), gaps)

    @property
    def statistics(self) -> tuple[str, ...]:
        return ("psi", "js_distance", "hellinger", "ks", "wasserstein", "missing_rate")

    def group(self, counted: Counted) -> NDArray[np.int64]:
        groups = bin_counts(self.starts, *self.column.value_counts(counted))
        return np.append(groups, int(counted[1].sum()) - int(groups.sum()))

    def effects(self, reference: Rows, current: Rows, rng: np.random.Generator) -> NDArray[np.float64]:
        f, g = reference[:, :-1], current[:, :-1]
        n, m = (side.sum(axis=1, keepdims=True) for side in (f, g))
        bins = [np.add.reduceat(side, self.first_of_bin, axis=1) for side in (f, g)]
        with np.errstate(invalid="ignore", divide="ignore"):
            difference = np.cumsum(f, axis=1) / n - np.cumsum(g, axis=1) / m
            found = [
                psi_each(*bins),
                js_distance_each(*bins),
                hellinger_each(*bins),
                self._ks(difference, 1.0 / n + 1.0 / m, rng),
                np.minimum(np.abs(difference[:, :-1]) @ self.gaps, sys.float_info.max),
            ]
        return _finish(found, reference, current)

    def _ks(
        self, difference: NDArray[np.float64], variance: NDArray[np.float64], rng: np.random.Generator
    ) -> NDArray[np.float64]:
        """max |F - G|, from the ends of the groups and, inside a group, from its law given the two ends.

        There F - G is a Brownian bridge of variance s^2 = share (1 / n + 1 / m), and its highest point over ends a
        and b is (a + b + sqrt((a - b)^2 + 2 s^2 E)) / 2 with E exponential: the closed form. Nothing hides inside a
        single value.

        Borodin and Salminen (2002), Handbook of Brownian Motion, IV.26. doi:10.1007/978-3-0348-8163-0
        """
        highest: NDArray[np.float64] = np.abs(difference).max(axis=1)
        loose = np.flatnonzero(self.share)
        if not loose.size:
            return highest
        after = difference[:, loose]
        before = np.where(loose > 0, difference[:, loose - 1], 0.0)
        middle, step = 0.5 * (before + after), (before - after) ** 2
        twice = 2.0 * self.share[loose] * variance
        for sign in (1.0, -1.0):
            beyond = rng.standard_exponential(after.shape)
            inside = sign * middle + 0.5 * np.sqrt(step + twice * beyond)
            np.maximum(highest, inside.max(axis=1), out=highest)
        return np.minimum(highest, 1.0)


@dataclass(frozen=True, eq=False)
class CategoryGroups:
    """Categories, pooled as for a window of the expected size; the last group is that of unseen ones.

    Attributes
    ----------
    of_category : ndarray of int64
        Group of each category of the vocabulary, and of "new".
    """

    name: str
    column: CategoricalColumn
    of_category: NDArray[np.int64]

    @classmethod
    def of(cls, column: CategoricalColumn, effective: Counted, rows: float) -> CategoryGroups:
        """From the reference's effective rows, and those of a typical window."""
        dense = np.zeros(column.n_counters, np.int64)
        dense[effective[0]] = np.rint(effective[1])
        known = dense[:-1]
        expected = np.rint(known * (rows / max(int(dense.sum()), 1))).astype(np.int64)
        return cls(column.name, column, pool_rare(known, expected))

    @property
    def statistics(self) -> tuple[str, ...]:
        return ("psi", "js_distance", "hellinger", "cramers_v", "missing_rate")

    def group(self, counted: Counted) -> NDArray[np.int64]:
        dense = np.zeros(self.column.n_counters, np.int64)
        dense[counted[0]] = counted[1]
        groups = np.zeros(int(self.of_category.max()) + 1, np.int64)
        np.add.at(groups, self.of_category, dense[:-1])
        return np.append(groups, dense[-1])

    def effects(self, reference: Rows, current: Rows, rng: np.random.Generator) -> NDArray[np.float64]:
        f, g = reference[:, :-1], current[:, :-1]
        some = (f.any(axis=0)) | (g.any(axis=0))
        if not some.any():
            return np.full((f.shape[0], 5), math.nan)
        f, g = f[:, some], g[:, some]
        found = [psi_each(f, g), js_distance_each(f, g), hellinger_each(f, g), _cramers_v(f, g)]
        return _finish(found, reference, current)


def _cramers_v(f: Rows, g: Rows) -> NDArray[np.float64]:
    """V of each pair, as ``gpudrift.stats.chi_square`` has it for one."""
    n, m = (side.sum(axis=1, keepdims=True).astype(np.float64) for side in (f, g))
    with np.errstate(invalid="ignore", divide="ignore"):
        square = np.nan_to_num((f / n - g / m) ** 2 / (f + g))
        v: NDArray[np.float64] = np.sqrt((n * m / (n + m))[:, 0] * square.sum(axis=1))
    return np.minimum(v, 1.0)


def _finish(found: list[NDArray[np.float64]], reference: Rows, current: Rows) -> NDArray[np.float64]:
    """The change of the missing rate as the last effect size; NaN where values or rows give no verdict."""
    rows = [side.sum(axis=1) for side in (reference, current)]
    values = [total - side[:, -1] for total, side in zip(rows, (reference, current), strict=True)]
    with np.errstate(invalid="ignore", divide="ignore"):
        change = np.abs(reference[:, -1] / rows[0] - current[:, -1] / rows[1])
    effects = np.stack([*found, change], axis=1)
    effects[np.minimum(*values) < MIN_VALUES, :-1] = math.nan
    effects[np.minimum(*rows) < MIN_VALUES, -1] = math.nan
    return effects


def _group_starts(
    indices: NDArray[np.int64], rows: NDArray[np.int64], groups: int, bin_starts: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Starts of the PSI bins, of equal shares between them, and of ever smaller ones in either tail."""
    n = int(rows.sum())
    even = np.arange(1, groups) / groups
    tail = even[0] * _TAIL ** np.arange(1, max(math.ceil(math.log(even[0] * n, 1 / _TAIL)), 1))
    shares = np.concatenate([tail[::-1], even, 1.0 - tail])
    ranks = np.clip(np.ceil(shares * n), 1, n).astype(np.int64)
    quantiles = indices[np.searchsorted(np.cumsum(rows), ranks)] + 1
    starts = np.unique(np.concatenate([bin_starts, quantiles]))
    # one that begins behind the last occupied index would only be there for what the reference does not hold
    useful: NDArray[np.int64] = starts[(starts <= indices[-1]) | np.isin(starts, bin_starts)]
    return useful


def _gaps(
    column: NumericColumn,
    rows: NDArray[np.int64],
    start: NDArray[np.float64],
    stop: NDArray[np.float64],
    place: NDArray[np.intp],
    n_groups: int,
) -> NDArray[np.float64]:
    """Distances between the means of neighbouring groups over the reference's standard deviation."""
    if not rows.size:
        return np.zeros(n_groups - 1)
    scale = _scale(column, rows, start, stop)
    middle = 0.5 * start + 0.5 * stop
    inside = np.bincount(place, weights=rows, minlength=n_groups)
    with np.errstate(invalid="ignore", over="ignore"):
        # weights first: a sum of values next to the largest double would overflow
        means = np.bincount(place, weights=middle * (rows / inside[place]), minlength=n_groups)
        occupied = np.flatnonzero(inside)
        # a group without reference rows lies where the nearest one below it with some does
        nearest = occupied[np.maximum(np.searchsorted(occupied, np.arange(n_groups), side="right") - 1, 0)]
        gaps = np.diff(means[nearest]) / scale
    return np.nan_to_num(np.maximum(gaps, 0.0), posinf=sys.float_info.max / n_groups)


def _scale(
    column: NumericColumn, rows: NDArray[np.int64], start: NDArray[np.float64], stop: NDArray[np.float64]
) -> float:
    """The unit of W1."""
    mean, std = mean_std_from_cells(rows, start, stop)
    return relative_scale(mean + (float(column.plan.centre) if column.plan.wide else 0.0), std)
