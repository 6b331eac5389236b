"""Compare columns of numbers: counters of both sides in, FeatureDrift out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpudrift.profiles.bins import labelled
from gpudrift.profiles.columns import NumericColumn
from gpudrift.profiles.counts import Counts, first_key
from gpudrift.profiles.extent import as_float
from gpudrift.profiles.feature_drift import FeatureDrift, Further
from gpudrift.profiles.labels import bin_labels
from gpudrift.profiles.later import Later
from gpudrift.profiles.log_pvalues import corrected, enough, missing_test
from gpudrift.profiles.row_counts import RowCounts, row_counts
from gpudrift.profiles.verdict import DISTRIBUTION
from gpudrift.stats import (
    KS,
    Bounded,
    Wasserstein,
    hellinger_each,
    js_distance_each,
    ks_from_interval,
    mean_change_from_cells,
    mean_std_from_cells,
    mean_std_from_moments,
    out_of_range_from_cells,
    psi_each,
    psi_log_pvalue,
    relative_scale,
    scaled_up,
    std_change_from_cells,
    std_from_cells,
    wasserstein_from_areas,
)
from gpudrift_kernels.backend import Backend
from gpudrift_kernels.compared import Cells, Compared, compared
from gpudrift_kernels.occupied import aligned
from gpudrift_kernels.rules import MISSING, NEGATIVE_INFINITY, POSITIVE_INFINITY

#: Features that one thread takes at once: handing a task over takes a tenth of one feature's time.
_TOGETHER: Final = 8


@dataclass(frozen=True)
class Exact:
    """KS and Wasserstein of one feature from its sorted rows."""

    ks: KS
    wasserstein: Wasserstein


def compare_numeric(
    columns: Mapping[int, NumericColumn], reference: Counts, current: Counts, backend: Backend
) -> dict[int, FeatureDrift]:
    """Of the columns, which are given by their place in the profile."""

    weighted = reference.weights is not None or current.weights is not None

    def of(f: int) -> Compared:
        column = columns[f]
        one, other = ((side.effective(f) if weighted else side.keyed(f)) for side in (reference, current))
        first = 0 if weighted else first_key(f)
        return compared(one, other, column.plan, column.bin_starts, column.cells, first)

    found = list(backend.map(of, columns, together=_TOGETHER))
    binned = _binned([each.bins for each in found])
    return {
        f: _feature(columns[f], each, of_bins, reference, current, f)
        for f, each, of_bins in zip(columns, found, binned, strict=True)
    }


def with_exact(feature: FeatureDrift, exact: Exact) -> FeatureDrift:
    """The feature, undecided, with what its sorted rows say; rows have no weights."""
    sides = feature.reference, feature.current
    n, m = (side.n - side.missing - side.infinite for side in sides)
    distance = exact.wasserstein
    return feature.undecided(
        ks=exact.ks,
        wasserstein=distance.value,
        wasserstein_lower=distance.lower,
        wasserstein_upper=distance.upper,
        tests=_tests(exact.ks, feature.psi, feature.psi_bins, n, m, sides),
    )


class _Binned(NamedTuple):
    """What bins say, and how many of them either side occupies."""

    psi: float
    js_distance: float
    hellinger: float
    n: int


def _binned(tables: Sequence[NDArray[Any]]) -> list[_Binned]:
    """Of the rows of both sides by bin, shape (2, bins): tables of as many bins together, each as if it were alone."""
    occupied = [_occupied(table) for table in tables]
    by_size: dict[int, list[int]] = {}
    for place, table in enumerate(occupied):
        by_size.setdefault(table.shape[1], []).append(place)
    found: dict[int, _Binned] = {}
    for size, places in by_size.items():
        f, g = np.stack([occupied[place] for place in places], axis=1)
        some = np.count_nonzero(f + g, axis=1).tolist() if size else [0] * len(places)
        each = (of(f, g).tolist() for of in (psi_each, js_distance_each, hellinger_each))
        found.update(zip(places, map(_Binned, *each, some), strict=True))
    return [found[place] for place in range(len(tables))]


def _occupied(table: NDArray[Any]) -> NDArray[Any]:
    """Without the bins that neither side occupies, unless those are all."""
    if table.all() or not (some := table.any(axis=0)).any():
        return table
    return table[:, some]


def _feature(
    column: NumericColumn, found: Compared, binned: _Binned, reference: Counts, current: Counts, f: int
) -> FeatureDrift:
    sides = _sides(column, found, reference, current, f)
    n, m = found.bins.sum(axis=1).tolist()
    ks, distance = _from_cells(column, found.cells, n, m)
    return FeatureDrift(
        name=column.name,
        kind="numeric",
        dtype=column.dtype,
        psi=binned.psi,
        js_distance=binned.js_distance,
        hellinger=binned.hellinger,
        ks=ks,
        wasserstein=distance.value,
        wasserstein_lower=distance.lower,
        wasserstein_upper=distance.upper,
        cramers_v=None,
        new_rate=None,
        tests=_tests(ks, binned.psi, binned.n, n, m, sides),
        reference=sides[0],
        current=sides[1],
        new=0,
        psi_bins=binned.n,
        _bins=Later(lambda: labelled(bin_labels(column), list(found.bins), sides)),
        _further=Later(lambda: _further(column, found.bins, reference, current, f)),
    )


def _sides(
    column: NumericColumn, found: Compared, reference: Counts, current: Counts, f: int
) -> tuple[RowCounts, RowCounts]:
    if reference.weights is None and current.weights is None:
        of_reference, of_current = (
            RowCounts.unweighted(sum(values) + sum(special), special[MISSING], sum(special) - special[MISSING])
            for values, special in zip(found.bins.tolist(), found.special.tolist(), strict=True)
        )
        return of_reference, of_current
    missing, *infinite = (column.n_values + k for k in (MISSING, POSITIVE_INFINITY, NEGATIVE_INFINITY))
    of_reference, of_current = (
        row_counts(counts.column(f), counts.effective(f), missing, infinite) for counts in (reference, current)
    )
    return of_reference, of_current


def _from_cells(column: NumericColumn, cells: Cells | None, n: float, m: float) -> tuple[KS, Wasserstein]:
    if cells is None:
        return KS.unknown(), Wasserstein.unknown()
    mean, std = mean_std_from_moments(cells.mean, cells.variance, cells.exponent)
    scale = _scale(column, mean, std)
    distance = wasserstein_from_areas(cells.areas, cells.reach, scale)
    # the scale of the rows themselves is known no better than their standard deviation
    radius = scaled_up(cells.radius, cells.exponent)
    ends = Bounded(distance.value, distance.lower, distance.upper).divided(scale, *_around(scale, std, radius))
    return ks_from_interval(cells.lower, cells.upper, n, m), Wasserstein(distance.value, ends.lower, ends.upper)


def _around(scale: float, std: float, radius: float) -> tuple[float, float]:
    """Least and most that the scale of the rows can be, whose standard deviation lies within a radius of ``std``."""
    return (std - radius, max(scale, std + radius)) if radius else (scale, scale)


def _scale(column: NumericColumn, mean: float, std: float) -> float:
    """What distances are divided by; the mean of 64-bit integers is one less the centre."""
    return relative_scale(mean + (float(column.plan.centre) if column.plan.wide else 0.0), std)


def _tests(ks: KS, psi: float, n_bins: int, n: float, m: float, sides: tuple[RowCounts, RowCounts]) -> dict[str, float]:
    distribution = [ks.log_pvalue, psi_log_pvalue(psi, n, m, n_bins)] if enough(n, m) else []
    return corrected({DISTRIBUTION: distribution} | missing_test(*sides))


def _further(column: NumericColumn, bins: NDArray[Any], reference: Counts, current: Counts, f: int) -> Further:
    """From the effective rows of both sides in the cells that either occupies."""
    indices, rows_f, rows_g = aligned(*(column.value_counts(counts.effective(f)) for counts in (reference, current)))
    reach = column.extent(indices)
    ends = as_float(reach.first, column.plan), as_float(reach.last, column.plan)
    mean, std = mean_std_from_cells(rows_f, *ends)
    scale = _scale(column, mean, std)
    spread = std_from_cells(rows_f, *ends)
    around = _around(scale, std, spread.upper - std)
    return replace(
        Further.of_bins(*bins),
        mean_change=mean_change_from_cells(rows_f, rows_g, *ends, scale).divided(scale, *around),
        std_change=std_change_from_cells(rows_f, rows_g, *ends),
        out_of_range=out_of_range_from_cells(rows_f, rows_g, reach.single),
    )
