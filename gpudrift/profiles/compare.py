"""Compare the counts of a batch with those of the reference: counts in, DriftReport out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from gpudrift.config import Settings
from gpudrift.errors import DataError
from gpudrift.frames import Problem
from gpudrift.nearest import hint
from gpudrift.profiles.bins import bin_counts
from gpudrift.profiles.columns import CategoricalColumn, Column, Counted, NumericColumn
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import Bin, DriftReport, FeatureDrift
from gpudrift.profiles.extent import as_float, extent
from gpudrift.profiles.labels import bin_labels
from gpudrift.profiles.reference_profile import Profile
from gpudrift.profiles.verdict import DISTRIBUTION, MIN_VALUES, decide
from gpudrift.stats import (
    KS,
    Wasserstein,
    chi_square,
    hellinger,
    js_distance,
    ks_from_cells,
    mean_std_from_cells,
    new_rate_log_pvalue,
    pool_rare,
    psi,
    psi_log_pvalue,
    rate_change_log_pvalue,
    relative_scale,
    wasserstein_from_cells,
)
from gpudrift_kernels.backend import Backend
from gpudrift_kernels.occupied import occupied
from gpudrift_kernels.rules import MISSING, NEGATIVE_INFINITY, POSITIVE_INFINITY


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
) -> DriftReport:
    """Every statistic and the verdict; ``exact`` replaces what the counts only bound."""
    if counts.profile_id != profile.profile_id:
        raise DataError("the counts belong to another profile; count the batch with this one")
    wanted = _wanted(profile, settings)
    if not counts.n_rows:
        raise DataError("current has no rows; pass at least one")
    problems = [p for p in (*profile.problems, *counts.problems) if p.feature in wanted]
    present = {
        f: column for f, column in enumerate(profile.plans) if column.name in wanted and counts.column(f)[0].size
    }
    if not present:
        reasons = "".join(f"; {p.feature}: {p.what}" for p in problems[:5])
        raise DataError(f"reference and current have no column in common that can be compared{reasons}")
    known = exact or {}
    features = list(backend.map(lambda f: _feature(profile, counts, f, known), present))
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
        finished.append(replace(feature, counted=why is None))
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


def _wanted(profile: Profile, settings: Settings) -> set[str]:
    """Columns to report: those asked for, else all, with those that were left out of the profile."""
    known = [*profile.columns, *(p.feature for p in profile.problems)]
    for name in settings.columns:
        if name not in known:
            raise DataError(f"the profile has no column {name!r}: {hint(name, known)}")
    return set(settings.columns or known)


def _feature(profile: Profile, counts: Counts, f: int, exact: Mapping[str, Exact]) -> FeatureDrift:
    column = profile.plans[f]
    reference, current = profile.reference.column(f), counts.column(f)
    if isinstance(column, NumericColumn):
        return _numeric(column, reference, current, exact.get(column.name))
    return _categorical(column, reference, current)


def _numeric(column: NumericColumn, reference: Counted, current: Counted, exact: Exact | None) -> FeatureDrift:
    cells_reference, cells_current = column.value_counts(reference), column.value_counts(current)
    n, m = int(cells_reference[1].sum()), int(cells_current[1].sum())
    sides = np.zeros((2, column.plan.n_index), np.int64)
    for side, (cells, rows_each) in zip(sides, (cells_reference, cells_current), strict=True):
        side[cells] = rows_each
    indices, _ = occupied(sides[0] | sides[1])
    f, g = sides[0][indices], sides[1][indices]
    reach = extent(indices, column.plan)
    ks = exact.ks if exact else ks_from_cells(f, g, reach.single)
    start, stop = as_float(reach.first, column.plan), as_float(reach.last, column.plan)
    mean, std = mean_std_from_cells(f, start, stop)
    scale = relative_scale(mean + (float(column.plan.centre) if column.plan.wide else 0.0), std)
    distance = exact.wasserstein if exact else wasserstein_from_cells(f, g, start, stop, scale)
    bins = [bin_counts(column.bin_starts, *cells) for cells in (cells_reference, cells_current)]
    some = (bins[0] + bins[1]) > 0
    binned_psi = psi(bins[0][some], bins[1][some])
    distribution = [ks.log_pvalue, psi_log_pvalue(binned_psi, n, m, int(some.sum()))] if _enough(n, m) else []
    special = [
        [_rows(side, column.plan.n_index + k) for k in (MISSING, POSITIVE_INFINITY, NEGATIVE_INFINITY)]
        for side in (reference, current)
    ]
    missing = special[0][0], special[1][0]
    infinite = sum(special[0][1:]), sum(special[1][1:])
    rows = int(reference[1].sum()), int(current[1].sum())
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
        tests=_corrected({DISTRIBUTION: distribution} | _missing_test((rows[0] - n, rows[1] - m), rows)),
        n_reference=rows[0],
        n_current=rows[1],
        missing_reference=missing[0],
        missing_current=missing[1],
        infinite_reference=infinite[0],
        infinite_current=infinite[1],
        new=0,
        bins=tuple(map(Bin, bin_labels(column), bins[0].tolist(), bins[1].tolist())),
    )


def _categorical(column: CategoricalColumn, reference: Counted, current: Counted) -> FeatureDrift:
    size = len(column.vocabulary) + 1
    sides = []
    for indices, counted in (reference, current):
        dense = np.zeros(size + 1, np.int64)
        dense[indices] = counted
        sides.append(dense)
    group = pool_rare(sides[0][:size], sides[1][:size])
    f, g = (np.bincount(group, side[:size]).astype(np.int64) for side in sides)
    missing = int(sides[0][size]), int(sides[1][size])
    n, m, new = int(f.sum()), int(g.sum()), int(sides[1][size - 1])
    test = chi_square(f, g)
    tests = {DISTRIBUTION: [test.log_pvalue]} if _enough(n, m) else {}
    once, twice = (int(np.count_nonzero(sides[0][: size - 1] == times)) for times in (1, 2))
    if tests and not column.truncated and once + new:
        tests["new_rate"] = [new_rate_log_pvalue(once, twice, n, new, m)]
    labels = _group_labels(column, group, new=new)
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
        new_rate=None if column.truncated or not n or not m else max(0.0, new / m - once / n),
        tests=_corrected(tests | _missing_test(missing, (n + missing[0], m + missing[1]))),
        n_reference=n + missing[0],
        n_current=m + missing[1],
        missing_reference=missing[0],
        missing_current=missing[1],
        infinite_reference=0,
        infinite_current=0,
        new=0 if column.truncated else new,
        bins=tuple(Bin(*entry) for entry in zip(labels, f.tolist(), g.tolist(), strict=True) if entry[1] + entry[2]),
    )


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


def _enough(n: int, m: int) -> bool:
    """Whether the values of both sides suffice for a test."""
    return min(n, m) >= MIN_VALUES


def _missing_test(absent: tuple[int, int], rows: tuple[int, int]) -> dict[str, list[float]]:
    """The test of the rate of rows without a value, where there are any; given how many in all, that is fixed."""
    if not sum(absent) or not _enough(*rows):
        return {}
    return {"missing_rate": [rate_change_log_pvalue(absent[0], rows[0], absent[1], rows[1])]}


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
    later, rows = column.value_counts(counts.column(f))
    beyond = int(rows[later > indices[-1]].sum())
    return "only grows" if 2 * beyond >= int(rows.sum()) > 0 else None


def _remarks(feature: FeatureDrift, column: Column) -> list[Problem]:
    """What a reader of a feature's numbers should know."""
    remarks: list[Problem] = []
    for side, rows, absent, infinite in (
        ("reference", feature.n_reference, feature.missing_reference, feature.infinite_reference),
        ("current", feature.n_current, feature.missing_current, feature.infinite_current),
    ):
        values = rows - absent - infinite
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


def _rows(counted: Counted, index: int) -> int:
    place = int(np.searchsorted(counted[0], index))
    return int(counted[1][place]) if place < counted[0].size and counted[0][place] == index else 0
