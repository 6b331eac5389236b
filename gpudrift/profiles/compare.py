"""Compare the counts of a batch with those of the reference: counts in, DriftReport out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.errors import DataError
from gpudrift.frames import Problem
from gpudrift.nearest import hint
from gpudrift.profiles.bins import bin_counts
from gpudrift.profiles.columns import CategoricalColumn, Column, Counted, NumericColumn
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.extent import as_float
from gpudrift.profiles.feature_drift import Bin, FeatureDrift, Further, RowCounts
from gpudrift.profiles.labels import bin_labels
from gpudrift.profiles.later import Later
from gpudrift.profiles.own_statistics import with_own_statistics
from gpudrift.profiles.reference_profile import Profile
from gpudrift.profiles.verdict import DISTRIBUTION, MIN_VALUES, decide
from gpudrift.stats import (
    KS,
    Wasserstein,
    cdf_difference,
    chi_square,
    hellinger,
    js_distance,
    kl,
    ks_from_cells,
    l_infinity,
    mean_change_from_cells,
    mean_std_from_cells,
    new_rate_log_pvalue,
    out_of_range_from_cells,
    pool_rare,
    psi,
    psi_log_pvalue,
    rate_change_log_pvalue,
    relative_scale,
    std_change_from_cells,
    total_variation,
    wasserstein_from_cells,
)
from gpudrift_kernels.backend import Backend
from gpudrift_kernels.occupied import aligned, dense
from gpudrift_kernels.rules import MISSING, NEGATIVE_INFINITY, POSITIVE_INFINITY

#: Features whose comparison one thread takes at once: handing a task over takes a tenth of one feature's time.
_TOGETHER: Final = 8


@dataclass(frozen=True)
class Exact:
    """KS and Wasserstein of one feature from its sorted rows."""

    ks: KS
    wasserstein: Wasserstein


def compare(
    profile: Profile,
    counts: Counts,
    settings: Settings,
    backend: Backend,
    *,
    exact: Mapping[str, Exact] | None = None,
    before: DriftReport | None = None,
) -> DriftReport:
    """Every statistic and the verdict; ``exact`` replaces what the counts only bound.

    ``before`` is the report of the same counts without it, whose other features are taken over.
    """
    if counts.profile_id != profile.profile_id:
        raise DataError("the counts belong to another profile; count the batch with this one")
    wanted = wanted_columns(profile, settings)
    if not counts.n_rows:
        raise DataError("current has no rows; pass at least one")
    named = wanted | {settings.weights, profile.weights}
    problems = [p for p in (*profile.problems, *counts.problems) if p.feature in named]
    present = {
        f: column for f, column in enumerate(profile.plans) if column.name in wanted and counts.column(f)[0].size
    }
    if not present:
        reasons = "".join(f"; {p.feature}: {p.what}" for p in problems[:5])
        raise DataError(f"reference and current have no column in common that can be compared{reasons}")
    known = exact or {}

    def feature_of(f: int) -> FeatureDrift:
        name = profile.plans[f].name
        if before is not None and name not in known:
            return before[name].undecided()
        return _feature(profile, counts, f, known.get(name))

    features = list(backend.map(feature_of, present, together=_TOGETHER))
    explicit = profile.explicit | set(settings.columns)
    finished = []
    for f, feature in zip(present, features, strict=True):
        why = None if feature.name in explicit else _index_like(profile.plans[f], profile, counts, f)
        if why:
            problems.append(
                Problem(
                    feature.name,
                    f"{why}, as an index does: it is no part of the verdict",
                    "name it in columns to count it",
                )
            )
        problems += _remarks(feature, profile.plans[f])
        finished.append(replace(feature, counted=False) if why else feature)
    finished, faults = with_own_statistics(finished)
    problems += faults
    decided = decide(finished, settings)
    judged = sum(f.judged for f in decided)
    drifted = sum(f.drifted for f in decided)
    share = drifted / judged if judged else math.nan
    ordered = sorted(decided, key=lambda f: (not f.drifted, not f.counted, -f.severity(settings), f.name))
    return DriftReport(
        features={f.name: f for f in ordered},
        dataset_drift=drifted > 0 and share >= (settings.drift_share or 0.0),
        share_drifted=share,
        problems=tuple(dict.fromkeys(problems)),
        n_reference=profile.n_rows,
        n_current=counts.n_rows,
        backend=backend.name,
        settings=settings,
        _profile=profile,
        _counts=counts,
    )


def wanted_columns(profile: Profile, settings: Settings) -> set[str]:
    """Columns to report: those asked for, else all, with those that were left out of the profile."""
    known = [*profile.columns, *(p.feature for p in profile.problems)]
    for name in settings.columns:
        if name not in known:
            raise DataError(f"the profile has no column {name!r}: {hint(name, known)}")
    beside = {settings.time, settings.weights, profile.weights}  # they say when and how much, and are not compared
    return set(settings.columns) or {name for name in known if name not in beside}


def _feature(profile: Profile, counts: Counts, f: int, exact: Exact | None) -> FeatureDrift:
    column = profile.plans[f]
    if isinstance(column, NumericColumn):
        return _numeric(profile, counts, f, column, exact)
    rows, effective = _both(profile, counts, f)
    return compare_categorical(column, rows, effective)


def _both(profile: Profile, counts: Counts, f: int) -> tuple[tuple[Counted, Counted], tuple[Counted, Counted]]:
    """Rows of both sides, and their effective rows, which are the same where rows have no weights."""
    rows = profile.reference.column(f), counts.column(f)
    if profile.reference.weights is None and counts.weights is None:
        return rows, rows
    return rows, (profile.reference.effective(f), counts.effective(f))


@dataclass(frozen=True, eq=False)
class _Cells:
    """Effective rows of both sides in the cells that either occupies, the extent of these cells, and the scale."""

    f: NDArray[Any]
    g: NDArray[Any]
    start: NDArray[np.float64]
    stop: NDArray[np.float64]
    single: NDArray[np.bool_]
    scale: float

    @classmethod
    def of(cls, column: NumericColumn, effective: tuple[Counted, Counted]) -> _Cells:
        indices, f, g = aligned(*(column.value_counts(side) for side in effective))
        reach = column.extent(indices)
        start, stop = as_float(reach.first, column.plan), as_float(reach.last, column.plan)
        mean, std = mean_std_from_cells(f, start, stop)
        scale = relative_scale(mean + (float(column.plan.centre) if column.plan.wide else 0.0), std)
        return cls(f, g, start, stop, reach.single, scale)


def _numeric(profile: Profile, counts: Counts, f: int, column: NumericColumn, exact: Exact | None) -> FeatureDrift:
    counted, effective = _both(profile, counts, f)
    values = [column.value_counts(side) for side in effective]
    n, m = (rows.sum().item() for _, rows in values)
    if exact:
        ks, distance = exact.ks, exact.wasserstein
    else:
        cells = _Cells.of(column, effective)
        both = cells.f, cells.g
        difference = cdf_difference(*both)
        ks = ks_from_cells(*both, cells.single, difference=difference)
        distance = wasserstein_from_cells(*both, cells.start, cells.stop, cells.scale, difference=difference)
    bins = [bin_counts(column.bin_starts, *side) for side in values]
    some = (bins[0] + bins[1]) > 0
    binned_psi = psi(bins[0][some], bins[1][some])
    distribution = [ks.log_pvalue, psi_log_pvalue(binned_psi, n, m, int(some.sum()))] if _enough(n, m) else []
    missing, *infinite = (column.n_values + k for k in (MISSING, POSITIVE_INFINITY, NEGATIVE_INFINITY))
    sides = [row_counts(*side, missing, infinite) for side in zip(counted, effective, strict=True)]
    return FeatureDrift(
        name=column.name,
        kind="numeric",
        dtype=column.dtype,
        psi=binned_psi,
        js_distance=js_distance(bins[0], bins[1]),
        hellinger=hellinger(bins[0], bins[1]),
        ks=ks,
        wasserstein=distance.value,
        wasserstein_lower=distance.lower,
        wasserstein_upper=distance.upper,
        cramers_v=None,
        new_rate=None,
        tests=_corrected({DISTRIBUTION: distribution} | _missing_test(*sides)),
        reference=sides[0],
        current=sides[1],
        new=0,
        psi_bins=int(some.sum()),
        _bins=Later(lambda: _bins(bin_labels(column), bins, sides)),
        _further=Later(lambda: _further(bins[0], bins[1], _Cells.of(column, _both(profile, counts, f)[1]))),
    )


def _further(f: NDArray[Any], g: NDArray[Any], cells: _Cells | None = None) -> Further:
    """From the bins, and the cells of numbers."""
    some = (f + g) > 0
    binned = kl(f[some], g[some]), total_variation(f, g), l_infinity(f, g)
    if cells is None:
        return Further(*binned)
    return Further(
        *binned,
        mean_change_from_cells(cells.f, cells.g, cells.start, cells.stop, cells.scale),
        std_change_from_cells(cells.f, cells.g, cells.start, cells.stop),
        out_of_range_from_cells(cells.f, cells.g, cells.single),
    )


def compare_categorical(
    column: CategoricalColumn, counted: tuple[Counted, Counted], effective: tuple[Counted, Counted]
) -> FeatureDrift:
    """From the rows of both sides, and from their effective rows."""
    size = len(column.vocabulary) + 1
    rows = [dense(side, size + 1) for side in counted]
    even = [dense(side, size + 1) for side in effective]
    # The reference itself has new ones only where it is a window that another is compared with.
    new_before, new = (int(side[size - 1]) for side in rows)
    new_even = [side[size - 1].item() for side in even]
    once, twice = (int(np.count_nonzero(rows[0][: size - 1] == times)) for times in (1, 2))
    if column.pooled:
        once, twice = column.pooled.once, column.pooled.twice
        for side in even:  # rare ones and new ones mirror each other
            side[size - 1] += side[column.pooled.place]
            side[column.pooled.place] = 0
    group = pool_rare(even[0][:size], even[1][:size])
    f, g = (np.bincount(group, side[:size]).astype(side.dtype) for side in even)
    n, m = (side.sum().item() for side in (f, g))
    sides = [row_counts(*side, size) for side in zip(counted, effective, strict=True)]
    test = chi_square(f, g)
    tests = {DISTRIBUTION: [test.log_pvalue]} if _enough(n, m) else {}
    if tests and not column.truncated and once + new_before + new:
        # How often a category was seen is a matter of rows, whatever their weight.
        values = [int(side[:size].sum()) for side in rows]
        found = new_rate_log_pvalue(once, twice, values[0], new, values[1], new_reference=new_before)
        tests["new_rate"] = [found]
    some = (f + g) > 0
    return FeatureDrift(
        name=column.name,
        kind="categorical",
        dtype=column.dtype,
        psi=psi(f[some], g[some]),
        js_distance=js_distance(f, g),
        hellinger=hellinger(f, g),
        ks=None,
        wasserstein=None,
        wasserstein_lower=None,
        wasserstein_upper=None,
        cramers_v=test.cramers_v,
        new_rate=None if column.truncated or not n or not m else max(0.0, new_even[1] / m - (once + new_even[0]) / n),
        tests=_corrected(tests | _missing_test(*sides)),
        reference=sides[0],
        current=sides[1],
        new=0 if column.truncated else new,
        psi_bins=int(some.sum()),
        _bins=Later(
            lambda: tuple(
                b for b in _bins(_group_labels(column, group, new=new), (f, g), sides) if b.reference + b.current
            )
        ),
        _further=Later(lambda: _further(f, g)),
    )


def row_counts(counted: Counted, effective: Counted, missing: int, infinite: Sequence[int] = ()) -> RowCounts:
    """Rows of a column, with those of some counters apart."""
    rows = _apart(counted, missing, infinite)
    return RowCounts(*rows, *(rows if effective is counted else _apart(effective, missing, infinite)))


def _apart(counted: Counted, missing: int, infinite: Sequence[int]) -> tuple[Any, Any, Any]:
    counters, rows = counted
    special = int(counters.searchsorted(missing))
    apart = dict(zip(counters[special:].tolist(), rows[special:].tolist(), strict=True))
    return rows.sum().item(), apart.get(missing, 0), sum(apart.get(k, 0) for k in infinite)


def _bins(labels: Sequence[str], bins: Sequence[NDArray[Any]], sides: Sequence[RowCounts]) -> tuple[Bin, ...]:
    """Bins in rows: effective ones count as many as there are rows."""
    f, g = (
        counts * (side.n / side.n_effective) if counts.dtype.kind == "f" and side.n_effective else counts
        for counts, side in zip(bins, sides, strict=True)
    )
    return tuple(map(Bin, labels, f.tolist(), g.tolist()))


def _group_labels(column: CategoricalColumn, group: NDArray[np.int64], *, new: int) -> list[str]:
    """Of each group of categories: its name where it is one, else how many it holds; the last one is the pool."""
    members, first, sizes = np.unique(group[:-1], return_index=True, return_counts=True)
    alone = int(np.count_nonzero(sizes[members < group[-1]] == 1))
    labels = [
        column.vocabulary[int(i)].as_py() if size == 1 else f"rare {k - alone + 1} ({size:,} categories)"
        for k, (i, size) in enumerate(zip(first.tolist(), sizes.tolist(), strict=True))
        if members[k] < group[-1]
    ]
    n_pooled = int(np.count_nonzero(group[:-1] == group[-1]))
    last = "other" if column.truncated else f"rare and new ({n_pooled + (new > 0):,})" if n_pooled else "new"
    return [*labels, last]


def _enough(n: float, m: float) -> bool:
    """Whether the values of both sides suffice for a test."""
    return min(n, m) >= MIN_VALUES


def _missing_test(reference: RowCounts, current: RowCounts) -> dict[str, list[float]]:
    """The test of the rate of rows without a value, where there are any; given how many in all, that is fixed."""
    absent = reference.absent_effective, current.absent_effective
    if not sum(absent) or not _enough(reference.n_effective, current.n_effective):
        return {}
    return {"missing_rate": [rate_change_log_pvalue(absent[0], reference.n_effective, absent[1], current.n_effective)]}


def _corrected(tests: Mapping[str, list[float]]) -> dict[str, float]:
    """log min(1, k p) of each kind of test, for the k tests of a feature."""
    k = sum(map(len, tests.values()))
    return {name: min(0.0, math.log(k) + min(found)) for name, found in tests.items() if found}


def _index_like(column: Column, profile: Profile, counts: Counts, f: int) -> str | None:
    """Why a column looks like an index: unique values, or one that grows and has left the reference's range."""
    if column.unique:
        return "holds a different value in every row"
    if not column.grows or not isinstance(column, NumericColumn):
        return None
    indices, _ = column.value_counts(profile.reference.column(f))
    if not indices.size:  # as in a slice of the reference that has no value
        return None
    later, rows = column.value_counts(counts.column(f))
    beyond = int(rows[later > indices[-1]].sum())
    return "only grows" if 2 * beyond >= int(rows.sum()) > 0 else None


def _remarks(feature: FeatureDrift, column: Column) -> list[Problem]:
    """What a reader of a feature's numbers should know."""
    remarks: list[Problem] = []
    for side, counts in (("reference", feature.reference), ("current", feature.current)):
        rows, absent, infinite = counts.n, counts.missing, counts.infinite
        values, effective = rows - absent - infinite, counts.n_effective - counts.absent_effective
        if absent == rows:
            remarks.append(
                Problem(feature.name, f"has only missing values in the {side} data", "check where it comes from")
            )
        elif values == 0:
            remarks.append(
                Problem(
                    feature.name,
                    f"has only infinite or missing values in the {side} data",
                    "check where it comes from",
                )
            )
        elif values < MIN_VALUES:
            remarks.append(
                Problem(
                    feature.name,
                    f"has {values:,} value{'s' if values > 1 else ''} in the {side} data, too few for a verdict",
                    f"collect at least {MIN_VALUES}",
                )
            )
        elif effective < MIN_VALUES:
            what = f"has values in the {side} data that say as much as {effective:.3g} of equal weight"
            remarks.append(
                Problem(feature.name, f"{what}, too few for a verdict", "collect more, or cut the largest weights")
            )
        elif infinite:
            remarks.append(
                Problem(
                    feature.name,
                    f"has {infinite:,} infinite value{'s' if infinite > 1 else ''} in the {side} data",
                    "they are in no bin; mend or drop them",
                )
            )
    if isinstance(column, CategoricalColumn) and column.truncated:
        remarks.append(
            Problem(
                feature.name,
                f"has more categories in the reference than are kept; the {len(column.vocabulary):,} most frequent are",
                "the rest is pooled as other; group the values or drop the column",
            )
        )
    return remarks
