"""Are the results right? Every function returns what disagrees in one line, or None; without agreement no ratio."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

import gpudrift as gd
from gpudrift.bench.numpy_drift import Drift, psi_js
from gpudrift.bench.tables import Table
from gpudrift.profiles.bins import bin_counts
from gpudrift.profiles.columns import NumericColumn
from gpudrift_kernels import reference as definition

ROUNDING: Final = 1e-9
_CHUNK: Final = 1 << 20


def drift_disagreement(
    report: Mapping[str, gd.FeatureDrift], reference: Table, current: Table, exact: Mapping[str, Drift]
) -> str | None:
    """Hold PSI and JS to the counts of the kernels' definition in plain NumPy, KS to its exact value.

    Parameters
    ----------
    report : mapping of name to FeatureDrift
    reference, current : tables
        What the report is about.
    exact : mapping of name to Drift
        The exact KS distance of the columns to look at, by another way.
    """
    profile = gd.profile({name: reference[name] for name in exact})
    for plan in profile.plans:
        if not isinstance(plan, NumericColumn):
            return f"{plan.name} is {plan.kind}"
        indices = np.arange(plan.plan.n_index)
        p, q = (
            bin_counts(plan.bin_starts, indices, counted(side[plan.name], plan)[: indices.size])
            for side in (reference, current)
        )
        found = report[plan.name]
        for name, value, expected in zip(("PSI", "JS"), (found.psi, found.js_distance), psi_js(p, q), strict=True):
            if not abs(value - expected) <= ROUNDING:
                return f"{plan.name}: {name} is {value:.9g}, and {expected:.9g} by definition"
        if problem := ks_disagreement(found.ks, exact[plan.name].ks_lower):
            return f"{plan.name}: {problem}"
    return None


def ks_disagreement(ks: gd.KS | None, exact: float) -> str | None:
    """The interval must hold the exact distance."""
    if ks is None or not ks.lower - ROUNDING <= exact <= ks.upper + ROUNDING:
        return f"KS is {exact:.9g}, outside {ks and (ks.lower, ks.upper)}"
    return None


def counts_disagreement(profile: gd.Profile, counts: gd.Counts, batch: Table, names: Iterable[str]) -> str | None:
    """Every counter of the named columns must be what the kernels' definition counts."""
    wanted = set(names)
    for f, plan in enumerate(profile.plans):
        if plan.name not in wanted or not isinstance(plan, NumericColumn):
            continue
        found = np.zeros(plan.n_counters, np.int64)
        own = counts.keys >> 32 == f
        found[counts.keys[own] & 0xFFFFFFFF] = counts.values[own]
        wrong = int(np.abs(found - counted(batch[plan.name], plan)).sum())
        if wrong:
            return f"{plan.name}: {wrong:,} rows are counted otherwise than by definition"
    return None


def counted(values: NDArray[Any], column: NumericColumn) -> NDArray[np.int64]:
    """Counts of a column by the kernels' definition in plain NumPy, in chunks."""
    total = np.zeros(column.n_counters, np.int64)
    for at in range(0, values.size, _CHUNK):
        total += definition.histogram(values[at : at + _CHUNK], column.plan)
    return total
