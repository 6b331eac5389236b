"""Compare the counts of a batch with those of the reference: counts in, DriftReport out."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from gpudrift.config import Settings
from gpudrift.errors import DataError
from gpudrift.frames import Problem
from gpudrift.nearest import hint
from gpudrift.profiles.categorical_drift import compare_categorical
from gpudrift.profiles.columns import NumericColumn
from gpudrift.profiles.counts import Counts
from gpudrift.profiles.drift_report import DriftReport
from gpudrift.profiles.feature_drift import FeatureDrift
from gpudrift.profiles.numeric_drift import Exact, compare_numeric, with_exact
from gpudrift.profiles.own_statistics import with_own_statistics
from gpudrift.profiles.reference_profile import Profile
from gpudrift.profiles.remarks import index_like, remarks_on, vague
from gpudrift.profiles.verdict import decide
from gpudrift_kernels.backend import Backend


def compare(profile: Profile, counts: Counts, settings: Settings, backend: Backend) -> DriftReport:
    """Every statistic and the verdict, from counts alone."""
    if counts.profile_id != profile.profile_id:
        raise DataError("the counts belong to another profile; count the batch with this one")
    wanted = wanted_columns(profile, settings)
    if not counts.n_rows:
        raise DataError("current has no rows; pass at least one")
    named = wanted | {settings.weights, profile.weights}
    problems = [p for p in (*profile.problems, *counts.problems) if p.feature in named]
    present = [f for f, column in enumerate(profile.plans) if column.name in wanted and counts.holds(f)]
    if not present:
        reasons = "".join(f"; {p.feature}: {p.what}" for p in problems[:5])
        raise DataError(f"reference and current have no column in common that can be compared{reasons}")
    features = _features(profile, counts, present, backend)
    explicit = profile.explicit | set(settings.columns)
    finished = []
    for f, feature in zip(present, features, strict=True):
        column = profile.plans[f]
        why = None if feature.name in explicit else index_like(column, profile.reference, counts, f)
        if why:
            problems.append(
                Problem(
                    feature.name,
                    f"{why}, as an index does: it is no part of the verdict",
                    "name it in columns to count it",
                )
            )
        problems += remarks_on(feature, column)
        finished.append(feature.changed(counted=False) if why else feature)
    finished, faults = with_own_statistics(finished)
    return DriftReport(
        **_verdict(finished, settings),
        problems=tuple(dict.fromkeys([*problems, *faults])),
        n_reference=profile.n_rows,
        n_current=counts.n_rows,
        backend=backend.name,
        settings=settings,
        _profile=profile,
        _counts=counts,
    )


def compare_exactly(report: DriftReport, exact: Mapping[str, Exact]) -> DriftReport:
    """The report, with what the sorted rows of some features say instead of what counts only bound."""
    features = [
        with_exact(feature, exact[name]) if name in exact else feature.undecided() for name, feature in report.items()
    ]
    settled = {problem for name in exact for problem in vague(report[name])}
    problems = tuple(problem for problem in report.problems if problem not in settled)
    return replace(report, **_verdict(features, report.settings), problems=problems)


def _features(profile: Profile, counts: Counts, present: Sequence[int], backend: Backend) -> list[FeatureDrift]:
    """Of the columns at these places, in their order."""
    numeric, categorical = {}, {}
    for f in present:
        column = profile.plans[f]
        if isinstance(column, NumericColumn):
            numeric[f] = column
        else:
            categorical[f] = column

    def of(f: int) -> FeatureDrift:
        sides = profile.reference, counts
        rows = [side.column(f) for side in sides]
        weighted = any(side.weights is not None for side in sides)
        return compare_categorical(categorical[f], rows, [side.effective(f) for side in sides] if weighted else rows)

    found = compare_numeric(numeric, profile.reference, counts, backend)
    found.update(zip(categorical, backend.map(of, categorical), strict=True))
    return [found[f] for f in present]


def _verdict(features: Sequence[FeatureDrift], settings: Settings) -> dict[str, Any]:
    """The features in a report's order, worst first, and what it says of all of them."""
    decided = decide(features, settings)
    judged = sum(f.judged for f in decided)
    drifted = sum(f.drifted for f in decided)
    share = drifted / judged if judged else math.nan
    ordered = sorted(decided, key=lambda f: (not f.drifted, not f.counted, -f.severity(settings), f.name))
    return {
        "features": {f.name: f for f in ordered},
        "dataset_drift": drifted > 0 and share >= (settings.drift_share or 0.0),
        "share_drifted": share,
    }


def wanted_columns(profile: Profile, settings: Settings) -> set[str]:
    """Columns to report: those asked for, else all, with those that were left out of the profile."""
    known = [*profile.columns, *(p.feature for p in profile.problems)]
    for name in settings.columns:
        if name not in known:
            raise DataError(f"the profile has no column {name!r}: {hint(name, known)}")
    beside = {settings.time, settings.weights, profile.weights}  # they say when and how much, and are not compared
    return set(settings.columns) or {name for name in known if name not in beside}
